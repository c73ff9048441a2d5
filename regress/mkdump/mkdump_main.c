/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mkdump: writes a test dump to a file; what is written and what memory holds
 * is told in mkdump.h.  Without options: a good raw dump of about 10 MiB of
 * memory (three runs, the last one past 4 GiB) on a swap device just as large
 * as needed.  Numbers may be hexadecimal (0x).  It prints where things lie, one
 * `name value` a line.
 *
 *	-c		a core file, not a raw dump
 *	-8		core file: 64-bit sizes even where 32 bits would do
 *	-w BYTES	window size		-o BYTES	dumplo
 *	-a BYTES	before the window	-A BYTES	after it
 *	-p swap|label|blank			page 0
 *	-r START:SIZE	a run of RAM (repeat; replaces the default layout)
 *	-s		memory is zeros and the file sparse
 *	-m FILE		memory from a file, offset = physical address; with -s,
 *			sparse behind its end
 *	-g VALUE	dumpmag's value		-G PADDR	its place
 *	-I PADDR:SIZE:OFFSET	the memory is a kernel's: its VMCOREINFO note,
 *			its page_offset_base (with -m, -l, -P, -T, -k)
 *	-l 4|5		levels of page tables	-P PADDR	their place
 *	-D BYTES	page size of the direct map
 *	-T PADDR:SIZE:PAGE	the kernel text	-k SLIDE
 *	-e MASK		encryption bits in page-table entries
 *	-M VA:PADDR:SIZE:PAGE	one more mapping (repeat)
 *	-x START:SIZE:KIND	in exclsegs (repeat; sorted)
 *	-X START:SIZE:KIND	in late[] of the trailers (repeat)
 *	-f START:SIZE	in many pieces: of each five pages one is there, and
 *			the others are left out in turn as kinds 1 and 2; no -x
 *	-N COUNT	NT_PRSTATUS notes
 *	-S inprogress|complete|failed|saved	-E ERRNO
 *	-q SEQ		of the newest trailer	-V BYTES	data_valid
 *	-y		early record and trailers only
 *	-Y		no early record
 *	-O		with -q 1: an older dump's trailer in the other slot
 *	-t new|old|both	torn trailers
 *	-i HEX32 arm id	-d HEX32 dump id	-b HEX32 boot id
 *	-L LEVEL	-u SECONDS of the panic, since 1970
 *	-z PANIC	-R RELEASE		-J TEXT of the kernel log
 *	-j TEXT		more lines of VMCOREINFO
 *	-F WHERE:OFFSET	invert a byte when all is written (repeat)
 *	-K WHERE:OFFSET:SIZE:VALUE	set bytes before checksums (repeat)
 *			WHERE: file seg cpu data cksum early odd even
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mkdump.h"

#define MAXLIST	256

struct lists {
	struct mkdump_run runs[MAXLIST];
	struct mkdump_map maps[MAXLIST];
	struct mkdump_excl excl[MAXLIST];
	struct mkdump_excl late[64];
	struct mkdump_poke pokes[MAXLIST];
	struct mkdump_flip flips[MAXLIST];
};

static void __attribute__((noreturn))
usage(void)
{
	fprintf(stderr, "usage: mkdump [-8cOsyY] [option value ...] file\n"
	    "See the head of mkdump_main.c.\n");
	exit(2);
}

static uint64_t
number(const char *s)
{
	char *end;
	uint64_t n = strtoull(s, &end, 0);

	if (*s == '\0' || *end != '\0')
		errx(2, "%s: not a number", s);
	return n;
}

/* Splits a:b:c into exactly n numbers. */
static void
numbers(const char *s, uint64_t *v, size_t n)
{
	char *copy = strdup(s), *rest = copy, *word;
	size_t i = 0;

	if (copy == NULL)
		err(2, NULL);
	while ((word = strsep(&rest, ":")) != NULL) {
		if (i == n)
			errx(2, "%s: %zu numbers wanted", s, n);
		v[i++] = number(word);
	}
	if (i != n)
		errx(2, "%s: %zu numbers wanted", s, n);
	free(copy);
}

/* The place of a word in a list of words that NULL ends. */
static unsigned int
word(const char *s, size_t len, const char *const *words)
{
	for (unsigned int i = 0; words[i] != NULL; i++)
		if (strlen(words[i]) == len && memcmp(words[i], s, len) == 0)
			return i;
	errx(2, "%s: not known", s);
}

