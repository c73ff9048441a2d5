// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * arm.c: arming and disarming.  Everything a dump will need is found, checked
 * and reserved here, while the machine is well; after the panic there is
 * nothing left to ask for.  The controller stays the stock driver's.
 */
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/utsname.h>

#include <md.h>
#include <os/kcompat.h>
#include <os/os.h>

DEFINE_MUTEX(arm_lock);
struct armed *armed;
bool arm_suspended;
bool arm_asleep;

/* What is armed, in its order; or what will be when a suspension is over. */
static struct arm_config *configs[DUMP_DEVICES_MAX];
static unsigned int nconfigs;

static char reason[256];

int
arm_refuse(int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vscnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	pr_warn("swapcore: not armed: %s\n", reason);
	return error;
}

const char *
arm_reason(void)
{
	return reason;
}

void
arm_reason_clear(void)
{
	reason[0] = '\0';
}

void
arm_config_free(struct arm_config *cfg)
{
	if (cfg) {
		pin_drop(cfg);
		kvfree(cfg->extents);
		kvfree(cfg->crash_notes);
		kfree(cfg);
	}
}

/* ---- Memory and header ---- */

/* What all devices share. */
static int
arm_memory(struct armed *a)
{
	struct dump *d = &a->dump;
	int error;

	error = ram_find(&d->map);
	if (error != 0)
		return error == -ENOMEM ? error : arm_refuse(error,
		    "the kernel names no RAM (error %d)", -error);
	d->map.bits = kvzalloc(dump_map_bytes(d->map.npages), GFP_KERNEL);
	d->early_buf = alloc_pages_exact(DUMP_EARLY_BUF, GFP_KERNEL);
	d->notes_len = regs_notes_max();
	d->notes = alloc_pages_exact(d->notes_len, GFP_KERNEL);
	a->stack = alloc_pages_exact(ARM_STACK_SIZE, GFP_KERNEL);
	a->vars = (struct arm_vars *)get_zeroed_page(GFP_KERNEL);
	if (!d->map.bits || !d->early_buf || !d->notes || !a->stack || !a->vars)
		return -ENOMEM;
	BUILD_BUG_ON(sizeof(*a->vars) > PAGE_SIZE);
	d->vars_paddr = virt_to_phys(a->vars);
	buffers_alloc(&a->buffers);
	return 0;
}

static void
name_add(cpu_kcore_hdr_t *h, unsigned int *n, const char *name,
    const void *addr)
{
	strscpy(h->names[*n].name, name, sizeof(h->names[*n].name));
	h->names[(*n)++].addr = (u64)(unsigned long)addr;
}

static int
arm_header(struct armed *a, const struct arm_config *cfg)
{
	cpu_kcore_hdr_t *h = &a->dump.hdr;
	struct arm_vars *v = a->vars;
	unsigned int n = 0;
	char *note;
	int error;

	note = vmcoreinfo_text(&h->vmcoreinfo_paddr, &h->vmcoreinfo_size);
	if (!note)
		return arm_refuse(-EOPNOTSUPP, "the kernel offers no "
		    "VMCOREINFO note; it needs CONFIG_CRASH_CORE");
	error = md_header(h, note);
	(void)vmcoreinfo_bytes(note, "BUILD-ID=", h->build_id,
	    sizeof(h->build_id));
	kfree(note);
	if (error != 0)
		return arm_refuse(error, "the kernel's VMCOREINFO lacks the "
		    "page-table root or the KASLR offset");
	h->ncpus = num_online_cpus();
	h->panic_cpu = KCORE_NOCPU;
	h->dumpmag_paddr = virt_to_phys(&v->dumpmag);
	memcpy(h->boot_id, cfg->boot_id, KCORE_IDLEN);
	strscpy(h->release, init_utsname()->release, sizeof(h->release));
	strscpy(h->osversion, init_utsname()->version, sizeof(h->osversion));
	strscpy(h->nodename, init_utsname()->nodename, sizeof(h->nodename));

	v->panicstr = (u64)(unsigned long)v->panicbuf;
	snprintf(v->version, sizeof(v->version), "Linux version %s %s",
	    init_utsname()->release, init_utsname()->version);
	name_add(h, &n, "dumpmag", &v->dumpmag);
	name_add(h, &n, "dumpsize", &v->dumpsize);
	name_add(h, &n, "dumplo", &v->dumplo);
	name_add(h, &n, "dumpdev", &v->dumpdev);
	name_add(h, &n, "panicstr", &v->panicstr);
	name_add(h, &n, "version", v->version);
	return 0;
}

