# SPDX-License-Identifier: BSD-2-Clause
"""Ways to die, and what must not be hurt by them."""

import re
import struct

import crash
import disk
from case import test

FIRST = [crash.SEED + part * crash.WORDS for part in range(3)]


def read_core(dead, *argv):
    """readcore's lines: [(address, bytes)]."""
    found = []
    for line in crash.run_tool(dead.case, "readcore", *argv).splitlines():
        addr, _, data = line.partition(" ")
        found.append((int(addr, 16), bytes.fromhex(data)))
    return found


def check_pattern(dead, *source, module_only=False):
    """The pattern and where it is, as libkvm sees it; with module_only, only
    the part that is the module's own."""
    case = dead.case
    places = re.search(r"crashme: seed 5eed words (\w+) vmalloc (\w+) "
                       r"linear (\w+) die (\w+)", dead.console)
    case.check(places, "crashme did not say where its memory is")
    words, vmalloc, linear, die = (int(text, 16) for text in places.groups())
    size = 8 * crash.WORDS
    places = (words,) if module_only else (words, vmalloc, linear)
    got = read_core(dead, *source, *(f"{at:#x}:{size}" for at in places),
                    "crashme_words:8", "crashme_die", "crashme_vmalloc:8",
                    "linux_banner:64")
    for first in FIRST[:len(places)]:
        at, text = got.pop(0)
        case.check(text == crash.pattern(first),
                   f"the pattern at {at:#x} is not in {source}")
    case.equal(got[0], (words, crash.pattern(FIRST[0])[:8]), "crashme_words")
    case.equal(got[1][0], die, "crashme_die's address")
    case.equal(got[2][1], struct.pack("<Q", vmalloc), "crashme_vmalloc")
    case.equal(got[3][0], dead.names()["linux_banner"], "linux_banner's place")
    case.check(got[3][1].startswith(
        f"Linux version {case.kernel.release} ".encode()),
               f"linux_banner reads {got[3][1]!r}")


def named_panic(case, bus):
    dead = crash.kill(case, bus, panic="""
echo "@@dying"
read -r word
echo panic >/sys/module/crashme/parameters/how
""")
    dead.check_complete()
    case.check("crashme_die" in dead.console,
               "the console's backtrace does not name crashme_die")
    kernel = dead.execfile()
    check_pattern(dead, "-N", kernel, dead.save())
    check_pattern(dead, "-r", "-N", kernel, dead.window())


@test(all_kernels=True, more=True)
def crashme_pattern_in_core(case):
    """memory filled with a pattern, and a function that panicked, are found by
    name and address in the core and on the raw device."""
    named_panic(case, "nvme")


@test(slow=True)
def crashme_pattern_in_core_virtio(case):
    """the same is so where the dump went to virtio-blk."""
    named_panic(case, "virtio")


@test()
def pvpanic_does_not_stop_dump(case):
    """with a pvpanic device, whose event stops the machine, the dump is
    written first."""
    image = case.disk(320)
    device = disk.node("nvme", 2)
    script = crash.arm_script(device, crashme="") + crash.ABOUT + crash.PANIC
    with case.boot(script, [*disk.attach(image, "nvme"), "-device",
                            "pvpanic-pci"], mem_mib=256) as vm:
        crash.await_dying(vm)
        case.scan(vm.console.text())
        moved = crash.blocks(vm.data.text())["moved"]
        vm.data.send("die")
        last = crash.await_dump(vm)
        vm.qmp.event("GUEST_PANICKED")
    case.check("dump complete" in last, last)
    case.check(any("pvpanic" in line for line in moved),
               f"pvpanic's notifier is not among those moved: {moved}")
    dead = crash.Dead(case, image, 2)
    dead.save()


@test()
def mkfs_after_swapoff_survives(case):
    """swapoff, mkfs and a panic leave the file system bit-identical, and the
    console says why nothing was written."""
    for bus in ("nvme", "virtio"):
        device = disk.node(bus, 2)
        dead = crash.kill(
            case, bus, work=f"""
swapoff {device} || die swapoff
mke2fs {device} >/dev/null || die mke2fs
mount -t ext4 {device} /mnt || die mount
dd if=/dev/urandom of=/mnt/file bs=1M count=20 2>/dev/null
umount /mnt
""", watch=lambda image: image.sha(0, image.size))
        case.check("dump failed" in dead.last and
                   "first page is not the one" in dead.last,
                   f"the console does not say why: {dead.last}")
        case.equal(dead.image.sha(0, dead.image.size), dead.before,
                   f"the {bus} disk with its new file system")


@test()
def whole_disk_swap(case):
    """a disk that is swap without partitions takes a dump, and page 0 stays
    as it was."""
    for bus in ("nvme", "virtio"):
        dead = crash.kill(case, bus, table=None,
                          watch=lambda image: image.read(0, crash.PAGE))
        dead.check_complete()
        case.equal(dead.image.read(0, crash.PAGE), dead.before, "page 0")
        dead.save()


