# SPDX-License-Identifier: BSD-2-Clause
"""The memory of a guest as a core file, without any module of ours.

The guest tells what it knows of itself, panics, and stands still; QEMU saves
its memory, and mkdump, which knows only kcore(5), makes a core file of it.  So
libkvm can be tested with every kernel that boots.
"""

import re
import subprocess

import crash
import disk
import memory
from case import Failed

MEM_MIB = 256
TELL_TIMEOUT_S = 300    # newer kernels have many symbols
BTF_MIB = 16
MODBTF_MIB = 15         # where the module's begins
MODULE = "virtio_blk"
DUMPMAG = 0x3010        # in the first 64 KiB, which Linux leaves to the BIOS
LINKED_PADDR = 0x1000000    # where Linux is linked to be

ABOUT = f"""
await /dev/vda
say btf stat -c %s /sys/kernel/btf/vmlinux
cat /sys/kernel/btf/vmlinux >/dev/vda
say modbtf sh -c 'stat -c %s /sys/kernel/btf/{MODULE} 2>/dev/null'
dd if=/sys/kernel/btf/{MODULE} of=/dev/vda bs=1M seek={MODBTF_MIB} conv=fsync \
	2>/dev/null
say vmcoreinfo cat /sys/kernel/vmcoreinfo
say uname uname -r
"""

PANIC = """
sync
echo "@@dying"
read -r word
echo c >/proc/sysrq-trigger
"""


class Wrapped:
    """A machine that panicked: what it told (name -> lines), its console, its
    core file, and its own copies of the kernel's and a module's BTF."""

    def __init__(self, case, work="", smp=2, **vmargs):
        image = case.disk(BTF_MIB, None)
        with case.boot(ABOUT + work + PANIC, disk.attach(image, "virtio"),
                       mem_mib=MEM_MIB, smp=smp, **vmargs) as vm:
            crash.await_dying(vm, TELL_TIMEOUT_S)
            vm.data.send("die")
            vm.console.wait("end Kernel panic", 60)
            vm.stop()
            images = vm.save_memory(case.path("memory"))
            self.found = crash.blocks(vm.data.text())
            self.console = vm.console.text()
        self.core = case.path("wrapped.core")
        self.btf = case.path("btf")
        with open(self.btf, "wb") as out:
            out.write(image.read(0, int(self.found["btf"][0])))
        self.modbtf = None      # before Linux 5.11 modules have none
        if self.found["modbtf"]:
            self.modbtf = case.path("modbtf")
            with open(self.modbtf, "wb") as out:
                out.write(image.read(MODBTF_MIB << 20,
                                     int(self.found["modbtf"][0])))
        disk.free(image.path)
        self._wrap(case, images)

    def _wrap(self, case, images):
        (start, path), = images
        note, size = (int(word, 16) for word in
                      self.found["vmcoreinfo"][0].split())
        mem = memory.Memory(images, note, size)
        slide = int(mem.info["KERNELOFFSET"], 16)
        base, = (int(line.split()[0], 16) for line in self.found["ksyms"]
                 if re.search(r" page_offset_base$", line))
        offset = mem.word(base)
        text = mem.number("phys_base") + LINKED_PADDR + slide
        done = subprocess.run(
            [f"{case.tools}/../mkdump/mkdump", "-c", "-m", path,
             "-r", f"{start}:{MEM_MIB << 20}", "-G", str(DUMPMAG),
             "-I", f"{note}:{size}:{offset}", "-l", str(mem.levels),
             "-P", str(mem.root), "-T", f"{text}:0:0", "-k", str(slide),
             "-R", self.found["uname"][0], self.core],
            capture_output=True, text=True, check=False)
        mem.close()
        disk.free(path)
        if done.returncode != 0:
            raise Failed(f"mkdump: {done.stderr.strip()}")
