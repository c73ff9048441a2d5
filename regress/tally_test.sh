#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# tally_test.sh: tally.awk counts each failure once, and none is lost.
set -u

cd "$(dirname "$0")" || exit 1
rv=0

# expect NAME SUMS: reads test output, compares the last line.
expect() {
	said=$(awk -f tally.awk | tail -n 1)
	if [ "$said" = "$2" ]; then
		echo "PASS tally: $1"
	else
		echo "FAIL tally: $1: '$said' where '$2' was expected"
		rv=1
	fi
}

expect "sums of one program" "4 passed, 1 failed, 0 skipped" <<'END'
=== regress/x
== regress/x/a_test
[  FAILED  ] b
[==========] 5 test(s) run.
[  PASSED  ] 4 test(s).
[  FAILED  ] 1 test(s), listed below:
[  FAILED  ] b
-- regress/x/a_test: exit 1
--- regress/x: exit 2
END
expect "a program that dies" "3 passed, 1 failed, 0 skipped" <<'END'
=== regress/x
== regress/x/a_test
ERROR: AddressSanitizer: heap-use-after-free
-- regress/x/a_test: exit 1
== regress/x/b_test
[  PASSED  ] 3 test(s).
--- regress/x: exit 2
END
expect "a step that does not build" "0 passed, 1 failed, 0 skipped" <<'END'
=== regress/x
x.c:1: error: no
--- regress/x: exit 2
END
expect "lines of other tests" "2 passed, 1 failed, 1 skipped" <<'END'
=== regress/qemu
PASS a
FAIL b: why
SKIP c: why
PASS d
--- regress/qemu: exit 1
END
printf 'FAIL a\n' | awk -f tally.awk >/dev/null && {
	echo "FAIL tally: exit status 0 with a failure"
	rv=1
}
exit $rv
