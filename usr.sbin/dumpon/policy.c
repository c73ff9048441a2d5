/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy.c: what the kernel does at a panic besides dumping.
 *
 * With crash_kexec_post_notifiers set, panic() stops the other CPUs by NMI and
 * saves their registers before it calls the dump.  Where a kdump kernel is
 * loaded, that parameter says who goes first, and the administrator chooses.
 */
#include <err.h>
#include <stdint.h>

#include "dumpon.h"
#include "kernfile.h"

#define POST_NOTIFIERS \
	"/sys/module/kernel/parameters/crash_kexec_post_notifiers"

bool
policy_post_notifiers(void)
{
	char text[8];

	return kernfile_read(text, sizeof(text), POST_NOTIFIERS) > 0 &&
	    (text[0] == 'Y' || text[0] == '1');
}

const char *
policy_kdump(void)
{
	uint64_t loaded;

	if (kernfile_number(&loaded, "/sys/kernel/kexec_crash_loaded") == -1 ||
	    loaded == 0)
		return NULL;
	if (policy_post_notifiers())
		return "a kdump kernel is loaded: it is started once the dump "
		    "is written";
	return "a kdump kernel is loaded and goes first, so that no dump will "
	    "be written here: unload it, or boot with "
	    "crash_kexec_post_notifiers";
}

static void
policy_order(void)
{
	const char *kdump = policy_kdump();

	if (kdump != NULL) {
		warnx("warning: %s", kdump);
		return;
	}
	if (!policy_post_notifiers() && kernfile_write("Y", 1, POST_NOTIFIERS) == -1)
		warn("warning: the other CPUs' registers will not be in a "
		    "dump: " POST_NOTIFIERS);
}

void
policy_apply(void)
{
	uint64_t value;

	policy_order();
	if (kernfile_number(&value, "/proc/sys/kernel/panic") == 0 &&
	    value == 0)
		warnx("warning: kernel.panic is 0: the machine would hang "
		    "after a panic: set it with sysctl -w kernel.panic=1");
	if (kernfile_number(&value, "/proc/sys/kernel/panic_on_oops") == 0 &&
	    value == 0)
		warnx("warning: kernel.panic_on_oops is 0: an oops would leave "
		    "no dump: set it with sysctl -w kernel.panic_on_oops=1");
}
