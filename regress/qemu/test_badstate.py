# SPDX-License-Identifier: BSD-2-Clause
"""The dump device's controller is in a bad state when the kernel dies: what can
be brought back is, and what can't be is told, and the next device has the dump.

contexts.py has the states that need no more than a disk; here are those behind a
PCI Express port, and those of a list of two devices.
"""

import crash
import disk
import test_contexts
import test_truth
from case import test

# Nobody in the guest looks after the port, which would take its time.
APPEND = "panic=1 pcie_ports=compat iomem=relaxed"
PORT = ("-device", "pcie-root-port,id=above,chassis=1,slot=1")
FIND = """
fn=$(pci_dir {device})
port=${{fn%/*}}
"""
DIE = """
sync
echo "@@dying"
read -r word
{state}
echo c >/proc/sysrq-trigger
"""

# A function, or the port above it.
PORT_STATES = {
    "asleep": 'pci_poke $fn $(($(pci_cap $fn 1) + 4)) "\\003"\n',
    "the port has forgotten where it is":
        'pci_poke $port 4 "\\0\\0"\n'
        'pci_poke $port 24 "\\0\\0\\0"\n'
        'pci_poke $port 32 "\\0\\0\\0\\0\\0\\0\\0\\0"\n',
    "the port resets what is behind it": 'pci_poke $port 62 "\\103"\n',
}


def behind_port(case, bus, state):
    """Dies with a disk behind a port in a bad state; the core equals memory."""
    device = disk.node(bus, 2)
    dead = crash.kill(case, bus, before=PORT, options="bus=above",
                      append=APPEND, watch=lambda image: image.guards(2),
                      work=FIND.format(device=device),
                      panic=DIE.format(state=PORT_STATES[state]))
    dead.check_complete()
    case.equal(dead.image.guards(2), dead.before, "the guards of the window")
    test_truth.compare(dead, dead.save())


@test(slow=True)
def badstate_asleep_behind_port(case):
    """a virtio disk that is in D3 takes a complete dump."""
    behind_port(case, "virtio", "asleep")


@test()
def badstate_port_resets_nvme(case):
    """an NVMe disk that the port above it is resetting when the kernel dies,
    and that has lost its addresses by that, takes a complete dump."""
    behind_port(case, "nvme", "the port resets what is behind it")


@test(slow=True)
def badstate_port_forgets(case):
    """a disk behind a port that has lost its bus numbers and windows takes a
    complete dump."""
    behind_port(case, "virtio", "the port has forgotten where it is")


@test(slow=True)
def badstate_function_turned_off(case):
    """a disk without bus mastering, without its registers, or without their
    addresses takes a complete dump."""
    test_contexts.die(case, "virtio", "master-off", "memory-off", "bars-lost")


@test(slow=True)
def badstate_nvme_in_reset(case):
    """an NVMe controller takes a complete dump at every step of the reset that
    its own driver is about, and in D3."""
    test_contexts.die(case, "nvme", "reset-begin", "reset-middle", "reset-end",
                      "d3")


@test(slow=True, module="ahci")
def badstate_ahci_in_reset(case):
    """a SATA port takes a complete dump in the middle of a reset."""
    test_contexts.die(case, "ahci", "reset-middle", "reset-end", "memory-off")


# ---- What can't be brought back ----

def second_has_it(case, state, says, meanwhile=None):
    """The first of two devices is lost; the other has a dump that equals
    memory."""
    first, second = case.disk(320), case.disk(320)
    nodes = disk.node("nvme", 2), disk.node("virtio", 2)
    dead = crash.Dead(case, second, 2)
    script = crash.arm_script(nodes[0], dumpon="true") + f"""
make_swap {nodes[1]}
swapon {nodes[1]}
dumpon -d 0 {nodes[0]} {nodes[1]} || die "dumpon: $(cat /sys/kernel/swapcore/reason)"
""" + FIND.format(device=nodes[0]) + crash.ABOUT + DIE.format(state=state)
    devices = [*PORT, *disk.attach(first, "nvme", options="bus=above"),
               *disk.attach(second, "virtio", 1)]
    with case.boot(script, devices, mem_mib=256, append=APPEND) as vm:
        crash.await_dying(vm)
        dead.alive = vm.console.text()
        guards = first.guards(2), second.guards(2)
        if meanwhile:
            meanwhile(vm)
        vm.data.send("die")
        vm.console.wait("swapcore: dump failed: .*" + says, 60)
        vm.console.wait(f"swapcore: dumping to {nodes[1]}", 30)
        at, _ = vm.console.wait("swapcore: dump complete", 60)
        dead.last = vm.console.lines[at]
        _, held = vm.data.wait("@@held ([0-9a-f]+) ([0-9a-f]+)", 30)
        dead.held = [int(text, 16) for text in held.groups()]
        vm.stop()
        dead.images = vm.save_memory(case.path("memory"))
        dead.found = crash.blocks(vm.data.text())
        dead.console = vm.console.text()
    dead.check_complete()
    case.equal((first.guards(2), second.guards(2)), guards, "the guards")
    test_truth.compare(dead, dead.save())


@test()
def badstate_removed_gives_way_to_next(case):
    """a controller whose slot has no power is told to be gone, and the next
    device has a complete dump."""
    second_has_it(case, 'pci_poke $port $(($(pci_cap $port 16) + 24)) '
                  '"\\0\\007"', "controller gone: configuration space reads "
                  "all ones")


@test(slow=True)
def badstate_timed_out_gives_way_to_next(case):
    """a disk that answers no more is given up after its time, and the next one
    has a complete dump."""
    def throttle(vm):
        vm.qmp.cmd("block_set_io_throttle", device="disk0", bps=1, bps_rd=0,
                   bps_wr=0, iops=0, iops_rd=0, iops_wr=0)
    second_has_it(case, "", "no answer in time", throttle)


# Without an admin queue QEMU's controller refuses to be enabled: CSTS.CFS.
FATAL = """
bar=$(sed -n '1s/ .*//p' $fn/resource)
devmem $((bar + 0x14)) 32 0
usleep 100000
devmem $((bar + 0x24)) 32 0
devmem $((bar + 0x14)) 32 0x00460001
usleep 100000
say csts devmem $((bar + 0x1c)) 32
"""


@test()
def badstate_fatal_nvme_dumps(case):
    """an NVMe controller that says that it is dead (CSTS.CFS) comes back by its
    reset and takes a complete dump."""
    device = disk.node("nvme", 2)
    dead = crash.kill(case, "nvme", append=APPEND,
                      work=FIND.format(device=device),
                      panic=DIE.format(state=FATAL))
    case.equal(dead.found["csts"], ["0x00000002"], "CSTS")
    dead.check_complete()
    test_truth.compare(dead, dead.save())
