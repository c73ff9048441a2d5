# SPDX-License-Identifier: BSD-2-Clause
"""From arming to the dead machine and its core: what most tests begin with.

The guest arms a device, prints what it knows of itself, waits for the host's
word and panics.  crashme.ko then holds it behind the last panic notifier, so
that memory stays as it was when the dump ended, and QEMU saves it.
"""

import re
import struct
import subprocess

import disk
import memory
import namelist
import xxh64
from case import Failed
from vm import LostVM, NoLine

DUMP_END = r"swapcore: dump (complete|failed)"
DUMP_TIMEOUT_S = 120
PAGE = 4096
STATES = ("EMPTY", "INPROGRESS", "COMPLETE", "FAILED", "SAVED")

# What the kernel itself changes between the copy of a page and the end of the
# notifiers: name and bytes of each variable.  univ8250_console holds how much
# of the log the console has seen, and text.N is the line it is printing;
# did_panic and rcu_cpu_stall_suppress belong to panic notifiers behind ours.
# Newer kernels print from printk_shared_pbufs, and count the readers of their
# list of consoles for each CPU; older ones store through textbuf.N and keep the
# place in the log that the consoles have reached.  disk_breaks is crashme.ko's,
# which counts in it.
VOLATILE = {"univ8250_console": 128, r"text\.[0-9]+": 1024, "did_panic": 4,
            "rcu_cpu_stall_suppress": 4, "printk_shared_pbufs": 3072,
            "console_srcu_srcu_data": 32, r"textbuf\.[0-9]+": 1024,
            "console_seq": 8, "disk_breaks": 8}

# What crashme.ko fills memory with.
WORDS = 8192
STEP = 0x9e3779b97f4a7c15
SEED = 0x5eed

# Names that the tests look up, in the order of /proc/kallsyms.
NAMES = ("_text", "_etext", "linux_banner", "init_top_pgt", "page_offset_base",
         "init_task", "init_uts_ns", "saved_command_line", "jiffies_64",
         "nr_threads", "total_forks", "crashme_words", "crashme_vmalloc",
         "crashme_linear", "crashme_die", "__per_cpu_offset", "__per_cpu_start",
         "__per_cpu_end", *VOLATILE)

ABOUT = f"""
say own cat /sys/kernel/swapcore/own
say moved cat /sys/kernel/swapcore/moved
say window cat /sys/kernel/swapcore/window
say iomem cat /proc/iomem
say vmcoreinfo cat /sys/kernel/vmcoreinfo
say uname uname -r
say armid cat /var/lib/swapcore/armid
say kallsyms grep -wE '{"|".join(NAMES)}' /proc/kallsyms
"""

PANIC = """
sync
echo "@@dying"
read -r word
echo c >/proc/sysrq-trigger
"""


def pattern(first):
    """A pattern of crashme.ko that begins with this word."""
    return struct.pack(f"<{WORDS}Q", *(
        (first + i) * STEP & (1 << 64) - 1 for i in range(WORDS)))


def arm_script(device, *, swap=True, crashme="hold=1", mkswap=True,
               dumpon="dumpon -d 0"):
    """The part of a guest script that makes swap and arms it."""
    return f"""
mkdir -p /var/lib
{"make_swap " + device if mkswap else "await " + device}
insmod /swapcore.ko || die "insmod swapcore"
{"insmod /crashme.ko " + crashme if crashme else ""}
{"swapon " + device if swap else ""}
{dumpon} {device} || die "dumpon: $(cat /sys/kernel/swapcore/reason)"
"""


def blocks(text):
    """What a script's say printed: name -> lines."""
    found, name = {}, None
    for line in text.split("\n"):
        mark = re.match(r"@@(begin|done) (\S+)", line)
        if mark:
            name = mark[2] if mark[1] == "begin" else None
            if name:
                found[name] = []
        elif name is not None:
            found[name].append(line)
    return found


def await_dying(vm, timeout_s=90):
    """The guest waits for the word to die.  A kernel that has not even booted
    is the emulator's affair: newer ones patch themselves while other CPUs run
    what is patched, which QEMU does not always bear."""
    try:
        _, death = vm.data.wait("@@(dying|die .*|end .*)", timeout_s)
    except NoLine as why:
        if "@@ready" not in vm.data.text():
            raise LostVM(f"the guest did not boot: {why}") from why
        raise
    if death[1] != "dying":
        raise NoLine(f"the guest did not get as far as its panic: {death[1]}")


