/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clash.h: options that do not go together, and why; for every program.
 */
#ifndef _CLASH_H_
#define _CLASH_H_

#include <getopt.h>
#include <limits.h>
#include <stdbool.h>

/* None of these with any of those; letters are what getopt_long(3) returns. */
struct clash {
	const char *these, *those;
	const char *why;
};

/* The options of a program, and which of them were given. */
struct clash_options {
	const char *letters;
	const struct option *longopts;
	bool given[UCHAR_MAX + 1];
};

/* Ends the program with a line that names the first two of the table, which a
 * clash of NULLs ends. */
void clash_check(const struct clash_options *o, const struct clash *table);

#endif /* _CLASH_H_ */
