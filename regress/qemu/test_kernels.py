# SPDX-License-Identifier: BSD-2-Clause
"""What libkvm finds in the memory of kernels that it has no module for."""

import subprocess

import backtrace
import bpftypes
import test_libkvm
import wrapped
from case import test

MEMBERS_MIN = 20000
MODULE_MEMBERS_MIN = 20


def types(case, dead):
    """Every member of every structure is where bpftool says, in the kernel and
    in a module, which is named where its types are not the only ones."""
    kernel = bpftypes.Types(dead.btf)
    wanted = kernel.layout()
    case.check(len(wanted) > MEMBERS_MIN, f"only {len(wanted)} members")
    if dead.modbtf:
        module = bpftypes.Types(dead.modbtf, kernel).layout()
        case.check(len(module) > MODULE_MEMBERS_MIN,
                   f"only {len(module)} members of the module's")
        for path, where in module.items():
            wanted[f"{wrapped.MODULE}:{path}"] = where
        wanted["virtblk_req"] = module["struct virtblk_req"]
    done = subprocess.run([f"{case.tools}/typecore", dead.core],
                          input="".join(f"{path}\n" for path in wanted),
                          capture_output=True, text=True, check=False)
    case.equal(done.returncode, 0, f"exit of typecore ({done.stderr})")
    answers = done.stdout.rstrip("\n").split("\n")
    case.equal(len(answers), len(wanted), "answers of typecore")
    for path, answer in zip(wanted, answers):
        case.equal(answer, " ".join(str(n) for n in wanted[path]), path)


@test(more=True)
def kernel_image_tells_what_the_guest_told(case):
    """symbols, types, log, modules, processes and backtraces found in the memory
    of a kernel are those that the guest printed, whatever kernel it is."""
    dead = wrapped.Wrapped(case, test_libkvm.TELL)
    test_libkvm.symbols(case, dead.core, dead.found["ksyms"])
    types(case, dead)
    test_libkvm.kernel_log(case, dead.core, dead.found["dmesg"])
    test_libkvm.modules(case, dead.core, dead.found["modules"])
    test_libkvm.processes(case, dead.core, dead.found)
    backtrace.all_as_before(case, dead.core, dead.found)
