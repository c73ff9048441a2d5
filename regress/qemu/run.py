# SPDX-License-Identifier: BSD-2-Clause
"""Runs the QEMU tests and prints a line PASS, FAIL or SKIP for each.

A test whose machine was lost is run once more; what is lost twice has failed.
The logs of a test that failed stay in LOGDIR/<test>/.
"""

import argparse
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import case
import test_ahci        # noqa: F401  (each registers its tests)
import test_arm         # noqa: F401
import test_backtrace   # noqa: F401
import test_badstate   # noqa: F401
import test_broken      # noqa: F401
import test_contexts    # noqa: F401
import test_dumperfault # noqa: F401
import test_examples    # noqa: F401
import test_extents     # noqa: F401
import test_filter      # noqa: F401
import test_flood       # noqa: F401
import test_formats     # noqa: F401
import test_ioerror     # noqa: F401
import test_kdump       # noqa: F401
import test_kernels     # noqa: F401
import test_kinds       # noqa: F401
import test_label       # noqa: F401
import test_level       # noqa: F401
import test_libkvm      # noqa: F401
import test_list        # noqa: F401
import test_live        # noqa: F401
import test_matrix      # noqa: F401
import test_memory      # noqa: F401
import test_memory_hole # noqa: F401
import test_notifiers   # noqa: F401
import test_microvm    # noqa: F401
import test_nvme        # noqa: F401
import test_offline_cpu # noqa: F401
import test_offline_memory # noqa: F401
import test_panic       # noqa: F401
import test_powercut    # noqa: F401
import test_procs       # noqa: F401
import test_rc         # noqa: F401
import test_regs        # noqa: F401
import test_resize      # noqa: F401
import test_scsi        # noqa: F401
import test_small       # noqa: F401
import test_swapkinds  # noqa: F401
import test_truth       # noqa: F401
import test_unbind_race # noqa: F401
import test_virtfn     # noqa: F401
import test_watchdog    # noqa: F401
from vm import LostVM, NoLine

PRINT_LOCK = threading.Lock()


def say(text):
    with PRINT_LOCK:
        print(text, flush=True)


def run_once(function, one):
    """(verdict, why); verdict LOST where the machine was lost."""
    try:
        function(one)
    except case.Skip as why:
        return "SKIP", str(why)
    except (case.Failed, NoLine) as why:
        return "FAIL", str(why)
    except LostVM as why:
        return "LOST", str(why)
    except Exception:       # a bug in the test is a failure with a trace
        one.log("trace", traceback.format_exc())
        return "FAIL", traceback.format_exc().strip().split("\n")[-1]
    return "PASS", ""


def run_test(function, kernel, args):
    name = function.__name__
    if kernel.release != args.kernels[0].release:
        name += "@" + kernel.release
    for attempt in (1, 2):
        start = time.monotonic()
        one = case.Case(name, kernel, args)
        verdict, why = run_once(function, one)
        logs = one.finish(args.keep or verdict in ("FAIL", "LOST"))
        if verdict != "LOST":
            break
        say(f"lost the machine of {name}, attempt {attempt}: {why}")
    if verdict == "LOST":
        verdict, why = "FAIL", f"the machine was lost twice: {why}"
    seconds = time.monotonic() - start
    tail = f": {why}" if why else ""
    if verdict == "FAIL":
        tail += f" (logs: {logs})"
    say(f"{verdict} qemu/{name}{tail}" if tail else
        f"{verdict} qemu/{name} ({seconds:.0f} s)")
    return verdict


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="the slow ones too")
    parser.add_argument("--keep", action="store_true", help="keep all logs")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--on", action="append", default=[],
                        metavar="RELEASE", help="only with this kernel")
    parser.add_argument("-j", type=int, default=2)
    parser.add_argument("tests", nargs="*", help="only these")
    return case.parse_arguments(parser)


def kernels_of(function, args):
    """The kernels that a test runs with."""
    kernels = [one for one in args.kernels
               if not function.module or one.has(function.module)]
    if args.on:
        return [one for one in kernels if one.release in args.on]
    first = [one for one in kernels if one.release not in args.more]
    if not args.all:
        return first if function.all_kernels else first[:1]
    return kernels if function.more else first


def plan(args):
    """What to run: (function, kernel) pairs."""
    pairs = []
    for function in case.TESTS:
        if args.tests and function.__name__ not in args.tests:
            continue
        if function.slow and not (args.all or args.tests):
            continue
        kernels = kernels_of(function, args)
        if function.module and not kernels:
            say(f"SKIP qemu/{function.__name__}: no kernel has the "
                f"module {function.module}")
        pairs += [(function, kernel) for kernel in kernels]
    return pairs


def main():
    args = arguments()
    if args.list:
        for function in case.TESTS:
            print(f"{function.__name__}: {' '.join(function.__doc__.split())}")
        return 0
    if not args.kernels:
        say("SKIP qemu: no kernels to boot: make setup fetches them")
        return 0
    for release in args.on:
        if release not in (one.release for one in args.kernels):
            sys.exit(f"qemu: no kernel {release}; make setup has a list")
    pairs = plan(args)
    for kernel in {kernel.release: kernel for _, kernel in pairs}.values():
        kernel.make_base(args.program, args.guest,
                         f"{args.work}/base-{kernel.release}")
    with ThreadPoolExecutor(args.j) as pool:
        jobs = [pool.submit(run_test, function, kernel, args)
                for function, kernel in pairs]
        verdicts = [job.result() for job in jobs]
    return 1 if "FAIL" in verdicts or not verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
