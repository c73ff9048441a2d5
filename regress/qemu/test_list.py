# SPDX-License-Identifier: BSD-2-Clause
"""Two dump devices: where the first fails, the second gets the whole dump, and
savecore knows which of them is the newer one."""

import crash
import disk
import test_truth
from case import test

MIB = 1 << 20
FIRST, SECOND = "/dev/vda2", "/dev/nvme0n1p2"
SYS = "/sys/kernel/swapcore"

# Writes to one sector fail, whenever they come.
RULE = """[inject-error]
event = "write_aio"
iotype = "write"
errno = "5"
sector = "{sector}"
once = "off"
"""
BLOCKDEV = ("driver=raw,file.driver=blkdebug,file.config={rules},"
            "file.image.driver=file,file.image.filename={{path}}")

# What the next boot finds on both.
AFTER = f"""
await {FIRST}
await {SECOND}
mkdir -p /var/crash
mount -t tmpfs -o size=90% tmpfs /var/crash
{{known}}savecore -n || die "no dump seen"
savecore /var/crash >/tmp/first 2>&1
echo "status $?" >>/tmp/first
say sum sha256sum /var/crash/linux.0.core
savecore -n || die "the other dump is gone"
savecore -f /var/crash >/tmp/second 2>&1
echo "status $?" >>/tmp/second
savecore -n && die "not cleared"
say first cat /tmp/first
say second cat /tmp/second
say files ls /var/crash
"""


def after(case, images, dead):
    """Both are saved, the complete one first."""
    sha = disk.Disk(case.path("linux.0.core"), 0).sha(
        0, disk.os.path.getsize(case.path("linux.0.core")))
    plain = [disk.Disk(image.path, image.size, image.parts)
             for image in images]
    data, _ = case.run(
        AFTER.format(known=dead.known()),
        [*disk.attach(plain[0], "virtio"), *disk.attach(plain[1], "nvme", 1)],
        mem_mib=1024, timeout_s=180)
    case.log("after", data)
    found = crash.blocks(data)
    case.equal(found["sum"][0].split()[0], sha, "the core saved first")
    first, second = "\n".join(found["first"]), "\n".join(found["second"])
    case.check("status 0" in first and
               f"{FIRST}: has what the same panic wrote there before it failed"
               in first, f"savecore said first {first!r}")
    case.check("status 0" in second and "Input/output error" in second,
               f"savecore said then {second!r}")


@test()
def list_dead_disk_gives_way_to_next(case):
    """a dump whose first device fails in the middle is begun anew on the
    second and equals memory there; and that savecore saves that one first,
    then what is on the other."""
    rules = case.path("rules")
    first = case.disk(320, blockdev=BLOCKDEV.format(rules=rules))
    second = case.disk(320)
    start, length = first.part(2)
    with open(rules, "w", encoding="ascii") as out:
        out.write(RULE.format(sector=(start + length - 64 * MIB) // 512))
    guards = first.guards(2), second.guards(2)
    dead = crash.Dead(case, second, 2)
    script = crash.arm_script(FIRST, dumpon="true") + f"""
make_swap {SECOND}
swapon {SECOND}
dumpon -d 0 {FIRST} {SECOND} || die "dumpon: $(cat {SYS}/reason)"
say list dumpon -l -v
say held cat {SYS}/held
""" + crash.ABOUT + crash.PANIC
    devices = [*disk.attach(first, "virtio"), *disk.attach(second, "nvme", 1)]
    with case.boot(script, devices, mem_mib=256) as vm:
        crash.await_dying(vm)
        dead.alive = vm.console.text()
        vm.data.send("die")
        at, end = vm.console.wait(crash.DUMP_END, crash.DUMP_TIMEOUT_S)
        case.equal(end[1], "failed", "the first dump")
        at, _ = vm.console.wait(crash.DUMP_END, crash.DUMP_TIMEOUT_S, at + 1)
        dead.last = vm.console.lines[at]
        dead.capture(vm)
    case.log("list", "\n".join(dead.found["list"]))
    case.check(f"swapcore: dumping to {SECOND}" in dead.console,
               "the second device was not named")
    dead.check_complete()
    old = crash.trailer(first, 2)
    case.equal((old["state"], old["error"]), ("FAILED", 5), "the first's end")
    case.check(old["seq"] < crash.trailer(second, 2)["seq"],
               "the second's trailer is no newer")
    case.equal((first.guards(2), second.guards(2)), guards, "the guards")
    test_truth.compare(dead, dead.save())
    after(case, (first, second), dead)
