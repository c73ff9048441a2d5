#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# pages.sh: every manual page is clean to mandoc's lint.
set -u

cd "$(dirname "$0")/.." || exit 1
rv=0
for page in $(find share/man lib usr.sbin -name '*.[1-9]' | sort); do
	if said=$(mandoc -T lint -W warning "$page" 2>&1); then
		echo "PASS lint $page"
	else
		echo "FAIL lint $page: $said"
		rv=1
	fi
done
exit $rv
