# SPDX-License-Identifier: BSD-2-Clause
"""A fault inside the dumper itself: it ends the dump and nothing else.  One in
the parts of the kernel that it asks for does not even do that."""

import re
import subprocess
import time

import contexts
import crash
import disk
from case import Skip, test

ENDED = "swapcore: dump failed: a fault inside the dumper ended it"
PIECES = 3000           # of the data, a page each: some way into the dump


def faulty(case, bus, crashme, append="", nmi=False, **options):
    """Dies with a dumper that faults; the console to the machine's end."""
    image = case.disk(320)
    script = crash.arm_script(disk.node(bus, 2), crashme=crashme)
    script += """
echo 1 >/proc/sys/kernel/unknown_nmi_panic
sync
echo "@@dying"
sleep 60
""" if nmi else crash.PANIC
    with case.boot(script, disk.attach(image, bus), mem_mib=256,
                   append=f"panic=1 {append}", **options) as vm:
        crash.await_dying(vm)
        if nmi:
            time.sleep(2)       # an idle CPU is in the kernel
            vm.qmp.cmd("inject-nmi")
        else:
            vm.data.send("die")
        vm.console.wait(ENDED, 120)
        vm.wait_exit(60)        # -no-reboot: a reset ends QEMU
        return image, vm.console.text()


def savecore(case, image):
    """What became of savecore, run on the dump."""
    window = case.path("window.img")
    crash.extract(image, 2, window)
    return subprocess.run([case.sbin["savecore"], "-f", "-D", window, case.dir],
                          capture_output=True, text=True, check=False)


def check_savecore(case, image):
    """savecore says of the dump how it came to its end: EFAULT, by name."""
    trailer = crash.trailer(image, 2)
    case.equal((trailer["state"], trailer["error"]), ("FAILED", 14),
               "the trailer")
    done = savecore(case, image)
    case.check("the dump is incomplete: " in done.stderr and
               ": Bad address" in done.stderr,
               f"savecore said: {done.stderr}")
    case.equal(done.returncode, 0, "savecore's exit status")


@test(all_kernels=True, more=True)
def dumper_fault_ends_dump_only(case):
    """a bad pointer inside the dumper ends the dump with a word on the
    console, the kernel reboots as panic= says, and savecore finds a dump that
    is incomplete."""
    image, console = faulty(case, "nvme", f"fault={PIECES}", smp=2)
    case.check(re.search(ENDED + r".* at dump_stream_advance\+", console),
               "the console does not say where the fault was")
    case.check("Rebooting in 1 seconds" in console or crash.late(case),
               "the kernel did not say that it reboots")
    check_savecore(case, image)


@test()
def dumper_fault_in_nmi_ends_dump_only(case):
    """the same is so in NMI context, after a general protection fault, and
    with panic_on_oops."""
    image, console = faulty(
        case, "virtio", f"fault={PIECES} fault_addr=0xdead4ead00000000",
        append="oops=panic", nmi=True)
    case.check("general protection fault" in console, "there was no fault")
    case.check("<NMI>" in console, "the panic was not in an NMI")
    check_savecore(case, image)


def dies_in_dump(case, script, crashme=" ", dumpon="dumpon", meanwhile=None):
    """Dies, and something goes wrong in the dump, by itself or as meanwhile(vm)
    sees to it; the console to the end."""
    image = case.disk(320)
    script = crash.arm_script(disk.node("virtio", 2), crashme=crashme,
                              dumpon=dumpon) + "sync\n" + script
    with case.boot(script, disk.attach(image, "virtio"), mem_mib=256, smp=2,
                   append="panic=1") as vm:
        if meanwhile:
            meanwhile(vm)
        vm.wait_exit(120)           # -no-reboot: a reset ends QEMU
        return image, vm.console.text()


def stuck(vm):
    """A CPU has come to where it goes no further."""
    vm.data.wait("@@deaf", 60)


@test()
def dumper_fault_beside_stuck_oops_ends_dump_only(case):
    """the same is so where panic() has stopped another CPU in the middle of an
    oops, with the lock that a further oops would wait for."""
    image, console = dies_in_dump(case, f"""
{contexts.ALONE}
echo deaf at print_modules >{contexts.HOW}
taskset 2 sh -c 'echo null >{contexts.HOW}' &
pause 2
echo c >/proc/sysrq-trigger
""", f"fault={PIECES}", "dumpon -d 0", stuck)
    case.check(ENDED in console, "the dump was not ended by its fault")
    check_savecore(case, image)


def check_complete(case, image):
    """savecore finds a dump with nothing wrong."""
    found = crash.trailer(image, 2)
    case.equal(found and found["state"], "COMPLETE", "the trailer")
    case.equal(savecore(case, image).returncode, 0, "savecore's exit status")
    with open(case.path("info.0"), encoding="utf-8") as stream:
        case.check(stream.read().startswith("verdict: complete\n"),
                   "savecore's verdict")


def console_faults(case, word):
    image, console = dies_in_dump(
        case, "echo c >/proc/sysrq-trigger\n", f"console_fault={word}")
    check_complete(case, image)
    case.check("swapcore: dump complete" not in console,
               f"the console did not fault: {console}")


@test(all_kernels=True, more=True)
def console_fault_keeps_the_dump(case):
    """a console whose driver faults at a line of the dumper costs that line and
    those after it: the dump is complete, and the machine reboots."""
    if crash.late(case):
        raise Skip("this kernel's consoles print when the dump is over")
    console_faults(case, "dumping")


@test()
def console_fault_in_dump_keeps_it(case):
    """the same is so in the middle of the dump."""
    console_faults(case, "looked")


@test()
def log_fault_keeps_the_dump(case):
    """a fault where the kernel's log is read costs the early record its log, and
    the console says so."""
    image, console = dies_in_dump(case, f"""
echo null at kmsg_dump_get_buffer >{contexts.HOW}
echo c >/proc/sysrq-trigger
""")
    case.check(re.search("swapcore: the kernel's log can't be read: page fault "
                         "at crashme_die", console),
               f"the console does not say it: {console}")
    check_complete(case, image)


def panics_in_dump(case, death, meanwhile=None):
    """The kernel panics once more while zero pages are looked for."""
    image, console = dies_in_dump(case, f"""
keep_to 1
echo {death} at md_page_zero >{contexts.HOW}
echo c >/proc/sysrq-trigger
""", meanwhile=meanwhile)
    case.check("swapcore: dump failed: another panic ended it" in console,
               "the console does not say that another panic ended it")
    trailer = crash.trailer(image, 2)
    case.equal((trailer["state"], trailer["error"]), ("FAILED", 14),
               "the trailer")
    case.check(crash.early_record(image, 2), "there is no early record")
    return console


@test()
def panic_in_dump_ends_dump_only(case):
    """a panic in the middle of the dump ends it, the trailer says so, and the
    machine goes on to its reboot."""
    panics_in_dump(case, "panic")


def machine_check(vm):
    """A fatal one, on the CPU that is in the middle of the dump."""
    stuck(vm)
    vm.qmp.cmd("human-monitor-command", **{
        "command-line": "mce 0 9 0xbd000000000000c0 0x5 0x1234000 0x8c"})


@test(module="mce_inject")       # that is, with CONFIG_X86_MCE
def machine_check_in_dump_ends_dump_only(case):
    """the same is so of a machine check."""
    console = panics_in_dump(case, "deaf", machine_check)
    case.check("achine check" in console, "there was no machine check")
