/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * info.c: what there is to know of a dump without reading its memory, for
 * people and for programs.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sys/kcore.h>

#include "savecore.h"

#define INFO_NSEC	1000000000u

struct info {
	FILE *fp;
	bool json;
	bool more;		/* a fact stands before the next one */
};

static void
info_key(struct info *i, const char *key)
{
	if (i->json)
		fprintf(i->fp, "%s\"%s\": ", i->more ? ",\n" : "{", key);
	else
		fprintf(i->fp, "%s: ", key);
	i->more = true;
}

/* Text of the dump is encoded first, and is ASCII then. */
static void
info_text(struct info *i, const char *key, const char *text, size_t len)
{
	char out[TEXT_ENCODED(KCORE_ALIGN)];
	const char *p;

	text_encode(out, sizeof(out), text, len < KCORE_ALIGN ? len :
	    KCORE_ALIGN);
	info_key(i, key);
	if (!i->json) {
		fprintf(i->fp, "%s\n", out);
		return;
	}
	putc('"', i->fp);
	for (p = out; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			putc('\\', i->fp);
		putc(*p, i->fp);
	}
	putc('"', i->fp);
}

static void
info_number(struct info *i, const char *key, uint64_t n)
{
	info_key(i, key);
	fprintf(i->fp, "%" PRIu64 "%s", n, i->json ? "" : "\n");
}

static void
info_time(struct info *i, const char *key, uint64_t ns)
{
	const time_t when = (time_t)(ns / INFO_NSEC);
	char text[64] = "";
	struct tm tm;

	if (gmtime_r(&when, &tm) != NULL)
		strftime(text, sizeof(text), "%FT%TZ", &tm);
	info_text(i, key, text, sizeof(text));
}

static void
info_id(struct info *i, const char *key, const uint8_t *id)
{
	char text[DIR_NOTE_LEN + 1];

	dir_note_text(text, id);
	text[strcspn(text, "\n")] = '\0';
	info_text(i, key, text, sizeof(text));
}

static const char *
info_verdict(const struct copy *c)
{
	if (c->ndamaged > 0)
		return "damaged";
	if (c->size < c->planned)
		return "incomplete";
	return c->nunsure > 0 ? "unchecked" : "complete";
}

/* counts[] by name. */
static const struct {
	const char *key;
	unsigned int count;
} info_counts[] = {
	{ "pages_ram", KCORE_COUNT_RAM },
	{ "pages_dumped", KCORE_COUNT_DUMPED },
	{ "pages_zero", KCORE_COUNT_ZERO },
	{ "pages_cache", KCORE_COUNT_CACHE },
	{ "pages_cache_private", KCORE_COUNT_CACHE_PRIVATE },
	{ "pages_user", KCORE_COUNT_USER },
	{ "pages_free", KCORE_COUNT_FREE },
	{ "pages_truncated", KCORE_COUNT_TRUNCATED },
	{ "pages_unreadable", KCORE_COUNT_UNREADABLE },
	{ "pages_other", KCORE_COUNT_OTHER },
};

static void
info_facts(struct info *i, const struct dump *d, const struct copy *c,
    const char *core)
{
	const struct cpu_kcore_hdr *h = kvm_dump_hdr(d->kd);
	const char *name = strrchr(core, '/');
	size_t k;

	info_text(i, "verdict", info_verdict(c), 16);
	info_text(i, "panic", h->panicstr, sizeof(h->panicstr));
	info_time(i, "time", h->panic_time_ns);
	info_number(i, "uptime_s", h->uptime_ns / INFO_NSEC);
	info_text(i, "host", h->nodename, sizeof(h->nodename));
	info_text(i, "release", h->release, sizeof(h->release));
	info_text(i, "version", h->osversion, sizeof(h->osversion));
	info_text(i, "task", h->panic_comm, sizeof(h->panic_comm));
	info_number(i, "cpus", h->ncpus);
	info_text(i, "device", d->path, strlen(d->path));
	name = name != NULL ? name + 1 : core;
	info_text(i, "core", name, strlen(name));
	info_number(i, "level", h->dump_level);
	info_number(i, "bytes", c->size);
	info_number(i, "bytes_planned", c->planned);
	info_number(i, "chunks_damaged", c->ndamaged);
	info_number(i, "chunks_unchecked", c->nunsure);
	for (k = 0; k < sizeof(info_counts) / sizeof(info_counts[0]); k++)
		info_number(i, info_counts[k].key,
		    h->counts[info_counts[k].count]);
	info_id(i, "dump_id", h->dump_id);
	info_id(i, "boot_id", h->boot_id);
}

/* Ends a file: that it is not there is no reason to keep the dump. */
static void
info_commit(struct outfile *out)
{
	if (ferror(out->fp) == 0) {
		(void)outfile_commit(out);
		return;
	}
	msg(LOG_WARNING, "%s: can't be written", out->path);
	outfile_abort(out);
}

void
info_write(const struct dump *d, const struct copy *c, const char *core,
    const struct savecore_opts *opts)
{
	struct info text = { .json = false }, file = { .json = opts->json };
	struct outfile out;

	if (opts->output != NULL)
		return;
	if (outfile_create(&out, KEEPER_INFO, opts, KEEPER_PLAIN) == 0) {
		file.fp = out.fp;
		info_facts(&file, d, c, core);
		if (file.json)
			fputs("}\n", file.fp);
		info_commit(&out);
	}
	if (outfile_create(&out, KEEPER_FACTS, opts, KEEPER_PLAIN) == 0) {
		text.fp = out.fp;
		info_facts(&text, d, c, core);
		info_commit(&out);
	}
}
