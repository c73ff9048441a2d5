/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf.c: reads swapcore.conf(5).
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/kcore.h>

#include "conf.h"
#include "kernfile.h"

/* Parsers write only what is right: NULL, or what is wanted instead. */
static bool
conf_is_device(const char *word)
{
	return strncmp(word, "LABEL=", 6) == 0 ||
	    strncmp(word, "UUID=", 5) == 0 || word[0] == '/';
}

/* A blank in a name is \040, as in fstab(5). */
static void
conf_blanks(char *word)
{
	char *p;

	while ((p = strstr(word, "\\040")) != NULL) {
		*p = ' ';
		memmove(p + 1, p + 4, strlen(p + 4) + 1);
		word = p + 1;
	}
}

static const char *
conf_device(struct conf *conf, const char *value)
{
	char text[PATH_MAX], *word, *save = NULL;
	const bool alone = strcmp(value, CONF_AUTO) == 0 ||
	    strcmp(value, CONF_NONE) == 0;
	size_t n = 0;

	if (strlen(value) >= sizeof(conf->device))
		return "a shorter list";
	strcpy(text, value);
	for (word = strtok_r(text, " \t", &save); word != NULL;
	    word = strtok_r(NULL, " \t", &save)) {
		if (!alone && !conf_is_device(word))
			return "auto, none, or a list of LABEL=text, UUID=id "
			    "and paths from / on, where \\040 is a blank in a "
			    "name";
		if (++n > CONF_DEVICES)
			return "a list of at most 8 devices";
	}
	if (n == 0)
		return "auto, none, or a list of devices";
	strcpy(conf->device, value);
	n = 0;
	for (word = strtok_r(conf->device, " \t", &save); word != NULL;
	    word = strtok_r(NULL, " \t", &save)) {
		conf_blanks(word);
		conf->devices[n++] = word;
	}
	conf->devices[n] = NULL;
	return NULL;
}

static const char *
conf_directory(struct conf *conf, const char *value)
{
	if (value[0] != '/' || strlen(value) >= sizeof(conf->directory))
		return "a path from / on";
	strcpy(conf->directory, value);
	return NULL;
}

static const char *
conf_level(struct conf *conf, const char *value)
{
	static char want[48];
	unsigned long level;
	char *end;

	errno = 0;
	level = strtoul(value, &end, 10);
	if (!isdigit((unsigned char)value[0]) || *end != '\0' || errno != 0 ||
	    level > KCORE_LEVEL_MAX) {
		snprintf(want, sizeof(want), "a number from 0 to %u",
		    KCORE_LEVEL_MAX);
		return want;
	}
	conf->level = (int)level;
	return NULL;
}

/* Levels with commas between them. */
static const char *
conf_save_level(struct conf *conf, const char *value)
{
	static const char want[] = "up to 8 numbers from 0 to 31, with commas "
	    "between them";
	unsigned int levels[CONF_LEVELS], n = 0;
	const char *p = value;
	char *end;

	do {
		if (n == CONF_LEVELS || !isdigit((unsigned char)*p))
			return want;
		errno = 0;
		levels[n] = (unsigned int)strtoul(p, &end, 10);
		if (errno != 0 || end - p > 2 || levels[n] > KCORE_LEVEL_MAX)
			return want;
		n++;
		p = end + 1;
	} while (*end == ',');
	if (*end != '\0')
		return want;
	memcpy(conf->save_level, levels, sizeof(levels[0]) * n);
	conf->nsave_level = n;
	return NULL;
}

static const char *
conf_choice(bool *choice, const char *value, const char *no, const char *yes,
    const char *want)
{
	if (strcmp(value, no) != 0 && strcmp(value, yes) != 0)
		return want;
	*choice = strcmp(value, yes) == 0;
	return NULL;
}

static const char *
conf_compress(struct conf *conf, const char *value)
{
	if (strcmp(value, "no") == 0)
		conf->compress = CONF_PLAIN;
	else if (strcmp(value, "gzip") == 0)
		conf->compress = CONF_GZIP;
	else if (strcmp(value, "zstd") == 0)
		conf->compress = CONF_ZSTD;
	else
		return "no, gzip or zstd";
	return NULL;
}

