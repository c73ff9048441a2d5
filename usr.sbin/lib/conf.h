/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf.h: swapcore.conf(5), for dumpon(8) and savecore(8).
 */
#ifndef _CONF_H_
#define _CONF_H_

#include <limits.h>
#include <stdbool.h>

#define CONF_FILE	"/etc/swapcore.conf"
#define CONF_DIR	CONF_FILE ".d"
#define CONF_AUTO	"auto"
#define CONF_NONE	"none"
#define CONF_LEVELS	8u
#define CONF_DEVICES	8

enum conf_compress {
	CONF_PLAIN,
	CONF_GZIP,
	CONF_ZSTD,
};

struct conf {
	/* As dumpon(8) takes them, ending in NULL; or just "auto" or "none". */
	const char *devices[CONF_DEVICES + 1];
	char device[PATH_MAX];		/* their text */
	char directory[PATH_MAX];	/* where cores are saved */
	int level;			/* of dumps; -1: the module's */
	unsigned int save_level[CONF_LEVELS];	/* as savecore -d takes them */
	unsigned int nsave_level;
	enum conf_compress compress;	/* cores */
	bool accept_secrets;
	bool swap_anyway;		/* although its dump was not saved */
};

/*
 * Reads the file, and those of the directory in the order of their names; the
 * last word counts, and what none of them says is as if there were no file.
 * Each line that makes no sense is told to say(), with file and number, and
 * counts for nothing.  0, or -1 if there was any.
 */
int conf_read(struct conf *conf, void (*say)(const char *text));

#endif /* _CONF_H_ */
