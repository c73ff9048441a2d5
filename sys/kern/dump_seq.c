// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * dump_seq.c: a dump from beginning to end.
 *
 *	start the device, prove that it is the right disk, early record and
 *	first trailer, pass 1 (what becomes of each page), header and tables,
 *	second trailer, pass 2 (the pages, with checkpoints), COMPLETE.
 *
 * An error ends the dump; what was already on the medium by the last checkpoint
 * stays valid, and a last trailer says FAILED if the device still takes it.
 */
#include <kern/dump.h>

#define CHECKPOINT_US	2000000u	/* at most one checkpoint in this time */
#define PROGRESS_US	1000000u	/* at most one line in this time */

#define SWAP_MAGIC_OFF	(KCORE_ALIGN - 10)

/*
 * Safety rule: the first page of the window on the disk that answers now must
 * be the one that was there when the dump was armed.  Proves controller, unit,
 * base and block size at once.
 */
static __must_check int
prove_page0(struct dump *d)
{
	const uint8_t *now = d->dd->slots[0].buf.va;
	uint64_t blk;
	uint32_t nblks;
	int error;

	error = dump_window_map(&d->w, 0, KCORE_ALIGN, &blk, &nblks);
	if (error != 0)
		return error;
	memset(d->dd->slots[0].buf.va, 0, KCORE_ALIGN);
	error = dumpdev_submit(d->dd, DUMPDEV_READ, 0, blk, nblks);
	if (error == 0)
		error = dumpdev_wait(d->dd, 0);
	if (error != 0) {
		md_printf("swapcore: dump failed: the device's first page "
		    "can't be read: %s; nothing is written\n", d->dd->reason);
		return error;
	}
	if (memcmp(now, d->dev->page0, KCORE_ALIGN) == 0)
		return 0;
	if (memcmp(now + SWAP_MAGIC_OFF, "S1SUSPEND", 9) == 0)
		md_printf("swapcore: dump failed: the device holds a "
		    "hibernation image; nothing is written\n");
	else
		md_printf("swapcore: dump failed: the device's first page is "
		    "not the one it was armed with; nothing is written\n");
	return -ESTALE;
}

/* The extents behind the first, where nobody but us writes. */
static __must_check int
prove_firsts(struct dump *d)
{
	void *now = d->dd->slots[0].buf.va;
	unsigned int i;
	int error;

	for (i = 1; d->dev->firsts && i < d->w.next; i++) {
		md_watchdog();
		memset(now, 0, KCORE_ALIGN);
		error = dumpdev_submit(d->dd, DUMPDEV_READ, 0, d->w.ext[i].blk,
		    KCORE_ALIGN / d->w.blksize);
		if (error == 0)
			error = dumpdev_wait(d->dd, 0);
		if (error != 0) {
			md_printf("swapcore: dump failed: the first page of "
			    "extent %u can't be read: %s; nothing is "
			    "written\n", i, d->dd->reason);
			return error;
		}
		if (md_xxh64(now, KCORE_ALIGN) == d->dev->firsts[i])
			continue;
		md_printf("swapcore: dump failed: the first page of extent %u "
		    "is not the one it was armed with; nothing is written\n",
		    i);
		return -ESTALE;
	}
	return 0;
}

/* Are the disk and the window on it what they were when they were armed? */
static __must_check int
prove_disk(struct dump *d)
{
	const char *why = d->lost ? d->lost(d) : NULL;
	int error;

	if (why) {
		md_printf("swapcore: dump failed: %s; nothing is written\n",
		    why);
		return -ESTALE;
	}
	error = prove_page0(d);
	return error != 0 ? error : prove_firsts(d);
}

static void
progress(struct dump *d)
{
	uint64_t now = md_now_us(), mib, us;

	if (now - d->progress_us < PROGRESS_US)
		return;
	d->progress_us = now;
	us = now - d->start_us;
	mib = d->data_done >> 20;
	md_printf("swapcore: %u%%, %llu of %llu MiB, %llu MB/s\n",
	    (unsigned int)(d->data_done * 100 / d->l.data_size),
	    (unsigned long long)mib,
	    (unsigned long long)(d->l.data_size >> 20),
	    (unsigned long long)(us > 0 ? d->data_done / us : 0));
}

/* All data put so far, and its checksums, onto the medium; then the trailer. */
static __must_check int
checkpoint(struct dump *d, uint32_t state)
{
	int error;

	error = dump_stream_push(d);
	if (error == 0)
		error = dump_record_checkpoint(d, state);
	d->checkpoint_us = md_now_us();
	return error;
}

/* Closes the chunk that ends here. */
static __must_check int
chunk_end(struct dump *d)
{
	int error;

	error = dump_record_sum(d, md_xxh64_digest(&d->hash));
	md_xxh64_init(&d->hash);
	if (error != 0)
		return error;
	md_watchdog();
	progress(d);
	if (d->data_done < d->l.data_size &&
	    md_now_us() - d->checkpoint_us >= CHECKPOINT_US)
		return checkpoint(d, KCORE_STATE_INPROGRESS);
	return 0;
}

/* Copies npages pages from pa on into the stream. */
static __must_check int
write_pages(struct dump *d, kpaddr_t pa, uint64_t npages)
{
	uint32_t len;
	void *to;
	int error;

	for (; npages > 0; npages--, pa += KCORE_ALIGN) {
		len = KCORE_ALIGN;
		error = dump_stream_room(d, &to, &len);
		if (error != 0)
			return error;
		if (md_page_read(to, pa, npages > 1, &d->hash) != 0)
			dump_record_late(d, pa, KCORE_ALIGN);
		dump_stream_advance(d, KCORE_ALIGN);
		d->data_done += KCORE_ALIGN;
		if (d->data_done % KCORE_CHUNK == 0 ||
		    d->data_done == d->l.data_size) {
			error = chunk_end(d);
			if (error != 0)
				return error;
		}
	}
	return 0;
}

