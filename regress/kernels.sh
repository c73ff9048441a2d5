#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# kernels.sh CACHE [quick|images]: fetches Debian's newest cloud and generic 6.1 kernels
# with their headers and unpacks each into CACHE/<name>, without installing them.
# CACHE/kernels lists the names.  Does nothing for what is there already, and
# needs no root.  With "quick": no network if there is any kernel at all.
#
# KERNEL_SUITES names other suites of Debian whose cloud kernels are wanted as
# well: bookworm-backports has 6.12, bullseye 5.10.  They come from the mirror
# that apt uses, through lists of our own below CACHE.
#
# With "images": instead, the cloud kernels of IMAGE_SUITES, without headers, in
# CACHE/images/<name>; CACHE/images/list has their names.  What libkvm finds in
# their memory is tested without a module of ours.
set -eu

PATH=$PATH:/usr/sbin:/sbin
cache=$1
IMAGE_SUITES=${IMAGE_SUITES-bullseye trixie sid}
mkdir -p "$cache"
if [ "${2-}" = quick ] && [ -s "$cache/kernels" ]; then
	exit 0
fi

# The release that a meta package stands for: 6.1.0-56-cloud-amd64.
newest() {
	apt-cache depends "linux-image-$1" 2>/dev/null |
	    sed -n 's/^ *Depends: linux-image-\([0-9].*\)$/\1/p' | head -n 1
}

if [ -z "$(newest cloud-amd64)" ]; then
	if [ "$(id -u)" -ne 0 ]; then
		echo "kernels: apt knows no kernel packages: run" \
		    "apt-get update as root" >&2
		exit 1
	fi
	apt-get -qq update
fi

# A header tree names its other half by an absolute path, and the compiler of
# its own Debian release; make both ours.
relocate() {
	tree=$1 name=$2 common=$3
	headers=$tree/usr/src/linux-headers-$name
	echo "include $cache/$name/usr/src/$common/Makefile" \
	    >"$headers/Makefile"
	sed -i 's/gcc-[0-9]*$/gcc-12/' "$headers/.kernelvariables"
	ln -sfn "../../../usr/src/linux-headers-$name" \
	    "$tree/lib/modules/$name/build"
	ln -sfn "../../../usr/src/$common" "$tree/lib/modules/$name/source"
}

# The packages that a kernel is in: since 7.0 its parts have packages
# of their own.
image_of() {
	echo "linux-image-$1"
	apt-cache depends "linux-image-$1" |
	    sed -n 's/^ *Depends: \(linux-\(base\|binary\|modules\)-[0-9].*\)$/\1/p'
}

# The packages that the headers of a kernel need: common tree and tools.
needed() {
	apt-cache depends "linux-headers-$1" | sed -n \
	    's/^ *Depends: \(linux-headers-[0-9].*\|linux-kbuild-.*\)$/\1/p'
}

# unpack NAME PACKAGE...: a kernel's packages, to $tmp/tree.  finish NAME WHERE
# gives it its name when it is whole.
unpack() {
	name=$1
	shift
	tmp=$(mktemp -d "$cache/tmp.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	chmod 755 "$tmp"
	echo "kernels: fetching $name"
	(cd "$tmp" && apt-get -qq -o APT::Sandbox::User=root download "$@")
	echo "kernels: unpacking $name"
	for deb in "$tmp"/*.deb; do
		dpkg-deb -x "$deb" "$tmp/tree"
		rm "$deb"
	done
	# Where Debian had things before it merged /lib into /usr, and put the
	# image beside the modules.
	[ -d "$tmp/tree/lib/modules" ] || ln -s usr/lib "$tmp/tree/lib"
	mkdir -p "$tmp/tree/boot"
	for file in vmlinuz System.map config; do
		[ -e "$tmp/tree/boot/$file-$name" ] ||
			ln -s "../lib/modules/$name/$file" \
			    "$tmp/tree/boot/$file-$name"
	done
	find "$tmp/tree/lib/modules/" -name '*.ko.xz' -exec unxz {} +
}

finish() {
	depmod -b "$tmp/tree" "$1"
	mv "$tmp/tree" "$2"
	rm -rf "$tmp"
	trap - EXIT
}

fetch() {
	others=$(needed "$1")
	unpack "$1" $(image_of "$1") "linux-headers-$1" $others
	relocate "$tmp/tree" "$1" "$(echo "$others" | grep '^linux-headers-')"
	finish "$1" "$cache/$1"
}

fetch_image() {
	unpack "$1" $(image_of "$1")
	finish "$1" "$cache/images/$1"
}

names=

# want FLAVOUR [_image]: fetches its newest kernel and adds it to the list.
want() {
	name=$(newest "$1")
	if [ -z "$name" ]; then
		echo "kernels: no linux-image-$1 in apt's lists" >&2
		exit 1
	fi
	[ -d "$cache${2:+/images}/$name" ] || "fetch${2-}" "$name"
	names="$names $name"
}

# Makes apt see one suite and nothing else, from now on.
use_suite() {
	dir=$cache/apt/$1
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	: >"$dir/status"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
	    "$mirror $1 main" >"$dir/sources.list"
	cat >"$dir/apt.conf" <<-END
	Dir::State "$dir";
	Dir::State::status "$dir/status";
	Dir::Cache "$dir/cache";
	Dir::Etc::sourcelist "$dir/sources.list";
	Dir::Etc::sourceparts "-";
	APT::Sandbox::User "root";
	END
	APT_CONFIG=$dir/apt.conf
	export APT_CONFIG
	apt-get -qq update
}

# Names the kernels in a file.
list() {
	printf '%s\n' $names >"$1.new"
	mv "$1.new" "$1"
}

mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
    'Label: Debian' | head -n 1)
if [ "${2-}" = images ]; then
	mkdir -p "$cache/images"
	for suite in $IMAGE_SUITES; do
		use_suite "$suite"
		want cloud-amd64 _image
	done
	list "$cache/images/list"
	exit 0
fi
want cloud-amd64
want amd64
for suite in ${KERNEL_SUITES-}; do
	use_suite "$suite"
	want cloud-amd64
done
list "$cache/kernels"
