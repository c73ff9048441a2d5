# SPDX-License-Identifier: BSD-2-Clause
"""The examples of the manual pages do what the pages say.

Those of dumpon(8) and swapcore.conf(5) are run in a guest, as they stand.  Then
it panics, and those of savecore(8), crashinfo(8), swapcore.conf(5) and README.md
are run here on its dump, with other paths in the place of theirs.
"""

import os
import re
import shutil
import subprocess

import crash
import disk
import examples
import readme
from case import test

TIMEOUT_S = 120
SCSI = ("-device", "virtio-scsi-pci,id=host,disable-legacy=on")
GUARD_MIB = 16                  # enough for a dump partition
FILE_MIB = 9 << 10              # room for a swap file of 8 GiB

# What each example of dumpon(8) is to end with: names of what is armed, or what
# it prints; and what is to be done before the next.
DUMPON = {
    "dumpon /dev/nvme0n1p2": ("nvme0n1p2", "dumpon off"),
    "fallocate -l 8g /swapfile": ("swapfile", "dumpon off; swapoff /swapfile"),
    "dumpon --label=crash /dev/nvme0n1p3": ("nvme0n1p3", "dumpon off"),
    "dumpon /dev/nvme0n1p2 /dev/sda3": ("nvme0n1p2 sda3", ":"),
    "dumpon -l -v": ("nvme0n1p2 sda3", "dumpon off"),
}

BEFORE = """
dumpon off || die off
make_swap /dev/sda3
await /dev/nvme0n1p4
mkfs.ext4 -q -F /dev/nvme0n1p4 || die mkfs
mount -t ext4 /dev/nvme0n1p4 /mnt || die mount
ln -s /mnt/swapfile /swapfile
"""

# What those of swapcore.conf(5) arm.
CONF = {
    "device=LABEL=crash": "nvme0n1p3",
    "device=/dev/nvme0n1p2 LABEL=crash": "nvme0n1p2 nvme0n1p3",
}

UNITS = ("savecore@.service", "savecore.service", "savecore-finish.service")

ONE_CONF = """
cat >/etc/swapcore.conf <<'END'
{text}
END
say {name} sh -c 'dumpon -a; echo $?; dumpon -l'
dumpon off
"""

AFTER = """
rm /etc/swapcore.conf
dumpon -d 31 /dev/nvme0n1p2 || die rearm
say list dumpon -l
say armid cat /var/lib/swapcore/armid
"""

ONE = """
cat >/tmp/example <<'END'
{text}
END
sh -e /tmp/example >/tmp/said 2>&1
say {name} sh -c 'echo {status}; cat /tmp/said; dumpon -l'
{after}
"""


def guest_script(found, confs):
    parts = [BEFORE]
    for number, text in enumerate(found):
        after = DUMPON[text.split(" && ")[0].split("\n")[0]][1]
        parts.append(ONE.format(text=text, name=f"example{number}",
                                status="'$?'", after=after))
    for number, text in enumerate(confs):
        parts.append(ONE_CONF.format(text=text, name=f"conf{number}"))
    return "".join([*parts, AFTER])


