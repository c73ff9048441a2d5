# SPDX-License-Identifier: BSD-2-Clause
# prog.mk: a program.  PROG, SRCS, LDADD.  Links libkvm statically where LDADD
# names $(LIBKVM).

LIBKVM	= $(OBJ)/lib/libkvm/libkvm.a $(KVM_LIBS)
OBJS	= $(SRCS:%.c=$(ODIR)/%.o)

all: $(ODIR)/$(PROG)

$(ODIR)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CSTD) $(CPPFLAGS) $(CFLAGS) $(WARN) -MMD -c -o $@ $<

$(ODIR)/$(PROG): $(OBJS) $(filter %.a,$(LDADD))
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(OBJS) $(LDADD)

clean:
	rm -rf $(ODIR)

-include $(OBJS:.o=.d)
.PHONY: all clean
