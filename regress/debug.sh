#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# debug.sh CACHE KERNEL: fetches the debug symbols of a kernel of Debian's, for
# crash(8) and drgn, and unpacks them below CACHE/KERNEL (280 MB; 700 MB once
# unpacked).  Prints the path of vmlinux.  Does nothing for what is there
# already, and needs no root.
set -eu

cache=$1
name=$2
vmlinux=usr/lib/debug/boot/vmlinux-$name
if [ ! -e "$cache/$name/$vmlinux" ]; then
	tmp=$(mktemp -d "$cache/tmp.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	chmod 755 "$tmp"
	# Of the suite that has it: those that kernels.sh fetches from.
	for conf in "" "$cache"/apt/*/apt.conf; do
		[ -z "$conf" ] || export APT_CONFIG="$conf"
		! apt-cache show "linux-image-$name-dbg" >/dev/null 2>&1 ||
		    break
	done
	echo "debug: fetching the debug symbols of $name" >&2
	(cd "$tmp" && apt-get -qq -o APT::Sandbox::User=root download \
	    "linux-image-$name-dbg" >&2)
	dpkg-deb --fsys-tarfile "$tmp"/*.deb | tar -xf - -C "$tmp" "./$vmlinux"
	mkdir -p "$cache/$name/${vmlinux%/*}"
	mv "$tmp/$vmlinux" "$cache/$name/$vmlinux"
fi
echo "$cache/$name/$vmlinux"