class Here:
    """A place for examples: what they name, with the dump on a swap device."""

    def __init__(self, case, dead):
        self.case = case
        self.root = case.path("root")
        self.window = dead.window()
        self.armid = "\n".join(dead.found["armid"]) + "\n"
        self.names = dead.names()
        self.console = dead.console
        self.list = dead.found["list"]
        self.log = f"{self.root}/calls"
        tools = os.path.join(case.tools, "../usr.sbin/savecore/savecore")
        self.bin = {
            "savecore": f'SAVECORE_ROOT={self.root} exec {tools} "$@"',
            "crashinfo": f'exec {case.sbin["crashinfo"]} "$@"',
            # What is not ours, and not to be meant: a swap partition, another
            # machine, a unit.
            "swapon": f'echo "swapon $*" >>{self.log}',
            "ssh": 'shift; exec sh -c "$*"',
            "systemctl": f'echo "systemctl $*" >>{self.log}',
        }

    def _file(self, name, text, mode=0o600):
        path = f"{self.root}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as out:
            out.write(text)
        os.chmod(path, mode)

    def conf(self, text):
        self._file("etc/swapcore.conf", text)

    def requires(self, names, text):
        """What systemd finds that units require with this beside them."""
        for name in names:
            with open(os.path.join(examples.TOP, f"etc/{name}.in"),
                      encoding="ascii") as unit:
                self._file(f"units/{name}", unit.read().replace(
                    "@PREFIX@/sbin", f"{self.root}/bin"), 0o644)
            self._file(f"units/{name}.d/override.conf", text + "\n", 0o644)
        self._file("units/srv-crash.mount",
                   "[Mount]\nWhat=/dev/x\nWhere=/srv/crash\n", 0o644)
        found = {}
        for name in names:
            done = subprocess.run(
                ["systemd-analyze", "verify", "--man=no",
                 name.replace("@.", "@dev-vda2.")], check=False,
                capture_output=True, text=True, cwd=f"{self.root}/units",
                env={**os.environ, "SYSTEMD_LOG_LEVEL": "debug",
                     "SYSTEMD_UNIT_PATH": f"{self.root}/units:"})
            self.case.equal(done.returncode, 0, f"{name}: {done.stderr[-300:]}")
            self.case.equal([line for line in done.stderr.split("\n")
                             if "Unknown" in line], [], name)
            found[name] = "Requires: srv-crash.mount" in done.stdout
        return found

    def fresh(self):
        """As it was when the machine came up again."""
        shutil.rmtree(self.root, ignore_errors=True)
        for name in ("dev", "work", "var/crash"):
            os.makedirs(f"{self.root}/{name}", 0o700)
        self._file("var/lib/swapcore/armid", self.armid)
        self._file("etc/fstab", "/dev/vda2 none swap sw 0 0\n")
        self._file("etc/swapcore.conf", f"directory={self.root}/var/crash\n")
        for name, text in self.bin.items():
            self._file(f"bin/{name}", f"#!/bin/sh\n{text}\n", 0o755)
        for name in ("dev/vda2", "work/swap.img"):
            subprocess.run(["cp", "--sparse=always", self.window,
                            f"{self.root}/{name}"], check=True)

    def put(self, text):
        """What the page names, as it is called here."""
        text = re.sub(r"/dev/(vda2|sda3)\b", f"{self.root}/dev/vda2", text)
        return text.replace("/var/crash", f"{self.root}/var/crash")

    def hook(self, text):
        self._file("etc/swapcore.d/mail", text.replace(
            "systemctl", f"{self.root}/bin/systemctl") + "\n", 0o755)

    def run(self, text, status=0):
        """Runs a text as it stands but for its paths; what it printed."""
        done = subprocess.run(
            ["bash", "-c", self.put(text)], cwd=f"{self.root}/work",
            env={**os.environ, "PATH": f"{self.root}/bin:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace", timeout=TIMEOUT_S, check=False)
        self.case.equal(done.returncode, status, f"{text}: "
                        f"{(done.stdout + done.stderr).strip()[-300:]}: exit "
                        "status")
        return done.stdout

    def has(self, name):
        path = f"{self.root}/{name}"
        self.case.check(os.path.exists(path) and os.path.getsize(path) > 0,
                        f"no {name}")

    def called(self, call):
        with open(self.log, encoding="ascii") as calls:
            self.case.equal(calls.read(), f"{call}\n", "what was called")

    def cleared(self):
        self.run("savecore -n", 1)


LAST_WORDS = "Kernel panic - not syncing: sysrq triggered crash"
PROGRESS = re.compile(r"swapcore: \d+%, ")


def save_at_boot(here, text):
    here.run(text)
    here.has("var/crash/linux.0.core")
    here.has("var/crash/crash.0.txt")
    here.called(f"swapon {here.root}/dev/vda2")
    here.cleared()


def save_zstd(here, text):
    here.case.check(LAST_WORDS in here.run(text), text)
    here.cleared()


def save_levels(here, text):
    here.run(text)
    here.has("var/crash/linux.0.core.zst")
    here.cleared()


def ask_gdb(here, text):
    here.run("savecore /var/crash")
    said = here.run(re.sub("0x[0-9a-f]+", hex(here.names["crashme_die"]), text))
    here.case.check("crashme_die in section .text.crashme" in said, said)


def convert(here, text):
    """What crash(8) then says has a test of its own, with debug symbols."""
    first, second = text.split("\n")
    here.case.check(second.startswith("crash vmcore /usr/lib/debug/"), second)
    here.run(f"savecore /var/crash && {first}")
    here.case.check(LAST_WORDS in here.run("crashinfo -M vmcore dmesg"), first)


def send(here, text):
    here.run(text)
    said = here.run("crashinfo -M linux.core.zst dmesg")
    here.case.check(LAST_WORDS in said, text)
    here.cleared()


def mail(here, text):
    here.hook(text)
    here.run("savecore /var/crash")
    here.called("systemctl start --no-block mail-crash@0.service")


def save_image(here, text):
    here.run(text)
    here.has("work/linux.0.core")
    here.run("savecore -n -D swap.img", 1)


def last_words(here, text):
    here.run("savecore /var/crash")
    said = here.run(text).strip().split("\n")
    here.case.equal(len(said), 40, "lines of the log")
    # A dump that takes seconds says so before it comes to the log's pages.
    while PROGRESS.search(said[-1]):
        said.pop()
    spoken = [line[line.find("["):] for line in here.console.split("\n")]
    first = next(at for at, line in enumerate(spoken) if LAST_WORDS in line)
    end = next(at for at, line in enumerate(spoken)
               if "swapcore: dumping to" in line)
    spoken = spoken[first:end + 1][-len(said):]
    here.case.equal(said[-len(spoken):], spoken, "the end of the log")


def count(here, text):
    here.run("savecore -k /var/crash && savecore /var/crash")
    here.case.check(re.fullmatch(r" *2 sysrq: sysrq_handle_crash < .*\n",
                                 here.run(text)), text)


def where(here, text):
    said = here.run(text)
    here.case.check(re.fullmatch(r"\w+\+0x\w+(/0x\w+)?( \[\w+\])?\n", said),
                    f"{text}: {said}")


SAVECORE = {
    "savecore -a -D /dev/vda2": save_at_boot,
    "savecore --zstd /var/crash": save_zstd,
    "savecore --zstd -d": save_levels,
    "gdb -batch": ask_gdb,
    "savecore -F elf": convert,
    "set -o pipefail": send,
    "#!/bin/sh": mail,
    "savecore -f -D swap.img": save_image,
}

CRASHINFO = {
    "crashinfo -M /var/crash/linux.0.core dmesg": last_words,
    "for core in": count,
    "crashinfo --json -M /dev/sda3 regs": where,
}


def conf_page(case, here, found, said):
    """The examples of swapcore.conf(5).  said: of those that a guest has run."""
    for number, text in enumerate(list(CONF)):
        lines = said[f"conf{number}"]
        case.check("0" in lines, f"{text}: dumpon -a: {lines}")
        for name in CONF[text].split():
            case.check(any(f"/{name}: dump level " in line for line in lines),
                       f"{text}: {lines}")
    here.fresh()
    os.makedirs(f"{here.root}/srv/crash", 0o700)
    here.conf(found[0].replace("=/srv", f"={here.root}/srv") + "\n")
    here.run("savecore -a")
    here.has("srv/crash/linux.0.core.zst")
    here.cleared()
    here.fresh()
    case.equal(here.requires(UNITS, found[2]), dict.fromkeys(UNITS, True),
               "units that wait for /srv/crash")


def run_page(case, here, page, known):
    """Runs all examples of a page: each is known here, and each of those is
    there."""
    found = examples.of_page(page)
    case.equal(len(found), len(known), f"{page}: examples")
    for text in found:
        function = next((known[start] for start in known
                         if text.startswith(start)), None)
        case.check(function, f"{page}: no test of {text!r}")
        here.fresh()
        function(here, text)


@test()
def examples_do_what_they_say(case):
    """the examples of dumpon(8) and swapcore.conf(5) arm what they name, and that
    those of savecore(8), crashinfo(8), swapcore.conf(5) and README.md save and
    show a dump."""
    found = examples.of_page("usr.sbin/dumpon/dumpon.8")
    case.equal([text.split(" && ")[0].split("\n")[0] for text in found],
               list(DUMPON), "the examples of dumpon(8)")
    confs = examples.of_page("share/man/man5/swapcore.conf.5")
    case.equal([text.split("\n")[0] for text in confs], [*CONF, "[Unit]"],
               "the examples of swapcore.conf(5)")
    second = case.disk(64, guard_mib=GUARD_MIB)
    dead = crash.kill(
        case, "nvme", dumpon="dumpon -d 31", work=guest_script(found, confs[:2]),
        layout={"guard_mib": GUARD_MIB, "scratch_mib": FILE_MIB},
        before=[*SCSI, *disk.attach(second, "scsi", 1)], memory_wanted=False)
    dead.check_complete()
    for number, (first, (armed, _)) in enumerate(DUMPON.items()):
        said = dead.found[f"example{number}"]
        case.equal(said[0], "0", f"{first}: exit status: {said[1:]}")
        for name in armed.split():
            case.check(any(re.search(rf"/{name}: dump level 31", line)
                           for line in said), f"{first}: {said[1:]}")
    here = Here(case, dead)
    run_page(case, here, "usr.sbin/savecore/savecore.8", SAVECORE)
    run_page(case, here, "usr.sbin/crashinfo/crashinfo.8", CRASHINFO)
    conf_page(case, here, confs, dead.found)
    readme.run(case, here)
