# SPDX-License-Identifier: BSD-2-Clause
# lib.mk: a library.  LIB, SRCS, SHLIB_MAJOR, VERSION_MAP, LDADD.

OBJS	= $(SRCS:%.c=$(ODIR)/%.o)
SONAME	= lib$(LIB).so.$(SHLIB_MAJOR)

all: $(ODIR)/lib$(LIB).a $(ODIR)/lib$(LIB).so

$(ODIR)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CSTD) $(CPPFLAGS) $(CFLAGS) $(WARN) -fPIC -MMD -c -o $@ $<

$(ODIR)/lib$(LIB).a: $(OBJS)
	rm -f $@
	$(AR) rcs $@ $(OBJS)

$(ODIR)/$(SONAME): $(OBJS) $(VERSION_MAP)
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(SONAME) \
	    -Wl,--version-script,$(VERSION_MAP) -Wl,-z,defs \
	    -o $@ $(OBJS) $(LDADD)

$(ODIR)/lib$(LIB).so: $(ODIR)/$(SONAME)
	ln -sf $(SONAME) $@

clean:
	rm -rf $(ODIR)

-include $(OBJS:.o=.d)
.PHONY: all clean
