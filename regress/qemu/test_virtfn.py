# SPDX-License-Identifier: BSD-2-Clause
"""An NVMe controller with an SR-IOV virtual function that the stock driver
serves: no dump goes through that one, while the physical function's disk can
take dumps as before."""

import crash
import disk
import test_truth
from case import test

PF, VF = "0000:01:00.0", "0000:01:00.1"
LISTED = ("can't take dumps: its controller is an SR-IOV virtual function; "
          "choose a disk on a physical function")
REFUSED = (f"controller {VF}: an SR-IOV virtual function, which can't be taken "
           "over alone; choose a disk on a physical function")

# Namespace 1 is both functions', namespace 2 the virtual one's alone.
CONTROLLER = [
    "-device", "pcie-root-port,id=above,chassis=1",
    "-device", "nvme-subsys,id=both,nqn=nqn.2026-11.swapcore:both",
    "-device", "nvme,id=ctl,serial=both,subsys=both,bus=above,sriov_max_vfs=1,"
               "sriov_vq_flexible=2,sriov_vi_flexible=2"]

# Controller 0 is the primary one, 1 the virtual function's.  Until it is online
# the driver is to leave it alone.  A driver that lives through the reset loses
# requests before Linux 5.16: it does not clear its shadow doorbells
# (58847f12fe85, "nvme-pci: clear shadow doorbell memory on resets").
CREATE = f"""
await /dev/nvme0n1
pf=/sys/bus/pci/devices/{PF}
nvmevf release /dev/nvme0 || die release
cd /sys/bus/pci/drivers/nvme
echo {PF} >unbind || die unbind
echo 1 >$pf/reset || die "function reset"
echo {PF} >bind || die "bind again"
await /dev/nvme0n1
echo 0 >$pf/sriov_drivers_autoprobe || die autoprobe
echo 1 >$pf/sriov_numvfs || die "no virtual function"
nvmevf online /dev/nvme0 1 || die online
nvmevf attach /dev/nvme0 2 1 || die attach
echo 1 >$pf/sriov_drivers_autoprobe
echo {VF} >bind || die bind
cd /
"""

# The kernel's parameter, where its driver is built in.
ONE_PATH = "nvme_core.multipath=0"
RELOAD = """
multipath=/sys/module/nvme_core/parameters/multipath
[ -e $multipath ] || die "no parameter"
if [ "$(cat $multipath)" = Y ]; then
	await /dev/nvme0n1
	rmmod nvme && rmmod nvme_core || die rmmod
	insmod /lib/modules/nvme-core.ko multipath=0 &&
		insmod /lib/modules/nvme.ko || die insmod
fi
"""


def devices(case):
    """The controller, and namespace 2."""
    private = case.disk(400, None)
    return [*CONTROLLER, "-drive",
            f"if=none,id=private,format=raw,file={private.path},cache=unsafe",
            "-device", "nvme-ns,drive=private,bus=ctl,nsid=2,shared=off,"
                       "detached=on"]


def refused(case, virtual, script, append=""):
    """Of the disks nvme0n1 and `virtual', these are listed as such that can't
    take dumps, and refused; and the best disk of all is another one."""
    data, _ = case.run(script + CREATE + f"""
tell() {{
	"$@"
	echo "status $?"
}}
mkdir -p /var/lib
insmod /swapcore.ko || die insmod
for name in {" ".join(virtual)}; do
	make_swap /dev/$name
	say $name tell dumpon /dev/$name
done
say state cat /sys/kernel/swapcore/state
make_swap /dev/nvme0n1
swapon /dev/nvme0n1 || die swapon
swapon /dev/{virtual[-1]} || die "swapon {virtual[-1]}"
say list dumpon -l -v
say auto tell dumpon -a
say armed dumpon -l
""", [*devices(case), *disk.attach(case.disk(64, None), "shared")],
                       append=append, mem_mib=256)
    found = crash.blocks(data)
    case.log("found", "\n".join(map(str, found.items())))
    for name in virtual:
        case.equal(found[name], [f"dumpon: /dev/{name}: {REFUSED}", "status 1"],
                   f"dumpon {name}")
    case.equal(found["state"], ["disarmed"], "state")
    case.equal([line for line in found["list"] if line.startswith("nvme")],
               [f"nvme0n1: NVMe {PF}: can take dumps",
                *(f"{name}: NVMe {VF}: {LISTED}" for name in virtual)],
               "dumpon -l -v")
    case.equal(found["armed"][0], "/dev/nvme0n1: dump level 31", "dumpon -l")
    case.check("status 0" in found["auto"], f"dumpon -a: {found['auto']}")


@test(slow=True, more=True)
def virtfn_disk_is_refused(case):
    """a disk that only a virtual function has is listed as one that can't take
    dumps, and refused; one that the physical function has as well is armed."""
    refused(case, ["nvme0n2"], "")


@test(slow=True)
def virtfn_path_is_refused(case):
    """the same is so where each path is a disk of its own: those of the virtual
    function are refused, both of them."""
    refused(case, ["nvme1n1", "nvme1n2"], RELOAD, ONE_PATH)


@test(slow=True)
def virtfn_physical_core_equals_memory(case):
    """a dump through the physical function equals memory where the virtual one
    is in use, though both have the disk."""
    dead = crash.kill(case, "shared", before=devices(case), find=CREATE + """
make_swap /dev/nvme0n2
swapon /dev/nvme0n2 || die swapon
say paths ls -1 /sys/block
""", watch=lambda image: image.guards(2))
    dead.check_complete()
    case.equal([name for name in dead.found["paths"]
                if name in ("nvme0c0n1", "nvme0c1n1")],
               ["nvme0c0n1", "nvme0c1n1"], "paths to the disk")
    case.equal(dead.image.guards(2), dead.before, "the guards of the window")
    case.check(f"(nvme, {PF})" in dead.alive, "not armed on " + PF)
    test_truth.compare(dead, dead.save())
