# SPDX-License-Identifier: BSD-2-Clause
# lib.sh: what the guest scripts share.

# say NAME COMMAND...: prints the command's output between marker lines.
say() {
	_name=$1
	shift
	echo "@@begin $_name"
	"$@"
	echo "@@done $_name $?"
}

# die TEXT: ends the script; the host reports the text.
die() {
	echo "@@die $*"
	exit 1
}

# await PATH: waits up to ten seconds for a device node.
await() {
	_n=0
	while [ ! -e "$1" ]; do
		[ $((_n += 1)) -le 100 ] || die "$1: no such device"
		usleep 100000
	done
}

# make_swap DEVICE: a swap area with a UUID of its own.
make_swap() {
	await "$1"
	mkswap "$1" >/dev/null || die "mkswap $1"
}

# keep_to MASK: this shell, which need not be $$, runs on these CPUs only.
keep_to() {
	taskset -p "$1" "$(exec sh -c 'echo $PPID')"
}

# pause SECONDS: starts no program, which would wait for a CPU that is stuck.
pause() {
	[ -p /tmp/never ] || die "pause: mkfifo /tmp/never first"
	read -r -t "$1" _nothing <>/tmp/never
}
