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
struct arm_config *arm_config;
bool arm_suspended;
bool arm_asleep;

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
	memcpy(h->arm_id, cfg->arm_id, KCORE_IDLEN);
	memcpy(h->boot_id, cfg->boot_id, KCORE_IDLEN);
	get_random_bytes(h->dump_id, KCORE_IDLEN);
	strscpy(h->release, init_utsname()->release, sizeof(h->release));
	strscpy(h->osversion, init_utsname()->version, sizeof(h->osversion));
	strscpy(h->nodename, init_utsname()->nodename, sizeof(h->nodename));

	v->dumpdev = new_encode_dev(cfg->disk);
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

	a->vars->dumpmag = KCORE_DUMPMAG;
	a->vars->dumpsize = (u32)(d->l.data_size / PAGE_SIZE);
	a->vars->dumplo = d->l.dumplo >> SECTOR_SHIFT;
	strscpy(a->vars->panicbuf, d->hdr.panicstr, sizeof(a->vars->panicbuf));
}

static const char *
window_lost(struct dump *d)
{
	return pin_lost(container_of(d, struct armed, dump)->cfg);
}

/* ---- All of it ---- */

struct own_sum {
	u64 bytes;
};

static void
sum_own(void *arg, u64 start, u64 end, const char *what)
{
	((struct own_sum *)arg)->bytes += end - start;
}

static void
armed_free(struct armed *a)
{
	struct dump *d = &a->dump;

	arm_disk_free(a);
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

static int
arm_all(struct armed *a, const struct arm_config *cfg,
    struct block_device *bdev)
{
	struct dump *d = &a->dump;
	int error;

	error = arm_disk(a, cfg, bdev);
	if (error == 0)
		error = arm_memory(a);
	if (error == 0)
		error = arm_header(a, cfg);
	if (error != 0)
		return error;
	d->dd = &a->dd;
	d->level = cfg->level;
	d->planned = vars_planned;
	d->lost = window_lost;
	return 0;
}

int
arm(struct arm_config *cfg)
{
	struct own_sum sum = { 0 };
	kcompat_bdev *open;
	struct armed *a;
	int error;

	arm_reason_clear();
	if (arm_asleep)
		return arm_refuse(-EBUSY, "the machine is suspending; try "
		    "again when it is back");
	if (security_locked_down(LOCKDOWN_KCORE))
		return arm_refuse(-EPERM, "the kernel is locked down to keep "
		    "its memory confidential; a dump would break that");
	if (md_clock_init() != 0)
		return arm_refuse(-EOPNOTSUPP, "this machine has no usable "
		    "time stamp counter");
	error = pin_take(cfg);
	if (error != 0)
		return error == -ENOMEM ? arm_refuse(error, "no memory") :
		    error;
	a = alloc_pages_exact(sizeof(*a), GFP_KERNEL | __GFP_ZERO);
	if (!a)
		return arm_refuse(-ENOMEM, "no memory");
	open = kcompat_bdev_open(cfg->disk, NULL);
	if (IS_ERR(open)) {
		free_pages_exact(a, sizeof(*a));
		return arm_refuse((int)PTR_ERR(open), "%s: block device %u:%u "
		    "can't be opened (error %ld)", cfg->device,
		    MAJOR(cfg->disk), MINOR(cfg->disk), -PTR_ERR(open));
	}
	error = arm_all(a, cfg, kcompat_bdev_of(open));
	kcompat_bdev_close(open, false);
	if (error == -ENOMEM && !reason[0])
		(void)arm_refuse(error, "no memory");
	a->cfg = cfg;
	if (error == 0)
		error = hook_init(a);
	if (error != 0) {
		arm_disk_unlock(a);
		armed_free(a);
		return error;
	}
	own_each(a, sum_own, &sum);
	a->held = sum.bytes;
	armed = a;
	arm_disk_unlock(a);
	arm_suspended = false;
	if (arm_config != cfg)
		arm_config_free(arm_config);
	arm_config = cfg;
	pr_info("swapcore: armed on %s (%s, %s), %llu MiB window, %llu KiB of "
	    "memory held\n", cfg->device, a->dd.ops->name,
	    pci_name(a->bus.pdev), a->dump.w.size >> 20, a->held >> 10);
	return 0;
}

/* What is pinned stays so. */
static void
disarm_pinned(const char *why)
{
	if (!armed)
		return;
	hook_fini();
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
	pin_drop(arm_config);
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
	if (!arm_suspended || armed)
		return;
	arm_suspended = false;
	if (arm(arm_config) != 0)
		pin_drop(arm_config);
}
