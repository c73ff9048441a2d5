/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * msg.c: messages, to standard error and to syslog's daemon facility.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "savecore.h"

#define MSG_MAX	4096

/* Where both go to systemd's journal, each line should be there once. */
static bool
msg_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream != NULL && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	    fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev &&
	    st.st_ino == ino;
}

void
msg_open(void)
{
	int option = msg_is_journal() ? 0 : LOG_PERROR;

	/* At once: the worker can't open the socket any more. */
	openlog("savecore", option | LOG_NDELAY, LOG_DAEMON);
}

void
msg(int pri, const char *fmt, ...)
{
	char text[MSG_MAX];
	int error = errno;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	syslog(pri, "%s", text);
	errno = error;
}

void
msg_errno(int pri, const char *fmt, ...)
{
	char text[MSG_MAX];
	int error = errno;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	syslog(pri, "%s: %s", text, strerror(error));
	errno = error;
}
