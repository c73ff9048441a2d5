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

# await PATH: waits up to a minute for a device node.
await() {
	_n=0
	while [ ! -e "$1" ]; do
		[ $((_n += 1)) -le 600 ] || die "$1: no such device"
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

# pci_dir DISK: where sysfs has the PCI function that a disk hangs from.
pci_dir() {
	_d=$(readlink -f "/sys/class/block/${1#/dev/}")
	until [ -e "$_d/vendor" ] && [ -e "$_d/config" ]; do
		_d=${_d%/*}
		[ "$_d" ] || die "$1: no PCI function"
	done
	echo "$_d"
}

# pci_byte DIR OFFSET: of its configuration space, in decimal.
pci_byte() {
	hexdump -s $(($2)) -n 1 -e '1/1 "%d"' "$1/config"
}

# pci_cap DIR ID: where this capability is.
pci_cap() {
	_p=$(pci_byte "$1" 0x34)
	while [ "$(pci_byte "$1" "$_p")" -ne "$2" ]; do
		_p=$(pci_byte "$1" $((_p + 1)))
		[ "$_p" -ne 0 ] || die "$1: no capability $2"
	done
	echo "$_p"
}

# pci_poke DIR OFFSET BYTES: writes to it; each byte as \NNN.
pci_poke() {
	printf "$3" | dd of="$1/config" bs=1 seek=$(($2)) conv=notrunc 2>/dev/null
}
