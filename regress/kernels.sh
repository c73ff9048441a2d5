#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# kernels.sh CACHE [quick]: fetches Debian's newest cloud and generic 6.1 kernels
# with their headers and unpacks each into CACHE/<name>, without installing them.
# CACHE/kernels lists the names.  Does nothing for what is there already, and
# needs no root.  With "quick": no network if there is any kernel at all.
set -eu

PATH=$PATH:/usr/sbin:/sbin
cache=$1
mkdir -p "$cache"
if [ "${2-}" = quick ] && [ -s "$cache/kernels" ]; then
	exit 0
fi

# The release that a meta package stands for: 6.1.0-56-cloud-amd64.
newest() {
	apt-cache depends "linux-image-$1" 2>/dev/null |
	    sed -n 's/^ *Depends: linux-image-\([0-9].*\)$/\1/p' | head -n 1
}

if [ -z "$(newest cloud-amd64)" ]; then
	if [ "$(id -u)" -ne 0 ]; then
		echo "kernels: apt knows no kernel packages: run" \
		    "apt-get update as root" >&2
		exit 1
	fi
	apt-get -qq update
fi

# The header tree names its other half by an absolute path; make that ours.
relocate() {
	tree=$1 name=$2 common=$3
	echo "include $cache/$name/usr/src/$common/Makefile" \
	    >"$tree/usr/src/linux-headers-$name/Makefile"
	ln -sfn "../../../usr/src/linux-headers-$name" \
	    "$tree/lib/modules/$name/build"
	ln -sfn "../../../usr/src/$common" "$tree/lib/modules/$name/source"
}

# Unpacks one kernel into a temporary directory, renamed when it is whole.
fetch() {
	name=$1
	abi=${name%-amd64}
	common=linux-headers-${abi%-cloud}-common
	kbuild=linux-kbuild-$(echo "$name" | cut -d. -f1,2)
	tmp=$(mktemp -d "$cache/tmp.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	chmod 755 "$tmp"
	echo "kernels: fetching $name"
	(cd "$tmp" && apt-get -qq -o APT::Sandbox::User=root download \
	    "linux-image-$name" "linux-headers-$name" "$common" "$kbuild")
	echo "kernels: unpacking $name to $cache/$name"
	for deb in "$tmp"/*.deb; do
		dpkg-deb -x "$deb" "$tmp/tree"
		rm "$deb"
	done
	relocate "$tmp/tree" "$name" "$common"
	depmod -b "$tmp/tree" "$name"
	mv "$tmp/tree" "$cache/$name"
	rm -rf "$tmp"
	trap - EXIT
}

names=
for flavour in cloud-amd64 amd64; do
	name=$(newest $flavour)
	if [ -z "$name" ]; then
		echo "kernels: no linux-image-$flavour in apt's lists" >&2
		exit 1
	fi
	[ -d "$cache/$name" ] || fetch "$name"
	names="$names $name"
done
printf '%s\n' $names >"$cache/kernels.new"
mv "$cache/kernels.new" "$cache/kernels"
