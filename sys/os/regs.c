// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * regs.c: the registers of every CPU, as ELF notes.
 *
 * The other CPUs': with crash_kexec_post_notifiers set, panic() stops them by
 * NMI, interrupts on or off, and saves their registers in crash_notes, whose
 * addresses dumpon(8) reads in sysfs and hands over.  The panicking CPU's: of
 * an oops, what the die notifier saw; of a plain panic(), what a kprobe at its
 * entry saw, wound back to the caller.  A CPU whose registers are not known, or
 * that is offline or missing below the last one, has a note of zeros, so that
 * the n-th NT_PRSTATUS is CPU n's.
 */
#include <linux/elfcore.h>
#include <linux/io.h>
#include <linux/kdebug.h>
#include <linux/kprobes.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <md.h>
#include <os/os.h>

#define CORE_NAME	"CORE"
#define NOTE_BYTES	(sizeof(Elf64_Nhdr) + ALIGN(sizeof(CORE_NAME), 4) + \
			 ALIGN(sizeof(struct elf_prstatus), 4))

#define CALL_OPCODE	0xe8	/* call with a 32-bit displacement */
#define CALL_BYTES	5

#define PANICS_MAX	8u	/* CPUs that can be in panic() at once */

/* The registers of a CPU that runs into a panic. */
struct caught {
	int cpu;		/* -1: none */
	const struct task_struct *task;
	u64 born;		/* of task: its memory is used again */
	struct pt_regs regs;
};

/* Which of the CPUs that are in panic() goes on is for panic() to decide. */
static struct caught regs_panics[PANICS_MAX];
static atomic_t regs_npanics;
static struct caught regs_oops = { .cpu = -1 };
static struct elf_prstatus regs_status;
static const struct armed *regs_armed;
static bool regs_probed;

static void
catch(struct caught *c, const struct pt_regs *regs)
{
	c->regs = *regs;
	c->task = current;
	c->born = current->start_boottime;
	c->cpu = raw_smp_processor_id();
}

/*
 * At panic()'s entry the return address is on top of the stack.  Nothing returns
 * there, so that it may be the first of another function: the call itself, five
 * bytes before it, is in the caller for sure.
 */
static int
at_panic(struct kprobe *kp, struct pt_regs *regs)
{
	const unsigned int n = (unsigned int)atomic_inc_return(&regs_npanics);
	struct caught *c = &regs_panics[n - 1];
	unsigned long caller;
	u8 op;

	if (n == 0 || n > PANICS_MAX)
		return 0;
	catch(c, regs);
	if (copy_from_kernel_nofault(&caller, (void *)regs->sp,
	    sizeof(caller)) != 0)
		return 0;
	if (copy_from_kernel_nofault(&op, (void *)(caller - CALL_BYTES),
	    sizeof(op)) == 0 && op == CALL_OPCODE)
		caller -= CALL_BYTES;
	c->regs.ip = caller;
	c->regs.sp += sizeof(caller);
	return 0;
}

static struct kprobe regs_kprobe = {
	.symbol_name = "panic",
	.pre_handler = at_panic,
};

/* Oopses that the kernel survives come here too; their task does not. */
void
regs_oopsed(const struct pt_regs *regs)
{
	catch(&regs_oops, regs);
}

void
regs_init(const struct armed *a)
{
	unsigned int i;

	regs_armed = a;
	memset(&regs_oops, 0, sizeof(regs_oops));
	regs_oops.cpu = -1;
	memset(regs_panics, 0, sizeof(regs_panics));
	for (i = 0; i < PANICS_MAX; i++)
		regs_panics[i].cpu = -1;
	atomic_set(&regs_npanics, 0);
	regs_kprobe.addr = NULL;
	regs_kprobe.flags = 0;
	regs_probed = register_kprobe(&regs_kprobe) == 0;
	if (!regs_probed)
		pr_info("swapcore: no kprobe on panic(): the panicking CPU's "
		    "registers will be those of an oops only\n");
}

