/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crashkind.c: what kind of crash it was, by the panic message and the log, in
 * words that are the same each time it happens.
 *
 * The texts are those of Linux 5.10 to 7.2.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

/* Panic messages that have one of these texts, in this order. */
static const struct {
	const char *text, *kind;
	enum crash_where where;
} panics[] = {
	{ "sysrq triggered crash", "sysrq", CRASH_TOP },
	{ "softlockup", "soft lockup", CRASH_INTERRUPTED },
	{ "ard LOCKUP", "hard lockup", CRASH_INTERRUPTED },
	{ "hung_task", "hung task", CRASH_VICTIM },
	{ "RCU Stall", "RCU stall", CRASH_INTERRUPTED },
	{ "ut of memory", "out of memory", CRASH_NOWHERE },
	{ "deadlocked on memory", "out of memory", CRASH_NOWHERE },
	{ "Attempted to kill init", "init killed", CRASH_TOP },
	{ "Unable to mount root", "no root file system", CRASH_NOWHERE },
	{ "achine check", "machine check", CRASH_NOWHERE },
	{ "stack-protector", "stack corrupted", CRASH_TOP },
	{ "NMI: Not continuing", "NMI", CRASH_INTERRUPTED },
};

/* What an oops begins with; the last one in the log counts. */
enum { OOPS_PLAIN, OOPS_ANYWHERE, OOPS_FILE, OOPS_KASAN };
static const struct {
	const char *text, *kind;
	int how;
} oopses[] = {
	{ "BUG: kernel NULL pointer dereference", "NULL dereference",
	  OOPS_PLAIN },
	{ "BUG: unable to handle page fault", "page fault", OOPS_PLAIN },
	{ "stack guard page was hit", "stack overflow", OOPS_ANYWHERE },
	{ "kernel BUG at ", "BUG", OOPS_FILE },
	{ "WARNING: ", "WARNING", OOPS_FILE },
	{ "BUG: KASAN: ", "KASAN", OOPS_KASAN },
	{ "general protection fault", "general protection fault", OOPS_PLAIN },
	{ "divide error: ", "divide error", OOPS_PLAIN },
	{ "invalid opcode: ", "invalid opcode", OOPS_PLAIN },
	{ "double fault: ", "double fault", OOPS_PLAIN },
	{ "stack segment: ", "stack segment", OOPS_PLAIN },
	{ "int3: ", "int3", OOPS_PLAIN },
	{ "alignment check: ", "alignment check", OOPS_PLAIN },
	{ "control protection: ", "control protection", OOPS_PLAIN },
};
#define NOOPSES	(sizeof(oopses) / sizeof(oopses[0]))

bool
log_line(const char **at, const char **line, size_t *len)
{
	const char *p = *at;

	if (*p == '\0')
		return false;
	*at = p + strcspn(p, "\n");
	/* "[    1.500000] " */
	if (*p == '[' && p[1 + strspn(p + 1, " .0123456789")] == ']')
		p += 2 + strspn(p + 1, " .0123456789");
	p += *p == ' ';
	*line = p;
	*len = p < *at ? (size_t)(*at - p) : 0;
	*at += **at == '\n';
	return true;
}

/* Does a line begin with a text, with or without "Oops: " before it? */
static bool
kind_begins(const char *line, size_t len, const char *text)
{
	const size_t n = strlen(text);

	if (len > 6 && strncmp(line, "Oops: ", 6) == 0) {
		line += 6;
		len -= 6;
	}
	return len >= n && memcmp(line, text, n) == 0;
}

static bool
kind_has(const char *line, size_t len, const char *text)
{
	return memmem(line, len, text, strlen(text)) != NULL;
}

/*
 * "BUG mm/slub.c" of "... mm/slub.c:123 ...": of an absolute path, which names
 * the machine that the kernel was built on, the last component.
 */
static void
kind_file(char *buf, size_t size, const char *kind, const char *line,
    size_t len)
{
	const char *end, *start, *p;

	snprintf(buf, size, "%s", kind);
	for (end = line; end + 1 < line + len; end++)
		if (end[0] == ':' && isdigit((unsigned char)end[1]) &&
		    end > line + 1 && end[-2] == '.')
			break;
	if (end + 1 >= line + len)
		return;
	for (start = end; start > line && start[-1] != ' '; start--)
		;
	if (*start == '/' || *start == '.')
		for (p = start; p < end; p++)
			if (*p == '/')
				start = p + 1;
	snprintf(buf, size, "%s %.*s", kind, (int)(end - start), start);
}

