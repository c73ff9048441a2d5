// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * dump_list.c: the devices that are armed, in their order.  Where a dump fails,
 * for whatever reason, it is begun anew on the next one.
 *
 * Each device has a dump of its own, with its own dump id; the arm id is that of
 * all.  The trailers' sequence numbers go on from device to device, so that a
 * reader can tell which of them was tried last.
 */
#include <kern/dump.h>

void
dump_choose(struct dump *d, const struct dump_device *dev, unsigned int index)
{
	/* A trailer that was torn has the number after the last one. */
	d->seq_begin = index == 0 ? 0 : d->trailer.seq + 1;
	d->dev = dev;
	d->dd = dev->dd;
	d->w = dev->w;
	d->level = dev->level;
	d->hdr.device_index = index;
	memcpy(d->hdr.arm_id, dev->arm_id, KCORE_IDLEN);
	memcpy(d->hdr.dump_id, dev->dump_id, KCORE_IDLEN);
}

int
dump_list_run(struct dump *d, const struct dump_device *const *list,
    const char *panicstr, int (*run)(struct dump *d, const char *panicstr))
{
	int error = -ENODEV;
	unsigned int i;

	for (i = 0; error != 0 && list[i]; i++) {
		dump_choose(d, list[i], i);
		md_printf("swapcore: dumping to %s\n", list[i]->name);
		error = run(d, panicstr);
	}
	return error;
}
