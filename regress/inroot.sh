#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# inroot.sh ROOT DIR... -- COMMAND...: runs a command with the programs and
# libraries of another Debian, which kernels.sh has unpacked to ROOT.  Each DIR is
# seen there under the name that it has here.  What is mounted is mounted in a
# namespace of its own.  Where user namespaces are allowed it needs no root.
set -eu

if [ "${1-}" = --inside ]; then
	shift
	root=$1
	shift
	for dir in /dev /proc; do
		mkdir -p "$root$dir"
		mount --rbind $dir "$root$dir"
	done
	mkdir -p "$root/tmp"
	mount -t tmpfs -o mode=1777 none "$root/tmp"
	while [ "$1" != -- ]; do
		mkdir -p "$root$1"
		mount --bind "$1" "$root$1"
		shift
	done
	shift
	dir=$(pwd)
	export PATH=/usr/sbin:/usr/bin
	exec chroot "$root" sh -c 'cd "$0" && exec "$@"' "$dir" "$@"
fi
root=$(readlink -f "$1")
shift
map=
[ "$(id -u)" -eq 0 ] || map=--map-root-user
exec unshare --mount $map sh "$0" --inside "$root" "$@"
