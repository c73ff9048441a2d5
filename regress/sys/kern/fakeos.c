// SPDX-License-Identifier: BSD-2-Clause
/*
 * fakeos.c: see fakeos.h.
 */
#include <stdlib.h>
#include <time.h>

#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include "fakeos.h"

struct fakeos fakeos;

void
fakeos_reset(uint64_t seed)
{
	memset(&fakeos, 0, sizeof(fakeos));
	memset(fakeos.value, 3, sizeof(fakeos.value));
	fakeos.now_us = 1000000;
	fakeos.fed_us = fakeos.now_us;
	fakeos.rng = seed;
	fakeos.level_max = KCORE_LEVEL_ZERO;
	fakeos.log_len = 1000;
	fakeos.notes_len = 64;
}

uint64_t
fakeos_seed(const char *what)
{
	const char *set = getenv("SEED");
	uint64_t seed = set != NULL ? strtoull(set, NULL, 0) :
	    (uint64_t)time(NULL);

	/* In the log, but not in what regress/tally.awk shows. */
	print_message("[ RUN      ] %s, SEED=%llu\n", what,
	    (unsigned long long)seed);
	return seed;
}

uint32_t
fakeos_random(uint32_t n)
{
	fakeos.rng = fakeos.rng * 6364136223846793005ull +
	    1442695040888963407ull;
	return (uint32_t)((fakeos.rng >> 33) % n);
}

void
fakeos_mark(uint64_t pfn, uint64_t n, enum fake_kind kind)
{
	memset(fakeos.kind + pfn, (int)kind, n);
}

void
fakeos_worth(uint64_t pfn, uint64_t n, unsigned int value)
{
	memset(fakeos.value + pfn, (int)value, n);
}

enum fake_kind
fakeos_kind(kpaddr_t pa)
{
	uint64_t pfn = pa / KCORE_ALIGN;

	if (fakeos.kind_fn != NULL)
		return fakeos.kind_fn(pfn);
	assert_true(pfn < FAKE_NPAGES);
	return (enum fake_kind)fakeos.kind[pfn];
}

static enum dump_state
kind_state(enum fake_kind kind, uint32_t level, unsigned int *count)
{
	switch (kind) {
	case FAKE_ZERO:
		*count = KCORE_COUNT_ZERO;
		return level & KCORE_LEVEL_ZERO ? DUMP_ZERO : DUMP_KEEP;
	case FAKE_CACHE:
		*count = KCORE_COUNT_CACHE;
		return level & KCORE_LEVEL_CACHE ? DUMP_FILTERED : DUMP_KEEP;
	case FAKE_USER:
		*count = KCORE_COUNT_USER;
		return level & KCORE_LEVEL_USER ? DUMP_FILTERED : DUMP_KEEP;
	case FAKE_FREE:
		*count = KCORE_COUNT_FREE;
		return level & KCORE_LEVEL_FREE ? DUMP_FILTERED : DUMP_KEEP;
	case FAKE_POISON:
		*count = KCORE_COUNT_UNREADABLE;
		return DUMP_LOST;
	default:
		*count = KCORE_NCOUNTS;
		return DUMP_KEEP;
	}
}

bool
fakeos_kept(kpaddr_t pa, uint32_t level)
{
	unsigned int count;

	return pa == fakeos.vars_paddr ||
	    kind_state(fakeos_kind(pa), level, &count) == DUMP_KEEP;
}

static void
page_fill(void *dst, kpaddr_t pa, uint64_t salt, size_t len)
{
	uint64_t *word = dst, first = (pa + salt) * 0x9e3779b97f4a7c15ull | 1;
	size_t i;

	for (i = 0; i < len / sizeof(*word); i++)
		word[i] = first + i * 0x100000001ull;
}

void
fakeos_page(void *dst, kpaddr_t pa)
{
	enum fake_kind kind = fakeos_kind(pa);

	memset(dst, 0, KCORE_ALIGN);
	if (pa == fakeos.vars_paddr)
		memcpy(dst, fakeos.vars, KCORE_ALIGN);
	else if (kind != FAKE_ZERO)
		page_fill(dst, pa, 0, kind == FAKE_LATE ? 1024 : KCORE_ALIGN);
}

void
fakeos_log(char *dst, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		dst[i] = (char)(i % 61 == 60 ? '\n' : 'a' + i % 23);
}

void
fakeos_notes(void *dst, size_t len)
{
	page_fill(dst, 77, 0, len);
}

/* ---- dump_md.h ---- */

uint64_t
md_now_us(void)
{
	return ++fakeos.now_us;
}

