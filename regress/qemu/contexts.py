# SPDX-License-Identifier: BSD-2-Clause
"""Where a kernel can die, for matrix.py: one line of shell, or a few, that make
an armed guest die there, and what the kernel says if it died there and nowhere
else.  To add a context, add a Context to CONTEXTS.
"""

from dataclasses import dataclass, field

HOW = "/sys/module/crashme/parameters/how"


@dataclass(frozen=True)
class Context:
    """One way to die.

    script: run by the guest, which is armed; {disk} is the dump device's whole
    disk, {fn} the device's entry of `functions`; a device without one lacks the
    context.  says: what the kernel's log
    must have.  host: QEMU monitor commands, sent when the guest has printed
    "@@now".  append: to the kernel's command line.  config: options that the
    kernel must have been built with.  reboots: False where the machine is not
    to come back by itself.
    """
    name: str
    about: str
    script: str
    says: str
    host: tuple = ()
    append: str = ""
    config: tuple = ()
    smp: int = 2
    functions: dict = field(default_factory=dict)
    buses: tuple = ()           # has it on these alone
    since: tuple = ()           # the first kernel that has it
    kdump: bool = False         # a kdump kernel is loaded
    console: bool = True
    reboots: bool = True
    timeout_s: int = 60

    @property
    def machine(self):
        """What the machine that dies of it has; see cell.prepare()."""
        return self.append, self.smp, self.kdump


def how(text, *more):
    """Writes it to crashme's parameter, then runs more; of several functions,
    the first that the kernel has."""
    return "\n".join((f"how {text}", *more))


def knob(**values):
    """Sets variables of sysctl kernel.*."""
    return "".join(f"echo {value} >/proc/sys/kernel/{name}\n"
                   for name, value in values.items())


READ = "dd if={disk} of=/dev/null bs=4k count=64 iflag=direct 2>/dev/null"
FILL = """mount -t tmpfs -o size=100% none /dev/shm
dd if=/dev/urandom of=/dev/shm/fill bs=64k 2>/dev/null"""
# The CPU that gets stuck is not the shell's.
ALONE = "keep_to 1; mkfifo /tmp/never\n"
FILES = """mkfs.ext4 -q {disk4} && mount -t ext4 {disk4} /mnt
"""
WRITE = "dd if=/sbin/savecore of=/mnt/file bs=64k count=8 2>/dev/null; sync"

# The disk's driver is made to reset its controller or port.
RESET = """_d=$(readlink -f /sys/class/block/$(basename {disk})/device)
[ -e $_d/reset_controller ] && echo 1 >$_d/reset_controller
_d=${_d%/target*}
[ -e $_d/scsi_host ] && echo "- - -" >$_d/scsi_host/${_d##*/}/scan"""

QUEUE = {"nvme": "nvme_queue_rq", "virtio": "virtio_queue_rq",
         "scsi": "virtscsi_add_cmd", "ahci": "ata_scsi_queuecmd"}
DONE = {"nvme": "nvme_irq", "virtio": "virtblk_done",
        "scsi": "virtscsi_req_done", "ahci": "ahci_single_level_irq_intr"}
PANIC = r"Kernel panic - not syncing: crashme: seed"
OOPSED = r"Kernel panic - not syncing: Fatal exception"


def _place(name, about, mark="", **more):
    """A plain panic somewhere."""
    return Context(f"panic-{name}", f"panic() {about}", how(f"panic {name}"),
                   mark or PANIC, **more)


def _death(name, about, says, **more):
    return Context(name, about, how(name), says, **more)


