#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# kdump.sh CACHE: fetches kexec-tools and the libraries that it links, and
# unpacks them below CACHE/kdump; prints that path.  They are not installed,
# because the package would have this machine reboot by kexec(8).  Does nothing
# for what is there already, and needs no root.
set -eu

cache=$1
if [ ! -x "$cache/kdump/sbin/kexec" ]; then
	mkdir -p "$cache"
	tmp=$(mktemp -d "$cache/tmp.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	chmod 755 "$tmp"
	echo "kdump: fetching kexec-tools" >&2
	libraries=$(apt-cache depends --recurse --no-recommends --no-suggests \
	    --no-conflicts --no-breaks --no-replaces --no-enhances kexec-tools |
	    grep '^libxen' | sort -u)
	# shellcheck disable=SC2086
	(cd "$tmp" && apt-get -qq -o APT::Sandbox::User=root download \
	    kexec-tools $libraries >&2)
	for deb in "$tmp"/*.deb; do
		dpkg-deb -x "$deb" "$tmp/tree"
	done
	mv "$tmp/tree" "$cache/kdump"
fi
echo "$cache/kdump"
