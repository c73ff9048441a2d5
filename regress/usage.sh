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

# refused LINE ARG ...: dumpon says why, in that line.
refused() {
	line=$1
	shift
	said=$("$obj/usr.sbin/dumpon/dumpon" "$@" 2>&1)
	status=$?
	if [ $status -eq 1 ] && [ "${said#*dumpon: }" = "$line" ]; then
		echo "PASS usage dumpon $*"
	else
		echo "FAIL usage dumpon $*: exit $status: $said"
		rv=1
	fi
}

together="do not go together"
refused "-a and -d $together: swapcore.conf(5) says what -a arms" -a -d 31
refused "--test and -f $together: --test makes the kernel panic as it is armed" \
    --test -f
refused "-l and -e $together: -l only shows what is armed" -e -l
refused "-e and --accept-secrets $together: -e only says what a dump would need" \
    -e --accept-secrets
refused "--label and -d $together: --label arms nothing" --label=x -d 1 /dev/null
refused "-y: only --test asks" -y /dev/null
refused "/dev/null: no device is named with -a, -l or --test" -l /dev/null
refused "off: no device and no option of arming goes with that" -d 31 off
refused "b: only one device can be named" -e a b
exit $rv