/* Called by the dump core when places and sizes are known. */
static void
vars_planned(struct dump *d)
{
	struct armed *a = container_of(d, struct armed, dump);

	a->vars->dumpdev = new_encode_dev(armed_disk_of(d->dev)->cfg->disk);
	a->vars->dumpmag = KCORE_DUMPMAG;
	a->vars->dumpsize = (u32)(d->l.data_size / PAGE_SIZE);
	a->vars->dumplo = d->l.dumplo >> SECTOR_SHIFT;
	strscpy(a->vars->panicbuf, d->hdr.panicstr, sizeof(a->vars->panicbuf));
}

static const char *
window_lost(struct dump *d)
{
	return pin_lost(armed_disk_of(d->dev)->cfg);
}

static void
armed_free(struct armed *a)
{
	struct dump *d = &a->dump;

	buffers_free(&a->buffers);
	ram_free(&d->map);
	kvfree(d->map.bits);
	if (d->early_buf)
		free_pages_exact(d->early_buf, DUMP_EARLY_BUF);
	if (d->notes)
		free_pages_exact(d->notes, d->notes_len);
	if (a->stack)
		free_pages_exact(a->stack, ARM_STACK_SIZE);
	free_page((unsigned long)a->vars);
	free_pages_exact(a, sizeof(*a));
}

/* The part that is the same for all devices.  NULL after arm_refuse(). */
static struct armed *
armed_make(const struct arm_config *cfg)
{
	struct armed *a;
	int error;

	if (md_clock_init() != 0) {
		(void)arm_refuse(-EOPNOTSUPP, "this machine has no usable "
		    "time stamp counter");
		return NULL;
	}
	a = alloc_pages_exact(sizeof(*a), GFP_KERNEL | __GFP_ZERO);
	if (!a) {
		(void)arm_refuse(-ENOMEM, "no memory");
		return NULL;
	}
	error = arm_memory(a);
	if (error == 0)
		error = arm_header(a, cfg);
	if (error == 0) {
		a->dump.planned = vars_planned;
		a->dump.lost = window_lost;
		return a;
	}
	if (error == -ENOMEM && !reason[0])
		(void)arm_refuse(error, "no memory");
	armed_free(a);
	return NULL;
}

/* ---- One device ---- */

static void
disk_free(struct armed_disk *disk)
{
	arm_disk_unlock(disk);
	arm_disk_free(disk);
	free_pages_exact(disk, sizeof(*disk));
}

/* Does the new window share a sector with one that is armed already? */
static int
disk_distinct(const struct armed *a, const struct arm_config *cfg)
{
	const struct arm_config *other;
	const struct dump_extent *x, *y;
	unsigned int i;

	for (i = 0; a->list[i]; i++) {
		other = armed_disk_of(a->list[i])->cfg;
		if (other->disk != cfg->disk)
			continue;
		for (x = cfg->extents; x < cfg->extents + cfg->nextents; x++)
			for (y = other->extents;
			    y < other->extents + other->nextents; y++)
				if (x->blk < y->blk + y->nblks &&
				    y->blk < x->blk + x->nblks)
					return arm_refuse(-EEXIST, "%s is "
					    "already armed, as %s",
					    cfg->device, other->device);
	}
	return 0;
}

static struct armed_disk *
disk_make(const struct armed *a, struct arm_config *cfg)
{
	struct armed_disk *disk;
	kcompat_bdev *open;
	int error;

	open = kcompat_bdev_open(cfg->disk, NULL);
	if (IS_ERR(open)) {
		(void)arm_refuse((int)PTR_ERR(open), "%s: block device %u:%u "
		    "can't be opened (error %ld)", cfg->device,
		    MAJOR(cfg->disk), MINOR(cfg->disk), -PTR_ERR(open));
		return ERR_CAST(open);
	}
	disk = alloc_pages_exact(sizeof(*disk), GFP_KERNEL | __GFP_ZERO);
	error = disk ? 0 : -ENOMEM;
	if (disk) {
		disk->cfg = cfg;
		disk->dev.name = cfg->device;
		disk->dev.dd = &disk->dd;
		disk->dev.level = cfg->level;
		memcpy(disk->dev.arm_id, cfg->arm_id, KCORE_IDLEN);
		get_random_bytes(disk->dev.dump_id, KCORE_IDLEN);
		error = arm_disk(disk, &a->buffers, kcompat_bdev_of(open));
	}
	kcompat_bdev_close(open, false);
	if (error == 0)
		return disk;
	if (error == -ENOMEM && !reason[0])
		(void)arm_refuse(error, "no memory");
	if (disk)
		disk_free(disk);
	return ERR_PTR(error);
}

/* ---- The list ---- */

static unsigned int
list_len(const struct armed *a)
{
	unsigned int n = 0;

	while (a && a->list[n])
		n++;
	return n;
}

static void
sum_own(void *arg, u64 start, u64 end, const char *what)
{
	*(u64 *)arg += end - start;
}

