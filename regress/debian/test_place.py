# SPDX-License-Identifier: BSD-2-Clause
"""A machine that has no place for a dump, or whose kernel does not take our
module: the installation, or the boot, says what to do."""

from machine import CONF, SWAP_UUID

SPARE_MIB = 256

EMPTY = "dmsetup remove_all; wipefs -a -q /dev/vda2 /dev/vdb"

# As lvm(8) and cryptsetup(8) make them.
ON_TWO_DISKS = (
    "printf '%s\\n' '0 262144 linear /dev/vda2 2048' "
    "'262144 262144 linear /dev/vdb 2048' | dmsetup create -u LVM-0123 vg-swap")
ENCRYPTED = (
    "dmsetup create -u CRYPT-PLAIN-{name} {name} --table '0 262144 crypt "
    "aes-xts-plain64 '$(printf %0128x 7)' 0 {disk} 0'")
SWAP_ON = "mkswap {0} && swapon {0}"

NOTHING = "nothing is armed: put right what is said above"

# What the machine has in place of its swap partition, and what apt is to say.
PLACES = (
    ([], ["there is no swap and no dump partition: make a partition one with "
          "mkswap(8) or dumpon --label"]),
    ([ON_TWO_DISKS, SWAP_ON.format("/dev/mapper/vg-swap")],
     ["/dev/dm-0: its segments lie on more than one disk", NOTHING]),
    ([ENCRYPTED.format(name="swap", disk="/dev/vda2"),
      SWAP_ON.format("/dev/mapper/swap")],
     ["/dev/dm-0: is encrypted", NOTHING]),
    ([ENCRYPTED.format(name="home", disk="/dev/vdb"),
      f"mkswap -U {SWAP_UUID} /dev/vda2 && swapon /dev/vda2"],
     ["/dev/vda2: the encrypted volume home is open, and a dump would put its "
      "key on this device in clear: accept-secrets=yes in swapcore.conf(5) "
      "allows that", NOTHING]),
)


def debian_without_a_place_says_so_once(machine):
    """This test checks that apt, on a machine that has no swap, or only such as no
    dump can go to, or where that would lay a key open, says once that nothing is
    armed and what to do, and that it is armed when that is done."""
    machine.start(spare_mib=SPARE_MIB)
    for commands, told in PLACES:
        machine.apt("purge swapcore")
        machine.run(f"swapoff -a; {EMPTY}")
        for command in commands:
            machine.ask(f"{command}; echo status $?", "^status 0$")
        machine.install("a panic would leave no dump yet", *told)
        machine.ask("dumpon -l", "^none")
        machine.run("journalctl -b -n 4 -o cat --no-pager -u dumpon")
    machine.file(CONF, "accept-secrets=yes")
    machine.ask("systemctl restart dumpon; echo status $?", "^status 0$")
    machine.ask("dumpon -l", "^/dev/vda2: dump level 31$")
    machine.ask("systemctl is-system-running", "^running$")


def debian_module_without_a_key_says_how_to_enrol(machine):
    """This test checks that where the kernel takes no module but by a key that it
    knows, as with Secure Boot, the machine boots, and the journal says how to
    enrol the key that DKMS signed ours by."""
    machine.start(append="module.sig_enforce=1")
    machine.ask("modinfo -F signer swapcore", "^DKMS module signing key$")
    machine.ask("journalctl -b --no-pager -u dumpon", "with Secure Boot its key "
                "must be enrolled: mokutil --import /var/lib/dkms/mok.pub, and "
                "reboot$")
    machine.ask("test -s /var/lib/dkms/mok.pub; echo status $?", "^status 0$")
    machine.ask("dumpon -l", "^none: the module swapcore is not loaded")
    machine.ask("dmesg | grep 'Loading of module'", "is rejected$")
    machine.refute("journalctl -b --no-pager -u dumpon", "name another")
    machine.ask("swapon --show=NAME --noheadings", "^/dev/vda2$")


TESTS = [debian_without_a_place_says_so_once,
         debian_module_without_a_key_says_how_to_enrol]
