# SPDX-License-Identifier: BSD-2-Clause
"""Arming and disarming: the device stays the stock driver's, every refusal has
its reason, and everything is given back."""

import crash
import disk
from case import Skip, test

SYS = "/sys/kernel/swapcore"

READ_BACK = """
readback() {
	echo 3 >/proc/sys/vm/drop_caches
	[ "$(dd if=$raw bs=1M count=3 2>/dev/null | sha256sum)" = "$want" ] ||
		die "$1: what was written is not what is read"
}
writeback() {
	dd if=/dev/urandom of=/tmp/data bs=1M count=3 2>/dev/null
	want=$(sha256sum </tmp/data)
	dd if=/tmp/data of=$raw bs=1M conv=fsync 2>/dev/null || die "$1: write"
}
"""


def normal_io(case, bus):
    """Reads and writes beside the armed partition, three times over."""
    device = disk.node(bus, 2)
    case.run(f"""
mkdir -p /var/lib
raw={disk.node(bus, 1)}
{READ_BACK}
make_swap {device}
swapon {device}
for round in 1 2 3; do
	insmod /swapcore.ko || die insmod
	dumpon {device} || die "arm: $(cat {SYS}/reason)"
	[ "$(cat {SYS}/state)" = armed ] || die "not armed"
	writeback armed
	readback armed
	echo 1 >{SYS}/disarm || die disarm
	[ "$(cat {SYS}/state)" = disarmed ] || die "not disarmed"
	readback disarmed
	rmmod swapcore || die rmmod
	readback unloaded
done
insmod /swapcore.ko || die insmod
dumpon {device} || die "arm: $(cat {SYS}/reason)"
rmmod swapcore || die "rmmod while armed"
writeback unloaded
readback unloaded
swapoff {device} || die swapoff
""", disk.attach(case.disk(64), bus), mem_mib=256, smp=2)


@test(all_kernels=True, more=True)
def nvme_serves_while_armed(case):
    """an NVMe disk serves normal I/O while armed and after, and the module
    unloads cleanly, again and again."""
    normal_io(case, "nvme")


@test(all_kernels=True)
def virtio_serves_while_armed(case):
    """a virtio disk serves normal I/O while armed and after, and the module
    unloads cleanly, again and again."""
    normal_io(case, "virtio")


@test()
def arming_gives_memory_back(case):
    """thirty armings and disarmings leave no memory behind."""
    device = disk.node("nvme", 2)
    data, _ = case.run(f"""
mkdir -p /var/lib
make_swap {device}
insmod /swapcore.ko || die insmod
free_kb() {{
	echo 3 >/proc/sys/vm/drop_caches
	usleep 200000
	awk '/^MemFree/ {{ print $2 }}' /proc/meminfo
}}
cycle() {{
	dumpon {device} >/dev/null 2>&1 || die "arm: $(cat {SYS}/reason)"
	dumpon off || die "dumpon off"
}}
cycle
cycle
before=$(free_kb)
n=0
while [ $((n += 1)) -le 30 ]; do cycle; done
after=$(free_kb)
say leak echo $((before - after))
""", disk.attach(case.disk(64), "nvme"), mem_mib=256)
    leak = int(crash.blocks(data)["leak"][0])
    case.check(leak < 512, f"{leak} KiB are gone after 30 armings")


def unbind(case, bus, where, name, soon=False):
    """Takes the driver away under the armed device.

    soon: the module looks for itself, now and then.
    """
    device = disk.node(bus, 2)
    data, _ = case.run(f"""
mkdir -p /var/lib
make_swap {device}
insmod /swapcore.ko || die insmod
dumpon {device} || die "arm: $(cat {SYS}/reason)"
cd {where}
echo {name} >unbind || die unbind
n=0
until [ "$(cat {SYS}/state)" = disarmed ] || [ $((n += 1)) -gt {300 * soon} ]; do
	usleep 100000
done
say state cat {SYS}/state
say reason cat {SYS}/reason
echo {name} >bind || die bind
await {device}
dumpon {device} || die "armed again: $(cat {SYS}/reason)"
say again cat {SYS}/state
dumpon off
rmmod swapcore || die rmmod
""", disk.attach(case.disk(64), bus, options="addr=0x5"), mem_mib=256)
    found = crash.blocks(data)
    case.equal(found["state"], ["disarmed"], "state after unbind")
    case.check(found["reason"] and found["reason"][0],
               "no reason is given for the disarming")
    case.equal(found["again"], ["armed"], "state after bind")


