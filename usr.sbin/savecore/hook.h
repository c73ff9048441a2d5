/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hook.h: programs of the administrator that are run once a dump is saved.
 */
#ifndef _HOOK_H_
#define _HOOK_H_

#include <stddef.h>

#define HOOK_VARS	64u
#define HOOK_LINE	4096	/* the longest fact */

/* Variables of their environment; each is from malloc(3). */
struct hook_env {
	char *var[HOOK_VARS];
	size_t n;
};

/* One, if there is none of that name yet; key is in lower case. */
void hook_add(struct hook_env *env, const char *key, const char *value);
/* One for each line "key: value" of a file. */
void hook_add_facts(struct hook_env *env, int fd);
void hook_env_free(struct hook_env *env);
/* Runs all there are, in the order of their names, in dirfd. */
void hook_run_all(const struct hook_env *env, int dirfd);

#endif /* _HOOK_H_ */
