# SPDX-License-Identifier: BSD-2-Clause
"""Swap that is no place for a dump, beside swap that is: compressed memory, and
a volume encrypted with a random key, as crypttab(5) makes it."""

import crash
import disk
import initramfs
import test_label
import test_truth
from case import Skip, test

MODULES = ("zram", "lzo_rle", "dm_crypt", "xts", "ecb")

KINDS = """
echo 24M >/sys/block/zram0/disksize || die zram
mkswap /dev/zram0 >/dev/null
swapon /dev/zram0 || die "swapon zram"
[ ! -d /sys/module/zswap ] || echo Y >/sys/module/zswap/parameters/enabled
await /dev/nvme0n1
key=$(hexdump -v -n 32 -e '32/1 "%02x"' /dev/urandom)
dmsetup create cswap --noudevsync --uuid CRYPT-PLAIN-cswap \\
    --table "0 49152 crypt aes-xts-plain64 $key 0 /dev/nvme0n1 0" || die crypt
await /dev/dm-0
mkswap /dev/dm-0 >/dev/null
swapon /dev/dm-0 || die "swapon crypt"
"""

TRIES = test_label.TRY + """
echo "@@begin tries"
try zram dumpon --accept-secrets /dev/zram0
try crypt dumpon --accept-secrets /dev/dm-0
try beneath dumpon --accept-secrets /dev/nvme0n1
try secrets dumpon /dev/vda2
try auto dumpon -a
try armed dumpon -l
echo "@@done tries 0"
mount -t tmpfs -o size=300m tmpfs /mnt
dd if=/dev/urandom of=/mnt/noise bs=1M count=200 2>/dev/null || die dd
say swaps cat /proc/swaps
"""


@test(slow=True, module="dm_crypt")
def swap_of_other_kinds_is_refused(case):
    """compressed memory, an encrypted volume and the disk beneath it are
    refused, each with its reason, and so is any other device as long as nobody
    accepts that the volume's key is in the dump; and a dump with swap on all of
    them equals memory."""
    more = initramfs.more_modules(case.kernel.root, case.kernel.release,
                                  MODULES)
    if more is None:
        raise Skip("this kernel lacks one of the modules")
    extra, load = more
    dead = crash.kill(case, "virtio", extra=extra, find=load + KINDS,
                      before=disk.attach(case.disk(24, None), "nvme", 1),
                      dumpon="dumpon -d 0 --accept-secrets", work=TRIES)
    found = test_label.tries("\n".join(dead.found["tries"]))
    case.log("tries", "".join(f"{name} {one}\n" for name, one in
                              found.items()))
    test_label.expect(case, found, {
        "zram": (False, "is compressed memory, which a crashed kernel can't"),
        "crypt": (False, "encrypted (dm-crypt)"),
        "beneath": (False, "dm-0 is built on top of it"),
        "secrets": (False, "the encrypted volume cswap is open"),
        "auto": (False, "the encrypted volume cswap is open"),
        "armed": (True, "/dev/vda2: dump level 0"),
    })
    used = {line.split()[0]: int(line.split()[3])
            for line in dead.found["swaps"][1:]}
    case.equal(sorted(used), ["/dev/dm-0", "/dev/vda2", "/dev/zram0"],
               "what is swap")
    case.check(all(used.values()), f"what was swapped out: {used}")
    dead.check_complete()
    test_truth.compare(dead, dead.save())