static const char *
conf_accept_secrets(struct conf *conf, const char *value)
{
	return conf_choice(&conf->accept_secrets, value, "no", "yes",
	    "yes or no");
}

static const char *
conf_on_failure(struct conf *conf, const char *value)
{
	return conf_choice(&conf->swap_anyway, value, "keep", "swap",
	    "keep or swap");
}

static const struct {
	const char *key;
	const char *(*parse)(struct conf *conf, const char *value);
} conf_keys[] = {
	{ "accept-secrets", conf_accept_secrets },
	{ "compress", conf_compress },
	{ "device", conf_device },
	{ "directory", conf_directory },
	{ "level", conf_level },
	{ "on-failure", conf_on_failure },
	{ "save-level", conf_save_level },
};
#define CONF_NKEYS	(sizeof(conf_keys) / sizeof(conf_keys[0]))

/* Without the blanks at both ends. */
static char *
conf_trim(char *text)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	return text;
}

/* One line: 0, or -1 with what is wrong. */
static int
conf_line(struct conf *conf, char *line, char *why, size_t len)
{
	char *equals, *key, *value;
	const char *want;
	size_t i;

	key = conf_trim(line);
	if (key[0] == '\0' || key[0] == '#')
		return 0;
	equals = strchr(key, '=');
	if (equals == NULL) {
		snprintf(why, len, "is not key=value");
		return -1;
	}
	*equals = '\0';
	key = conf_trim(key);
	value = conf_trim(equals + 1);
	for (i = 0; i < CONF_NKEYS; i++)
		if (strcmp(key, conf_keys[i].key) == 0)
			break;
	if (i == CONF_NKEYS) {
		snprintf(why, len, "%.64s: there is no such key: see "
		    "swapcore.conf(5)", key);
		return -1;
	}
	want = conf_keys[i].parse(conf, value);
	if (want == NULL)
		return 0;
	snprintf(why, len, "%s=%.64s: wanted is %s", key, value, want);
	return -1;
}

/* What is not there is no failure: 0; otherwise says why, and -1. */
static int
conf_failed(const char *path, void (*say)(const char *))
{
	char text[PATH_MAX + 512];

	if (errno == ENOENT)
		return 0;
	snprintf(text, sizeof(text), "%s: %s", path, strerror(errno));
	say(text);
	return -1;
}

/* 0; -1: it can't be read, or not all of it makes sense, which was said. */
static int
conf_file(struct conf *conf, const char *path, void (*say)(const char *))
{
	char full[PATH_MAX], text[PATH_MAX + 512], why[256], *line = NULL;
	unsigned int number = 0;
	size_t cap = 0;
	FILE *fp;
	int r = 0;

	if (kernfile_path(full, sizeof(full), "%s", path) == -1 ||
	    (fp = fopen(full, "re")) == NULL)
		return conf_failed(path, say);
	while (getline(&line, &cap, fp) != -1) {
		number++;
		if (conf_line(conf, line, why, sizeof(why)) == 0)
			continue;
		snprintf(text, sizeof(text), "%s:%u: %s", path, number, why);
		say(text);
		r = -1;
	}
	if (ferror(fp)) {
		snprintf(text, sizeof(text), "%s: %s", path, strerror(errno));
		say(text);
		r = -1;
	}
	free(line);
	fclose(fp);
	return r;
}

static int
conf_filter(const struct dirent *de)
{
	size_t len = strlen(de->d_name);

	return de->d_name[0] != '.' && len > 5 &&
	    strcmp(de->d_name + len - 5, ".conf") == 0;
}

/* By bytes: the same order in every locale. */
static int
conf_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int
conf_read(struct conf *conf, void (*say)(const char *))
{
	struct dirent **names;
	char path[PATH_MAX];
	int i, n = -1, r;

	*conf = (struct conf){ .devices = { CONF_AUTO },
	    .directory = "/var/crash", .level = -1 };
	r = conf_file(conf, CONF_FILE, say);
	if (kernfile_path(path, sizeof(path), CONF_DIR) == 0)
		n = scandir(path, &names, conf_filter, conf_order);
	if (n == -1 && conf_failed(CONF_DIR, say) == -1)
		r = -1;
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", CONF_DIR,
		    names[i]->d_name);
		if (conf_file(conf, path, say) == -1)
			r = -1;
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return r;
}