@test()
def machine_goes_on_to_reboot(case):
    """after the dump the kernel reboots as panic= says."""
    image = case.disk(320)
    script = crash.arm_script(disk.node("nvme", 2), crashme="") + crash.PANIC
    with case.boot(script, disk.attach(image, "nvme"), mem_mib=256,
                   append="panic=1") as vm:
        crash.await_dying(vm)
        vm.data.send("die")
        last = crash.await_dump(vm)
        vm.wait_exit(60)        # -no-reboot: a reset ends QEMU
        case.check("Rebooting in 1 seconds" in vm.console.text(),
                   "the kernel did not say that it reboots")
    case.check("dump complete" in last, last)


@test()
def too_small_window_says_so(case):
    """where memory does not fit the window, nothing outside it is written and
    the console says what was done."""
    dead = crash.kill(case, "nvme", swap_mib=64,
                      watch=lambda image: image.guards(2))
    case.check("swapcore: dump" in dead.last, dead.last)
    case.equal(dead.image.guards(2), dead.before, "the guards")
    state = crash.trailer(dead.image, 2)
    case.check(state is not None, "no trailer was written")


@test()
def dumpon_test_panics_when_told_to(case):
    """dumpon --test tells what will happen and asks; with no the machine goes
    on, with yes the kernel panics and dumps."""
    image = case.disk(320)
    device = disk.node("virtio", 2)
    script = crash.arm_script(device, crashme="") + """
sysctl -q -w kernel.panic=0
say no dumpon --test
echo y | dumpon --test && die "it took the answer of no terminal"
sysctl -q -w kernel.panic=1
dumpon --test
die "the machine goes on"
"""
    with case.boot(script, disk.attach(image, "virtio"),
                   mem_mib=256) as vm:
        at, _ = vm.data.wait("The dump goes to " + device, 90)
        vm.data.send("no")
        at, _ = vm.data.wait("-y panics without asking", 30, at)
        at, _ = vm.data.wait("The dump goes to " + device, 30, at)
        vm.data.send("yes")
        last = crash.await_dump(vm)
        vm.wait_exit(60)
        told = "\n".join(crash.blocks(vm.data.text())["no"])
    for text in ("This makes the kernel panic NOW", "the machine HANGS",
                 ": fits", "not done: the machine goes on"):
        case.check(text in told, f"{text!r} is not in what it told: {told}")
    case.check("@@die" not in vm.data.text(),
               vm.data.text())
    case.check("sysrq triggered crash" in vm.console.text(),
               "the panic is not that of sysrq")
    case.check("dump complete" in last, last)
    case.equal(crash.trailer(image, 2)["state"], "COMPLETE", "state")


FIRST_BOOT = """
mkdir -p /var/lib
await {data}
if mount -t ext4 {data} /var 2>/dev/null; then
	mkdir -p /var/crash
	insmod /swapcore.ko
	say dumpon dumpon {swap}
	rmmod swapcore
	say savecore savecore -v /var/crash
	say files ls -l /var/crash
	say state sh -c 'savecore -n; echo $?'
	umount /var
	exit 0
fi
mke2fs {data} >/dev/null || die mke2fs
mount -t ext4 {data} /var || die mount
mkdir -p /var/lib
"""


@test(all_kernels=True, more=True)
def savecore_after_real_reboot(case):
    """after a real reset the stock driver works again, dumpon does not arm
    over the dump, and savecore finds it by its arm id, saves it and clears
    it."""
    image, data = case.disk(320), case.disk(400, None)
    device = disk.node("virtio", 2)
    script = (FIRST_BOOT.format(data=disk.node("nvme"), swap=device) +
              crash.arm_script(device, crashme="") + "umount /var" +
              crash.PANIC)
    with case.boot(script, [*disk.attach(image, "virtio"),
                            *disk.attach(data, "nvme", 1)],
                   append="panic=1", mem_mib=256, reboot=True) as vm:
        crash.await_dying(vm)
        vm.data.send("die")
        crash.await_dump(vm)
        at, _ = vm.data.wait("@@ready", 120, len(vm.data.lines))
        vm.data.wait("@@end", 120, at)
        found = crash.blocks("\n".join(vm.data.lines[at:]))
        vm.wait_exit(30)
    case.log("savecore", "\n".join(found.get("savecore", ())))
    case.check("not saved" in " ".join(found["dumpon"]),
               f"dumpon over an unsaved dump said: {found['dumpon']}")
    files = "\n".join(found["files"])
    case.check("linux.0.core" in files, f"/var/crash holds: {files}; "
               f"savecore said: {found['savecore']}")
    case.check(found["state"][-1:] != ["0"], "the dump was not cleared")
    case.equal(crash.trailer(image, 2)["state"], "SAVED", "trailer")
