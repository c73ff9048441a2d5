// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * hook.c: from panic() to the dump core.
 *
 * A panic notifier, first in the list: panic() has stopped the other CPUs by
 * then.  The dump runs once, on a stack of its own.  A fault inside it ends it:
 * the CPU is sent back to where the dump was called from, what the dump had begun
 * is put in order as far as it can be, and the panic goes on.  What the dump asks
 * of the kernel, to print a line and to read the log, is guarded once more: a
 * fault there costs that line or the log.  A fault is seen by a probe, or by the
 * die notifier, before the kernel's oops takes its lock, which a CPU that panic()
 * has stopped may hold.  Where the kernel panics once more in the middle of a
 * dump, as it does at a machine check, that ends the dump, too.
 */
#include <linux/kdebug.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include <md.h>
#include <os/kcompat.h>
#include <os/os.h>

#define MOVED_MAX	16

bool hook_panicked;
struct hook_fault hook_fault;

static struct armed *hook_armed;	/* what a panic dumps; NULL: nothing */
static char hook_message[512];
static atomic_t hook_ran;
static int hook_cpu = -1;		/* that runs something guarded now */
static bool hook_dumping;		/* dump_run() is beneath us */
static bool hook_faulted;		/* the dump was ended by a fault */
static void *hook_moved_fns[MOVED_MAX];
static unsigned int hook_nmoved;

int
hook_call(int (*fn)(void *), void *arg)
{
	return fn(arg);
}

/* As md_guarded(), with what was off where a fault met us on again. */
static int
guarded_on(void *top, int (*fn)(void *), void *arg)
{
	int preempt = preempt_count(), nofault = current->pagefault_disabled;
	int cpu = hook_cpu, error;

	hook_cpu = raw_smp_processor_id();
	error = md_guarded(fn, arg, top);
	hook_cpu = cpu;
	if (error == -EFAULT) {
		preempt_count_set(preempt);
		current->pagefault_disabled = nofault;
	}
	return error;
}

int
hook_guarded(int (*fn)(void *), void *arg)
{
	return guarded_on(NULL, fn, arg);
}

/* The dump, or what is left to do after its fault. */
static int
hook_dump(void *arg)
{
	struct armed *a = arg;

	if (!hook_faulted)
		return dump_run(&a->dump, hook_message);
	dump_abandon(&a->dump);
	return 0;
}

static int
dump_guarded(struct armed *a)
{
	return guarded_on((char *)a->stack + ARM_STACK_SIZE, hook_dump, a);
}

static void
header_at_panic(cpu_kcore_hdr_t *h)
{
	h->panic_cpu = (u32)raw_smp_processor_id();
	h->panic_tid = (u32)current->pid;
	h->panic_task = (u64)(unsigned long)current;
	strscpy(h->panic_comm, current->comm, sizeof(h->panic_comm));
	h->panic_time_ns = ktime_get_real_fast_ns();
	h->uptime_ns = ktime_get_boot_fast_ns();
}

/* A dump that can't go on: what it has begun is put in order. */
static void
hook_abandon(struct armed *a)
{
	hook_faulted = true;
	(void)dump_guarded(a);
}

/* The dump to one device: as dump_run(); -EFAULT: a fault ended it. */
static int
hook_run(struct dump *d, const char *panicstr)
{
	int error;

	hook_dumping = true;
	error = dump_guarded(hook_armed);
	hook_dumping = false;
	if (error == -EFAULT) {
		md_printf("swapcore: dump failed: a fault inside the dumper "
		    "ended it: %s at %pS, address %#lx\n", hook_fault.what,
		    (void *)hook_fault.ip, hook_fault.address);
		hook_abandon(hook_armed);
		hook_faulted = false;	/* the next device has its own */
	}
	return error;
}

static int
hook_panic(struct notifier_block *nb, unsigned long event, void *message)
{
	struct armed *a = READ_ONCE(hook_armed);
	unsigned long flags;

	if (!a)
		return NOTIFY_DONE;
	if (atomic_xchg(&hook_ran, 1) != 0) {
		/* The dump beneath us is not come back to, nor is its stack. */
		if (hook_dumping && hook_cpu == raw_smp_processor_id() &&
		    !hook_faulted) {
			md_printf("swapcore: dump failed: another panic "
			    "ended it\n");
			hook_abandon(a);
		}
		return NOTIFY_DONE;
	}
	local_irq_save(flags);
	hook_panicked = true;
	if (message)
		strscpy(hook_message, message, sizeof(hook_message));
	header_at_panic(&a->dump.hdr);
	if (dump_list_run(&a->dump, a->list, hook_message, hook_run) != 0 &&
	    a->list[1])
		md_printf("swapcore: there is no complete dump on any of the "
		    "devices\n");
	local_irq_restore(flags);
	return NOTIFY_DONE;
}

/* Two, of which one is in the list: see hook_first(). */
static struct notifier_block hook_panic_nb[2] = {
	{ .notifier_call = hook_panic, .priority = INT_MAX },
	{ .notifier_call = hook_panic, .priority = INT_MAX },
};
static unsigned int hook_listed;

