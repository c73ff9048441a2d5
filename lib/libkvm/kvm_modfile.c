/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_modfile.c: modules of the running kernel, from /proc/modules:
 *
 *	nvme 57344 2 - Live 0xffffffffc0200000
 *
 * Name, size, users, who they are, state and address; a taint can follow.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_live.h"

#define MODFILE_MAX	(16u << 20)	/* bytes that are believed */

static const char modfile_path[] = "/proc/modules";

static int
modfile_state(const char *word)
{
	if (strcmp(word, "Live") == 0)
		return KVM_MODULE_LIVE;
	if (strcmp(word, "Loading") == 0)
		return KVM_MODULE_COMING;
	if (strcmp(word, "Unloading") == 0)
		return KVM_MODULE_GOING;
	return -1;
}

/* Takes a line apart; false: it makes no sense. */
static bool
modfile_line(char *line, struct kvm_module *mod)
{
	char *word[6], *save = NULL, *end;
	size_t i;

	for (i = 0; i < 6; i++) {
		word[i] = strtok_r(i == 0 ? line : NULL, " ", &save);
		if (word[i] == NULL)
			return false;
	}
	memset(mod, 0, sizeof(*mod));
	mod->km_name = word[0];
	mod->km_state = modfile_state(word[4]);
	errno = 0;
	mod->km_size = strtoul(word[1], &end, 10);
	if (errno != 0 || *end != '\0' || mod->km_state == -1)
		return false;
	mod->km_base = strtoul(word[5], &end, 16);
	return errno == 0 && *end == '\0';
}

/* Calls fn, unless it is NULL, for each line that is there. */
static int
modfile_parse(kvm_t *kd, char *text, int (*fn)(void *cookie,
    const struct kvm_module *mod), void *cookie)
{
	const struct kvmi_ksymfile *kf = NULL;
	struct kvm_module mod;
	char *line, *save = NULL, type;
	unsigned int n = 0;
	uint64_t addr;
	int rv = 0;

	while (rv == 0 && (line = strtok_r(n == 0 ? text : NULL, "\n",
	    &save)) != NULL) {
		n++;
		if (!modfile_line(line, &mod))
			return kvmi_err(kd, EBADMSG, "%s: line %u makes no "
			    "sense", modfile_path, n);
		if (kf == NULL && (kf = kvmi_ksymfile(kd)) == NULL)
			return -1;
		/* Where its struct module is, a symbol of its own says. */
		if (kvmi_ksymfile_lookup(kf, "__this_module", mod.km_name,
		    &type, &addr))
			mod.km_addr = addr;
		rv = fn != NULL ? fn(cookie, &mod) : 0;
	}
	return rv;
}

int
kvmi_modfile_each(kvm_t *kd, int (*fn)(void *cookie,
    const struct kvm_module *mod), void *cookie)
{
	size_t len;
	char *text, *copy;
	int rv = -1;

	if (kvmi_live_need(kd) == -1 || (text = kvmi_live_load(kd,
	    modfile_path, MODFILE_MAX, &len)) == NULL)
		return -1;
	/* All of it makes sense before fn sees any. */
	if ((copy = strdup(text)) == NULL)
		kvmi_syserr(kd, ENOMEM, "%s", modfile_path);
	else if (modfile_parse(kd, copy, NULL, NULL) == 0)
		rv = modfile_parse(kd, text, fn, cookie);
	free(copy);
	free(text);
	return rv;
}
