/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * msg.c: messages, to standard error and to syslog's daemon facility.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "savecore.h"

#define MSG_MAX	4096

void
msg_open(void)
{
	/* At once: the worker can't open the socket any more. */
	openlog("savecore", LOG_PERROR | LOG_NDELAY, LOG_DAEMON);
}

void
msg(int pri, const char *fmt, ...)
{
	char text[MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	syslog(pri, "%s", text);
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
}
