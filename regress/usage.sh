#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage.sh OBJ: what a program prints as its usage is the SYNOPSIS of its page.
set -u

obj=$1
cd "$(dirname "$0")/.." || exit 1
rv=0

# One line with one blank between words.
words() {
	tr -s ' \t\n' ' ' | sed 's/^ //; s/ $//'
}

for page in usr.sbin/*/*.8; do
	name=$(basename "$page" .8)
	synopsis=$(mandoc -T ascii "$page" | sed 's/.\x08//g' |
	    sed -n '/^SYNOPSIS/,/^DESCRIPTION/p' | sed '1d;$d' | words)
	said=$("$obj/usr.sbin/$name/$name" '-?' 2>&1 |
	    sed -n '/^usage:/,$p' | sed 's/^usage://' | words)
	if [ -n "$synopsis" ] && [ "$synopsis" = "$said" ]; then
		echo "PASS usage $name"
	else
		echo "FAIL usage $name: SYNOPSIS is '$synopsis'," \
		    "usage() says '$said'"
		rv=1
	fi
done
exit $rv