@test()
def nvme_unbind_disarms(case):
    """taking the NVMe driver away disarms, and the device can be armed
    again."""
    unbind(case, "nvme", "/sys/bus/pci/drivers/nvme", "0000:00:05.0")


@test()
def virtio_pci_unbind_disarms(case):
    """taking the virtio-pci driver away disarms, and the device can be armed
    again."""
    unbind(case, "virtio", "/sys/bus/pci/drivers/virtio-pci", "0000:00:05.0")


@test()
def virtio_blk_unbind_disarms(case):
    """taking the virtio_blk driver away, which the PCI bus does not see,
    disarms soon, and the device can be armed again."""
    unbind(case, "virtio", "/sys/bus/virtio/drivers/virtio_blk", "virtio0",
           soon=True)


@test(all_kernels=True)
def suspend_arms_again(case):
    """the dump device is armed again when the machine comes back from suspend to
    RAM."""
    device = disk.node("nvme", 2)
    script = f"""
mkdir -p /var/lib
make_swap {device}
insmod /swapcore.ko || die insmod
dumpon {device} || die "arm: $(cat {SYS}/reason)"
grep -q mem /sys/power/state || {{ echo "@@nosuspend"; exit 0; }}
echo deep >/sys/power/mem_sleep
echo "@@suspending"
echo mem >/sys/power/state || die suspend
n=0
until dmesg | grep -q "was asleep" && [ "$(cat {SYS}/state)" = armed ]; do
	[ $((n += 1)) -le 300 ] || die "after resume: $(cat {SYS}/state)"
	usleep 100000
done
dumpon off
rmmod swapcore || die rmmod
"""
    with case.boot(script, disk.attach(case.disk(64), "nvme"),
                   mem_mib=256) as vm:
        _, said = vm.data.wait("@@(nosuspend|suspending|die .*)", 60)
        if said[1] == "nosuspend":
            raise Skip("this kernel can't suspend to RAM")
        case.equal(said[1], "suspending", "the guest's script")
        vm.qmp.event("SUSPEND")
        vm.qmp.cmd("system_wakeup")
        _, said = vm.data.wait("@@(end .*|die .*)", 60)
        case.equal(said[1], "end 0", "the guest's script")
        case.check("disarmed: the machine was asleep" in vm.console.text(),
                   "it was not armed again")
        case.scan(vm.console.text())


@test()
def hibernation_disarms_and_arms_again(case):
    """the dump device is let go before the machine hibernates to it, and armed
    again when the machine is back; page 0 is swap again by then."""
    image = case.disk(320)
    device = disk.node("nvme", 2)
    sleep = f"""
mkdir -p /var/lib
make_swap {device}
insmod /swapcore.ko || die insmod
swapon {device}
dumpon {device} || die "arm: $(cat {SYS}/reason)"
grep -q disk /sys/power/state || {{ echo "@@nohibernation"; exit 0; }}
cat /sys/class/block/{device[5:]}/dev >/sys/power/resume
echo shutdown >/sys/power/disk
sync
echo "@@sleeping"
echo disk >/sys/power/state || die hibernate
n=0
until [ "$(cat {SYS}/state)" = armed ]; do
	[ $((n += 1)) -le 300 ] || die "after resume: $(cat {SYS}/state)"
	usleep 100000
done
echo "@@armed again"
echo c >/proc/sysrq-trigger
"""
    wake = f"""
await {device}
cat /sys/class/block/{device[5:]}/dev >/sys/power/resume
die "the image was not resumed"
"""
    options = {"mem_mib": 256, "append": "crash_kexec_post_notifiers"}
    with case.boot(sleep, disk.attach(image, "nvme"), **options) as vm:
        _, said = vm.data.wait("@@(nohibernation|sleeping|die .*)", 60)
        if said[1] == "nohibernation":
            raise Skip("this kernel can't hibernate")
        case.equal(said[1], "sleeping", "the guest's script")
        vm.wait_exit(90)
        case.check("disarmed: the machine is hibernating" in vm.console.text(),
                   "it was not disarmed before")
    with case.boot(wake, disk.attach(image, "nvme"), **options) as vm:
        _, said = vm.data.wait("@@(armed again|die .*)", 120)
        case.equal(said[1], "armed again", "the resumed script")
        last = crash.await_dump(vm)
    case.check("dump complete" in last, last)


