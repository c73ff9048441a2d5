/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output.c: runs crashinfo(8), and what it printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "output.h"

char output[1 << 20];

/* Somebody else's reader takes what it prints for JSON. */
static void
output_is_json(const char *args)
{
	char line[512];

	snprintf(line, sizeof(line), "%s 2>/dev/null %s | "
	    "python3 -m json.tool >/dev/null", CRASHINFO, args);
	if (system(line) != 0)
		fail_msg("no JSON: %s", output);
}

int
run(const char *args)
{
	char line[512];
	size_t n;
	FILE *p;
	int rv;

	snprintf(line, sizeof(line), "%s 2>&1 %s", CRASHINFO, args);
	p = popen(line, "r");
	assert_non_null(p);
	n = fread(output, 1, sizeof(output) - 1, p);
	output[n] = '\0';
	rv = pclose(p);
	assert_true(WIFEXITED(rv));
	if (strstr(args, "--json") != NULL)
		output_is_json(args);
	return WEXITSTATUS(rv);
}

int
run_on(const struct guest *g, const char *options, const char *command)
{
	char args[256];

	snprintf(args, sizeof(args), "%s -M %s %s", options, g->im.path,
	    command);
	return run(args);
}

void
output_has(const char *text)
{
	if (strstr(output, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, output);
}
