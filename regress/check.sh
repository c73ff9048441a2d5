#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# check.sh quick|check|all: runs the tests and adds them up.  The whole output is
# in obj/check.log; the last line is `N passed, N failed, N skipped`.
set -u
# Files that others may write are refused by much of what is tested.
umask 022

set=$1
cd "$(dirname "$0")/.." || exit 1
obj=${OBJ:-obj}
mkdir -p "$obj"
jobs=$(nproc)

# A step.  What fails without a failing test of its own counts as one.
step() {
	name=$1
	shift
	echo "=== $name"
	"$@" </dev/null || echo "--- $name: exit $?"
}

steps() {
	step layering python3 regress/layering.py .
	step layering-test python3 regress/layering_test.py
	step tally-test sh regress/tally_test.sh
	step pages sh regress/pages.sh
	step build make -s -j"$jobs" all
	step usage sh regress/usage.sh "$obj"
	step install sh regress/install.sh
	for d in $(grep -rl --include=Makefile 'mk/test\.mk' regress |
	    xargs -n 1 dirname | sort); do
		step "$d" make -s -j"$jobs" -C "$d" check
	done
	[ "$set" = quick ] || step memory sh regress/memory.sh "$obj"
	case $set in
	check) step regress/qemu make -s -C regress/qemu check ;;
	all)
		step regress/qemu make -s -C regress/qemu check-all
		step regress/lib/libkvm/fuzz make -s -k -j"$jobs" \
		    -C regress/lib/libkvm/fuzz check-all
		step regress/debian make -s check-debian
		step newcomer sh regress/newcomer.sh
		;;
	esac
}

steps 2>&1 | tee "$obj/check.log" | awk -f regress/tally.awk
