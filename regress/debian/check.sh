#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# check.sh CACHE OBJ [TEST...]: our packages in a Debian 12, booted in QEMU.
# Needs root, to install packages in a tree of files, and 3 GiB below
# DEBIANDIR, which is $TMPDIR or /dev/shm.
set -u

cd "$(dirname "$0")/../.." || exit 1
cache=$1 obj=$2
shift 2
out=$obj/debian
log=$out/image.log

skip() {
	echo "SKIP debian: $*"
	exit 0
}

fail() {
	echo "FAIL debian: $* (log: $log)"
	exit 1
}

[ "$(id -u)" -eq 0 ] || skip "only root can install packages in a tree"
PATH=$PATH:/usr/sbin:/sbin
for tool in debootstrap unshare qemu-system-x86_64 lintian; do
	command -v $tool >/dev/null || skip "no $tool"
done
unshare --mount --pid --fork true 2>/dev/null ||
	skip "no namespaces of our own here"
mkdir -p "$out"
images=$(mktemp -d "${DEBIANDIR:-${TMPDIR:-/dev/shm}}/debian.XXXXXX") || exit 1
trap 'rm -rf --one-file-system "$images"' EXIT
trap 'exit 1' HUP INT TERM

sh regress/debian/rootfs.sh "$cache" >"$log" 2>&1 || fail "rootfs"
make -s deb OBJ="$obj" >>"$log" 2>&1 || fail "make deb"
said=$(lintian "$obj"/deb/*.changes 2>>"$log")
if [ -z "$said" ]; then
	echo "PASS debian/lintian"
else
	echo "FAIL debian/lintian: $said"
fi
sh regress/debian/image.sh "$cache" "$obj/deb" "$images" >>"$log" 2>&1 ||
	fail "apt-get install"
PYTHONPYCACHEPREFIX=$obj/pycache python3 regress/debian/boot.py "$images" \
    "$out" "$@"
rc=$?
[ -z "$said" ] || rc=1
exit $rc