/* Did this fault happen in the dump?  Then it goes on where that was called. */
static bool
hook_caught(struct pt_regs *regs, const char *what, unsigned long address)
{
	if (hook_cpu < 0 || hook_cpu != raw_smp_processor_id())
		return false;
	hook_cpu = -1;
	hook_fault.what = what;
	hook_fault.ip = regs->ip;
	hook_fault.address = address;
	md_abort(regs);
	return true;
}

static int
hook_die(struct notifier_block *nb, unsigned long event, void *data)
{
	struct die_args *args = data;

	/* The first two come ahead of the third, which is under a lock. */
	if (event != DIE_GPF && event != DIE_TRAP && event != DIE_OOPS)
		return NOTIFY_DONE;
	if (hook_caught(args->regs, args->str, 0))
		return NOTIFY_STOP;
	if (event == DIE_OOPS && !hook_panicked)
		regs_oopsed(args->regs);
	return NOTIFY_DONE;
}

static struct notifier_block hook_die_nb = {
	.notifier_call = hook_die,
	.priority = INT_MAX,
};

#ifdef HAVE_PAGE_FAULT_OOPS
/* The kernel has found that a page fault is an oops.  Ours: its function returns
 * at once, and so does the fault, to where we say. */
static int
hook_page_fault(struct kprobe *kp, struct pt_regs *regs)
{
	unsigned long fault = regs_get_kernel_argument(regs, 0);
	unsigned long address = regs_get_kernel_argument(regs, 2);

	if (!hook_caught((struct pt_regs *)fault, "page fault", address))
		return 0;
	md_return(regs);
	return 1;
}

/* With this one the probe may change where execution goes on. */
static void
hook_page_fault_post(struct kprobe *kp, struct pt_regs *regs,
    unsigned long flags)
{
}

static struct kprobe hook_fault_kprobe = {
	.symbol_name = "page_fault_oops",
	.pre_handler = hook_page_fault,
	.post_handler = hook_page_fault_post,
};
static bool hook_fault_probed;

static void
hook_probe(void)
{
	hook_fault_kprobe.addr = NULL;
	hook_fault_kprobe.flags = 0;
	hook_fault_probed = register_kprobe(&hook_fault_kprobe) == 0;
}

static void
hook_unprobe(void)
{
	if (hook_fault_probed)
		unregister_kprobe(&hook_fault_kprobe);
	hook_fault_probed = false;
}
#else
static void hook_probe(void) { }
static void hook_unprobe(void) { }
#endif

/*
 * Priorities can't be exceeded, only shared, and of equal ones the earlier
 * registered goes first: so we go to the head of the list by hand, under its
 * own lock.  Nobody else's notifier leaves the list for a moment, in which its
 * module could be unloaded; and of our two, one is in the list all the time.
 */
void
hook_first(void)
{
	struct atomic_notifier_head *list = &panic_notifier_list;
	struct notifier_block *old = &hook_panic_nb[hook_listed];
	struct notifier_block *new = &hook_panic_nb[!hook_listed], *nb, *last;
	unsigned int i, before = hook_nmoved;
	unsigned long flags;

	if (!hook_armed)
		return;
	spin_lock_irqsave(&list->lock, flags);
	nb = rcu_dereference_raw(list->head);
	if (nb != old) {
		RCU_INIT_POINTER(new->next, nb);
		rcu_assign_pointer(list->head, new);
		for (last = new; nb != old; nb = rcu_dereference_raw(nb->next)) {
			if (hook_nmoved < MOVED_MAX)
				hook_moved_fns[hook_nmoved++] =
				    nb->notifier_call;
			last = nb;
		}
		rcu_assign_pointer(last->next, rcu_dereference_raw(old->next));
		hook_listed = !hook_listed;
	}
	spin_unlock_irqrestore(&list->lock, flags);
	for (i = before; i < hook_nmoved; i++)
		pr_info("swapcore: moved panic notifier %ps behind the dump\n",
		    hook_moved_fns[i]);
}

size_t
hook_moved(char *buf, size_t len)
{
	size_t used = 0;
	unsigned int i;

	for (i = 0; i < hook_nmoved; i++)
		used += (size_t)scnprintf(buf + used, len - used, "%ps\n",
		    hook_moved_fns[i]);
	return used;
}

int
hook_init(struct armed *a)
{
	int error;

	error = register_die_notifier(&hook_die_nb);
	if (error != 0)
		return arm_refuse(error, "the die notifier is refused");
	error = atomic_notifier_chain_register(&panic_notifier_list,
	    &hook_panic_nb[hook_listed]);
	if (error != 0) {
		unregister_die_notifier(&hook_die_nb);
		return arm_refuse(error, "the panic notifier is refused");
	}
	hook_probe();
	regs_init(a);
	feed_find();
	hook_nmoved = 0;
	smp_store_release(&hook_armed, a);
	hook_first();
	return 0;
}

void
hook_fini(void)
{
	WRITE_ONCE(hook_armed, NULL);
	(void)atomic_notifier_chain_unregister(&panic_notifier_list,
	    &hook_panic_nb[hook_listed]);
	unregister_die_notifier(&hook_die_nb);
	hook_unprobe();
	regs_fini();
	feed_forget();
}
