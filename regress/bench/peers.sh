#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# peers.sh CACHE: installs the readers of dumps that libkvm is compared with and
# fetches the debug symbols that they need, of the first kernel in CACHE/kernels
# (280 MB; 600 MB once unpacked).  What can't be had is told and left out of
# the comparison; it is no failure.
set -u

cache=$1
name=$(head -n 1 "$cache/kernels")

have() {
	dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null |
	    grep -qx installed
}

for package in python3-drgn crash libkdumpfile-dev; do
	have "$package" && continue
	if [ "$(id -u)" -ne 0 ]; then
		echo "peers: $package is missing: install it, or run this" \
		    "once as root" >&2
	elif DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
	    --no-install-recommends install "$package" >/dev/null; then
		echo "peers: installed $package"
	else
		echo "peers: $package can't be installed" >&2
	fi
done

sh "$(dirname "$0")/../debug.sh" "$cache" "$name" >/dev/null ||
	echo "peers: the debug symbols of $name can't be fetched" >&2
