#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# debug.sh CACHE KERNEL: fetches the debug symbols of a kernel of Debian's, for
# crash(8) and drgn, and unpacks them to CACHE/debug/vmlinux-KERNEL (700 MB).
# Prints that path.  Does nothing for what is there already, and needs no root.
set -eu

cache=$1/debug
name=$2
vmlinux=$cache/vmlinux-$name
if [ ! -f "$vmlinux" ]; then
	mkdir -p "$cache"
	tmp=$(mktemp -d "$cache/tmp.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	echo "debug: fetching the debug symbols of $name" >&2
	(cd "$tmp" && apt-get -qq -o APT::Sandbox::User=root download \
	    "linux-image-$name-dbg" >&2)
	dpkg-deb --fsys-tarfile "$tmp"/*.deb |
	    tar -x -C "$tmp" -f - "./usr/lib/debug/boot/vmlinux-$name"
	mv "$tmp/usr/lib/debug/boot/vmlinux-$name" "$vmlinux"
fi
echo "$vmlinux"
