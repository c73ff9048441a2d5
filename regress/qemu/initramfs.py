# SPDX-License-Identifier: BSD-2-Clause
"""The guest's root file system: newc cpio archives, written directly.

A base archive (busybox, kernel modules, our programs and their libraries) is
made once for each kernel; the script of one test is a small archive behind it,
since the kernel unpacks every archive it finds.
"""

import gzip
import os
import re
import stat
import subprocess

BUSYBOX = "/bin/busybox"

# What a guest needs, where the kernel has it as a module.  In the order asked
# for here; what they depend on goes before them.
MODULES = ("virtio_pci", "virtio_mmio", "virtio_blk", "nvme", "crc32c_generic", "ext4",
           "xfs", "dm_mod", "loop", "pvpanic_pci", "virtio_net", "sd_mod",
           "virtio_scsi", "ahci", "vmw_pvscsi", "qemu_fw_cfg")


class Cpio:
    """A newc archive in memory."""

    def __init__(self):
        self._parts = []
        self._names = set()
        self._ino = 1

    def _entry(self, name, mode, data=b"", rdev=(0, 0)):
        raw = name.encode() + b"\0"
        fields = (self._ino, mode, 0, 0, 1, 0, len(data), 0, 0, *rdev,
                  len(raw), 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields)
        for part in (head + raw, data):
            self._parts.append(part + b"\0" * (-len(part) % 4))
        self._ino += 1

    def directory(self, name):
        name = name.strip("/")
        if name in self._names or not name:
            return
        self.directory(os.path.dirname(name))
        self._names.add(name)
        self._entry(name, stat.S_IFDIR | 0o755)

    def _claim(self, name):
        name = name.strip("/")
        self.directory(os.path.dirname(name))
        if name in self._names:
            return None
        self._names.add(name)
        return name

    def file(self, name, data, mode=0o755):
        name = self._claim(name)
        if name:
            self._entry(name, stat.S_IFREG | mode, data)

    def copy(self, path, name):
        with open(path, "rb") as stream:
            self.file(name, stream.read())

    def link(self, name, target):
        name = self._claim(name)
        if name:
            self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def node(self, name, major, minor):
        name = self._claim(name)
        if name:
            self._entry(name, stat.S_IFCHR | 0o600, rdev=(major, minor))

    def bytes(self):
        self._entry("TRAILER!!!", 0)
        data = b"".join(self._parts)
        return data + b"\0" * (-len(data) % 512)


def module_files(root, release):
    """Name -> path of every module of a kernel package."""
    files = {}
    for top, _, names in os.walk(f"{root}/lib/modules/{release}/kernel"):
        for name in names:
            if name.endswith(".ko"):
                key = name[:-3].replace("-", "_")
                files[key] = os.path.join(top, name)
    return files


def module_order(files, wanted):
    """Paths to insert, in order, from what .modinfo says of dependencies."""
    order = []

    def visit(name):
        path = files.get(name.replace("-", "_"))
        if path is None or path in order:
            return
        with open(path, "rb") as stream:
            found = re.search(rb"\0depends=([^\0]*)\0", stream.read())
        for needed in filter(None, found.group(1).decode().split(",")):
            visit(needed)
        order.append(path)

    for name in wanted:
        visit(name)
    return order


def libraries(program, more=""):
    """The shared libraries of a program, as ldd finds them, in the directory
    `more' as well."""
    answer = subprocess.run(["ldd", program], capture_output=True, text=True,
                            check=False,
                            env={**os.environ, "LD_LIBRARY_PATH": more})
    return re.findall(r"(/\S+) \(0x", answer.stdout)


def base(root, release, programs, modules, guestdir):
    """The archive that all tests of a kernel share, compressed."""
    cpio = Cpio()
    for name in ("proc", "sys", "dev", "tmp", "var", "mnt", "etc"):
        cpio.directory(name)
    cpio.node("dev/console", 5, 1)
    cpio.node("dev/null", 1, 3)
    cpio.copy(BUSYBOX, "bin/busybox")
    cpio.link("bin/sh", "busybox")
    cpio.copy(f"{guestdir}/init.sh", "init")
    cpio.copy(f"{guestdir}/lib.sh", "lib.sh")
    for program in programs:
        cpio.copy(program, f"sbin/{os.path.basename(program)}")
        for library in libraries(program):
            cpio.copy(library, library)
    order = module_order(module_files(root, release), MODULES)
    for path in order:
        cpio.copy(path, f"lib/modules/{os.path.basename(path)}")
    cpio.file("lib/modules/order", "".join(
        f"{os.path.basename(path)}\n" for path in order).encode(), 0o644)
    for path in modules:
        cpio.copy(path, os.path.basename(path))
    data = gzip.compress(cpio.bytes(), 1)
    return data + b"\0" * (-len(data) % 4)     # the next archive is aligned


def script(text):
    """The archive of one test: what /init is to run."""
    cpio = Cpio()
    cpio.file("test.sh", text.encode())
    return cpio.bytes()


def more_files(files):
    """An archive of files: name in the guest -> path; programs bring their
    libraries."""
    cpio = Cpio()
    for name, path in files.items():
        cpio.copy(path, name)
        for library in libraries(path):
            cpio.copy(library, library)
    return cpio.bytes()


def more_modules(root, release, names):
    """An archive of modules that not every guest loads, and the script that
    loads them; None where the kernel lacks one."""
    files = module_files(root, release)
    if any(name not in files for name in names):
        return None
    cpio, lines = Cpio(), []
    for path in module_order(files, names):
        name = os.path.basename(path)
        cpio.copy(path, f"lib/more/{name}")
        lines.append(f"[ -e /lib/modules/{name} ] || insmod /lib/more/{name} "
                     f"|| die {name}\n")
    return cpio.bytes(), "".join(lines)
