/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clash.c: options that do not go together, and why; for every program.
 */
#include <err.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "clash.h"

#define CLASH_NAME	32u

/* As it is typed: a letter, or where there is none, a word. */
static void
clash_name(const struct clash_options *o, char letter, char *name)
{
	const struct option *l = o->longopts;

	snprintf(name, CLASH_NAME, "-%c", letter);
	for (; strchr(o->letters, letter) == NULL && l->name != NULL; l++)
		if (l->val == letter)
			snprintf(name, CLASH_NAME, "--%s", l->name);
}

/* The first letter that was given, or NUL. */
static char
clash_find(const struct clash_options *o, const char *letters)
{
	while (*letters != '\0' && !o->given[(unsigned char)*letters])
		letters++;
	return *letters;
}

void
clash_check(const struct clash_options *o, const struct clash *table)
{
	char one[CLASH_NAME], two[CLASH_NAME];
	char a, b;

	for (; table->these != NULL; table++) {
		a = clash_find(o, table->these);
		b = clash_find(o, table->those);
		if (a == '\0' || b == '\0')
			continue;
		clash_name(o, a, one);
		clash_name(o, b, two);
		errx(1, "%s and %s do not go together: %s", one, two,
		    table->why);
	}
}