static enum mkdump_where
where(const char *s, const char **rest)
{
	static const char *const words[] = { "file", "seg", "cpu", "data",
	    "cksum", "early", "odd", "even", NULL };
	size_t len = strcspn(s, ":");

	if (s[len] == '\0')
		errx(2, "%s: no offset", s);
	*rest = s + len + 1;
	return (enum mkdump_where)word(s, len, words);
}

static void
hex_id(const char *s, uint8_t *id)
{
	for (size_t i = 0; i < 16; i++)
		if (sscanf(s + 2 * i, "%2hhx", &id[i]) != 1 ||
		    strlen(s) != 32)
			errx(2, "%s: not 32 hexadecimal digits", s);
}

static void
room(size_t n, size_t max)
{
	if (n == max)
		errx(2, "more than %zu of one kind", max);
}

/* As many pieces as there can be. */
static void
fragment(struct mkdump_spec *spec, const char *arg)
{
	struct mkdump_excl *e;
	uint64_t v[2];

	numbers(arg, v, 2);
	spec->nexcl = v[1] / MKDUMP_PAGE / 5 * 4;
	if ((e = calloc(spec->nexcl + 1, sizeof(*e))) == NULL)
		err(2, NULL);
	for (size_t i = 0; i < spec->nexcl; i++)
		e[i] = (struct mkdump_excl){ v[0] + (i / 4 * 5 + i % 4) *
		    MKDUMP_PAGE, MKDUMP_PAGE, 1 + i % 2 };
	spec->excl = e;
}

/* Options that may be repeated. */
static void
list_option(struct mkdump_spec *spec, struct lists *l, int c, const char *arg)
{
	uint64_t v[4];
	const char *rest;

	switch (c) {
	case 'f': fragment(spec, arg); break;
	case 'r':
		if (spec->runs != l->runs)
			spec->nruns = 0;
		spec->runs = l->runs;
		room(spec->nruns, MAXLIST);
		numbers(arg, v, 2);
		l->runs[spec->nruns++] = (struct mkdump_run){ v[0], v[1] };
		break;
	case 'M':
		spec->maps = l->maps;
		room(spec->nmaps, MAXLIST);
		numbers(arg, v, 4);
		l->maps[spec->nmaps++] = (struct mkdump_map){ v[0], v[1], v[2],
		    v[3] };
		break;
	case 'x':
		spec->excl = l->excl;
		room(spec->nexcl, MAXLIST);
		numbers(arg, v, 3);
		l->excl[spec->nexcl++] = (struct mkdump_excl){ v[0], v[1],
		    (uint32_t)v[2] };
		break;
	case 'X':
		spec->late = l->late;
		room(spec->nlate, 64);
		numbers(arg, v, 3);
		l->late[spec->nlate++] = (struct mkdump_excl){ v[0], v[1],
		    (uint32_t)v[2] };
		break;
	case 'F':
		spec->flips = l->flips;
		room(spec->nflips, MAXLIST);
		l->flips[spec->nflips].where = where(arg, &rest);
		l->flips[spec->nflips++].off = number(rest);
		break;
	case 'K':
		spec->pokes = l->pokes;
		room(spec->npokes, MAXLIST);
		l->pokes[spec->npokes].where = where(arg, &rest);
		numbers(rest, v, 3);
		l->pokes[spec->npokes].off = v[0];
		l->pokes[spec->npokes].size = (unsigned int)v[1];
		l->pokes[spec->npokes++].value = v[2];
		break;
	}
}