@test()
def arming_another_device_moves(case):
    """arming a second device lets go of the first, and dumpon -l tells the level
    that is armed, whatever the next one will be."""
    first, second = disk.node("nvme", 2), disk.node("virtio", 2)
    data, _ = case.run(f"""
mkdir -p /var/lib
make_swap {first}
make_swap {second}
insmod /swapcore.ko || die insmod
dumpon {first} || die "arm: $(cat {SYS}/reason)"
dumpon -d 1 {second} || die "arm: $(cat {SYS}/reason)"
echo 0 >{SYS}/level || die level
say device cat {SYS}/device
say list dumpon -l
dumpon off
rmmod swapcore || die rmmod
""", [*disk.attach(case.disk(64), "nvme"),
      *disk.attach(case.disk(64), "virtio", 1)], mem_mib=256)
    found = crash.blocks(data)
    case.equal(found["device"], [second], "the device armed")
    case.equal(found["list"][0], f"{second}: dump level 1",
               "what dumpon -l says")


# What the module must refuse: a name, lines instead of the good ones.
GOOD = {"device": "$dev", "disk": "$disk", "armid": "$id", "bootid": "$boot",
        "level": "0", "extent": "$first $count"}
FORGED = (
    ("version", "swapcore 2", {}, "arm"),
    ("no_arm", "swapcore 1", {}, ""),
    ("no_extent", "swapcore 1", {"extent": None}, "arm"),
    ("no_disk", "swapcore 1", {"disk": None}, "arm"),
    ("zero_extent", "swapcore 1", {"extent": "$first 0"}, "arm"),
    ("past_end", "swapcore 1", {"extent": "$first 99999999"}, "arm"),
    ("wraps", "swapcore 1",
     {"extent": "18446744073709551608 $count"}, "arm"),
    ("too_small", "swapcore 1", {"extent": "$first 8"}, "arm"),
    ("wrong_place", "swapcore 1", {"extent": "$((first - 8)) $count"}, "arm"),
    ("twice", "swapcore 1",
     {"extent": "$first $count\\nextent $first $count"}, "arm"),
    ("short_id", "swapcore 1", {"armid": "1234"}, "arm"),
    ("bad_id", "swapcore 1", {"armid": "zz" * 16}, "arm"),
    ("unknown_key", "swapcore 1", {"extent": "$first $count\\nfoo 1"}, "arm"),
    ("level", "swapcore 1", {"level": "32"}, "arm"),
    ("loop", "swapcore 1", {"device": "/dev/loop0", "disk": "7:0",
                            "extent": "0 32768"}, "arm"),
    ("partition", "swapcore 1", {"disk": "$(cat $sysdev/dev)"}, "arm"),
    ("no_such_disk", "swapcore 1", {"disk": "200:77"}, "arm"),
)


# try NAME TEXT: hands the module a text of dumpon's, made up.
TRY = f"""
sysdev=/sys/class/block/nvme0n1p2
disk=$(cat /sys/class/block/nvme0n1/dev)
first=$(cat $sysdev/start) count=$(cat $sysdev/size)
id=00112233445566778899aabbccddeeff
boot=$(tr -d - </proc/sys/kernel/random/boot_id)
try() {{
	printf "$2" >/tmp/text
	dd if=/tmp/text of=/dev/swapcore bs=64k 2>/dev/null
	echo "@@try $1 $? $(cat {SYS}/state) $(cat {SYS}/reason)"
	[ "$(cat {SYS}/state)" = disarmed ] || dumpon off
}}
"""


def forged_text(version, changes, end):
    lines = [version]
    lines += [f"{key} {value}" for key, value in {**GOOD, **changes}.items()
              if value is not None]
    return "\\n".join([*lines, end] if end else lines) + "\\n"


def tried(data):
    """What each try came to: name -> [status, state, reason]."""
    tries = {}
    for line in data.split("\n"):
        if line.startswith("@@try "):
            _, name, *rest = line.split(" ", 4)
            tries[name] = rest
    return tries


