# SPDX-License-Identifier: BSD-2-Clause
"""What readkvm does with a core, through drgn.

    readdrgn.py core vmlinux open|symbols|ps|log|random|sequential [file]
    readdrgn.py core vmlinux look
"""

import array
import sys
import time

import drgn
from drgn.helpers.linux.pid import for_each_task
from drgn.helpers.linux.printk import get_dmesg
from drgn.helpers.linux.sched import task_state_to_char

PIECE = 1 << 20
PAGE = 4096


def symbols(prog, path):
    with open(path, encoding="ascii") as names:
        total = sum(prog.symbol(name.strip()).address for name in names)
    print(f"answer {total % (1 << 64):016x}")


def ps(prog):
    threads = total = 0
    for task in for_each_task(prog):
        tid = task.pid.value_()
        print(task.tgid.value_(), tid, task.real_parent.tgid.value_(),
              task.real_cred.uid.val.value_(), task_state_to_char(task),
              task.comm.string_().decode(errors="replace"))
        threads += 1
        total += tid
    print(f"answer {threads} {total}")


def log(prog):
    text = get_dmesg(prog).decode(errors="replace")
    sys.stdout.write(text)
    lines = text.count("\n")
    print(f"answer {lines}")


def numbers(path):
    found = array.array("Q")
    with open(path, "rb") as stream:
        found.frombytes(stream.read())
    return found


def random(prog, path):
    places, total = numbers(path), 0
    read = prog.read_u64
    start = time.perf_counter()
    for place in places:
        total ^= read(place)
    print(f"seconds {time.perf_counter() - start:.6f}")
    print(f"answer {total:016x}")


def sequential(prog, path):
    ranges, total = numbers(path), 0
    start = time.perf_counter()
    for at in range(0, len(ranges), 2):
        first, size = ranges[at], ranges[at + 1]
        for done in range(0, size, PIECE):
            piece = prog.read(first + done, min(PIECE, size - done))
            for word in memoryview(piece).cast("Q")[::PAGE // 8]:
                total ^= word
    print(f"seconds {time.perf_counter() - start:.6f}")
    print(f"answer {total:016x}")


def look(prog):
    """What a person asks first."""
    print(prog.crashed_thread().stack_trace())
    log(prog)
    ps(prog)


def main():
    core, vmlinux, what, *more = sys.argv[1:]
    prog = drgn.Program()
    prog.set_core_dump(core)
    prog.load_debug_info([vmlinux])
    if what == "open":
        print("answer -")
    else:
        {"symbols": symbols, "ps": ps, "log": log, "random": random,
         "sequential": sequential, "look": look}[what](prog, *more)


if __name__ == "__main__":
    main()
