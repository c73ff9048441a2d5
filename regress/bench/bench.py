# SPDX-License-Identifier: BSD-2-Clause
"""Measures and prints figures; asserts nothing about them.

A measurement is a function of (args, name) in the table below.  What it prints
goes through figure.py.
"""

import argparse
import os
import platform
import shutil
import sys
import traceback

import case
import convert
import guest
import host
import reader
import scan
import versus
from case import Failed
from figure import note, recorded
from vm import LostVM, NoLine

MEASUREMENTS = {
    "nvme-1g": lambda args, name: guest.measure(args, name, "nvme", 1024),
    "nvme-4g": lambda args, name: guest.measure(args, name, "nvme", 4096),
    "virtio-1g": lambda args, name: guest.measure(args, name, "virtio", 1024),
    "virtio-1g-limited": lambda args, name: guest.measure(
        args, name, "virtio", 1024, 1000),
    "scan": scan.measure,
    "savecore": host.savecore,
    "convert-1g": convert.measure,
    "save-64g": convert.large,
    "libkvm": reader.measure,
    "kdump-1g": lambda args, name: versus.measure(args, name, 1024),
    "kdump-4g": lambda args, name: versus.measure(args, name, 4096),
    "kdump-16g": lambda args, name: versus.measure(args, name, 16384),
}

GOALS = """goals: dump at least 0.95 of fio's best; at most 2 MiB held on 1 GiB;
savecore at least 0.9 of cp, in at most 64 MiB
libkvm: time and memory at most 0.1 of drgn's; open in at most 10 ms; random at
most 0.5 of libkdumpfile's time; sequential as long as the copy alone
dump: panic-time dump of all pages (level 0), by the module's last line: from
the reset of the controller to the last flush, with all that is not data; peer:
the best way of fio, by its median, on the same partition of the same disk in
the same guest, through the stock driver, with O_DIRECT, 32 requests at a time:
from its first write to a flush at the end
limited: QEMU lets the disk take 1000 MB/s at most, as a real one has a limit;
without one, the disk is a copy of memory on the CPUs that the dump is made by
held: what an armed module keeps; peer: crashkernel=128M, what Debian's
kdump-tools sets aside; 80M is the least with which it worked here
scan: pass 1 of a panic at level 31 in an idle guest, by the module's own line,
and classes: at level 30, without the look for zeros; peer: makedumpfile -d 31 of
the same memory on the host, not emulated, its own account of the two steps that
exclude pages, which look for no zeros; goals: 2 ms per GiB, and 0.01 % of memory
held more
convert: with level 31 and zstd 1 as quick as makedumpfile -l, 20 % smaller, 4
times as quick as makedumpfile -c; the report of a 1 GiB dump in at most 200 ms
savecore: dump to core file, checked and synced; peer: cp of the same file
libkvm: each task is a process: opening a 1 GiB dump, 1000 symbols, a list of
5000 threads, the log; 1,000,000 words and all memory, timed within; memory is
all that the process holds, parts of the dump that it maps as well
peers: drgn (by its own Python, symbols loaded), crash, libkdumpfile (C) on an
ELF core of the same memory; copy: pread(2) of the core, 1 MiB at a time
kdump: kexec-tools and makedumpfile -l -d 31 with an initramfs of busybox, in
crashkernel=128M, what Debian's kdump-tools sets aside; scan: as above, but both in
the guest; from the panic until the dump is on the disk (dumped), the next boot's
init runs (booted), and the core is saved and swap is on (usable); finished: report,
log and symbols are there too, which kdump does not make; saving: the core's time of
usable, savecore's in the next boot and makedumpfile's in the second kernel; core:
its size on the disk, packed: with savecore --zstd, files: with all beside it; look:
crashinfo's report against crash and drgn asked for the backtrace, the log and the
processes
kdump goals: held at most 1/50, usable at most 1/3"""


def machine(args):
    """What the figures depend on."""
    with open("/proc/cpuinfo", encoding="ascii") as info:
        cpu = next((line.split(":")[1].strip() for line in info
                    if line.startswith("model name")), platform.machine())
    load = os.getloadavg()[0]
    note(f"machine: {os.cpu_count()} x {cpu}, Linux {platform.release()}, "
         f"load {load:.1f} before, {args.runs} runs")
    note("guests: QEMU without hardware acceleration (TCG), 1 CPU, "
         + ", ".join(kernel.release for kernel in args.kernels))


def measure(args, name):
    """One measurement; False if it could not be made."""
    try:
        with recorded(f"{args.figures}/{name}"):
            machine(args)
            MEASUREMENTS[name](args, name)
    except (Failed, LostVM, NoLine, OSError) as why:
        note(f"{name}: not measured: {why}")
        return False
    except Exception:
        note(f"{name}: not measured")
        traceback.print_exc()
        return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--mkdump", required=True)
    parser.add_argument("--figures", required=True, metavar="DIR")
    parser.add_argument("names", nargs="*", metavar="measurement")
    args = case.parse_arguments(parser)
    if args.list:
        print("\n".join(MEASUREMENTS))
        return 0
    unknown = set(args.names) - set(MEASUREMENTS)
    if unknown:
        sys.exit(f"bench: {' '.join(sorted(unknown))}: not known; LIST=1 "
                 "names all")
    if shutil.which(guest.FIO) is None or not args.kernels:
        sys.exit("bench: fio or a kernel to boot is missing: run make bench "
                 "at the top")
    for line in GOALS.split("\n"):
        note(line)
    os.makedirs(args.figures, exist_ok=True)
    guest.make_base(args)
    done = [measure(args, name) for name in args.names or MEASUREMENTS]
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
