#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# newcomer.sh [TARGET...]: a fresh clone of what is committed, in a clean Debian
# 12, passes the two commands that README shows, after nothing but the command it
# names for installing make; or only `make TARGET'.
#
# The system is made by debootstrap(8) below $TMPDIR, 10 GiB at most, from the
# mirror that apt uses here.  What is mounted is mounted in a namespace of its own
# and is gone when the last process in there is.
set -u

top=$(cd "$(dirname "$0")/.." && pwd)
name=newcomer
log=${OBJ:-$top/obj}/newcomer.log
suite=bookworm

skip() {
	echo "SKIP $name: $*"
	exit 0
}

fail() {
	echo "FAIL $name: $* (log: $log)"
	exit 1
}

[ "$(id -u)" -eq 0 ] || skip "only root can make a chroot"
PATH=$PATH:/usr/sbin:/sbin
for tool in debootstrap unshare git; do
	command -v $tool >/dev/null || skip "no $tool"
done
unshare --mount --pid --fork true 2>/dev/null ||
	skip "no namespaces of our own here"
git -C "$top" rev-parse -q --verify HEAD >/dev/null ||
	skip "not a git repository"
mirror=$(apt-get indextargets --format '$(LABEL) $(RELEASE) $(REPO_URI)' \
    'Created-By: Packages' 2>/dev/null |
    awk -v suite=$suite '$1 == "Debian" && $2 == suite { print $3; exit }')
[ -n "$mirror" ] || skip "apt knows no mirror of Debian $suite"

# What a newcomer is told to type.
install=$(sed -n 's/.*`\(apt-get install [a-z ]*\)`.*/\1/p' "$top/README.md")
[ -n "$install" ] || fail "README.md names no apt-get install"
# The block of indented lines, each with what it does behind it.
# shellcheck disable=SC2046
[ $# -gt 0 ] ||
	set -- $(sed -n 's/^    make \([a-z-]*\)  *#.*/\1/p' "$top/README.md")
[ $# -ge 1 ] || fail "README.md shows no make commands"

root=$(mktemp -d "${TMPDIR:-/tmp}/newcomer.XXXXXX") || exit 1
chmod 755 "$root"	# as / is: programs are run as nobody, too
trap 'rm -rf --one-file-system "$root"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$(dirname "$log")"
exec 4>"$log"

debootstrap --variant=minbase $suite "$root" "$mirror" >&4 2>&1 ||
	fail "debootstrap"
# How apt gets out, where there is a proxy, and that nobody answers it.
apt-config dump | grep -E '^Acquire::https?::' >"$root/etc/apt/apt.conf.d/here"
echo 'APT::Get::Assume-Yes "true";' >"$root/etc/apt/apt.conf.d/yes"
git clone -q --no-hardlinks "$top" "$root/root/swapcore" >&4 2>&1 ||
	fail "git clone"

# in_root COMMAND: there, with nothing of ours in the environment.
in_root() {
	unshare --mount --pid --fork --kill-child --root="$root" \
	    --mount-proc=/proc env -i HOME=/root TERM=dumb \
	    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	    ${http_proxy:+http_proxy="$http_proxy"} \
	    sh -c "mount -t devpts devpts /dev/pts &&
		mount -t tmpfs tmpfs /dev/shm && cd /root/swapcore && $1" \
	    </dev/null >&4 2>&1
}

in_root "$install" || fail "$install"
rv=0
for target; do
	start=$(date +%s)
	if in_root "make $target"; then
		echo "PASS $name make $target ($(($(date +%s) - start)) s):" \
		    "$(tail -n 1 "$log")"
	else
		echo "FAIL $name make $target: $(tail -n 1 "$log") (log: $log)"
		rv=1
	fi
done
exit $rv