void
regs_fini(void)
{
	if (regs_probed)
		unregister_kprobe(&regs_kprobe);
	regs_probed = false;
}

/* One note; used bytes of buf are taken.  False: no room. */
static bool
note_add(u8 *buf, size_t len, size_t *used, const char *name, u32 type,
    const void *desc, size_t desc_len)
{
	size_t name_len = strlen(name) + 1;
	Elf64_Nhdr nhdr = { .n_namesz = (u32)name_len,
		.n_descsz = (u32)desc_len, .n_type = type };
	size_t need = sizeof(nhdr) + ALIGN(name_len, 4) + ALIGN(desc_len, 4);
	u8 *p = buf + *used;

	if (need > len - *used)
		return false;
	memset(p, 0, need);
	memcpy(p, &nhdr, sizeof(nhdr));
	memcpy(p + sizeof(nhdr), name, name_len);
	memcpy(p + sizeof(nhdr) + ALIGN(name_len, 4), desc, desc_len);
	*used += need;
	return true;
}

/* What this CPU had in its registers when it first called panic(). */
static const struct pt_regs *
regs_at_panic(int cpu)
{
	unsigned int i;

	for (i = 0; i < PANICS_MAX; i++)
		if (regs_panics[i].cpu == cpu)
			return &regs_panics[i].regs;
	return NULL;
}

/* The registers of cpu into regs_status; zeros where they are not known. */
static void
status_of(unsigned int cpu, unsigned int panic_cpu)
{
	const struct pt_regs *regs = NULL;
	const Elf64_Nhdr *note;
	const u64 *notes;

	memset(&regs_status, 0, sizeof(regs_status));
	if (cpu == panic_cpu) {
		/* An oops that led here came first and says more. */
		if (regs_oops.cpu == (int)cpu && regs_oops.task == current &&
		    regs_oops.born == current->start_boottime)
			regs = &regs_oops.regs;
		else
			regs = regs_at_panic((int)cpu);
		if (!regs)
			return;
		kcompat_pr_pid(&regs_status) = current->pid;
		md_regs(&regs_status.pr_reg, regs);
		return;
	}
	notes = armed_disk_of(regs_armed->list[0])->cfg->crash_notes;
	if (cpu >= nr_cpu_ids || !notes[cpu])
		return;
	note = phys_to_virt(notes[cpu]);
	if (note->n_type != NT_PRSTATUS ||
	    note->n_descsz != sizeof(regs_status) ||
	    note->n_namesz != sizeof(CORE_NAME))
		return;
	memcpy(&regs_status, (const u8 *)(note + 1) +
	    ALIGN(sizeof(CORE_NAME), 4), sizeof(regs_status));
}

size_t
md_notes(void *buf, size_t len)
{
	const cpu_kcore_hdr_t *h = &regs_armed->dump.hdr;
	const Elf64_Nhdr *vmci = phys_to_virt(h->vmcoreinfo_paddr);
	unsigned int cpu;
	size_t used = 0;

	if (vmci->n_descsz <= h->vmcoreinfo_size)
		(void)note_add(buf, len, &used, "VMCOREINFO", 0,
		    (const u8 *)(vmci + 1) + ALIGN(vmci->n_namesz, 4),
		    vmci->n_descsz);
	for (cpu = 0; cpu <= cpumask_last(cpu_present_mask); cpu++) {
		status_of(cpu, h->panic_cpu);
		if (!note_add(buf, len, &used, CORE_NAME, NT_PRSTATUS,
		    &regs_status, sizeof(regs_status)))
			break;
	}
	/* Every note is a multiple of 4 bytes, all of them are one of 8. */
	if (used % 8 != 0 && used + 4 <= len) {
		memset((u8 *)buf + used, 0, 4);
		used += 4;
	}
	return used & ~7ul;
}

size_t
regs_notes_max(void)
{
	return PAGE_ALIGN(VMCOREINFO_NOTE_SIZE +
	    (cpumask_last(cpu_present_mask) + 1) * NOTE_BYTES);
}
