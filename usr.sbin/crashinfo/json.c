/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.c: JSON on standard output.
 *
 * Strings of a dump are bytes in no known encoding: each byte becomes the
 * character of that number, U+0000 to U+00FF, so that none is lost and the
 * output is plain ASCII.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crashinfo.h"

static void
json_quote(const char *s, size_t len)
{
	size_t i;

	putchar('"');
	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c == '\n')
			printf("\\n");
		else if (c >= ' ' && c < 0x7f)
			putchar(c);
		else
			printf("\\u%04x", c);
	}
	putchar('"');
}

/* What stands before a value: a comma, and the key of a member. */
static void
json_begin(struct json *js, const char *key)
{
	if (js->more)
		printf(",\n");
	js->more = true;
	if (key != NULL) {
		json_quote(key, strlen(key));
		printf(": ");
	}
}

void
json_open(struct json *js, const char *key, char bracket)
{
	json_begin(js, key);
	printf("%c", bracket);
	js->more = false;
	assert(js->depth < JSON_DEPTH);
	js->open[js->depth++] = bracket;
}

void
json_close(struct json *js)
{
	assert(js->depth > 0);
	putchar(js->open[--js->depth] == '{' ? '}' : ']');
	js->more = true;
}

void
json_unwind(struct json *js, unsigned int depth)
{
	while (js->depth > depth)
		json_close(js);
}

void
json_text(struct json *js, const char *key, const char *text, size_t len)
{
	json_begin(js, key);
	json_quote(text, len);
}

void
json_string(struct json *js, const char *key, const char *s)
{
	if (s != NULL)
		json_text(js, key, s, strlen(s));
	else
		json_null(js, key);
}

void
json_number(struct json *js, const char *key, uint64_t n)
{
	json_begin(js, key);
	printf("%" PRIu64, n);
}

void
json_signed(struct json *js, const char *key, int64_t n)
{
	json_begin(js, key);
	printf("%" PRId64, n);
}

void
json_real(struct json *js, const char *key, double d)
{
	json_begin(js, key);
	printf("%.2f", d);
}

void
json_bool(struct json *js, const char *key, bool b)
{
	json_begin(js, key);
	printf(b ? "true" : "false");
}

void
json_address(struct json *js, const char *key, uint64_t n)
{
	json_begin(js, key);
	printf("\"0x%" PRIx64 "\"", n);
}

void
json_null(struct json *js, const char *key)
{
	json_begin(js, key);
	printf("null");
}
