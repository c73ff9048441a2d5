// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * own.c: the memory that a dump changes while it runs, for whoever compares a
 * dump with memory.
 */
#include <linux/mm.h>
#include <linux/module.h>

#include <os/os.h>

static void
own_range(void (*fn)(void *, u64, u64, const char *), void *arg,
    const void *va, size_t len, const char *what)
{
	u64 start = 0, end = 0, pa;
	size_t i;

	if (!va)
		return;
	for (i = 0; i < len; i += PAGE_SIZE) {
		const char *p = (const char *)va + i;

		/* Not in the direct map: vmalloc, or a module's own. */
		pa = is_vmalloc_addr(p) || !virt_addr_valid(p) ?
		    (u64)vmalloc_to_pfn(p) << PAGE_SHIFT : virt_to_phys(
		    (void *)(unsigned long)p);
		pa &= PAGE_MASK;
		if (pa != end) {
			if (end != start)
				fn(arg, start, end, what);
			start = pa;
		}
		end = pa + PAGE_SIZE;
	}
	if (end != start)
		fn(arg, start, end, what);
}

/* The module's own variables. */
static void
own_data(void (*fn)(void *, u64, u64, const char *), void *arg)
{
#ifdef HAVE_MODULE_MEMORY
	const struct module_memory *m = &THIS_MODULE->mem[MOD_DATA];

	own_range(fn, arg, m->base, m->size, "data");
#else
	const struct module_layout *m = &THIS_MODULE->core_layout;

	own_range(fn, arg, (char *)m->base + m->ro_after_init_size,
	    m->size - m->ro_after_init_size, "data");
#endif
}

static void
own_disk(const struct armed_disk *disk,
    void (*fn)(void *, u64, u64, const char *), void *arg)
{
	const struct bus_dma *dma = disk->bus.dma;
	unsigned int i;

	own_range(fn, arg, disk, sizeof(*disk), "disk");
	own_range(fn, arg, disk->dd.softc, disk->dd.ops->softc_size, "driver");
	for (i = 0; i < BUS_DMA_MAX; i++)
		if (!dma[i].shared)
			own_range(fn, arg, dma[i].dma.va, dma[i].dma.len,
			    "dma");
}

void
own_each(const struct armed *a,
    void (*fn)(void *arg, u64 start, u64 end, const char *what), void *arg)
{
	const struct dump *d = &a->dump;
	unsigned int i;

	own_data(fn, arg);
	own_range(fn, arg, a, sizeof(*a), "state");
	own_range(fn, arg, a->stack, ARM_STACK_SIZE, "stack");
	own_range(fn, arg, d->map.bits, dump_map_bytes(d->map.npages), "map");
	own_range(fn, arg, d->early_buf, DUMP_EARLY_BUF, "early");
	own_range(fn, arg, d->notes, d->notes_len, "notes");
	own_range(fn, arg, a->vars, PAGE_SIZE, "vars");
	for (i = 0; i < BUFFERS_CHUNKS; i++)
		own_range(fn, arg, a->buffers.chunk[i], BUFFERS_CHUNK,
		    "buffers");
	own_range(fn, arg, a->buffers.page, PAGE_SIZE, "buffers");
	for (i = 0; a->list[i]; i++)
		own_disk(armed_disk_of(a->list[i]), fn, arg);
}
