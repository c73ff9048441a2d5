#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# rootfs.sh CACHE: a Debian 12 with systemd and the cloud kernel, its headers
# and dkms, as a machine is before Swapcore is installed: CACHE/debian/root.tar.
# Made by debootstrap(8), from the mirror that apt uses here.
set -eu

suite=bookworm
cache=$1/debian
packages=systemd-sysv,udev,kmod,procps,e2fsprogs,initramfs-tools,openssl
packages=$packages,linux-image-cloud-amd64,linux-headers-cloud-amd64,dkms
packages=$packages,libbpf1,libcap2,libelf1,liblzo2-2,libmount1,libseccomp2
packages=$packages,libxxhash0,libzstd1,libdevmapper1.02.1
PATH=$PATH:/usr/sbin:/sbin

# Made anew when the list has changed of which it was made: CACHE/debian/root.list.
wanted="$suite $packages"
if [ -f "$cache/root.tar" ] &&
    [ "$(cat "$cache/root.list" 2>/dev/null)" = "$wanted" ]; then
	exit 0
fi
mirror=$(apt-get indextargets --format '$(LABEL) $(RELEASE) $(REPO_URI)' \
    'Created-By: Packages' | awk -v suite=$suite \
    '$1 == "Debian" && $2 == suite { print $3; exit }')
if [ -z "$mirror" ]; then
	echo "rootfs: apt knows no mirror of Debian $suite" >&2
	exit 1
fi
mkdir -p "$cache"
tmp=$(mktemp -d "$cache/tmp.XXXXXX")
trap 'rm -rf --one-file-system "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
echo "rootfs: fetching and unpacking Debian $suite"
unshare --mount --fork debootstrap --variant=minbase --include="$packages" \
    $suite "$tmp/root" "$mirror" >"$cache/debootstrap.log" 2>&1 || {
	tail -n 5 "$cache/debootstrap.log" >&2
	exit 1
}
rm -rf "$tmp"/root/var/cache/apt/archives/*.deb "$tmp"/root/var/lib/apt/lists/*
tar -C "$tmp/root" --one-file-system --numeric-owner -cf "$tmp/root.tar" .
rm -f "$cache/root.list"
mv "$tmp/root.tar" "$cache/root.tar"
echo "$wanted" >"$tmp/root.list"
mv "$tmp/root.list" "$cache/root.list"
