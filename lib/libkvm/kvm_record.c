/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_record.c: what all records of the format have in common: checksums, pads
 * and texts; kcore(5).
 */
#include <string.h>

#define XXH_INLINE_ALL		/* the state is on the stack */
#include <xxhash.h>

#include "kvm_header.h"

uint64_t
kvmi_sum(const struct iovec *iov, size_t n)
{
	XXH64_state_t st;
	size_t i;

	XXH64_reset(&st, 0);
	for (i = 0; i < n; i++)
		XXH64_update(&st, iov[i].iov_base, iov[i].iov_len);
	return XXH64_digest(&st);
}

uint64_t
kvmi_sum_tables(kvm_t *kd, const struct iovec *iov, size_t n)
{
	XXH64_state_t st;
	size_t i, at, len;

	XXH64_reset(&st, 0);
	for (i = 0; i < n; i++)
		for (at = 0; at < iov[i].iov_len; at += len) {
			len = iov[i].iov_len - at;
			if (len > KVMI_SPILL_PIECE)
				len = KVMI_SPILL_PIECE;
			XXH64_update(&st, (const uint8_t *)iov[i].iov_base + at,
			    len);
			kvmi_spill_step(kd, KVMI_SPILL_ALL);
		}
	return XXH64_digest(&st);
}

uint64_t
kvmi_record_sum(const void *p, size_t len, size_t ckoff)
{
	static const uint8_t zero[8];
	uint8_t *b = (void *)(uintptr_t)p;
	const struct iovec iov[] = {
		{ b, ckoff },
		{ (void *)(uintptr_t)zero, sizeof(zero) },
		{ b + ckoff + sizeof(zero), len - ckoff - sizeof(zero) },
	};

	return kvmi_sum(iov, 3);
}

bool
kvmi_zero(const void *p, size_t len)
{
	const uint8_t *b = p;

	return len == 0 || (b[0] == 0 && memcmp(b, b + 1, len - 1) == 0);
}

bool
kvmi_text_ok(const char *s, size_t len)
{
	size_t n = strnlen(s, len);

	return n < len && kvmi_zero(s + n, len - n);
}
