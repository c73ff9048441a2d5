# SPDX-License-Identifier: BSD-2-Clause
"""etc/swapcore.rc, on a machine whose init is not systemd."""

import os

import crash
import disk
import initramfs
from case import test

RC = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                  "../../etc/swapcore.rc")
MISSING = "UUID=5e1fa5e1-0000-4000-8000-000000000000"

# rc NAME VERB: what the script said, and its exit status.
RUN = f"""
rc() {{
	/bin/dash /rc $2 >/tmp/said 2>&1
	_status=$?
	say $1 cat /tmp/said
	echo "@@status $1 $_status"
	say $1.swaps cat /proc/swaps
	say $1.device cat /sys/kernel/swapcore/device
}}
await /dev/vda2
await /dev/vdb
await /dev/vdc
insmod /swapcore.ko || die "insmod swapcore"
cat >/etc/fstab <<END
# file system of the test
/dev/vdc /var ext4 defaults 0 0
UUID=@uuid@ none swap noauto,pri=7,discard 0 0
#/dev/vda3 none swap noauto 0 0
  {MISSING} none swap noauto 0 0
/dev/vdb none swap sw,noauto 0 0
END
"""

FIRST = """
mke2fs /dev/vdc >/dev/null || die mke2fs
mount -t ext4 /dev/vdc /var || die mount
mkdir -p /var/lib /var/crash
mkswap -L first /dev/vda2 >/dev/null
mkswap /dev/vdb >/dev/null
uuid=$(hexdump -v -s 1036 -n 16 -e '16/1 "%02x"' /dev/vda2 | awk '{
	printf "%s-%s-%s-%s-%s", substr($0, 1, 8), substr($0, 9, 4),
	    substr($0, 13, 4), substr($0, 17, 4), substr($0, 21) }')
echo "$uuid" >/var/uuid
sed -i "s/@uuid@/$uuid/" /etc/fstab
rc start1 start
rc again start
rc stop stop
rc restart restart
rc status status
rc wrong sideways
umount /var || mount -o remount,ro /var
"""

# The directory for dumps is in the way at first.
SECOND = """
if mount -t ext4 /dev/vdc /var 2>/dev/null; then
	sed -i "s/@uuid@/$(cat /var/uuid)/" /etc/fstab
	mv /var/crash /var/aside
	echo "not a directory" >/var/crash
	rc failing start
	rm /var/crash
	mv /var/aside /var/crash
	rc saving start
	await /var/crash/crash.0.txt
	say files ls /var/crash
	/bin/dash /rc stop
	exit 0
fi
"""


def on(found, name):
    """Which swap was on, and its priority."""
    return {line.split()[0]: int(line.split()[4])
            for line in found[name + ".swaps"][1:]}


def statuses(text):
    return {line.split()[1]: int(line.split()[2])
            for line in text.split("\n") if line.startswith("@@status ")}


def check_first(case, found, status):
    """Two of three are turned on and the best is armed."""
    off = f"swapcore: {MISSING} stays off as swap"
    case.check(off in found["start1"], f"start said {found['start1']}")
    swaps = on(found, "start1")
    case.equal(sorted(swaps), ["/dev/vda2", "/dev/vdb"], "what is swap")
    case.equal(swaps["/dev/vda2"], 7, "the priority of fstab")
    case.equal(found["start1.device"], ["/dev/vda2"], "what is armed")
    case.equal(on(found, "again"), swaps, "swap after a second start")
    case.equal(found["stop.device"], [""], "what is armed after stop")
    case.equal(found["restart.device"], ["/dev/vda2"], "after restart")
    case.check("/dev/vda2" in " ".join(found["status"]),
               f"status said {found['status']}")
    case.check("usage: /rc start|stop" in " ".join(found["wrong"]),
               f"sideways: {found['wrong']}")
    case.equal({name: status[name] for name in
                ("start1", "again", "stop", "restart", "status", "wrong")},
               {"start1": 1, "again": 1, "stop": 0, "restart": 0,
                "status": 0, "wrong": 2}, "the exit statuses")


def check_second(case, found, status):
    """What can't be saved stays off, and is saved and on the next time."""
    case.check(any(line.startswith("swapcore: UUID=") and MISSING not in line
                   and line.endswith(" stays off as swap")
                   for line in found["failing"]),
               f"start without a directory said {found['failing']}")
    case.equal(sorted(on(found, "failing")), ["/dev/vdb"],
               "what is swap while nothing can be saved")
    case.equal(status["failing"], 1, "its exit status")
    case.equal(on(found, "saving")["/dev/vda2"], 7, "swap once it is saved")
    case.equal(found["saving.device"], ["/dev/vda2"], "what is armed then")
    case.check({"linux.0.core", "crash.0.txt"} <=
               set(" ".join(found["files"]).split()),
               f"/var/crash: {found['files']}")


@test(slow=True)
def rc_saves_before_swap_is_on(case):
    """the rc script saves a dump before its swap is turned on, leaves off what
    could not be saved, turns the rest on as fstab says, and arms the best."""
    image = case.disk(320)
    devices = [*disk.attach(image, "virtio"),
               *disk.attach(case.disk(16, None), "virtio", 1),
               *disk.attach(case.disk(400, None), "virtio", 2)]
    # The other shell has a swapon of its own.
    extra = initramfs.more_files({"rc": RC, "bin/dash": "/bin/dash",
                                  "sbin/swapon": "/sbin/swapon"})
    with case.boot(RUN + SECOND + FIRST + crash.PANIC, devices, extra=extra,
                   append="panic=1", mem_mib=256, reboot=True) as vm:
        crash.await_dying(vm)
        vm.data.send("die")
        last = crash.await_dump(vm)
        at, _ = vm.data.wait("@@ready", 120, len(vm.data.lines))
        vm.data.wait("@@(end 0|die.*)", 180, at)
        vm.wait_exit(30)
        text = vm.data.text()
    case.check("dump complete" in last, last)
    found, status = crash.blocks(text), statuses(text)
    case.log("said", text)
    check_first(case, found, status)
    check_second(case, found, status)
    case.equal(crash.trailer(image, 2)["state"], "SAVED", "the trailer")
