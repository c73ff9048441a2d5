# SPDX-License-Identifier: BSD-2-Clause
# tally.awk: adds up what tests say: lines PASS, FAIL and SKIP, cmocka's sums
# for one program, and steps and programs that fail without saying why.  Shows
# everything but tests that passed.
#
#	=== step	--- step: exit 2	(check.sh)
#	== program	-- program: exit 2	(share/mk/test.mk)

/^===? /		{ if ($1 == "===") instep = 0; inprog = 0 }
/^PASS /		{ passed++; next }
/^FAIL /		{ fail(1) }
/^SKIP /		{ skipped++ }
/^\[  PASSED  \] [0-9]+ test/	{ passed += $4; next }
/^\[  FAILED  \] [0-9]+ test/	{ fail($4) }
/^\[  SKIPPED \] [0-9]+ test/	{ skipped += $4 }
/^-- /			{ if (!inprog) fail(1) }
/^--- /			{ if (!instep) fail(1) }
/^\[ RUN      \]|^\[       OK \]|^\[==========\]/ { next }
/^Skipping BTF generation/	{ next }
/^== /			{ next }
			{ print; fflush() }

function fail(n) {
	failed += n
	instep += n
	inprog += n
}

END {
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	exit failed > 0
}