u64
arm_held(void)
{
	u64 sum = 0;

	if (armed)
		own_each(armed, sum_own, &sum);
	return sum;
}

static int
arm_allowed(const struct arm_config *cfg)
{
	if (arm_asleep)
		return arm_refuse(-EBUSY, "the machine is suspending; try "
		    "again when it is back");
	if (security_locked_down(LOCKDOWN_KCORE))
		return arm_refuse(-EPERM, "the kernel is locked down to keep "
		    "its memory confidential; a dump would break that");
	if (list_len(armed) == DUMP_DEVICES_MAX)
		return arm_refuse(-ENOSPC, "%s: %u devices are armed, and "
		    "there is room for no more", cfg->device,
		    DUMP_DEVICES_MAX);
	if (!armed)
		return 0;
	if (memcmp(armed->list[0]->arm_id, cfg->arm_id, KCORE_IDLEN) != 0)
		return arm_refuse(-ESTALE, "%s: somebody else has armed %s "
		    "meanwhile; run dumpon again", cfg->device,
		    armed->list[0]->name);
	return disk_distinct(armed, cfg);
}

/* disk is ready: from now on a panic dumps to it. */
static int
arm_publish(struct armed *a, struct armed_disk *disk)
{
	int error = 0;

	smp_store_release(&a->list[list_len(a)], &disk->dev);
	if (a != armed)
		error = hook_init(a);
	if (error == 0) {
		armed = a;
		arm_disk_unlock(disk);
		watch_begin();
	}
	return error;
}

static int
arm_config(struct arm_config *cfg)
{
	struct armed *a = armed;
	struct armed_disk *disk;
	int error;

	error = arm_allowed(cfg);
	if (error == 0)
		error = pin_take(cfg);
	if (error != 0)
		return error == -ENOMEM ? arm_refuse(error, "no memory") :
		    error;
	if (!a)
		a = armed_make(cfg);
	if (!a)
		return -EOPNOTSUPP;
	disk = disk_make(a, cfg);
	error = PTR_ERR_OR_ZERO(disk);
	if (error == 0) {
		error = arm_publish(a, disk);
		if (error != 0)
			disk_free(disk);
	}
	if (error != 0) {
		if (a != armed)
			armed_free(a);
		return error;
	}
	pr_info("swapcore: armed on %s (%s, %s), %llu MiB window, %llu KiB of "
	    "memory held\n", cfg->device, disk->dd.ops->name,
	    dev_name(disk->bus.dev), disk->dev.w.size >> 20,
	    arm_held() >> 10);
	return 0;
}

int
arm(struct arm_config *cfg)
{
	int error;

	arm_reason_clear();
	error = arm_config(cfg);
	if (error == 0)
		configs[nconfigs++] = cfg;
	return error;
}

static void
configs_remove(unsigned int i)
{
	arm_config_free(configs[i]);
	memmove(configs + i, configs + i + 1,
	    (--nconfigs - i) * sizeof(configs[0]));
}

/* What is pinned stays so. */
static void
disarm_pinned(const char *why)
{
	unsigned int i;

	if (!armed)
		return;
	hook_fini();
	for (i = 0; armed->list[i]; i++)
		disk_free(armed_disk_of(armed->list[i]));
	armed_free(armed);
	armed = NULL;
	if (why) {
		strscpy(reason, why, sizeof(reason));
		pr_warn("swapcore: disarmed: %s\n", why);
	} else {
		pr_info("swapcore: disarmed\n");
	}
}

void
disarm(const char *why)
{
	disarm_pinned(why);
	while (nconfigs > 0)
		configs_remove(nconfigs - 1);
	arm_suspended = false;
}

void
disarm_disk(struct armed_disk *disk, const char *why)
{
	unsigned int i = 0, k;

	if (list_len(armed) == 1) {
		disarm(why);
		return;
	}
	while (armed->list[i] != &disk->dev)
		i++;
	for (k = i; armed->list[k]; k++)
		WRITE_ONCE(armed->list[k], armed->list[k + 1]);
	snprintf(reason, sizeof(reason), "%s: %s", disk->cfg->device, why);
	pr_warn("swapcore: %s disarmed: %s\n", disk->cfg->device, why);
	disk_free(disk);
	configs_remove(i);
}

void
arm_suspend(const char *why)
{
	if (!armed)
		return;
	disarm_pinned(why);
	arm_suspended = true;
}

void
arm_resume(void)
{
	unsigned int i = 0;

	if (!arm_suspended || armed)
		return;
	arm_suspended = false;
	arm_reason_clear();
	while (i < nconfigs)
		if (arm_config(configs[i]) == 0)
			i++;
		else
			configs_remove(i);
}
