# SPDX-License-Identifier: BSD-2-Clause
"""One QEMU virtual machine: its console, its data line and its QMP monitor.

The guest has two serial ports.  ttyS0 is the kernel's console; ttyS1 belongs to
the guest script, so that what it prints is never torn by a kernel message.
Every line is kept with the time it came, in memory and in a log file.

A machine that ends, or stops answering, when nobody asked it to is lost
(LostVM); that says nothing about the code under test.  A line that does not
come in time from a machine that runs is a NoLine.
"""

import json
import os
import re
import socket
import subprocess
import threading
import time


class LostVM(Exception):
    """QEMU ended or does not answer."""


class NoLine(Exception):
    """The guest runs, but did not say what was waited for."""


class Line:
    """A serial line of the guest: what it said and when."""

    def __init__(self, sock, logpath):
        self.lines = []
        self.times = []         # of time.monotonic(), when each line came
        self.closed = False
        self._sock = sock
        self._cond = threading.Condition()
        self._log = open(logpath, "w", encoding="utf-8")
        self._start = time.monotonic()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        with self._sock.makefile("rb") as stream:
            try:
                for raw in stream:
                    self._take(raw)
            except OSError:
                pass
        with self._cond:
            self.closed = True
            self._log.close()
            self._cond.notify_all()

    def _take(self, raw):
        text = raw.decode("utf-8", "replace").rstrip("\r\n")
        now = time.monotonic()
        with self._cond:
            self.lines.append(text)
            self.times.append(now)
            self._log.write(f"{now - self._start:9.3f} {text}\n")
            self._log.flush()
            self._cond.notify_all()

    def send(self, text):
        """Types a line into the guest."""
        self._sock.sendall(text.encode() + b"\n")

    def wait(self, pattern, timeout_s, start=0):
        """Waits for a line that matches; (index, match)."""
        regex = re.compile(pattern)
        deadline = time.monotonic() + timeout_s
        at = start
        with self._cond:
            while True:
                while at < len(self.lines):
                    found = regex.search(self.lines[at])
                    if found:
                        return at, found
                    at += 1
                left = deadline - time.monotonic()
                if self.closed:
                    raise LostVM(f"QEMU ended before a line /{pattern}/")
                if left <= 0:
                    raise NoLine(f"no line /{pattern}/ in {timeout_s} s")
                self._cond.wait(left)

    def text(self):
        with self._cond:
            return "\n".join(self.lines)

    def join(self):
        self._thread.join(10)
        self._sock.close()


class Qmp:
    """The monitor: commands, and the events that came meanwhile."""

    def __init__(self, sock, timeout_s=60):
        self.events = []
        self._sock = sock
        self._sock.settimeout(timeout_s)
        self._stream = sock.makefile("rwb")
        self._receive()
        self.cmd("qmp_capabilities")

    def _receive(self):
        try:
            raw = self._stream.readline()
        except OSError as error:
            raise LostVM(f"QMP: {error}") from error
        if not raw:
            raise LostVM("QMP: QEMU ended")
        return json.loads(raw)

    def cmd(self, name, **arguments):
        try:
            self._stream.write(json.dumps(
                {"execute": name, "arguments": arguments}).encode() + b"\n")
            self._stream.flush()
        except OSError as error:
            raise LostVM(f"QMP: {name}: {error}") from error
        while True:
            answer = self._receive()
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise RuntimeError(f"QMP: {name}: {answer['error']['desc']}")
            if "event" in answer:
                self.events.append(answer["event"])

    def event(self, name):
        """Waits for an event that did not come before."""
        while name not in self.events:
            answer = self._receive()
            if "event" in answer:
                self.events.append(answer["event"])
        self.events.remove(name)

    def close(self):
        try:
            self._stream.close()    # sends what QEMU did not take
        except OSError:
            pass
        self._sock.close()


