/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * last.c: where the last dump went, by what savecore(8) left in its directory.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf.h"
#include "dumpon.h"
#include "kernfile.h"
#include "text.h"

#define LAST_NAME	"info.last"
#define LAST_MAX	8192		/* info.N is a tenth of that */
#define LAST_VALUE	160

static void
last_no_complaint(const char *text)
{
	(void)text;		/* dumpon -a and savecore -a tell */
}

/* Whoever may write there can put anything in its place. */
static ssize_t
last_read(char *text, size_t len, const char *directory)
{
	struct stat st;
	ssize_t n = -1;
	int fd;

	fd = kernfile_open(O_RDONLY | O_NONBLOCK, "%s/" LAST_NAME, directory);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0) {
		errno = EINVAL;
		if (S_ISREG(st.st_mode))
			n = read(fd, text, len - 1);
	}
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n;
}

/* The value of `key: value' on a line, or of "key": "value" in JSON. */
static bool
last_value(char out[TEXT_ENCODED(LAST_VALUE)], const char *text,
    const char *key)
{
	const size_t len = strlen(key);
	const char *p;
	size_t n;

	for (p = text; p != NULL; p = strchr(p, '\n')) {
		p += strspn(p, "\n{\"");
		if (strncmp(p, key, len) != 0 ||
		    strchr("\":", p[len]) == NULL)
			continue;
		p += len;
		p += strspn(p, "\": ");
		n = strcspn(p, "\",\n");
		text_encode(out, TEXT_ENCODED(LAST_VALUE), p,
		    n < LAST_VALUE ? n : LAST_VALUE);
		return n > 0;
	}
	return false;
}

void
last_tell(void)
{
	char core[TEXT_ENCODED(LAST_VALUE)], time[TEXT_ENCODED(LAST_VALUE)];
	char text[LAST_MAX], verdict[TEXT_ENCODED(LAST_VALUE)];
	static struct conf conf;

	(void)conf_read(&conf, last_no_complaint);
	if (last_read(text, sizeof(text), conf.directory) == -1) {
		if (errno == ENOENT)
			printf("last dump: none in %s\n", conf.directory);
		else
			printf("last dump: %s/" LAST_NAME ": %s\n",
			    conf.directory, strerror(errno));
		return;
	}
	if (last_value(time, text, "time") &&
	    last_value(verdict, text, "verdict") &&
	    last_value(core, text, "core"))
		printf("last dump: of %s, %s, in %s/%s\n", time, verdict,
		    conf.directory, core);
	else
		printf("last dump: %s/" LAST_NAME " does not say\n",
		    conf.directory);
}
