# SPDX-License-Identifier: BSD-2-Clause
"""Kills every kernel in every way of contexts.py, with a dump to every device,
and writes what became of each dump to a table: make matrix.

A cell is one kernel, device and context; see cell.py.  What a run found stays
in a file of its own, by which the table is made, so that the cells can be run
in pieces.  A cell that was complete with the same module is not run again.
"""

import argparse
import hashlib
import json
import os
import re
import sys
import traceback

import case
import contexts
import disk
import kdump
import matrixtable
from cell import DEVICES, MEM_MIB, NEEDS, SWAP_MIB, Cell, prepare
from vm import LostVM


class Matrix:
    """The cells that were asked for, and what is known of all."""

    def __init__(self, args):
        self.args = args
        self.dir = args.results
        self.failed = 0

    def path(self, kernel, bus, context):
        return f"{self.dir}/{kernel.release}/{bus}/{context.name}.json"

    @staticmethod
    def digest(kernel):
        """Of the module that is tested."""
        with open(kernel.modules[0], "rb") as stream:
            return hashlib.sha256(stream.read()).hexdigest()[:16]

    def known(self, kernel, bus, context):
        try:
            with open(self.path(kernel, bus, context),
                      encoding="ascii") as stream:
                return json.load(stream)
        except FileNotFoundError:
            return None

    @staticmethod
    def exists(kernel, bus):
        return bus not in NEEDS or kernel.has(NEEDS[bus])

    @staticmethod
    def possible(kernel, bus, context):
        only = context.buses or context.functions
        if not Matrix.exists(kernel, bus) or (only and bus not in only) or \
                kernel.version < context.since or \
                (context.kdump and bus not in kdump.DRIVERS):
            return False
        with open(f"{kernel.root}/boot/config-{kernel.release}",
                  encoding="ascii") as stream:
            config = stream.read()
        return all(f"CONFIG_{one}=" in config for one in context.config)

    def wanted(self, kernel, bus, context):
        """Every word asked for is a pattern of a kernel's, a device's or a
        context's name."""
        names = (kernel.release, bus, context.name)
        known = self.known(kernel, bus, context)
        fresh = known and known["verdict"] == "complete" and \
            known["module"] == self.digest(kernel)
        return self.possible(kernel, bus, context) and not fresh and all(
            any(re.fullmatch(word, name) for name in names)
            for word in self.args.only.split())

    def run(self):
        for kernel in self.args.kernels:
            kernel.base = None
            for bus in DEVICES:
                todo = [one for one in contexts.CONTEXTS
                        if self.wanted(kernel, bus, one)]
                for key in dict.fromkeys(one.machine for one in todo):
                    self.group(kernel, bus, key, [
                        one for one in todo if one.machine == key])

    def group(self, kernel, bus, machine, todo):
        """Contexts that can die in the same machine, made once."""
        if kernel.base is None:
            kernel.make_base(self.args.program, self.args.guest,
                             f"{self.args.work}/base-{kernel.release}")
        one = case.Case(f"matrix-{bus}", kernel, self.args)
        try:
            state = prepare(one, bus, *machine)
            for context in todo:
                self.one(kernel, state, context)
        finally:
            one.finish(True)

    def one(self, kernel, state, context):
        for _ in range(2):
            cell = Cell(state, context)
            try:
                cell.run()
                break
            except LostVM as why:
                cell.result["why"] = f"the machine was lost: {why}"
            except Exception:       # a bug here is a cell without a verdict
                cell.result["why"] = traceback.format_exc().strip()
                break
        verdict = cell.result["verdict"]
        cell.result["module"] = self.digest(kernel)
        path = self.path(kernel, state.bus, context)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as out:
            json.dump(cell.result, out)
        log = path[:-4] + "log"
        if verdict == "complete":
            disk.free(log)
        else:
            self.failed += 1
            with open(log, "w", encoding="utf-8") as out:
                out.write(cell.log)
        print(f"{verdict.upper()} {kernel.release} {state.bus} {context.name}"
              f": {cell.result['why'] or cell.result['seconds']}", flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", required=True, metavar="DIR")
    parser.add_argument("--table", metavar="FILE")
    parser.add_argument("--only", default="", metavar="WORDS")
    return case.parse_arguments(parser)


def main():
    args = arguments()
    matrix = Matrix(args)
    try:
        matrix.run()
    finally:
        matrixtable.write(matrix, args.kernels, DEVICES, args.table,
                          memory=MEM_MIB, swap=SWAP_MIB)
    return 1 if matrix.failed else 0


if __name__ == "__main__":
    sys.exit(main())
