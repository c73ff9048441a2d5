#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# memory.sh OBJ: savecore keeps within 64 MiB of memory, whatever the dump: here
# one whose memory is in so many pieces that its header alone takes more.
set -u

obj=$1
goal=65536
cd "$(dirname "$0")/.." || exit 1
dir=$(mktemp -d "$( [ -w /dev/shm ] && echo /dev/shm || echo /tmp )/memory.XXXXXX")
trap 'rm -rf "$dir"' EXIT
rv=0
cc -O1 -o "$dir/timed" regress/bench/timed.c || exit 1

# Memory in pieces of a page, with reasons why the rest is not there; of which the
# kernel's map, by which -d goes, says nothing, so that only zeros are left out: at
# 0x20000 is the table of tables of sections, at 0x21000 the table.
info=$(printf '%s\n' 'SYMBOL(mem_section)=ffff888000020000' \
    'LENGTH(mem_section)=1' 'SIZE(mem_section)=16' \
    'OFFSET(mem_section.section_mem_map)=0' \
    'SIZE(page)=64' 'OFFSET(page.flags)=0' \
    'OFFSET(page._refcount)=52' 'OFFSET(page._mapcount)=48' \
    'OFFSET(page.mapping)=24' 'OFFSET(page.private)=40' \
    'OFFSET(page.compound_head)=8' 'NUMBER(PG_lru)=5' 'NUMBER(PG_private)=13' \
    'NUMBER(PG_swapcache)=10' 'NUMBER(PG_swapbacked)=19' \
    'NUMBER(PG_head_mask)=65536' 'NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129' \
    'NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-257' .)
truncate -s 132K "$dir/mem"
printf '\0\020\002\0\200\210\377\377' |
    dd of="$dir/mem" bs=4096 seek=32 conv=notrunc status=none
printf '\003\0\0\0\0\352\377\377' |
    dd of="$dir/mem" bs=4096 seek=33 conv=notrunc status=none
"$obj/regress/mkdump/mkdump" -s -m "$dir/mem" -r 0x1000:0x340000000 \
    -f 0x10000000:0x330000000 -j "${info%.}" "$dir/dump" >"$dir/places" ||
    exit 1

# kept NAME [ARG ...]: runs savecore, which makes out, and looks what it took.
around=
kept() {
	name=$1
	shift
	rm -f "$dir/out"
	kib=$($around "$dir/timed" "$obj/usr.sbin/savecore/savecore" "$@" \
	    -o "$dir/out" 2>"$dir/said" </dev/null)
	status=$?
	kib=$(echo "$kib" | cut -d ' ' -f 2)
	if [ "$status" -eq 0 ] && [ -s "$dir/out" ] && [ "$kib" -le $goal ]
	then
		echo "PASS memory $name: $kib KiB"
	else
		echo "FAIL memory $name: exit $status, $kib KiB:" \
		    "$(tail -n 1 "$dir/said")"
		rv=1
	fi
}

# same NAME: the headers of out and of the core are the same.
same() {
	if cmp -n "$(stat -c %s "$dir/head")" "$dir/out" "$dir/head"; then
		echo "PASS memory $1_has_the_same_header"
	else
		echo "FAIL memory $1_has_the_same_header"
		rv=1
	fi
}

kept kcore -f -D "$dir/dump"
head -c 40M "$dir/out" >"$dir/head"
kept zstd -f -D "$dir/dump" --zstd
for form in elf kdump; do
	kept $form -f -D "$dir/dump" -F $form
	mv "$dir/out" "$dir/$form"
	kept ${form}_read "$dir/$form"
	same $form
	[ $form = elf ] || rm -f "$dir/$form"
done
# Without a place for files, or with one that is full on the way, it takes what
# memory there is.
goal=1000000
around="env TMPDIR=/nonexistent"
kept without_a_place "$dir/elf"
same without_a_place
mkdir "$dir/tmp"
cat >"$dir/small" <<-END
	#!/bin/sh
	mount -t tmpfs -o size=100m tmpfs "$dir/tmp" && TMPDIR="$dir/tmp" "\$@"
END
if unshare -m mount -t tmpfs tmpfs "$dir/tmp" 2>/dev/null; then
	around="unshare -m sh $dir/small"
	kept with_a_place_that_is_full "$dir/elf"
	same with_a_place_that_is_full
fi
around=
goal=65536
rm -f "$dir/elf"
kept filtered -f -D "$dir/dump" -d 1
exit $rv
