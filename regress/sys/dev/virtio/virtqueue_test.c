/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtqueue_test.c: descriptor chains and rings of the split virtqueue, and
 * answers that make no sense.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <dev/virtio/virtiovar.h>

#define BUSADDR	0x77000u

static struct vq vq;
static struct dumpdev_dma mem;

static int
setup(void **state)
{
	(void)state;
	mem.va = aligned_alloc(4096, VQ_MEM_LEN);
	mem.len = VQ_MEM_LEN;
	mem.busaddr = BUSADDR;
	if (mem.va == NULL)
		return -1;
	memset(mem.va, 0xaa, mem.len);
	memset(&vq, 0, sizeof(vq));
	vq_init(&vq, &mem, 0);
	vq_reset(&vq, 0, 8);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(mem.va);
	return 0;
}

/* The device: answers with id, by the layout of 2.6. */
static void
answer(uint32_t id)
{
	uint8_t *used = (uint8_t *)mem.va + 4096 + 1024;
	uint16_t idx;

	memcpy(&idx, used + 2, 2);
	memcpy(used + 4 + 8 * (idx % 8), &id, 4);
	idx++;
	memcpy(used + 2, &idx, 2);
}

/* This test checks that a reset queue is empty and wants no interrupts. */
static void
vq_reset_old_contents_cleared(void **state)
{
	uint8_t *p = mem.va;
	uint16_t head;
	size_t i;

	(void)state;
	assert_int_equal(p[4096], 1);
	for (i = 0; i < VQ_MEM_LEN; i++)
		if (i != 4096)
			assert_int_equal(p[i], 0);
	assert_int_equal(vq_pop(&vq, &head), 0);
}

/* This test checks a chain's descriptors and its place in the available ring,
 * byte by byte. */
static void
vq_push_chain_laid_out(void **state)
{
	static const uint8_t want[3][16] = {
		{ 0x10, 0x70, 7, 0, 0, 0, 0, 0, 16, 0, 0, 0, 1, 0, 3, 0 },
		{ 0x00, 0x80, 7, 0, 1, 0, 0, 0, 0, 2, 0, 0, 3, 0, 4, 0 },
		{ 0x99, 0x70, 7, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0 },
	};
	static const struct vq_seg segs[] = {
		{ 0x77010, 16, false }, { 0x100078000, 512, true },
		{ 0x77099, 1, true },
	};
	const uint8_t *p = mem.va;

	(void)state;
	assert_int_equal(vq_push(&vq, 2, segs, 3), 0);
	assert_memory_equal(p + 32, want, sizeof(want));
	assert_memory_equal(p + 4096, "\1\0\1\0\2\0", 6);
}

/* This test checks that a chain which is empty, sticks out of the queue, or is
 * with the device already is not offered. */
static void
vq_push_unfit_refused(void **state)
{
	static const struct vq_seg segs[9] = { { 0x77000, 1, false } };

	(void)state;
	assert_int_equal(vq_push(&vq, 0, segs, 0), -EIO);
	assert_int_equal(vq_push(&vq, 6, segs, 3), -EIO);
	assert_int_equal(vq_push(&vq, 0, segs, 9), -EIO);
	assert_int_equal(vq.avail_idx, 0);
	assert_int_equal(vq_push(&vq, 5, segs, 3), 0);
	assert_int_equal(vq_push(&vq, 5, segs, 3), -EIO);
}

/* This test checks that answers come back once each, in their order, over many
 * turns of the ring and of its 16-bit indices. */
static void
vq_pop_many_turns_in_order(void **state)
{
	static const struct vq_seg seg = { 0x77000, 1, false };
	uint16_t head;
	unsigned int i;

	(void)state;
	for (i = 0; i < 70000; i++) {
		assert_int_equal(vq_push(&vq, 2, &seg, 1), 0);
		assert_int_equal(vq_push(&vq, 5, &seg, 1), 0);
		assert_int_equal(vq_pop(&vq, &head), 0);
		answer(5);
		answer(2);
		assert_int_equal(vq_pop(&vq, &head), 1);
		assert_int_equal(head, 5);
		assert_int_equal(vq_pop(&vq, &head), 1);
		assert_int_equal(head, 2);
		assert_int_equal(vq_pop(&vq, &head), 0);
	}
	assert_int_equal(vq.nstrays, 0);
}

/* This test checks that answers with an id that is no head, or a head that was
 * answered already, are counted and passed over. */
static void
vq_pop_wrong_ids_ignored(void **state)
{
	static const struct vq_seg segs[2] = { { 0x77000, 1, false },
	    { 0x77000, 1, false } };
	uint16_t head;

	(void)state;
	assert_int_equal(vq_push(&vq, 2, segs, 2), 0);
	answer(3);
	answer(8);
	answer(0x10002);
	answer(0xffffffff);
	assert_int_equal(vq_pop(&vq, &head), 0);
	answer(2);
	answer(2);
	assert_int_equal(vq_pop(&vq, &head), 1);
	assert_int_equal(head, 2);
	assert_int_equal(vq_pop(&vq, &head), 0);
	assert_int_equal(vq.nstrays, 5);
}

/* This test checks that a used index which runs away is an error, not a long
 * walk. */
static void
vq_pop_index_runs_away_told(void **state)
{
	uint8_t *used = (uint8_t *)mem.va + 4096 + 1024;
	uint16_t head, idx;

	(void)state;
	for (idx = 9; idx != 0; idx = (uint16_t)(idx * 3)) {
		memcpy(used + 2, &idx, 2);
		assert_int_equal(vq_pop(&vq, &head), -EIO);
		if (idx > 20000)
			break;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(vq_reset_old_contents_cleared,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(vq_push_chain_laid_out, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(vq_push_unfit_refused, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(vq_pop_many_turns_in_order,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(vq_pop_wrong_ids_ignored,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(vq_pop_index_runs_away_told,
		    setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
