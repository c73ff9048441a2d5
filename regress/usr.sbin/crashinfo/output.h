/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output.h: runs crashinfo(8), and what it printed.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "guest.h"

/* Of the last run, standard error too. */
extern char output[1 << 20];

/* Runs it with these arguments: its exit status. */
int run(const char *args);
/* The same on a dump. */
int run_on(const struct guest *g, const char *options, const char *command);
void output_has(const char *text);

#endif /* OUTPUT_H */
