# SPDX-License-Identifier: BSD-2-Clause
# test.mk: unit tests.  TESTS names them; SRCS.name lists a test's sources (its
# own, the code under test by path from $(TOP), fakes); LDADD.name, WRAP.name
# (functions to wrap: -Wl,--wrap).  Everything is built with ASan and UBSan.

SAN	= -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	  -fno-omit-frame-pointer
TESTBINS = $(TESTS:%=$(ODIR)/%)

all: $(TESTBINS)

.SECONDEXPANSION:
$(TESTBINS): $(ODIR)/%: $$(SRCS.$$*) $$(HDRS.$$*)
	@mkdir -p $(@D)
	$(CC) $(CSTD) $(CPPFLAGS) $(CPPFLAGS.$*) $(SAN) $(WARN) -o $@ \
	    $(SRCS.$*) $(WRAP.$*:%=-Wl,--wrap=%) $(LDADD.$*) -lcmocka

# Each test prints cmocka's own lines; the runner adds up.
check: $(TESTBINS)
	@for t in $(TESTBINS); do echo "== $(RELDIR)/$${t##*/}"; $$t || exit 1; done

clean:
	rm -rf $(ODIR)

.PHONY: all check clean
