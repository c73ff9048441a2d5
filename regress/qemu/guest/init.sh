#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# init.sh: /init of the guest.  Loads the kernel's modules, runs /test.sh with
# its output on the second serial port, and switches the machine off.
/bin/busybox --install -s /bin
export PATH=/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/shm /run
while read -r ko; do
	insmod "/lib/modules/$ko" || echo "init: $ko: not loaded" >/dev/kmsg
done </lib/modules/order
stty -F /dev/ttyS1 raw -echo
exec </dev/ttyS1 >/dev/ttyS1 2>&1
echo "@@ready"
( . /lib.sh; . /test.sh )
echo "@@end $?"
sync
poweroff -f
