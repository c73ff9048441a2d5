/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * caps.c: the capabilities that arming and disarming take.
 *
 * The module asks for them again, where it happens.
 */
#include <sys/capability.h>

#include <err.h>

#include "dumpon.h"

static bool
caps_have(cap_t caps, cap_value_t value)
{
	cap_flag_value_t set = CAP_CLEAR;

	return cap_get_flag(caps, value, CAP_EFFECTIVE, &set) == 0 &&
	    set == CAP_SET;
}

int
caps_check(void)
{
	cap_t caps;
	bool ok;

	caps = cap_get_proc();
	if (caps == NULL) {
		warn("capabilities");
		return -1;
	}
	ok = caps_have(caps, CAP_SYS_ADMIN) && caps_have(caps, CAP_SYS_RAWIO);
	cap_free(caps);
	if (ok)
		return 0;
	warnx("the capabilities CAP_SYS_ADMIN and CAP_SYS_RAWIO are needed: "
	    "run it as root");
	return -1;
}
