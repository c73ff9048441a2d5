/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz.c: one reader of blob.h under libFuzzer (-DTARGET=blob_log).  With SEEDS
 * set in the environment it first writes good inputs into that directory.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "blob.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static uint8_t buf[BLOB_MAX];
	const char *dir = getenv("SEEDS");
	unsigned int n;
	char path[4096];
	size_t size;
	FILE *fp;

	(void)argc;
	(void)argv;
	for (n = 0; (size = TARGET.seed(n, buf)) != 0; n++) {
		if (dir == NULL)
			continue;
		snprintf(path, sizeof(path), "%s/seed%u", dir, n);
		if ((fp = fopen(path, "w")) == NULL ||
		    fwrite(buf, 1, size, fp) != size || fclose(fp) != 0)
			err(1, "%s", path);
	}
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TARGET.look(data, size);
	return 0;
}
