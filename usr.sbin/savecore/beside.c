/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * beside.c: what goes with a core and is made of it: the kernel's log as text,
 * and a file of symbols.  The core is good without them.
 */
#include <stdlib.h>

#include "savecore.h"

static void
beside_dmesg(kvm_t *kd, const struct savecore_opts *opts)
{
	struct outfile out;
	size_t len = 0;
	char *text;

	text = kvm_dmesg(kd, 0, &len);
	if (text == NULL) {
		msg(LOG_WARNING, "no text of the kernel's log: %s",
		    kvm_geterr(kd));
		return;
	}
	if (outfile_create(&out, KEEPER_DMESG, opts, KEEPER_PLAIN) == 0) {
		if (fwrite(text, 1, len, out.fp) == len) {
			(void)outfile_commit(&out);
		} else {
			msg_errno(LOG_WARNING, "%s", out.path);
			outfile_abort(&out);
		}
	}
	free(text);
}

static void
beside_namelist(kvm_t *kd, const struct savecore_opts *opts)
{
	char why[KVM_ERRBUFSZ];
	struct outfile out;

	if (outfile_create(&out, KEEPER_KERNEL, opts, KEEPER_PLAIN) == -1)
		return;
	if (namelist_write(kd, out.fd, why, sizeof(why)) == 0) {
		msg(LOG_NOTICE, "writing symbols to %s", out.path);
		(void)outfile_commit(&out);
		return;
	}
	msg(LOG_WARNING, "%s: no file of symbols is made: %s", out.path, why);
	outfile_abort(&out);
}

void
beside_write(kvm_t *kd, const struct savecore_opts *opts)
{
	beside_dmesg(kd, opts);
	/* -N named one. */
	if (opts->system == NULL)
		beside_namelist(kd, opts);
}
