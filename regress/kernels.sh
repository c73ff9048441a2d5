#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# kernels.sh CACHE [quick|all]: fetches Debian's newest cloud and generic 6.1
# kernels with their headers and unpacks each into CACHE/<name>, without
# installing them.  CACHE/kernels lists the names.  Does nothing for what is there
# already, and needs no root.  With "quick": no network if there is any kernel at
# all.
#
# KERNEL_SUITES names other suites of Debian whose kernels are wanted as well, the
# cloud and the generic one, or SUITE/FLAVOUR for one of its kernels; with "all"
# it is ALL_SUITES.  Those are listed in CACHE/kernels.more.  They come from the
# mirror that apt uses, through lists of our own below CACHE; only for bookworm
# the system's are used, and none are changed.
#
# Kernels whose compiler is newer than Debian 12's get a link CACHE/<name>/root to
# a tree with that compiler and all it needs, of their own suite; inroot.sh runs
# it.
set -eu

ALL_SUITES='bookworm/rt-amd64 bullseye bookworm-backports trixie sid'
HERE_GCC=12

PATH=$PATH:/usr/sbin:/sbin
cache=$1
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

# A header tree names itself and its other half by absolute paths, and the
# compiler of its own Debian release; make them ours.
relocate() {
	tree=$1 name=$2 common=$3
	headers=$tree/usr/src/linux-headers-$name
	sed -i "s,/usr/src/,$cache/$name/usr/src/," "$headers/Makefile"
	if [ -n "$root" ]; then
		ln -s "../${root#"$cache/"}" "$tree/root"
	else
		sed -i "s/gcc-[0-9]*$/gcc-$HERE_GCC/" \
		    "$headers/.kernelvariables"
	fi
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

# The major version of the compiler that a kernel's headers ask for.
compiler() {
	apt-cache depends "linux-headers-$1" |
	    sed -n 's/^ *Depends: gcc-\([0-9]*\)\(-for-host\)*$/\1/p'
}

# A root directory with this gcc and what a module's build calls besides, in
# $root.  The packages are unpacked only: none of these needs more.
fetch_root() {
	root=$cache/roots/$suite-gcc-$1
	[ ! -d "$root" ] || return 0
	mkdir -p "$cache/roots"
	tmp=$(mktemp -d "$cache/tmp.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	chmod 755 "$tmp"
	echo "kernels: fetching gcc $1 of $suite"
	mkdir -p "$tmp/archives/partial" "$tmp/tree/usr" "$tmp/tree/etc"
	apt-get -qq -y -o Dir::Cache::archives="$tmp/archives" \
	    --download-only --no-install-recommends install "gcc-$1" make \
	    binutils bash dash coreutils sed grep mawk findutils perl-base \
	    libelf1t64 >/dev/null
	for dir in bin sbin lib lib64; do
		mkdir "$tmp/tree/usr/$dir"
		ln -s "usr/$dir" "$tmp/tree/$dir"
	done
	for deb in "$tmp"/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" |
		    tar -x -C "$tmp/tree" --keep-directory-symlink \
			--no-same-owner --exclude='./usr/share/*'
		rm "$deb"
	done
	ln -sf mawk "$tmp/tree/usr/bin/awk"
	mv "$tmp/tree" "$root"
	rm -rf "$tmp"
	trap - EXIT
}

fetch() {
	others=$(needed "$1")
	root= gcc=$(compiler "$1")
	[ "${gcc:-0}" -le $HERE_GCC ] || fetch_root "$gcc"
	# shellcheck disable=SC2046,SC2086
	unpack "$1" $(image_of "$1") "linux-headers-$1" $others
	relocate "$tmp/tree" "$1" "$(echo "$others" | grep '^linux-headers-')"
	finish "$1" "$cache/$1"
}

names=

# want FLAVOUR: fetches its newest kernel and adds it to the list.
want() {
	name=$(newest "$1")
	if [ -z "$name" ]; then
		echo "kernels: no linux-image-$1 in apt's lists" >&2
		exit 1
	fi
	[ -d "$cache/$name" ] || fetch "$name"
	names="$names $name"
}

# Makes apt see one suite and nothing else, from now on.  What comes of bookworm
# must be wanted before.
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

# Names the kernels in a file, and begins a new list.
list() {
	printf '%s\n' $names >"$1.new"
	mv "$1.new" "$1"
	names=
}

suite=bookworm
want cloud-amd64
want amd64
list "$cache/kernels"
[ "${2-}" != all ] || KERNEL_SUITES=$ALL_SUITES
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
    'Label: Debian' | head -n 1)
for one in ${KERNEL_SUITES-}; do
	suite=${one%%/*}
	[ "$suite" = bookworm ] || use_suite "$suite"
	case $one in
	*/*) want "${one#*/}" ;;
	*)
		want cloud-amd64
		want amd64
		;;
	esac
done
list "$cache/kernels.more"