@test(all_kernels=True)
def module_refuses_with_reason(case):
    """the module refuses what is forged, damaged or impossible, each time
    with its reason, and takes the right text after all that."""
    script = f"""
mkdir -p /var/lib
dev={disk.node("nvme", 2)}
make_swap $dev
insmod /swapcore.ko || die insmod
dd if=/dev/zero of=/tmp/loop bs=1M count=16 2>/dev/null
mkswap /tmp/loop >/dev/null
losetup /dev/loop0 /tmp/loop || die losetup
""" + TRY
    for name, version, changes, end in FORGED:
        script += f'try {name} "{forged_text(version, changes, end)}"\n'
    script += f"""
try good "{forged_text("swapcore 1", {}, "arm")}"
rmmod swapcore || die rmmod
losetup -d /dev/loop0
"""
    data, _ = case.run(script, disk.attach(case.disk(64), "nvme"), mem_mib=256)
    tries = tried(data)
    for name, *_ in FORGED:
        status, state, reason = tries[name]
        case.check(status != "0" and state == "disarmed",
                   f"{name}: taken: {tries[name]}")
        case.check(len(reason) > 15, f"{name}: the reason is {reason!r}")
    case.equal(tries["good"][:2], ["0", "armed"], "the right text")


@test()
def dumpon_refuses_with_reason(case):
    """dumpon refuses what is no swap device of its own, in one line that
    names the device."""
    swap, guard = disk.node("nvme", 2), disk.node("nvme", 1)
    whole = disk.node("nvme")
    data, _ = case.run(f"""
mkdir -p /var/lib
make_swap {swap}
mke2fs {disk.node("nvme", 3)} >/dev/null 2>&1
mount -t ext4 {disk.node("nvme", 3)} /mnt || die mount
dd if=/dev/zero of=/tmp/loop bs=1M count=16 2>/dev/null
mkswap /tmp/loop >/dev/null
losetup /dev/loop0 /tmp/loop
insmod /swapcore.ko || die insmod
for dev in {guard} {disk.node("nvme", 3)} {whole} /dev/loop0 /tmp/loop \\
    /dev/null /dev/nothing; do
	dumpon $dev 2>/tmp/err
	echo "@@try $dev $? $(wc -l </tmp/err) $(cat /tmp/err)"
	[ "$(cat {SYS}/state)" = disarmed ] || die "$dev was armed"
done
umount /mnt
losetup -d /dev/loop0
rmmod swapcore || die rmmod
""", disk.attach(case.disk(64), "nvme"), mem_mib=256)
    tries = [line.split(" ", 4)[1:] for line in data.split("\n")
             if line.startswith("@@try ")]
    case.equal(len(tries), 7, "devices tried")
    for device, status, lines, text in tries:
        case.equal((status, lines), ("1", "1"), f"dumpon {device}: {text}")
        case.check(device in text, f"dumpon {device} said: {text}")


@test()
def lockdown_for_confidentiality_refuses(case):
    """a kernel locked down for integrity can be armed; one locked down for
    confidentiality can't, by dumpon nor by a text that goes past it."""
    device = disk.node("nvme", 2)
    data, _ = case.run(f"""
mkdir -p /var/lib
dev={device}
make_swap $dev
mount -t securityfs securityfs /sys/kernel/security || die securityfs
insmod /swapcore.ko || die insmod
echo integrity >/sys/kernel/security/lockdown || die integrity
dumpon $dev || die "integrity: $(cat {SYS}/reason)"
dumpon off || die "dumpon off"
echo confidentiality >/sys/kernel/security/lockdown || die confidentiality
dumpon $dev 2>/tmp/err
echo "@@dumpon $? $(wc -l </tmp/err) $(cat /tmp/err)"
{TRY}
try past "{forged_text("swapcore 1", {}, "arm")}"
""", disk.attach(case.disk(64), "nvme"), mem_mib=256)
    said = next(line.split(" ", 3)[1:] for line in data.split("\n")
                if line.startswith("@@dumpon "))
    case.equal(said, ["1", "1", f"dumpon: {device}: the kernel is locked down "
                      "for confidentiality, and a dump would lay its memory "
                      "open: boot it with lockdown=integrity"], "dumpon")
    status, state, reason = tried(data)["past"]
    case.check(status != "0" and state == "disarmed" and "locked down" in
               reason, f"the module: {status} {state} {reason}")
