# SPDX-License-Identifier: BSD-2-Clause
"""One death of contexts.py on one device, and what became of the dump.

It is complete where the machine came to its end, the trailer says COMPLETE,
savecore's own verdict is that every checksum is right, the core has memory that
crashme.ko filled, the log inside says that the kernel died where it was to, and
not a byte of the disk outside the window has changed.
"""

import os
import re
import subprocess
import time

import contexts
import crash
import disk
import kdump
import prepared
import test_scsi
from vm import NoLine

# What QEMU needs ahead of a disk.
DEVICES = {
    "nvme": (), "virtio": (), "scsi": test_scsi.HOST, "ahci": (),
}
NEEDS = {"ahci": "ahci", "scsi": "virtio_scsi"}
MEM_MIB = 256
SWAP_MIB = 192
SCRATCH_MIB = 24
TAKEN = re.compile(r"swapcore: dump complete: (\d+) MiB in ([0-9.]+) s")

# how DEATH [PLACE [FUNCTION...]]: the first function that can be probed.
READY = """
how() {
	_death="$1 $2"
	[ $# -gt 2 ] || { echo "$*" >%s; return; }
	shift 2
	for _f; do
		echo "$_death $_f" >%s 2>/dev/null && return
	done
	echo "@@end no such function"
}
echo 1 >/proc/sys/kernel/panic_on_oops
sync
echo "@@dying"
while read -r line; do
	eval "$line"
done
""" % (contexts.HOW, contexts.HOW)


def script_of(context, bus):
    text = context.script
    for name, part in (("disk2", 2), ("disk4", 4), ("disk", 0)):
        text = text.replace("{%s}" % name, disk.node(bus, part))
    return text.replace("{fn}", context.functions.get(bus, ""))


class Cell:
    """One death: what was seen, and the verdict."""

    def __init__(self, state, context):
        self.case = state.case
        self.state = state
        self.context = context
        self.log = ""           # console, and the log inside the dump
        self.result = {"verdict": "none", "why": "", "mib": 0, "seconds": None}

    def _wait(self, vm):
        """To the machine's end, or to that of its dump where it hangs then."""
        if self.context.host:
            vm.data.wait("@@now|@@deaf", 60)
            time.sleep(0.5)
            for name, arguments in self.context.host:
                vm.qmp.cmd(name, **arguments)
        if self.context.reboots:
            vm.wait_exit(self.context.timeout_s)
            return
        vm.console.wait(crash.DUMP_END, self.context.timeout_s)
        vm.console.wait("end Kernel panic", 30)

    def run(self):
        with self.state.revive("cell") as one:
            begin, image = time.monotonic(), one.image
            guards = image.guards(2)
            one.vm.cont()
            for line in script_of(self.context, self.state.bus).split("\n"):
                one.vm.data.send(line)
            try:
                self._wait(one.vm)
            except NoLine as why:
                self.result["why"] = f"the machine hangs: {why}"
                one.vm.note_state()
            self.result["host_seconds"] = round(time.monotonic() - begin, 1)
            self.log = one.vm.console.text()
            said = one.vm.data.text()
            one.vm.kill()
        if "@@end" in said:
            self.result["why"] = said[said.index("@@end"):].split("\n")[0]
        taken = TAKEN.search(self.log)
        if taken:
            self.result.update(mib=int(taken[1]), seconds=float(taken[2]))
        if image.guards(2) != guards:
            self.result["why"] = "bytes outside the window have changed"
            return
        self._judge(image)
        os.unlink(image.path)

    def _judge(self, image):
        found = crash.trailer(image, 2)
        if found is None:
            self.result["why"] = self.result["why"] or self._last_words()
            return
        window, core = self.case.path("window.img"), self.case.path("core")
        crash.extract(image, 2, window)
        os.makedirs(core, exist_ok=True)
        done = subprocess.run(
            [self.case.sbin["savecore"], "-f", "-D", window, core],
            capture_output=True, text=True, errors="replace", check=False)
        names = os.listdir(core)
        if "linux.0.core" in names:
            self.log += crash.run_tool(self.case, "crashinfo", "-M",
                                       f"{core}/linux.0.core", "dmesg")
        self.result.update(self._verdict(found, core, names, done))
        subprocess.run(["rm", "-rf", core, window], check=True)

    def _verdict(self, found, core, names, done):
        """What the trailer, savecore and the memory inside say."""
        if not re.search(self.context.says, self.log):
            return {"verdict": "none", "why": self.result["why"] or
                    f"it did not die as it was to: no /{self.context.says}/"}
        if "linux.0.core" not in names:
            return {"verdict": "none",
                    "why": f"savecore saved no core: {done.stderr.strip()}"}
        with open(f"{core}/info.0", encoding="utf-8",
                  errors="replace") as stream:
            whole = stream.read().startswith("verdict: complete\n")
        if found["state"] != "COMPLETE" or not whole:
            return {"verdict": "partial", "why": self.result["why"] or
                    f"{found['state']}: {self._last_words()}"}
        got = crash.run_tool(self.case, "readcore", "-N", f"{core}/linux.0",
                             f"{core}/linux.0.core",
                             f"crashme_words:{8 * crash.WORDS}")
        if bytes.fromhex(got.split()[1]) != crash.pattern(crash.SEED):
            return {"verdict": "none", "why": "the core's memory is wrong"}
        if self.context.console and self.result["seconds"] is None:
            self.result["why"] = self.result["why"] or \
                "the console did not say that the dump is complete"
        if self.result["why"]:
            return {"verdict": "partial"}
        return {"verdict": "complete"}

    def _last_words(self):
        found = re.findall(r"swapcore: .*(?:failed|can't|not ).*", self.log)
        return found[-1] if found else "no dump was begun"


def prepare(one, bus, append="", smp=2, with_kdump=False):
    """A machine that can die of every context with this command line, and with
    a kdump kernel loaded.  That one finds no place for a dump of its own, and
    ends the machine."""
    more, mem_mib, load = {}, MEM_MIB, ""
    if with_kdump:
        more["extra"] = kdump.archive(one.kernel, bus)
        append = f"{kdump.APPEND} {append}"
        mem_mib += 2 * kdump.CRASHKERNEL_MIB
        load = kdump.LOAD
    return prepared.Prepared(
        one, bus, swap_mib=SWAP_MIB, mem_mib=mem_mib, smp=smp,
        layout={"scratch_mib": SCRATCH_MIB}, before=DEVICES[bus],
        append=f"panic=1 {append}", script=load + crash.arm_script(
            disk.node(bus, 2), crashme=" ", dumpon="dumpon") + READY, **more)
