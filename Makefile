# SPDX-License-Identifier: BSD-2-Clause
# Swapcore.  `make demo` shows it, `make check` tests it; see BUILDING.
include Makefile.inc

PROGS	= $(notdir $(patsubst %/Makefile,%,$(wildcard usr.sbin/*/Makefile)))
SUBDIRS	= lib/libkvm $(PROGS:%=usr.sbin/%) regress/mkdump sys
PAGES	= $(wildcard share/man/man?/*.[1-9] lib/libkvm/*.[1-9] \
	  usr.sbin/*/*.[1-9])
LIBDIR	?= $(PREFIX)/lib
MODDIR	?= /lib/modules
UNITDIR	?= $(PREFIX)/lib/systemd/system
UNITS	= savecore.service savecore@.service savecore-finish.service \
	  dumpon.service

all:
	@for d in $(SUBDIRS); do $(MAKE) -C $$d all || exit 1; done

# What building and testing need: packages by apt, kernels in $(CACHE).
setup:
	@sh regress/setup.sh
	@sh regress/kernels.sh $(CACHE)

setup-quick:
	@sh regress/setup.sh quick
	@sh regress/kernels.sh $(CACHE) quick

check-quick: setup-quick
	@sh regress/check.sh quick

check: setup
	@sh regress/check.sh check

check-all: setup
	@sh regress/setup.sh all
	@sh regress/kernels.sh $(CACHE) all
	@sh regress/check.sh all

demo: setup
	@$(MAKE) --no-print-directory -s -C regress/qemu demo

# Our packages in a Debian in QEMU; see regress/debian.
check-debian: setup
	@sh regress/setup.sh all
	@sh regress/debian/check.sh $(CACHE) $(OBJ) $(T)

demo-debian:
	@$(MAKE) --no-print-directory check-debian \
	    T=debian_panic_is_saved_at_boot
	@cat $(OBJ)/debian/debian_panic_is_saved_at_boot.txt

# Figures of speed and memory; see regress/bench.  results: and a page of them.
bench results: setup
	@sh regress/setup.sh bench
	@sh regress/bench/peers.sh $(CACHE)
	@$(MAKE) --no-print-directory -s -C regress/bench $@

# Every way to die, to regress/MATRIX.md; see regress/qemu/matrix.py.
matrix: setup
	@$(MAKE) --no-print-directory -s -C regress/qemu matrix M='$(M)'

layering:
	@python3 regress/layering.py .

# For the kernels whose modules are built; then run depmod(8).
install:
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(LIBDIR) \
	    $(DESTDIR)$(PREFIX)/include/sys
	for p in $(PROGS); do install -m 755 $(OBJ)/usr.sbin/$$p/$$p \
	    $(DESTDIR)$(PREFIX)/sbin/ || exit 1; done
	install -m 644 lib/libkvm/kvm.h $(DESTDIR)$(PREFIX)/include/
	install -m 644 sys/sys/kcore.h $(DESTDIR)$(PREFIX)/include/sys/
	cp -P $(OBJ)/lib/libkvm/libkvm.a $(OBJ)/lib/libkvm/libkvm.so* \
	    $(DESTDIR)$(LIBDIR)/
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig
	sed -e 's,@PREFIX@,$(PREFIX),; s,@LIBDIR@,$(LIBDIR),' \
	    -e 's,@VERSION@,$(VERSION),' lib/libkvm/libkvm.pc.in \
	    >$(DESTDIR)$(LIBDIR)/pkgconfig/libkvm.pc
	for p in $(PAGES); do install -D -m 644 $$p \
	    $(DESTDIR)$(PREFIX)/share/man/man$${p##*.}/$${p##*/} || \
	    exit 1; done
	install -d $(DESTDIR)$(UNITDIR)/swap.d $(DESTDIR)/etc/swapcore.conf.d \
	    $(DESTDIR)$(PREFIX)/lib/sysctl.d $(DESTDIR)$(PREFIX)/share/swapcore
	for u in $(UNITS); do sed 's,@PREFIX@,$(PREFIX),' etc/$$u.in \
	    >$(DESTDIR)$(UNITDIR)/$$u || exit 1; done
	install -m 644 etc/swapcore.swap.conf \
	    $(DESTDIR)$(UNITDIR)/swap.d/50-swapcore.conf
	install -m 644 etc/swapcore.sysctl \
	    $(DESTDIR)$(PREFIX)/lib/sysctl.d/50-swapcore.conf
	install -m 755 etc/swapcore.rc $(DESTDIR)$(PREFIX)/share/swapcore/
	[ -e $(DESTDIR)/etc/swapcore.conf ] || \
	    install -m 644 etc/swapcore.conf $(DESTDIR)/etc/
	[ -d $(DESTDIR)/var/crash ] || install -d -m 700 $(DESTDIR)/var/crash
	for k in $(KERNELS) $(MORE_KERNELS); do [ ! -f $(OBJ)/sys/$$k/swapcore.ko ] || \
	    install -D -m 644 $(OBJ)/sys/$$k/swapcore.ko \
	    $(DESTDIR)$(MODDIR)/$$k/updates/swapcore.ko || exit 1; done

# What install made, with the same variables.  A dump that nobody has saved keeps
# all of it; cores stay, and so does what somebody wrote below /etc.
uninstall:
	@if [ -z '$(DESTDIR)' ] && $(PREFIX)/sbin/savecore -n 2>/dev/null; then \
	    echo "uninstall: there is a dump: savecore -a saves it," \
	    "savecore -c gives it up" >&2; exit 1; fi
	@[ -n '$(DESTDIR)' ] || { $(PREFIX)/sbin/dumpon off && \
	    { [ ! -d /sys/module/swapcore ] || modprobe -r swapcore; }; }
	@tmp=$$(mktemp -d) && trap 'rm -rf "$$tmp"' EXIT && \
	$(MAKE) -s install DESTDIR="$$tmp" && \
	{ cmp -s etc/swapcore.conf $(DESTDIR)/etc/swapcore.conf || \
	    rm "$$tmp/etc/swapcore.conf"; } && \
	find "$$tmp" ! -type d -printf '%P\n' | \
	    while read -r f; do rm -f "$(DESTDIR)/$$f"; done
	rm -f $(DESTDIR)/var/lib/swapcore/armid*
	rmdir --ignore-fail-on-non-empty $(wildcard $(addprefix $(DESTDIR), \
	    $(UNITDIR)/swap.d $(PREFIX)/share/swapcore /etc/swapcore.conf.d \
	    /var/lib/swapcore /var/crash))

# Debian packages, in $(OBJ)/deb, of a copy of the tree without what was built.
deb:
	@sh regress/setup.sh deb
	rm -rf $(OBJ)/deb
	mkdir -p $(OBJ)/deb/swapcore
	tar -c --exclude=./obj --exclude=./.git . | \
	    tar -x -C $(OBJ)/deb/swapcore
	cd $(OBJ)/deb/swapcore && env -u MAKEFLAGS -u MAKELEVEL -u OBJ \
	    -u KERNELS dpkg-buildpackage -us -uc -b
	rm -rf $(OBJ)/deb/swapcore
	@ls $(OBJ)/deb/*.deb

clean:
	rm -rf $(OBJ)

.PHONY: all deb check-debian demo-debian setup setup-quick check-quick check \
	check-all demo bench results matrix layering install uninstall clean