void
md_printf(const char *fmt, ...)
{
	char *to = fakeos.console + fakeos.console_len;
	size_t room = sizeof(fakeos.console) - fakeos.console_len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(to, room, fmt, ap);
	va_end(ap);
	assert_true(n > 0 && (size_t)n < room);
	assert_ptr_equal(strchr(to, '\n'), to + n - 1);
	assert_int_equal(strncmp(to, "swapcore: ", 10), 0);
	fakeos.console_len += (size_t)n;
}

uint64_t
md_classify(kpaddr_t pa, uint64_t npages, uint32_t level,
    enum dump_state *state, unsigned int *count)
{
	unsigned int other;
	uint64_t n;

	level &= ~KCORE_LEVEL_ZERO;
	*state = kind_state(fakeos_kind(pa), level, count);
	for (n = 1; n < npages; n++)
		if (kind_state(fakeos_kind(pa + n * KCORE_ALIGN), level,
		    &other) != *state || other != *count ||
		    (!fakeos.whole_answers && fakeos_random(64) == 0))
			break;
	fakeos.now_us += n * fakeos.classify_us;
	return n;
}

uint64_t
md_zeros(kpaddr_t pa, uint64_t npages, uint64_t *nzero)
{
	uint64_t n = 0, i;

	while (n < npages && fakeos_kind(pa + n * KCORE_ALIGN) != FAKE_ZERO)
		n++;
	for (i = n; i < npages &&
	    fakeos_kind(pa + i * KCORE_ALIGN) == FAKE_ZERO; i++)
		;
	*nzero = i - n;
	return n;
}

uint32_t
md_level_max(void)
{
	return fakeos.level_max;
}

unsigned int
md_page_value(kpaddr_t pa)
{
	if (fakeos.kind_fn != NULL)
		return 3;
	return fakeos.value[pa / KCORE_ALIGN];
}

bool
fakeos_vital(kpaddr_t pa)
{
	return pa / KCORE_ALIGN - fakeos.vital_pfn < fakeos.nvital;
}

/* Some come twice, and one is no RAM. */
void
md_vital_pages(kpaddr_t root, uint64_t npages,
    void (*fn)(void *cookie, kpaddr_t pa), void *cookie)
{
	uint64_t i;

	(void)root;
	(void)npages;
	fn(cookie, ~(kpaddr_t)0 << 12);
	for (i = 0; i < 2 * fakeos.nvital; i++)
		fn(cookie, (fakeos.vital_pfn + i / 2) * KCORE_ALIGN);
}

int
md_page_read(void *dst, kpaddr_t pa, bool more, struct md_xxh64 *x)
{
	/* Poisoned memory must not be touched. */
	if (more)
		assert_true(fakeos_kept(pa + KCORE_ALIGN, 0));
	fakeos.now_us += fakeos.read_us;
	if (pa != fakeos.vars_paddr && fakeos_kind(pa) == FAKE_RACY) {
		page_fill(dst, pa, ++fakeos.nracy, KCORE_ALIGN);
		md_xxh64_update(x, dst, KCORE_ALIGN);
		return 0;
	}
	fakeos_page(dst, pa);
	md_xxh64_update(x, dst, KCORE_ALIGN);
	return fakeos_kind(pa) == FAKE_LATE ? -EIO : 0;
}

size_t
md_log_tail(char *buf, size_t len)
{
	if (len > fakeos.log_len)
		len = fakeos.log_len;
	fakeos_log(buf, len);
	return len;
}

size_t
md_notes(void *buf, size_t len)
{
	if (len > fakeos.notes_len)
		len = fakeos.notes_len;
	fakeos_notes(buf, len);
	return len;
}

void
md_watchdog(void)
{
	uint64_t gap = fakeos.now_us - fakeos.fed_us;

	if (gap > fakeos.hungry_us)
		fakeos.hungry_us = gap;
	fakeos.fed_us = fakeos.now_us;
}

_Static_assert(sizeof(XXH64_state_t) <= sizeof(struct md_xxh64), "state");

void
md_xxh64_init(struct md_xxh64 *x)
{
	XXH64_reset((XXH64_state_t *)x->opaque, 0);
}

void
md_xxh64_update(struct md_xxh64 *x, const void *buf, size_t len)
{
	XXH64_update((XXH64_state_t *)x->opaque, buf, len);
}

uint64_t
md_xxh64_digest(const struct md_xxh64 *x)
{
	return XXH64_digest((const XXH64_state_t *)x->opaque);
}

uint64_t
md_xxh64(const void *buf, size_t len)
{
	return XXH64(buf, len, 0);
}