def await_dump(vm, timeout_s=DUMP_TIMEOUT_S):
    """Waits until the module says how the dump ended; that line."""
    at, _ = vm.console.wait(DUMP_END, timeout_s)
    return vm.console.lines[at]


def trailer(image, part):
    """The trailer in force in a window, as a dict; None: there is none.

    By kcore(5), not by kcore.h.
    """
    start, length = image.part(part)
    end = start + length // PAGE * PAGE
    best = None
    for at in (end - 2 * PAGE, end - PAGE):
        raw = image.read(at, PAGE)
        sum_at = PAGE - 8
        if raw[:8] != b"SWAPCTRL" or struct.unpack("<Q", raw[sum_at:])[0] != \
                xxh64.digest(raw[:sum_at] + bytes(8)):
            continue            # none, or torn
        keys = ("seq", "state", "error")
        one = dict(zip(keys, struct.unpack_from("<QII", raw, 16)))
        one["arm_id"], one["dump_id"] = raw[32:48], raw[48:64]
        keys = ("window_size", "dumplo", "hdr_size", "hdr_cksum", "data_size",
                "data_valid", "cksum_off", "cksum_size", "cksum_valid",
                "early_off", "early_size")
        one.update(zip(keys, struct.unpack_from("<11Q", raw, 64)))
        one["state"] = STATES[one["state"]]
        if best is None or one["seq"] > best["seq"]:
            best = one
    return best


def early_record(image, part):
    """Is there a whole early record in a window?"""
    start, length = image.part(part)
    at = start + length // PAGE * PAGE - (4 << 20)
    page = image.read(at, PAGE)
    if page[:8] != b"SWAPCERY" or struct.unpack("<Q", page[-8:])[0] != \
            xxh64.digest(page[:-8] + bytes(8)):
        return False
    log_off, log_size, body = struct.unpack_from("<IIQ", page, 88)
    size = log_off + log_size - PAGE
    return xxh64.digest(image.read(at + PAGE, size)) == body


class Dead:
    """A machine that panicked: its disk, its memory, its last words."""

    def __init__(self, case, image, part):
        self.case = case
        self.image = image
        self.part = part
        self.found = {}
        self.console = ""
        self.alive = ""         # the console up to the panic
        self.last = ""          # the module's line on how the dump ended
        self.images = []
        self.peers = {}         # QEMU's own dumps: format -> path
        self.images_before = [] # of the time of the panic
        self.held = ()          # addresses of the task and its stack
        self.before = None      # SHA-256 taken by `watch' before the panic
        self.broke = False      # crashme.ko has broken the disk
        self.registers = ""     # QEMU's "info registers -a" of that time

    def capture(self, vm, held_s=30, memory_wanted=True):
        """Stops a machine whose dump is over, and takes what can be known of
        it.  held_s: seconds until crashme.ko holds it."""
        _, held = vm.data.wait("@@held ([0-9a-f]+) ([0-9a-f]+)", held_s)
        self.held = [int(text, 16) for text in held.groups()]
        vm.stop()
        if memory_wanted:
            self.images = vm.save_memory(self.case.path("memory"))
        self.found = blocks(vm.data.text())
        self.console = vm.console.text()

    def known(self):
        """Script that makes a guest know the id that it was armed with."""
        return """mkdir -p /var/lib/swapcore
chmod 700 /var/lib/swapcore
cat >/var/lib/swapcore/armid <<END
""" + "\n".join(self.found["armid"]) + """
END
chmod 600 /var/lib/swapcore/armid
"""

    def memory(self):
        paddr, size = self.found["vmcoreinfo"][0].split()
        return memory.Memory(self.images, int(paddr, 16), int(size, 16))

    def symbols(self):
        """[(run-time address, letter, name)] that the guest printed."""
        return [(int(addr, 16), kind, name) for addr, kind, name in
                (line.split()[:3] for line in self.found["kallsyms"])]

    def names(self):
        return {name: addr for addr, _, name in self.symbols()}

    def execfile(self):
        """A namelist for kvm_open(3)."""
        mem = self.memory()
        path = self.case.path("linux")
        namelist.write(self.symbols(), int(mem.info["KERNELOFFSET"], 16), path)
        mem.close()
        return path

    def window(self):
        """The window as a file of its own."""
        path = self.case.path("window.img")
        extract(self.image, self.part, path)
        return path

    def save(self):
        """savecore on the host; the path of linux.0.core."""
        run_tool(self.case, "savecore", "-f", "-D", self.window(),
                 self.case.dir)
        return self.case.path("linux.0.core")

    def check_complete(self):
        case = self.case
        case.check("dump complete" in self.last, f"the console: {self.last}")
        case.scan(self.alive)
        case.equal(trailer(self.image, self.part)["state"], "COMPLETE",
                   "the trailer's state")


