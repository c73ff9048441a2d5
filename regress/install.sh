#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# install.sh: what `make install` leaves can be used: every header compiles
# alone, in C and in C++, and a program finds the library by pkg-config(1).
# `make uninstall` removes it, and no more.
set -u

cd "$(dirname "$0")/.." || exit 1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export PKG_CONFIG_SYSROOT_DIR="$tmp"
export PKG_CONFIG_PATH="$tmp/opt/swapcore/lib/pkgconfig"
warn='-pedantic -Wall -Wextra -Werror'
rv=0

# result NAME STATUS FILE: a line for the test; the file says why not.
result() {
	if [ "$2" -eq 0 ]; then
		echo "PASS install $1"
	else
		echo "FAIL install $1: $(head -3 "$3")"
		rv=1
	fi
}

make -s install DESTDIR="$tmp" PREFIX=/opt/swapcore >"$tmp/said" 2>&1
result "make install" $? "$tmp/said"
# What the units run is there.
programs=$(sed -n 's/^Exec[A-Za-z]*=\([^ ]*\).*/\1/p' \
    "$tmp"/opt/swapcore/lib/systemd/system/*.service | sort -u)
[ -n "$programs" ]
rc=$?
for program in $programs; do
	[ -x "$tmp$program" ] || rc=1
done
echo "$programs" >"$tmp/said"
result "programs of units" $rc "$tmp/said"
cflags=$(pkg-config --cflags libkvm 2>"$tmp/said")
result "pkg-config" $? "$tmp/said"

# What the library exports, what <kvm.h> declares, and what the pages tell of.
printf '#include <kvm.h>\n' >"$tmp/all.c"
# shellcheck disable=SC2086
gcc $cflags -fsyntax-only -aux-info "$tmp/all" "$tmp/all.c"
sed -n 's,.*/kvm\.h:.*[ *]\(kvm_[a-z0-9_]*\) (.*,\1,p' "$tmp/all" |
    LC_ALL=C sort >"$tmp/declared"
nm -D --defined-only "$tmp"/opt/swapcore/lib/libkvm.so |
    sed -n 's/.* T \([^@]*\).*/\1/p' | LC_ALL=C sort >"$tmp/exported"
[ -s "$tmp/declared" ] && diff "$tmp/declared" "$tmp/exported" >"$tmp/said"
result "<kvm.h> declares what the library exports" $? "$tmp/said"
while read -r name; do
	grep -qx "\.F[no] \"*$name\( .*\)*" lib/libkvm/*.3 || echo "$name"
done <"$tmp/declared" >"$tmp/said"
[ ! -s "$tmp/said" ]
result "a page tells of each function" $? "$tmp/said"

# A header, twice, and nothing before it.
include=$tmp/opt/swapcore/include
for header in $(cd "$include" && find . -name '*.h' | sed 's,^\./,,' | sort); do
	printf '#include <%s>\n#include <%s>\nint header;\n' "$header" \
	    "$header" >"$tmp/header.c"
	cp "$tmp/header.c" "$tmp/header.cc"
	for std in c99 c11; do
		# shellcheck disable=SC2086
		gcc -std=$std $warn $cflags -fsyntax-only "$tmp/header.c" \
		    >"$tmp/said" 2>&1
		result "<$header> in $std" $? "$tmp/said"
	done
	# shellcheck disable=SC2086
	g++ -std=c++11 $warn $cflags -fsyntax-only "$tmp/header.cc" \
	    >"$tmp/said" 2>&1
	result "<$header> in c++11" $? "$tmp/said"
done

# A program of both languages that finds itself among the processes.
cat >"$tmp/self.c" <<-'END'
	#include <kvm.h>
	#include <unistd.h>

	int
	main(void)
	{
		char errbuf[KVM_ERRBUFSZ];
		kvm_t *kd = kvm_openfiles(NULL, NULL, NULL, KVM_NO_FILES,
		    errbuf);
		struct kinfo_proc2 *p;
		int n = 0;

		if (kd == NULL)
			return 2;
		p = kvm_getproc2(kd, KERN_PROC_PID, (int)getpid(), sizeof(*p),
		    &n);
		if (p == NULL || n != 1 || p->p_pid != getpid())
			return 3;
		return kvm_close(kd);
	}
END
cp "$tmp/self.c" "$tmp/self.cc"
export LD_LIBRARY_PATH="$tmp/opt/swapcore/lib"
for cc in gcc g++; do
	source=$tmp/self.c
	[ $cc = gcc ] || source=$tmp/self.cc
	# shellcheck disable=SC2046
	{ $cc $warn -o "$tmp/self" "$source" $(pkg-config --cflags --libs \
	    libkvm) && "$tmp/self"; } >"$tmp/said" 2>&1
	result "$cc with pkg-config" $? "$tmp/said"
done
rm "$LD_LIBRARY_PATH"/libkvm.so*
# shellcheck disable=SC2046
{ gcc -o "$tmp/self" "$tmp/self.c" $(pkg-config --cflags --static --libs \
    libkvm) && "$tmp/self"; } >"$tmp/said" 2>&1
result "gcc with pkg-config --static" $? "$tmp/said"

# uninstall WHAT: it says nothing of its own, and leaves this list of files.
uninstall() {
	make -s uninstall DESTDIR="$tmp/root" PREFIX=/opt/swapcore \
	    >"$tmp/said" 2>&1 || echo "make failed" >>"$tmp/said"
	(cd "$tmp/root" && find . ! -type d) >>"$tmp/said"
	sort "$tmp/said" | diff "$tmp/stays" - >"$tmp/diff"
	result "$1" $? "$tmp/diff"
}

mkdir "$tmp/root"
mv "$tmp/opt" "$tmp/etc" "$tmp/lib" "$tmp/var" "$tmp/root/"
: >"$tmp/stays"
cp -a "$tmp/root" "$tmp/again"
uninstall "make uninstall leaves no file"
rm -r "$tmp/root"
mv "$tmp/again" "$tmp/root"
echo device=none >>"$tmp/root/etc/swapcore.conf"
echo level=0 >"$tmp/root/etc/swapcore.conf.d/mine.conf"
echo core >"$tmp/root/var/crash/linux.0.core"
printf './%s\n' etc/swapcore.conf etc/swapcore.conf.d/mine.conf \
    var/crash/linux.0.core >"$tmp/stays"
uninstall "make uninstall leaves cores and what was configured"
exit $rv
