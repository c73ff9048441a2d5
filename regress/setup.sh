#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# setup.sh [quick|bench|deb|all]: installs the Debian packages that building and
# testing need, where they are missing.  With "quick", only those of `make
# check-quick`; with "bench" and "all", what those need besides.
set -eu

packages='gcc gcc-12 g++ make binutils libc6-dev pkgconf libelf-dev libbpf-dev
    zlib1g-dev libzstd-dev liblzo2-dev libxxhash-dev libblkid-dev libmount-dev
    libcap-dev libdevmapper-dev libseccomp-dev libkdumpfile-dev libcmocka-dev
    mandoc python3 ca-certificates xz-utils zstd kmod'
[ "${1-}" = quick ] || packages="$packages busybox-static qemu-system-x86 jq
    qemu-utils cpio dmsetup e2fsprogs xfsprogs fdisk bpftool makedumpfile gdb
    systemd"
case ${1-} in
bench) packages="$packages fio gnuplot-nox" ;;
deb) packages="$packages debhelper dh-dkms dpkg-dev fakeroot" ;;
all) packages="$packages debhelper dh-dkms dpkg-dev fakeroot lintian debootstrap git clang libclang-rt-dev crash
    python3-drgn" ;;
esac

missing=
for p in $packages; do
	dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null |
	    grep -qx installed || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
	echo "setup: these Debian packages are missing:$missing" >&2
	echo "setup: install them, or run this once as root" >&2
	exit 1
fi
echo "setup: installing$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
if ! apt-cache show $missing >/dev/null 2>&1; then
	apt-get -qq update
fi
# shellcheck disable=SC2086
apt-get -qq -y --no-install-recommends install $missing >/dev/null
