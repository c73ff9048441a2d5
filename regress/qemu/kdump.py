# SPDX-License-Identifier: BSD-2-Clause
"""kdump, for comparison: a guest whose memory a second kernel saves.

kexec(8) loads the guest's own kernel once more, into memory set aside for it,
with an initramfs that holds busybox, makedumpfile and the drivers of the disk
and no more.  After a panic that one writes crash/vmcore in the file system on
the disk's fourth partition, and resets the machine.

The initramfs is smaller, and starts faster, than any that a distribution
makes; and 128 MiB, what Debian's kdump-tools sets aside, are enough for it.
"""

import gzip
import os
import re
import subprocess

import crash
import disk
import initramfs
from case import Failed, Skip

HERE = os.path.dirname(os.path.abspath(__file__))
CRASHKERNEL_MIB = 128
APPEND = f"crashkernel={CRASHKERNEL_MIB}M"
SWAP, PART = 2, 4               # partitions: swap, the file system
MAKEDUMPFILE = "/usr/bin/makedumpfile"
OPTIONS = "-l -d 31"
# The last kernel that makedumpfile 1.7.2 knows: of later ones it leaves out what
# it should not, at any level but 1.
LAST = (6, 1)
SAVE_TIMEOUT_S = 300
STEP = re.compile(r"STEP \[Excluding (?:unnecessary|free) pages *\] *: "
                  r"([0-9.]+) seconds")
LIBDIR = "lib/x86_64-linux-gnu"
DRIVERS = {
    "nvme": ("nvme",),
    "virtio": ("virtio_pci", "virtio_blk"),
    "ahci": ("ahci", "sd_mod"),
}

# What Debian's kdump-tools appends, but for systemd and USB.
LOAD = """
kexec -p /kdump/vmlinuz --initrd=/kdump/initrd --command-line="console=ttyS0 \
no_timer_check rdinit=/init panic=1 reset_devices nr_cpus=1 irqpoll" ||
	die kexec
echo "@@loaded $(cat /sys/kernel/kexec_crash_loaded)"
"""

CAPTURE = """#!/bin/sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
while read -r ko; do
	insmod "/modules/$ko"
done </modules/order
stty -F /dev/ttyS1 raw -echo
exec </dev/ttyS1 >/dev/ttyS1 2>&1
echo "@@capture"
n=0
while [ ! -e {part} ] && [ $((n += 1)) -le 600 ]; do
	usleep 100000
done
mount -t ext4 {part} /mnt && mkdir -p /mnt/crash &&
    makedumpfile --message-level 22 {options} /proc/vmcore /mnt/crash/vmcore &&
    umount /mnt
echo "@@captured $?"
reboot -f
"""


def tools(kernel):
    """Where kexec-tools is; Skip where it can't be had."""
    done = subprocess.run(
        ["sh", f"{HERE}/../kdump.sh", os.path.dirname(kernel.root)],
        capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Skip(f"no kexec-tools: {done.stderr.strip()[-200:]}")
    if not os.path.exists(MAKEDUMPFILE):
        raise Skip(f"no {MAKEDUMPFILE}")
    return done.stdout.strip()


def _capture(kernel, bus, options):
    """The initramfs of the second kernel, compressed."""
    cpio = initramfs.Cpio()
    for name in ("proc", "sys", "dev", "mnt", "tmp"):
        cpio.directory(name)
    cpio.node("dev/console", 5, 1)
    cpio.node("dev/null", 1, 3)
    cpio.copy(initramfs.BUSYBOX, "bin/busybox")
    cpio.link("bin/sh", "busybox")
    cpio.copy(MAKEDUMPFILE, "bin/makedumpfile")
    for library in initramfs.libraries(MAKEDUMPFILE):
        cpio.copy(library, library)
    order = initramfs.module_order(
        initramfs.module_files(kernel.root, kernel.release),
        (*DRIVERS[bus], "crc32c_generic", "ext4"))
    for path in order:
        cpio.copy(path, f"modules/{os.path.basename(path)}")
    cpio.file("modules/order", "".join(
        f"{os.path.basename(path)}\n" for path in order).encode(), 0o644)
    cpio.file("init", CAPTURE.format(
        part=disk.node(bus, PART), options=options).encode())
    return gzip.compress(cpio.bytes(), 1)


def archive(kernel, bus, options=OPTIONS):
    """What the guest needs for LOAD, for Case.boot(extra=...).  options: of
    makedumpfile."""
    tree = tools(kernel)
    kexec = f"{tree}/sbin/kexec"
    cpio = initramfs.Cpio()
    cpio.copy(kexec, "sbin/kexec")
    for library in initramfs.libraries(
            kexec, f"{tree}/usr/lib/x86_64-linux-gnu"):
        cpio.copy(library, f"{LIBDIR}/{os.path.basename(library)}"
                  if library.startswith(tree) else library)
    cpio.copy(kernel.image, "kdump/vmlinuz")
    cpio.file("kdump/initrd", _capture(kernel, bus, options))
    return cpio.bytes()


def await_saved(vm, timeout_s=SAVE_TIMEOUT_S):
    """Waits until the second kernel has saved and synced its dump."""
    at, done = vm.data.wait(r"@@captured (\d+)", timeout_s)
    if done[1] != "0":
        raise Failed("the second kernel saved nothing: "
                     f"{vm.data.lines[at - 3:at]}")


def scan_seconds(said):
    """What makedumpfile took to choose pages, by its own account (message level
    16); None where it does not tell."""
    steps = [float(text) for text in STEP.findall(said)]
    return sum(steps) if steps else None


def fetch(image, path):
    """The core, out of the disk of a guest that is off."""
    disk.fetch(image, PART, "crash/vmcore", path)
    return path


def level(kernel):
    """The highest dump level at which makedumpfile leaves out the right pages."""
    return 31 if kernel.version <= LAST else 1


class Dead:
    """A machine that kdump saved: its core, its disk, and its last words."""

    def __init__(self, vmcore, image, found, console):
        self.vmcore = vmcore
        self.image = image
        self.found = found
        self.console = console


def kill(case, bus="virtio", *, scratch_mib=768, mem_mib=512, work="",
         dying_s=90, dumpon=None, swap_mib=8, **vmargs):
    """Panics a machine and has kdump save it; a Dead.

    work: script ahead of the panic, as `say' prints for Dead.found.  The file
    system is the disk's, of scratch_mib.  dumpon: arms partition SWAP of that
    disk, of swap_mib: the dump goes there first.
    """
    image = case.disk(swap_mib, scratch_mib=scratch_mib)
    disk.format_part(image, PART)
    append, arm = APPEND, ""
    extra = archive(case.kernel, bus, f"-l -d {level(case.kernel)}")
    if dumpon:
        append += " crash_kexec_post_notifiers"
        arm = crash.arm_script(disk.node(bus, SWAP), crashme="", dumpon=dumpon)
    script = f"{arm}{LOAD}{work}{crash.PANIC}"
    with case.boot(script, disk.attach(image, bus), append=append,
                   mem_mib=mem_mib, extra=extra, **vmargs) as vm:
        crash.await_dying(vm, dying_s)
        found = crash.blocks(vm.data.text())
        vm.data.send("die")
        if dumpon:
            case.check("complete" in crash.await_dump(vm), "the dump failed")
        await_saved(vm)
        vm.wait_exit(60)
        console = vm.console.text()
    return Dead(fetch(image, case.path("vmcore")), image, found, console)