class VM:
    """A running guest.  Use as a context: leaving it ends QEMU."""

    def __init__(self, kernel, initrds, append, logbase, *, mem_mib=512,
                 smp=1, cpu="qemu64", devices=(), reboot=False,
                 machine="q35"):
        self.mem_mib = mem_mib
        self.modules = []       # RAM besides: (start, bytes)
        # A machine that can have one CPU alone has none of the guest's memory
        # barriers in QEMU before 8.1 (c914d46d0a64, "tcg: Do not elide memory
        # barriers for !CF_PARALLEL in system mode"), though its disks are other
        # threads: a stock driver that asks whether the disk wants to be told of
        # a request reads an old answer, and the request is lost.
        cpus = f"{smp},maxcpus={max(smp, 2)}"
        ours, theirs = zip(*(socket.socketpair() for _ in range(3)))
        argv = ["qemu-system-x86_64", "-accel", "tcg", "-machine", machine,
                "-cpu", f"{cpu},-cx16", "-m", str(mem_mib), "-smp", cpus,
                "-nodefaults", "-nic", "none", "-vga", "none",
                "-display", "none", "-action", "panic=pause"]
        if not reboot:
            argv.append("-no-reboot")
        for name, sock in zip(("con", "dat", "qmp"), theirs):
            argv += ["-chardev", f"socket,id={name},fd={sock.fileno()}"]
        argv += ["-serial", "chardev:con", "-serial", "chardev:dat",
                 "-mon", "chardev=qmp,mode=control",
                 "-kernel", kernel, "-initrd", initrds,
                 "-append", "console=ttyS0 no_timer_check rdinit=/init "
                 f"panic=0 {append}"]
        argv += devices
        self._logbase = logbase
        self._errpath = f"{logbase}.qemu"
        with open(self._errpath, "w", encoding="utf-8") as errors:
            self._proc = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
                pass_fds=[sock.fileno() for sock in theirs])
        for sock in theirs:
            sock.close()
        self.console = Line(ours[0], f"{logbase}.console")
        self.data = Line(ours[1], f"{logbase}.data")
        try:
            self.qmp = Qmp(ours[2])
        except LostVM as error:
            self._proc.wait()
            with open(self._errpath, encoding="utf-8") as errors:
                raise LostVM(f"{error}: {errors.read().strip()}") from error

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is NoLine:
            self.note_state()
        self.kill()

    def note_state(self):
        """Where the CPUs of a guest that fell silent are, twice."""
        with open(f"{self._logbase}.cpus", "w", encoding="utf-8") as out:
            for _ in range(2):
                try:
                    out.write(self.registers())
                except LostVM:
                    return
                time.sleep(1)

    def registers(self):
        """All CPUs' registers, as the monitor prints them."""
        return self.qmp.cmd("human-monitor-command",
                            **{"command-line": "info registers -a"})

    def stop(self):
        self.qmp.cmd("stop")

    def cont(self):
        self.qmp.cmd("cont")

    def reset(self):
        self.qmp.cmd("system_reset")

    def ram_ranges(self):
        """The guest-physical ranges that QEMU's q35 puts RAM at."""
        size = self.mem_mib << 20
        low = size if size < 0xb0000000 else 0x80000000
        ranges = [(0, low)]
        if size > low:
            ranges.append((1 << 32, size - low))
        return ranges + self.modules

    def save_memory(self, base):
        """QEMU's own image of all RAM: a list of (start, path)."""
        images = []
        for start, size in self.ram_ranges():
            path = f"{base}.{start:x}"
            self.qmp.cmd("pmemsave", val=start, size=size, filename=path)
            if os.path.getsize(path) != size:
                raise LostVM(f"pmemsave wrote {os.path.getsize(path)} bytes "
                             f"where {size} were asked for")
            images.append((start, path))
        return images

    def dump_memory(self, path, form):
        """QEMU's own dump of the guest: "elf", "kdump-zlib", ..."""
        self.qmp.cmd("dump-guest-memory", paging=False,
                     protocol=f"file:{path}", format=form)

    def wait_exit(self, timeout_s):
        """Waits until the guest has switched itself off."""
        try:
            self._proc.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            raise NoLine(f"still running after {timeout_s} s") from error
        self.kill()

    def kill(self):
        if self._proc.poll() is None:
            self._proc.kill()
        self._proc.wait()
        self.console.join()
        self.data.join()
        self.qmp.close()
