/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * priv.c: less than all of root's powers.
 *
 * What savecore(8) reads was written by a dying kernel or by somebody who
 * wants it to look so.  The files are opened with the two capabilities that
 * this may take; the parsing is done with none.
 */
#include <sys/capability.h>
#include <sys/prctl.h>

#include "savecore.h"

static const cap_value_t priv_keep[] = {
	CAP_DAC_OVERRIDE,
	CAP_DAC_READ_SEARCH,
};

/* Keeps the first n of priv_keep[], where they are permitted at all. */
static void
priv_set(int n)
{
	cap_flag_value_t set;
	cap_t have, want;
	int i;

	have = cap_get_proc();
	want = cap_init();
	for (i = 0; have != NULL && want != NULL && i < n; i++) {
		if (cap_get_flag(have, priv_keep[i], CAP_PERMITTED, &set) ==
		    -1 || set != CAP_SET)
			continue;
		(void)cap_set_flag(want, CAP_PERMITTED, 1, &priv_keep[i],
		    CAP_SET);
		(void)cap_set_flag(want, CAP_EFFECTIVE, 1, &priv_keep[i],
		    CAP_SET);
	}
	if (want == NULL || cap_set_proc(want) == -1)
		msg_errno(LOG_WARNING, "can't give up privileges");
	if (have != NULL)
		cap_free(have);
	if (want != NULL)
		cap_free(want);
}

void
priv_limit(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		msg_errno(LOG_WARNING, "can't give up privileges");
	priv_set(sizeof(priv_keep) / sizeof(priv_keep[0]));
}

void
priv_drop(void)
{
	priv_set(0);
}
