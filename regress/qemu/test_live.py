# SPDX-License-Identifier: BSD-2-Clause
"""libkvm and crashinfo(8) on the system that they run on."""

import json

import backtrace
import crash
from case import test
from test_libkvm import same_processes

# A check prints its line, then its exit status, which fails the test unless it
# is the one that is wanted.
LIVE = r"""
same() { # NAME COMMAND FILE: the command prints what the file holds
	$2 >/tmp/got 2>&1 || die "$1: $(tail -1 /tmp/got)"
	cat $3 >/tmp/wanted
	cmp /tmp/got /tmp/wanted || die "$1 differ"
}
is() { # STATUS COMMAND...
	want=$1
	shift
	"$@" 2>&1
	rv=$?
	[ $rv = $want ] || die "$*: exit status $rv"
}
printf '<4>odd \001 \\ \377 bytes\n' >/dev/kmsg
threads 5 || die "threads"
sleep 1000 &
kill -STOP $!

same "symbols" "crashinfo nm" /proc/kallsyms
crashinfo modules >/tmp/got || die "modules"
awk '{ print $1, $2, $5, $6 }' /proc/modules >/tmp/wanted
cmp /tmp/got /tmp/wanted || die "modules differ"
dmesg -r >/tmp/log
same "the log" "livekvm dmesg" /tmp/log
grep -q odd /tmp/log || die "the log has no odd bytes"
livekvm string linux_banner >/tmp/got || die "linux_banner: $(cat /tmp/got)"
cmp /tmp/got /proc/version || die "linux_banner: $(cat /tmp/got)"
livekvm pointed saved_command_line >/tmp/got || die "saved_command_line"
cmp /tmp/got /proc/cmdline || die "saved_command_line: $(cat /tmp/got)"
crashinfo bt && die "bt of a running system"
crashinfo bt -c 0 && die "bt -c of a running system"
say stack cat /proc/1/stack /proc/2/stack
say bt crashinfo --json bt 1 2
say threads crashinfo --json bt -a
(while :; do :; done) &
say running is 0 crashinfo bt $!
kill $!

say ps crashinfo --json -H ps
say uptime crashinfo --json uptime
say stats cat /proc/[0-9]*/stat
say statuses cat /proc/[0-9]*/task/[0-9]*/status
say checks is 0 livekvm text modules symbols args files about
say loadavg cat /proc/loadavg
say nofiles is 0 livekvm -n args files about
say nobody_ps livekvm -u about
(while :; do (:) & wait $!; done) &
say storm is 0 livekvm storm
kill $!
say write is 3 livekvm write
say devmem is 3 livekvm -M /dev/mem string linux_banner
say rawio is 3 livekvm -c 17 string linux_banner
say nobody is 3 livekvm -u string linux_banner
say nobody_log is 3 livekvm -u dmesg
say nobody_nofiles is 0 livekvm -n -u storm about
say nobody_type is 3 livekvm -u modules
echo 2 >/proc/sys/kernel/kptr_restrict
say hidden is 3 livekvm string linux_banner
say regs is 1 crashinfo regs
"""


def processes(case, found):
    """They are the guest's, but for crashinfo itself."""
    got = {one["pid"]: one for one in json.loads("\n".join(found["ps"]))
           if one["comm"] != "crashinfo"}
    same_processes(case, got, found, json.loads("\n".join(found["uptime"])))


def stacks(case, found):
    """Backtraces are the kernel's own; of all threads, few are cut short."""
    traces = json.loads("\n".join(found["bt"]))
    got = [f"[<0>] {backtrace.text(frame)}" for trace in traces
           for frame in trace["frames"]]
    case.equal(got, [line for line in found["stack"] if line],
               "backtraces of threads 1 and 2")
    case.check(all(frame["pc"] for trace in traces
                   for frame in trace["frames"]), "an address is not told")
    traces = json.loads("\n".join(found["threads"]))
    whole = [trace for trace in traces if trace["end"] == "entry"]
    case.check(len(traces) > 40 and len(whole) >= len(traces) * 3 // 4,
               f"{len(whole)} of {len(traces)} backtraces are whole")
    case.check(any("it is running" in line for line in found["running"]),
               f"bt of a busy shell: {found['running']}")


@test()
def live_system_tells_what_its_files_tell(case):
    """on a running system symbols, modules, log, memory, processes, arguments
    and files are those of its /proc, and what may not be read says why."""
    data, _ = case.run(LIVE, [], smp=2, timeout_s=300)
    found = crash.blocks(data)
    processes(case, {key: found[key][:-1] if not found[key][-1] else found[key]
                     for key in found})
    says = {name: " ".join(lines) for name, lines in found.items()}
    for name, text in (
            ("checks", "text 1"), ("checks", "modules"), ("checks", "args"),
            ("checks", f"{case.kernel.release} 2 "), ("storm", "storm"),
            ("checks", " ".join(found["loadavg"][0].split()[1:3])),
            ("nofiles", f"{case.kernel.release} 2 "),
            ("nobody_ps", f"{case.kernel.release} 2 "),
            ("nobody_nofiles", f"{case.kernel.release} 2 "),
            ("write", "/proc/kcore can only be read"),
            ("devmem", "CONFIG_STRICT_DEVMEM"),
            ("rawio", "CAP_SYS_RAWIO is missing"),
            ("nobody", "CAP_SYSLOG is missing"),
            ("nobody_log", "CAP_SYSLOG is missing"),
            ("nobody_type", "CAP_SYSLOG is missing"),
            ("hidden", "kernel.kptr_restrict is 2"),
            ("regs", "the running system has no registers")):
        case.check(text in says[name],
                   f"{name} says {says[name]!r}, not {text!r}")
    stacks(case, found)
    symbols = [int(line.split()[1]) for line in found["checks"]
               if line.startswith("symbols ")]
    case.check(symbols and symbols[0] > 50000, f"symbols: {symbols}")
