# SPDX-License-Identifier: BSD-2-Clause
"""From panic to core file, told step by step: make demo.

A machine in QEMU arms its swap partition, panics, dumps, reboots and saves its
dump; then the core is taken out of its disk and read on the host.
"""

import argparse
import os
import re
import subprocess
import sys

import case
import crash
import disk
from vm import LostVM, NoLine

REPORT_LINES = 44
SWAP, DATA = disk.node("nvme", 2), "/dev/vda"
KERNEL_LINES = re.compile(r"Kernel panic|swapcore:|Rebooting")

# Both boots run this: a machine knows by its disk which of the two it is.
GUEST = f"""
await {DATA}
await {SWAP}
if mount -t ext4 {DATA} /var 2>/dev/null; then
	savecore -v /var/crash 2>&1 | cat	# no countdown
	ls -l /var/crash
	umount /var
	exit 0
fi
mke2fs {DATA} >/dev/null && mount -t ext4 {DATA} /var || die "no /var"
mkdir -p /var/lib /var/crash
make_swap {SWAP}
swapon {SWAP}
sysctl -q -w kernel.panic=1 kernel.panic_on_oops=1
insmod /swapcore.ko || die insmod
dumpon {SWAP} || die dumpon
umount /var
{crash.PANIC}
"""


def tell(text):
    print(f"\n==> {text}", flush=True)


def show(lines):
    for line in lines:
        print(f"    {line}", flush=True)


def told(lines):
    """What the guest printed for people."""
    return [line for line in lines if not line.startswith("@@")]


def crash_machine(one, swap, data):
    """The two boots."""
    devices = [*disk.attach(swap, "nvme"), *disk.attach(data, "virtio", 1)]
    with one.boot(GUEST, devices, mem_mib=512, smp=2, reboot=True) as vm:
        crash.await_dying(vm)
        first = list(vm.data.lines)
        show(told(first))
        tell("Panicking it: echo c >/proc/sysrq-trigger.  The dying kernel "
             "writes its memory to swap:")
        at = len(vm.console.lines)
        vm.data.send("die")
        crash.await_dump(vm)
        vm.console.wait("Rebooting", 60, at)
        show(line for line in vm.console.lines[at:]
             if KERNEL_LINES.search(line))
        tell("It reboots by itself.  Before swap is used again, savecore(8) "
             "runs in it:")
        begin, _ = vm.data.wait("@@ready", 120, len(first))
        vm.data.wait("@@end 0", 300, begin)
        show(told(vm.data.lines[begin:]))
        vm.wait_exit(60)


def fetch(data, out):
    """Takes what savecore left out of the machine's second disk."""
    os.makedirs(out, exist_ok=True)
    for name in ("linux.0.core", "linux.0", "bounds"):
        path = f"{out}/{name}"
        disk.fetch(data, 0, f"crash/{name}", path)
        os.chmod(path, 0o600)
    return f"{out}/linux.0.core"


def demo(one, args):
    kernel = one.kernel
    tell(f"Booting Debian's kernel {kernel.release} in QEMU: 512 MiB, 2 CPUs,\n"
         f"    an NVMe disk with a swap partition, {SWAP}, and a disk for "
         "/var.\n    It loads swapcore.ko and runs dumpon(8):")
    swap, data = one.disk(640), one.disk(768, None)
    crash_machine(one, swap, data)
    tell("Taking the core out of the machine's disk, to the host:")
    core = fetch(data, args.out)
    show(subprocess.run(["ls", "-l", args.out], check=True,
                        capture_output=True, text=True).stdout.splitlines())
    crashinfo = [args.sbin["crashinfo"], "-M", core]
    tell("How crashinfo(8)'s report of it begins:")
    show(subprocess.run(crashinfo, check=True, capture_output=True,
                        text=True).stdout.splitlines()[:REPORT_LINES])
    tell("Read the rest, and more:")
    show([" ".join(crashinfo), " ".join([*crashinfo, "ps"])])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True, metavar="DIR")
    args = case.parse_arguments(parser)
    if not args.kernels:
        sys.exit("demo: no kernel to boot: make setup fetches it")
    kernel = args.kernels[0]
    kernel.make_base(args.program, args.guest, f"{args.work}/base")
    one = case.Case("demo", kernel, args)
    try:
        demo(one, args)
    except (LostVM, NoLine, subprocess.CalledProcessError) as error:
        sys.exit(f"demo: {error} (logs: {one.finish(keep_logs=True)})")
    one.finish(keep_logs=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
