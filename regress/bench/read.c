/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * read.c: the reads that are measured.
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "read.h"

#define READ_PIECE	((size_t)1 << 20)
#define READ_PAGE	4096u

static double
read_now(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		err(1, "clock_gettime");
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* A file of 64-bit numbers. */
static uint64_t *
read_numbers(const char *path, size_t *n)
{
	FILE *in = fopen(path, "rb");
	uint64_t *v;
	long size;

	if (in == NULL || fseek(in, 0, SEEK_END) == -1 ||
	    (size = ftell(in)) == -1 || fseek(in, 0, SEEK_SET) == -1)
		err(1, "%s", path);
	*n = (size_t)size / sizeof(*v);
	v = malloc((size_t)size + 1);
	if (v == NULL || fread(v, sizeof(*v), *n, in) != *n)
		err(1, "%s", path);
	fclose(in);
	return v;
}

void
read_random(read_fn *fn, void *cookie, const char *path)
{
	uint64_t *at, word, sum = 0;
	size_t n, i;
	double start;

	at = read_numbers(path, &n);
	start = read_now();
	for (i = 0; i < n; i++) {
		fn(cookie, at[i], &word, sizeof(word));
		sum ^= word;
	}
	printf("seconds %.6f\nanswer %016" PRIx64 "\n", read_now() - start,
	    sum);
	free(at);
}

void
read_sequential(read_fn *fn, void *cookie, const char *path)
{
	uint64_t *range, done, word, sum = 0;
	uint8_t *buf = malloc(READ_PIECE);
	size_t n, i, k, len;
	double start;

	if (buf == NULL)
		err(1, NULL);
	range = read_numbers(path, &n);
	start = read_now();
	for (i = 0; i + 1 < n; i += 2) {
		for (done = 0; done < range[i + 1]; done += len) {
			len = READ_PIECE;
			if (len > range[i + 1] - done)
				len = (size_t)(range[i + 1] - done);
			fn(cookie, range[i] + done, buf, len);
			for (k = 0; k < len; k += READ_PAGE) {
				memcpy(&word, buf + k, sizeof(word));
				sum ^= word;
			}
		}
	}
	printf("seconds %.6f\nanswer %016" PRIx64 "\n", read_now() - start,
	    sum);
	free(range);
	free(buf);
}