static __must_check int
write_data(struct dump *d)
{
	struct dump_run run;
	uint64_t idx = 0;
	kpaddr_t end;
	int error;

	md_xxh64_init(&d->hash);
	d->checkpoint_us = md_now_us();
	error = write_pages(d, d->vars_paddr, 1);
	while (error == 0 && dump_map_next(&d->map, &idx, &run)) {
		if (run.state != DUMP_KEEP)
			continue;
		end = run.start + run.npages * KCORE_ALIGN;
		if (d->vars_paddr >= run.start && d->vars_paddr < end) {
			error = write_pages(d, run.start,
			    (d->vars_paddr - run.start) / KCORE_ALIGN);
			run.start = d->vars_paddr + KCORE_ALIGN;
			run.npages = (end - run.start) / KCORE_ALIGN;
		}
		if (error == 0)
			error = write_pages(d, run.start, run.npages);
	}
	return error;
}

/* From the first write to COMPLETE. */
static __must_check int
dump_write(struct dump *d)
{
	int error;

	error = dump_record_early(d);
	if (error == 0)
		error = dump_record_trailer(d, KCORE_STATE_INPROGRESS, 0);
	if (error != 0)
		return error;

	error = dump_plan(d);
	if (error != 0)
		return error;
	d->trailer.dump_level = d->level;
	d->planned(d);
	error = dump_stream_open(d, d->l.dumplo);
	if (error == 0)
		error = dump_tables_write(d);
	if (error == 0)
		error = dumpdev_flush(d->dd);
	if (error != 0)
		return error;
	d->trailer.dumplo = d->l.dumplo;
	d->trailer.hdr_size = d->l.hdr_size;
	d->trailer.data_size = d->l.data_size;
	d->trailer.cksum_off = d->l.cksum_off;
	d->trailer.cksum_size = d->l.cksum_size;
	error = dump_record_trailer(d, KCORE_STATE_INPROGRESS, 0);
	if (error == 0)
		error = write_data(d);
	if (error == 0)
		error = checkpoint(d, KCORE_STATE_COMPLETE);
	return error;
}

static void
report(const struct dump *d, int error)
{
	uint64_t us = md_now_us() - d->start_us;

	dump_plan_tell(d);
	if (d->dd->nrestarts > 0)
		md_printf("swapcore: the device broke and was started "
		    "again\n");
	if (error != 0) {
		md_printf("swapcore: dump failed: error %d after %llu of %llu "
		    "MiB: %s\n", -error,
		    (unsigned long long)(d->data_done >> 20),
		    (unsigned long long)(d->l.data_size >> 20),
		    d->dd->reason[0] != '\0' ? d->dd->reason :
		    error == -ENOSPC ? "the window is too small" :
		    "nothing more is known");
		return;
	}
	md_printf("swapcore: dump complete: %llu MiB in %llu.%llu s, "
	    "%llu MB/s%s\n", (unsigned long long)(d->data_done >> 20),
	    (unsigned long long)(us / 1000000),
	    (unsigned long long)(us / 100000 % 10),
	    (unsigned long long)(us > 0 ? d->data_done / us : 0),
	    d->hdr.flags & KCORE_F_TRUNCATED ?
	    ", truncated: the window is too small" : "");
}

/*
 * Notes on the medium that the dump has failed.  Other requests of the same time
 * may have failed too: they are waited for and their fate is of no interest.
 */
static void
note_failure(struct dump *d, int error)
{
	int werror;

	werror = dumpdev_drain(d->dd);
	if (!d->dd->dead)
		werror = dump_record_trailer(d, KCORE_STATE_FAILED, error);
	if (werror != 0)
		md_printf("swapcore: the failure could not be noted on the "
		    "medium\n");
}

int
dump_run(struct dump *d, const char *panicstr)
{
	int error, serror;

	d->start_us = d->progress_us = md_now_us();
	d->data_done = 0;
	d->hdr.flags = 0;
	d->writing = false;
	memset(&d->l, 0, sizeof(d->l));
	d->notes_size = (uint32_t)md_notes(d->notes, d->notes_len);
	dump_record_begin(d, panicstr);

	error = dumpdev_start(d->dd);
	if (error == 0 && d->dd->nslots < DUMP_SLOTS_MIN)
		error = dumpdev_fail(d->dd, -EOPNOTSUPP,
		    "the device takes one request at a time");
	if (error != 0)
		md_printf("swapcore: dump failed: can't take over the dump "
		    "device: %s\n", d->dd->reason);
	else
		error = prove_disk(d);
	if (error == 0) {
		d->writing = true;
		error = dump_write(d);
		if (error != 0)
			note_failure(d, error);
		report(d, error);
	}
	/* Also a controller that was taken over by half: it may do DMA. */
	serror = dumpdev_stop(d->dd);
	if (serror != 0 && error == 0)
		md_printf("swapcore: the dump is complete, but the device did "
		    "not shut down: %s\n", d->dd->reason);
	return error;
}

void
dump_abandon(struct dump *d)
{
	if (d->writing && d->trailer.state != KCORE_STATE_COMPLETE)
		note_failure(d, -EFAULT);
	if (dumpdev_stop(d->dd) != 0)
		md_printf("swapcore: the device did not shut down: %s\n",
		    d->dd->reason);
}