CONTEXTS = (
    Context("sysrq", "sysrq-c in a process", "echo c >/proc/sysrq-trigger",
            "sysrq triggered crash"),
    _place("process", "in a system call"),
    _place("kthread", "in a kernel thread"),
    _place("work", "in a work queue", r"Workqueue: events crashme"),
    _place("softirq", "in a tasklet", "tasklet_action"),
    _place("timer", "in a timer", "call_timer_fn"),
    _place("rcu", "in an RCU callback", "rcu_do_batch|rcu_core"),
    _place("hrtimer", "in hard interrupt context, of the clock",
           "hrtimer_interrupt"),
    _place("irq", "in hard interrupt context, of irq_work", "<IRQ>"),
    _place("ipi", "in an interrupt from another CPU", "<IRQ>"),
    _place("nmi", "in an NMI", "<NMI>"),
    _place("stopped", "while all CPUs are stopped by stop_machine()",
           "multi_cpu_stop"),
    _place("race", "on all CPUs at the same time", "crashme: race", smp=4),
    _death("bug", "BUG() in a process", "kernel BUG at .*die.c"),
    _death("null", "a write through a bad pointer", "NULL pointer"),
    _death("gpf", "a write to a non-canonical address", "general protection"),
    _death("divide", "a division by zero", "divide error"),
    _death("exec", "executing data", "execute NX-protected page"),
    _death("rodata", "a write to read-only data", "supervisor write access"),
    _death("stack", "a corrupt stack", "stack-protector: Kernel stack is"),
    _death("list", "a corrupt list", "list_add corruption"),
    _death("uaf", "use after free", "general protection.*6b6b6b"),
    _death("deep", "a kernel stack that overflows",
           "kernel stack overflow|stack guard page was hit"),
    _death("double", "a double fault", "double fault"),
    Context("bug-irq", "BUG() in hard interrupt context", how("bug irq"),
            "Fatal exception in interrupt"),
    Context("null-softirq", "a bad pointer in a tasklet", how("null softirq"),
            "Fatal exception in interrupt"),
    Context("null-nmi", "a bad pointer in an NMI", how("null nmi"),
            "Fatal exception in interrupt"),
    Context("deep-irq", "an interrupt stack that overflows", how("deep irq"),
            "stack guard page was hit|stack overflow"),
    Context("warn", "WARN() with panic_on_warn",
            knob(panic_on_warn=1) + how("warn"), "panic_on_warn set"),
    Context("oom", "out of memory with panic_on_oom",
            "echo 2 >/proc/sys/vm/panic_on_oom\n" + how("oom"),
            "[Oo]ut of memory: .*panic_on_oom"),
    Context("hung-task", "a hung task", knob(
        hung_task_panic=1, hung_task_timeout_secs=1) + how("hang kthread"),
            "hung_task: blocked tasks"),
    Context("soft-lockup", "a soft lockup", knob(
        softlockup_panic=1, watchdog_thresh=1) + how("loop"),
            "softlockup: hung tasks"),
    Context("rcu-stall", "an RCU stall", knob(
        panic_on_rcu_stall=1, watchdog=0) +
            "echo 3 >/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout\n"
            "taskset -p 1 $(pidof rcu_preempt rcu_sched) >/dev/null\n"
            f"taskset 2 sh -c 'echo loop >{HOW}'", "RCU Stall"),
    Context("hard-lockup", "a CPU that spins with interrupts off, and the NMI "
            "that finds it", knob(unknown_nmi_panic=1) +
            f"taskset 1 sh -c 'echo @@now; echo deaf >{HOW}'",
            "NMI: Not continuing|nmi_panic|<NMI>",
            host=(("inject-nmi", {}),)),
    Context("nmi-button", "an NMI from outside, with unknown_nmi_panic",
            knob(unknown_nmi_panic=1) + "echo @@now", "<NMI>|NMI: Not cont",
            host=(("inject-nmi", {}),)),
    Context("mce", "a fatal machine check", "echo @@now",
            "Fatal machine check|Machine check", config=("X86_MCE",),
            host=(("human-monitor-command", {"command-line":
                   "mce -b 0 9 0xbd000000000000c0 0x5 0x1234000 0x8c"}),)),
    Context("submit", "the dump disk's driver holds the lock of its queue",
            how("panic in {fn}", READ), PANIC, functions=QUEUE),
    Context("submit-null", "a bad pointer there", how("null in {fn}", READ),
            OOPSED, functions=QUEUE),
    Context("complete", "the dump disk's interrupt handler",
            how("panic at {fn}", READ), PANIC, functions=DONE),
    Context("allocator", "the page allocator holds a zone's lock",
            how("panic in rmqueue_bulk", FILL), PANIC),
    Context("slab", "the slab allocator, a page being taken",
            how("panic at new_slab allocate_slab", FILL), PANIC),
    Context("reclaim", "memory reclaim", how("panic at shrink_node", FILL),
            PANIC),
    Context("shrinker", "the shrinkers of caches", how(
        "panic at shrink_slab", "echo 2 >/proc/sys/vm/drop_caches"), PANIC),
    Context("swap-out", "a page is being swapped out, to the dump disk",
            how("panic at swap_writepage", FILL), PANIC),
    Context("file-write", "a file system, an inode's lock held",
            FILES + how("panic at ext4_da_write_begin", WRITE), PANIC),
    Context("journal", "the thread that commits a journal", FILES + how(
        "null at jbd2_journal_commit_transaction", WRITE), OOPSED),
    Context("scheduler", "a run queue's lock is held",
            how("panic at set_next_entity enqueue_task_fair", "sleep 1"), PANIC),
    Context("fork", "a task is being copied",
            how("panic at copy_process", "ls >/dev/null"), PANIC),
    Context("printk", "the serial console's lock is held",
            how("panic at wait_for_lsr wait_for_xmitr", "echo x >/dev/kmsg"),
            PANIC),
    Context("printk-null", "a bad pointer there",
            how("null at wait_for_lsr wait_for_xmitr", "echo x >/dev/kmsg"),
            OOPSED),
    Context("printk-stuck", "another CPU is stuck with the console's locks",
            ALONE + how("deaf at wait_for_lsr wait_for_xmitr",
                        "taskset 2 sh -c 'echo x >/dev/kmsg' &",
                        "pause 2", how("panic")), PANIC),
    Context("oops-stuck", "another CPU is stuck in the middle of an oops",
            ALONE + how("deaf at print_modules",
                        f"taskset 2 sh -c 'echo null >{HOW}' &",
                        "pause 2", "echo c >/proc/sysrq-trigger"),
            "sysrq triggered crash"),
    Context("no-console", "no console at all",
            "echo N >/sys/class/tty/ttyS0/console\n" + how("panic"), PANIC,
            console=False),
    Context("cpu-offline", "a CPU that is going offline",
            how("panic at native_cpu_disable",
                "echo 0 >/sys/devices/system/cpu/cpu1/online"), PANIC),
    Context("cpu-online", "a CPU that is coming online",
            "echo 0 >/sys/devices/system/cpu/cpu1/online\n" +
            how("panic at sched_cpu_activate",
                "echo 1 >/sys/devices/system/cpu/cpu1/online"), PANIC),
    Context("arming", "the end of arming", "dumpon off\n" + how(
        "panic at arm_disk_unlock", "dumpon {disk2}"), PANIC),
    Context("suspend-begin", "a suspend, devices still awake",
            how("panic at dpm_prepare", "echo freeze >/sys/power/state"),
            PANIC, console=False),
    Context("suspend-end", "a suspend, devices asleep",
            how("panic at dpm_suspend_noirq",
                "echo freeze >/sys/power/state"), PANIC, console=False),
    Context("master-off", "the disk's bus mastering is off",
            'pci_poke "$(pci_dir {disk})" 4 "\\003"\n' + how("panic"), PANIC),
    Context("memory-off", "the disk's registers can't be reached",
            'pci_poke "$(pci_dir {disk})" 4 "\\004"\n' + how("panic"), PANIC),
    Context("bars-lost", "the disk's registers are nowhere, as in a reset",
            'pci_poke "$(pci_dir {disk})" 4 "\\0"\n'
            'pci_poke "$(pci_dir {disk})" 16 "' + 24 * "\\0" + '"\n' +
            how("panic"), PANIC),
    Context("d3", "the disk's controller is in D3", '_d=$(pci_dir {disk})\n'
            'pci_poke $_d $(($(pci_cap $_d 1) + 4)) "\\003"\n' +
            how("panic"), PANIC, buses=("nvme",)),
    Context("reset-begin", "the disk's driver resets it: disabled",
            how("panic at {fn}", RESET), PANIC, functions={
                "nvme": "pci_enable_device_mem"}),
    Context("reset-middle", "the disk's driver resets it: not ready yet",
            how("panic at {fn}", RESET), PANIC, functions={
                "nvme": "nvme_wait_ready", "ahci": "sata_link_debounce"}),
    Context("reset-end", "the disk's driver resets it: to be asked what it is",
            how("panic at {fn}", RESET), PANIC, functions={
                "nvme": "nvme_init_ctrl_finish nvme_init_identify",
                "ahci": "ata_wait_ready"}),
    Context("shutdown", "shutdown, devices shut down",
            "swapoff -a\n" + how("panic at syscore_shutdown", "poweroff -f"),
            PANIC),
    Context("one-cpu", "panic() with nr_cpus=1", how("panic"), PANIC,
            append="nr_cpus=1"),
    Context("panic-0", "panic() where panic=0 hangs the machine afterwards",
            knob(panic=0) + how("panic"), PANIC, reboots=False),
    Context("panic-print", "panic() with all that panic_print has",
            knob(panic_print=0x5f) + how("panic"), PANIC),
    Context("kdump-second", "panic() with a kdump kernel that is to go second",
            how("panic"), r"(?s)crashme: seed.*Linux version \d.*Linux version \d",
            append="crash_kexec_post_notifiers", kdump=True, timeout_s=90),
    Context("force-cpu", "panic() that panic_force_cpu= moves to another CPU",
            "keep_to 1\n" + how("panic"), r"(?is)redirect.*crashme: seed",
            append="panic_force_cpu=1", since=(7, 0)),
    Context("no-post-notifiers", "panic() that stops the others by itself",
            "echo N >/sys/module/kernel/parameters/"
            "crash_kexec_post_notifiers\n" + how("panic"), PANIC),
    Context("lockdown", "panic() under lockdown=integrity",
            "mount -t securityfs none /sys/kernel/security\n"
            "echo integrity >/sys/kernel/security/lockdown\n" + how("panic"),
            PANIC),
)