/* Options with a number. */
static bool
number_option(struct mkdump_spec *spec, int c, const char *arg)
{
	uint64_t v[3];

	switch (c) {
	case 'w': spec->window = number(arg); break;
	case 'o': spec->dumplo = number(arg); break;
	case 'a': spec->prefix = number(arg); break;
	case 'A': spec->suffix = number(arg); break;
	case 'g': spec->dumpmag = (uint32_t)number(arg); break;
	case 'G': spec->dumpmag_paddr = number(arg); break;
	case 'l': spec->levels = (unsigned int)number(arg); break;
	case 'P': spec->ptd_paddr = number(arg); break;
	case 'D': spec->direct_page = number(arg); break;
	case 'k': spec->slide = number(arg); break;
	case 'e': spec->enc_mask = number(arg); break;
	case 'N': spec->nnotes = number(arg); break;
	case 'E': spec->error = (uint32_t)number(arg); break;
	case 'q': spec->seq = number(arg); break;
	case 'V': spec->data_valid = number(arg); break;
	case 'L': spec->level = (uint32_t)number(arg); break;
	case 'u': spec->time_ns = number(arg) * 1000000000; break;
	case 'I':
		numbers(arg, v, 3);
		spec->vmcoreinfo_paddr = v[0];
		spec->vmcoreinfo_size = v[1];
		spec->page_offset = v[2];
		break;
	case 'T':
		numbers(arg, v, 3);
		spec->text_paddr = v[0];
		spec->text_size = v[1];
		spec->text_page = v[2];
		break;
	default:
		return false;
	}
	return true;
}

/* Flags, and options with a word. */
static bool
word_option(struct mkdump_spec *spec, int c, const char *arg)
{
	static const char *const page0[] = { "swap", "label", "blank", NULL };
	static const char *const states[] = { "empty", "inprogress",
	    "complete", "failed", "saved", NULL };
	static const char *const torn[] = { "none", "new", "old", "both",
	    NULL };

	switch (c) {
	case 'c': spec->core = true; break;
	case '8': spec->seg64 = true; break;
	case 's': spec->sparse = true; break;
	case 'y': spec->early_only = true; break;
	case 'Y': spec->no_early = true; break;
	case 'O': spec->stale = true; break;
	case 'm': spec->memfile = arg; break;
	case 'i': hex_id(arg, spec->arm_id); break;
	case 'd': hex_id(arg, spec->dump_id); break;
	case 'b': hex_id(arg, spec->boot_id); break;
	case 'z': spec->panicstr = arg; break;
	case 'R': spec->release = arg; break;
	case 'J': spec->log = arg; break;
	case 'j': spec->info = arg; break;
	case 'S': spec->state = word(arg, strlen(arg), states); break;
	case 'p':
		spec->page0 = (enum mkdump_page0)word(arg, strlen(arg), page0);
		break;
	case 't':
		spec->torn = (enum mkdump_torn)word(arg, strlen(arg), torn);
		break;
	default:
		return false;
	}
	return true;
}

static void
info_print(const struct mkdump_info *info)
{
	printf("window %#jx\ndumplo %#jx\ncpu_off %#jx\ncpu_size %#jx\n"
	    "memsegs_off %#jx\nexclsegs_off %#jx\nnmemsegs %ju\n"
	    "data_off %#jx\ndata_size %#jx\ndata_valid %#jx\n"
	    "cksum_off %#jx\ncksum_size %#jx\nearly_off %#jx\n",
	    (uintmax_t)info->window, (uintmax_t)info->dumplo,
	    (uintmax_t)info->cpu_off, (uintmax_t)info->cpu_size,
	    (uintmax_t)info->memsegs_off, (uintmax_t)info->exclsegs_off,
	    (uintmax_t)info->nmemsegs, (uintmax_t)info->data_off,
	    (uintmax_t)info->data_size, (uintmax_t)info->data_valid,
	    (uintmax_t)info->cksum_off, (uintmax_t)info->cksum_size,
	    (uintmax_t)info->early_off);
}

int
main(int argc, char **argv)
{
	static struct lists lists;
	struct mkdump_spec spec;
	struct mkdump_info info;
	int c;

	mkdump_init(&spec);
	while ((c = getopt(argc, argv, "8cOsyYw:o:a:A:p:r:m:g:G:I:l:P:D:T:k:e:M:"
	    "f:x:X:N:S:E:q:V:t:i:d:b:L:u:z:R:J:j:F:K:")) != -1) {
		if (c == '?')
			usage();
		if (!number_option(&spec, c, optarg) &&
		    !word_option(&spec, c, optarg))
			list_option(&spec, &lists, c, optarg);
	}
	if (argc - optind != 1)
		usage();
	if (mkdump_write(&spec, argv[optind], &info) == -1)
		errx(1, "%s: %s", argv[optind], info.err);
	info_print(&info);
	return 0;
}
