# SPDX-License-Identifier: BSD-2-Clause
# test.mk: unit tests.  TESTS names them; SRCS.name lists a test's sources (its
# own, the code under test by path from $(TOP), fakes); HDRS.name what else it
# is rebuilt for (headers are found out); CPPFLAGS.name, LDADD.name, WRAP.name
# (functions to wrap: -Wl,--wrap).  Everything is built with ASan and UBSan, or
# with SAN.name.

SAN	= -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	  -fno-omit-frame-pointer
TESTBINS = $(TESTS:%=$(ODIR)/%)

all: $(TESTBINS)

.SECONDEXPANSION:
$(TESTBINS): $(ODIR)/%: $$(SRCS.$$*) $$(HDRS.$$*)
	@mkdir -p $(@D)
	$(CC) $(CSTD) $(CPPFLAGS) $(CPPFLAGS.$*) \
	    $(or $(SAN.$*),$(SAN)) $(WARN) -o $@ \
	    $(SRCS.$*) $(WRAP.$*:%=-Wl,--wrap=%) $(LDADD.$*) -lcmocka
	@$(CC) $(CSTD) $(CPPFLAGS) $(CPPFLAGS.$*) -MM -MP -MT $@ \
	    $(SRCS.$*) > $@.d

# Each test prints cmocka's own lines, which regress/tally.awk adds up.  One that
# ends badly without them (a sanitizer, a signal) is counted by its exit line.
# The programs refuse files that others may write, so the umask is fixed.
check: $(TESTBINS)
	@umask 022; err=0; \
	for t in $(TESTBINS); do \
	    echo "== $(RELDIR)/$${t##*/}"; \
	    $$t 2>&1; rc=$$?; [ $$rc -eq 0 ] || err=1; \
	    [ $$rc -eq 0 ] || echo "-- $(RELDIR)/$${t##*/}: exit $$rc"; \
	done; exit $$err

clean:
	rm -rf $(ODIR)

-include $(TESTBINS:=.d)
.PHONY: all check clean
