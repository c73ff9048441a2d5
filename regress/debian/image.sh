#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# image.sh CACHE DEBS OUT: a disk in OUT with a Debian 12 on ext4 and a swap
# partition, and our packages installed by apt, with OUT/vmlinuz and OUT/initrd
# to boot it.  A shell of its own on the second serial port takes commands.
#
# OUT/vmlinuz-new and OUT/initrd-new are another kernel for the same disk, the
# newest that is unpacked in CACHE; OUT/kdump.img is the disk with kdump-tools
# installed as well, if that can be had.
set -eu

kernels=$1 cache=$1/debian debs=$2 out=$3
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

in_root() {
	unshare --mount --pid --fork --kill-child --root="$root" \
	    --mount-proc=/proc env -i DEBIAN_FRONTEND=noninteractive \
	    PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c "$1" </dev/null
}

# One stays, for the test that installs it again.
mkdir "$root/debs"
for name in swapcore swapcore-dkms libkvm0; do
	cp "$debs/${name}"_*.deb "$root/debs/"
done
in_root 'apt-get install -y --no-install-recommends /debs/*.deb'
rm "$root"/debs/swapcore-dkms_*.deb "$root"/debs/libkvm0_*.deb

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

# disk FILE: the disk, with what is in the tree now.
disk() {
	rm -f "$1"
	truncate -s $((root_mib + swap_mib + 2))M "$1"
	sfdisk -q "$1" <<-END
		label: gpt
		start=1MiB, size=${root_mib}MiB, type=L
		size=${swap_mib}MiB, type=S
	END
	mke2fs -q -F -t ext4 -U $root_uuid -d "$root" -E offset=1048576 "$1" \
	    ${root_mib}M
	truncate -s ${swap_mib}M "$tmp/swap"
	chmod 600 "$tmp/swap"
	mkswap -q -U $swap_uuid "$tmp/swap"
	dd if="$tmp/swap" of="$1" bs=1M seek=$((root_mib + 1)) count=1 \
	    conv=notrunc status=none
	rm "$tmp/swap"
}

# What a kernel upgrade brings: our module is not built for it.
booted=$(cd "$root/boot" && echo vmlinuz-*)
new=$(cd "$kernels" && ls -dv [0-9]*-amd64 | grep -vxF "${booted#vmlinuz-}" |
    tail -n 1)
cp -a "$kernels/$new/lib/modules/$new" "$root/lib/modules/"
rm -f "$root/lib/modules/$new/build" "$root/lib/modules/$new/source"
cp "$kernels/$new/boot/config-$new" "$root/boot/"
in_root "update-initramfs -c -k $new"
mv "$root/boot/initrd.img-$new" "$out/initrd-new"
cp "$kernels/$new/boot/vmlinuz-$new" "$out/vmlinuz-new"
rm "$root/boot/config-$new"
disk "$out/disk.img"

# The packages that kdump-tools needs beside those that are there.
fetch_kdump() {
	names=$(apt-get -s -o Dir::State::status="$root/var/lib/dpkg/status" \
	    --no-install-recommends install kdump-tools makedumpfile |
	    sed -n 's/^Inst \([^ ]*\).*/\1/p')
	[ -n "$names" ] || return 1
	mkdir "$tmp/debs"
	# shellcheck disable=SC2086
	(cd "$tmp/debs" && apt-get -qq -o APT::Sandbox::User=root download \
	    $names) || return 1
	mv "$tmp/debs" "$cache/kdump-tools"
}

if [ -d "$cache/kdump-tools" ] || fetch_kdump; then
	mkdir "$root/kdump"
	cp "$cache"/kdump-tools/*.deb "$root/kdump/"
	in_root 'echo kexec-tools kexec-tools/load_kexec boolean false |
	    debconf-set-selections
	    apt-get install -y --no-install-recommends /kdump/*.deb'
	rm -r "$root/kdump"
	# Or else it makes one at the first boot, which takes minutes.
	for initrd in "$root"/boot/initrd.img-*; do
		cp "$initrd" "$root/var/lib/kdump/"
		cp "$root/etc/kdump/sysctl.conf" \
		    "$root/var/lib/kdump/latest_sysctls-${initrd#*/initrd.img-}"
	done
	disk "$out/kdump.img"
fi