/* "KASAN use-after-free" of "BUG: KASAN: use-after-free in f+0x1/0x2". */
static void
kind_kasan(char *buf, size_t size, const char *line, size_t len)
{
	const size_t skip = strlen("BUG: KASAN: ");
	const char *end = memmem(line, len, " in ", 4);

	snprintf(buf, size, "KASAN %.*s", end != NULL && end > line + skip ?
	    (int)(end - line - (ptrdiff_t)skip) : 0, line + skip);
}

/* The last oops, or warning, of the log: false, there is none. */
static bool
kind_oops(char *buf, size_t size, const char *log)
{
	size_t len, i, at = 0, bug = 0;
	const char *line;
	bool found = false;

	for (; log_line(&log, &line, &len); at++) {
		for (i = 0; i < NOOPSES; i++)
			if (oopses[i].how == OOPS_ANYWHERE ?
			    kind_has(line, len, oopses[i].text) :
			    kind_begins(line, len, oopses[i].text))
				break;
		/* The trap by which BUG() comes in is no oops of its own. */
		if (i == NOOPSES || (bug != 0 && at - bug < 4 &&
		    strcmp(oopses[i].kind, "invalid opcode") == 0))
			continue;
		/* Nor what the overflow of a stack leads to. */
		if (bug != 0 && at - bug < 4 &&
		    strcmp(oopses[i].kind, "double fault") == 0)
			continue;
		bug = at + 1;
		found = true;
		if (oopses[i].how == OOPS_FILE)
			kind_file(buf, size, oopses[i].kind, line, len);
		else if (oopses[i].how == OOPS_KASAN)
			kind_kasan(buf, size, line, len);
		else
			snprintf(buf, size, "%s", oopses[i].kind);
	}
	return found;
}

/* Is this word a number, which is another one the next time? */
static bool
kind_number(const char *word, size_t len)
{
	size_t i, digits = 0;

	if (isdigit((unsigned char)word[0]))
		return true;
	for (i = 0; i < len; i++) {
		if (!isxdigit((unsigned char)word[i]))
			return false;
		digits += isdigit((unsigned char)word[i]) != 0;
	}
	return digits > 0 || len >= 8;
}

/* The message with N for each number. */
static void
kind_message(char *buf, size_t size, const char *text)
{
	size_t n = (size_t)snprintf(buf, size, "panic "), len;

	while (*text != '\0' && *text != '\n' && n + 1 < size) {
		for (len = 0; isalnum((unsigned char)text[len]) ||
		    text[len] == '_'; len++)
			;
		if (len > 0 && kind_number(text, len))
			buf[n++] = 'N';
		else if (len == 0)
			buf[n++] = text[len++];
		else
			n += (size_t)snprintf(buf + n, size - n, "%.*s",
			    (int)len, text);
		text += len;
	}
	buf[n < size ? n : size - 1] = '\0';
}

/* The thread that the last "task NAME:TID blocked for more than" names. */
static int
kind_victim(const char *log)
{
	const char *line, *p;
	int tid = 0;
	size_t len;

	while (log_line(&log, &line, &len)) {
		p = memmem(line, len, " blocked for more than ", 23);
		if (!kind_begins(line, len, "INFO: task ") || p == NULL)
			continue;
		while (p > line && isdigit((unsigned char)p[-1]))
			p--;
		if (isdigit((unsigned char)*p) && p > line && p[-1] == ':')
			tid = (int)strtol(p, NULL, 10);
	}
	return tid;
}

void
crash_kind(struct crash_kind *kind, const char *panic, const char *log)
{
	size_t i;

	memset(kind, 0, sizeof(*kind));
	kind->where = CRASH_TOP;
	for (i = 0; i < sizeof(panics) / sizeof(panics[0]); i++)
		if (strstr(panic, panics[i].text) != NULL) {
			snprintf(kind->text, sizeof(kind->text), "%s",
			    panics[i].kind);
			kind->where = panics[i].where;
			break;
		}
	if (kind->where == CRASH_VICTIM && log != NULL)
		kind->tid = kind_victim(log);
	/* Any CPU may find out that another one stalls. */
	if (strcmp(kind->text, "RCU stall") == 0 &&
	    (log == NULL || strstr(log, "self-detected stall") == NULL))
		kind->where = CRASH_NOWHERE;
	if (kind->text[0] != '\0')
		return;
	if ((strncmp(panic, "Fatal exception", 15) == 0 || panic[0] == '\0' ||
	    strstr(panic, "panic_on_warn") != NULL ||
	    strstr(panic, "stack guard") != NULL) &&
	    log != NULL && kind_oops(kind->text, sizeof(kind->text), log))
		return;
	kind_message(kind->text, sizeof(kind->text),
	    panic[0] != '\0' ? panic : "without a message");
}
