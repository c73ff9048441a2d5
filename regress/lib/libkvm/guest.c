/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest.c: the memory of a small kernel and a core file of it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/kcore.h>

#include "guest.h"

#define AT(member)	offsetof(cpu_kcore_hdr_t, member)

void
guest_init(struct guest *g)
{
	memset(g, 0, sizeof(*g));
	image_init(&g->im);
	g->base = MKDUMP_TEXT_VA + g->im.spec.slide;
	g->im.spec.core = true;
	g->im.spec.vmcoreinfo_paddr = 0;
	g->pokes[0] = (struct mkdump_poke){ MKDUMP_CPU, AT(vmcoreinfo_paddr),
	    8, GUEST_INFO };
	g->pokes[1] = (struct mkdump_poke){ MKDUMP_CPU, AT(vmcoreinfo_size), 8,
	    sizeof(g->info) + 24 };
	g->im.spec.pokes = g->pokes;
	g->im.spec.npokes = 2;
	strcpy(g->memfile, "/tmp/libkvm_mem.XXXXXX");
	close(mkstemp(g->memfile));
	g->im.spec.memfile = g->memfile;
}

void
guest_fini(struct guest *g)
{
	unlink(g->memfile);
	image_fini(&g->im);
}

uint64_t
guest_put(struct guest *g, const void *data, size_t len, size_t align)
{
	size_t at = (g->used + align - 1) / align * align;

	assert_in_range(at + len, 0, sizeof(g->mem));
	if (len != 0 && data != NULL)
		memcpy(g->mem + at, data, len);
	g->used = at + len;
	return g->base + at;
}

uint8_t *
guest_at(struct guest *g, uint64_t va)
{
	assert_in_range(va, g->base, g->base + sizeof(g->mem) - 1);
	return g->mem + (va - g->base);
}

void
guest_info(struct guest *g, const char *fmt, ...)
{
	size_t used = strlen(g->info);
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(g->info + used, sizeof(g->info) - used, fmt, ap);
	va_end(ap);
	assert_in_range(n, 1, sizeof(g->info) - used - 2);
	strcat(g->info, "\n");
}

void
guest_open(struct guest *g)
{
	image_open(&g->im, O_RDONLY);
}

void
guest_make(struct guest *g)
{
	/* A note: lengths of name and text, type 0, name, text. */
	uint32_t note[6] = { 11, (uint32_t)strlen(g->info), 0 };
	int fd = open(g->memfile, O_WRONLY);

	memcpy(&note[3], "VMCOREINFO", 11);
	assert_int_equal(pwrite(fd, note, sizeof(note), GUEST_INFO),
	    sizeof(note));
	assert_int_equal(pwrite(fd, g->info, sizeof(g->info),
	    GUEST_INFO + sizeof(note)), sizeof(g->info));
	assert_int_equal(pwrite(fd, g->mem, sizeof(g->mem), GUEST_PADDR),
	    sizeof(g->mem));
	close(fd);
	image_write(&g->im);
	guest_open(g);
}

uint64_t
guest_offset(struct guest *g, uint64_t pa)
{
	const cpu_kcore_hdr_t *h = kvm_dump_hdr(g->im.kd);
	const phys_ram_seg_t *s;
	uint64_t off = g->im.info.data_off;

	assert_non_null(h);
	s = (const void *)((const uint8_t *)h + h->memsegs_off);
	for (; pa - s->start >= s->size; s++)
		off += s->size;
	return off + (pa - s->start);
}

static void
guest_mutate_at(struct guest *g, uint64_t off, size_t len,
    void (*look)(struct guest *g))
{
	static const uint8_t flips[] = { 0xff, 0x80, 0x01 };
	uint8_t was, bad;
	size_t i, k;

	for (i = 0; i < len; i++) {
		image_get(&g->im, off + i, &was, 1);
		for (k = 0; k < sizeof(flips); k++) {
			bad = was ^ flips[k];
			image_put(&g->im, off + i, &bad, 1);
			guest_open(g);
			look(g);
		}
		image_put(&g->im, off + i, &was, 1);
	}
	guest_open(g);
}

void
guest_mutate(struct guest *g, uint64_t va, size_t len,
    void (*look)(struct guest *g))
{
	guest_mutate_at(g, guest_offset(g, va - g->base + GUEST_PADDR), len,
	    look);
}

void
guest_mutate_info(struct guest *g, void (*look)(struct guest *g))
{
	guest_mutate_at(g, guest_offset(g, GUEST_INFO), 24 + strlen(g->info),
	    look);
}

void
guest_result(struct guest *g, long rv)
{
	if (rv == -1)
		image_says(&g->im, ": ");
}

void
guest_dmesg(struct guest *g)
{
	char *text = kvm_dmesg(g->im.kd, 0, NULL);

	if (text == NULL)
		guest_result(g, -1);
	free(text);
}