def extract(image, part, path):
    """Copies a partition out of its disk."""
    start, length = image.part(part)
    subprocess.run(["dd", f"if={image.path}", f"of={path}", "bs=1M",
                    "iflag=skip_bytes,count_bytes", "conv=sparse",
                    f"skip={start}", f"count={length}", "status=none"],
                   check=True)


def run_tool(case, name, *argv):
    """Runs one of our programs on the host; what it printed."""
    path = case.sbin.get(name, f"{case.tools}/{name}")
    done = subprocess.run([path, *argv], capture_output=True, text=True,
                          errors="replace", check=False)
    if done.returncode != 0:
        raise Failed(f"{name}: exit {done.returncode}: "
                     f"{(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout


def late(case):
    """A kernel with CONFIG_PREEMPT_RT prints what is said at a panic only when
    all notifiers have run."""
    return "-rt-" in case.kernel.release


def kill(case, bus, *, swap_mib=320, mem_mib=256, table="gpt", work="",
         watch=None, panic=PANIC, options="", before=(), dumpon="dumpon -d 0",
         layout=None, crashme="hold=1", silent=False, peers=(), find="",
         device=None, dying_s=90, meet=None, memory_wanted=True, **vmargs):
    """Arms, panics and holds a machine; a Dead.

    work: script between arming and panic.  watch(image): called when the guest
    stands still before its panic; its result is kept in Dead.before.  options:
    of the disk's device; before: QEMU arguments ahead of the disk's.  dumpon:
    the command that arms, but for the device.  layout: of the disk; see
    disk.guarded().  silent: the kernel dies where its console is out of reach.
    peers: formats of QEMU's dump-guest-memory wanted as well, as Dead.peers.
    find: script ahead of all others, where the disk's name must be found out;
    device: what to arm then.  dying_s: seconds that the script may take.
    meet(vm): what to do with the machine before it is about to die.
    memory_wanted: QEMU saves the memory, as Dead.images.

    Where the console is late(), the trailer tells how the dump ended.
    """
    silent = silent or late(case)
    part = 0 if table is None else 2
    image = case.disk(swap_mib, table, **(layout or {}))
    dead = Dead(case, image, part)
    device = device or disk.node(bus, part)
    script = find + arm_script(device, dumpon=dumpon, crashme=crashme) + \
        ABOUT + work + panic
    devices = [*before, *disk.attach(image, bus, options=options)]
    with case.boot(script, devices, mem_mib=mem_mib, **vmargs) as vm:
        if meet is not None:
            meet(vm)
        await_dying(vm, dying_s)
        if watch is not None:
            vm.stop()
            dead.registers = vm.registers()
            dead.before = watch(image)
            vm.cont()
        dead.alive = vm.console.text()
        vm.data.send("die")
        if not silent:
            dead.last = await_dump(vm)
        dead.capture(vm, DUMP_TIMEOUT_S if silent else 30, memory_wanted)
        if late(case):
            ended = trailer(image, part)
            dead.last = "swapcore: dump complete" if ended and \
                ended["state"] == "COMPLETE" else f"the trailer: {ended}"
        for form in peers:
            dead.peers[form] = case.path(f"qemu.{form}")
            vm.dump_memory(dead.peers[form], form)
        dead.broke = "@@broken" in vm.data.text()
    return dead
