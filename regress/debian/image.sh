#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# image.sh CACHE DEBS OUT: a disk in OUT with a Debian 12 on ext4 and a swap
# partition, and our packages installed by apt, with OUT/vmlinuz and OUT/initrd
# to boot it.  A shell of its own on the second serial port takes commands.
set -eu

cache=$1/debian debs=$2 out=$3
root_mib=3072 swap_mib=768
root_uuid=5eed0000-0000-4000-8000-000000000001
swap_uuid=5eed0000-0000-4000-8000-000000000002
PATH=$PATH:/usr/sbin:/sbin

mkdir -p "$out"
tmp=$(mktemp -d "$out/tmp.XXXXXX")
trap 'rm -rf --one-file-system "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
root=$tmp/root
mkdir -m 755 "$root"
tar -C "$root" --numeric-owner -xf "$cache/root.tar"

mkdir "$root/debs"
for name in swapcore swapcore-dkms libkvm0 libkvm-dev; do
	cp "$debs/${name}"_*.deb "$root/debs/"
done
rm "$root"/debs/libkvm-dev_*.deb
unshare --mount --pid --fork --kill-child --root="$root" \
    --mount-proc=/proc env -i DEBIAN_FRONTEND=noninteractive \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c \
    'apt-get install -y --no-install-recommends /debs/*.deb' </dev/null
rm -r "$root/debs"

echo swapcore >"$root/etc/hostname"
cat >"$root/etc/fstab" <<-END
	UUID=$root_uuid / ext4 defaults 0 1
	UUID=$swap_uuid none swap sw 0 0
END
cat >"$root/usr/local/sbin/serial-shell" <<-'END'
	#!/bin/sh
	stty -F /dev/ttyS1 raw -echo
	exec </dev/ttyS1 >/dev/ttyS1 2>&1
	systemctl is-system-running --wait >/dev/null
	echo "@@ready"
	while read -r line; do
		eval "$line"
		echo "@@done $?"
	done
END
chmod 755 "$root/usr/local/sbin/serial-shell"
cat >"$root/etc/systemd/system/serial-shell.service" <<-'END'
	[Service]
	Type=exec
	ExecStart=/usr/local/sbin/serial-shell
	[Install]
	WantedBy=multi-user.target
END
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -s ../serial-shell.service \
    "$root/etc/systemd/system/multi-user.target.wants/"
cp "$root"/boot/vmlinuz-* "$out/vmlinuz"
cp "$root"/boot/initrd.img-* "$out/initrd"

disk=$out/disk.img
rm -f "$disk"
truncate -s $((root_mib + swap_mib + 2))M "$disk"
sfdisk -q "$disk" <<-END
	label: gpt
	start=1MiB, size=${root_mib}MiB, type=L
	size=${swap_mib}MiB, type=S
END
mke2fs -q -F -t ext4 -U $root_uuid -d "$root" -E offset=1048576 "$disk" \
    ${root_mib}M
truncate -s ${swap_mib}M "$tmp/swap"
chmod 600 "$tmp/swap"
mkswap -q -U $swap_uuid "$tmp/swap"
dd if="$tmp/swap" of="$disk" bs=1M seek=$((root_mib + 1)) count=1 \
    conv=notrunc status=none
