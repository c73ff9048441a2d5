/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_end.c: the end of a raw device: which of its records are in force;
 * kvm_dump_find() and kvm_dump_setsaved().
 */
#include <errno.h>
#include <string.h>

#include "kvm_header.h"

static bool
end_same(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, KCORE_IDLEN) == 0;
}

/* Of two whole trailers the one in force; kcore(5). */
static const kcore_trailer_t *
end_choose(const struct kvmi_end *end, const kcore_trailer_t *a,
    const kcore_trailer_t *b)
{
	if (end_same(a->dump_id, b->dump_id))
		return a->seq > b->seq ? a : b;
	/* A new dump has begun over an old one. */
	if (end->have_early && end_same(a->dump_id, end->early.dump_id))
		return a;
	if (end->have_early && end_same(b->dump_id, end->early.dump_id))
		return b;
	return a->panic_time_ns > b->panic_time_ns ? a : b;
}

/* Does the early record count beside the trailer in force? */
static void
end_settle(struct kvmi_end *end)
{
	if (!end->have_early || !end->have_trailer ||
	    end_same(end->early.dump_id, end->tr.dump_id))
		return;
	/* A newer panic got no further; but an unsaved dump is more. */
	if (end->tr.state == KCORE_STATE_SAVED)
		end->have_trailer = false;
	else
		end->have_early = false;
}

/* Reads and checks one trailer: 1, 0 or -1 with a text. */
static int
end_trailer(kvm_t *kd, unsigned int slot, kcore_trailer_t *t,
    const struct kvmi_known *k)
{
	const uint64_t off = kvmi_trailer_off(kd, slot + 1);
	int rv = 1;

	if (kvmi_pread(kd, t, sizeof(*t), off) == -1)
		rv = -1;
	else if (kvmi_trailer_check(kd, t, slot, k) == -1)
		rv = 0;
	if (rv != 1)
		kvmi_prepend(kd, "trailer at %llu", (unsigned long long)off);
	return rv;
}

/* No record: the text becomes that of the one which says most. */
static int
end_none(kvm_t *kd, const kcore_trailer_t *t, const struct kvmi_known *k)
{
	unsigned int slot;
	int error = ENOENT;

	for (slot = 0; slot < 2 && error == ENOENT; slot++) {
		kvmi_trailer_check(kd, &t[slot], slot, k);
		error = errno;
	}
	if (error == ENOENT && kvmi_early_load(kd, &kd->end.early, k) == 0)
		error = errno;
	if (error == ENOENT)
		kvmi_err(kd, ENOENT, "no dump");
	else
		kvmi_prepend(kd, "no dump: record at the end");
	return error == ENOTSUP ? -1 : 0;
}

int
kvmi_end_look(kvm_t *kd, const struct kvmi_known *k)
{
	struct kvmi_end *end = &kd->end;
	kcore_trailer_t t[2];
	int have[2], early;

	memset(end, 0, sizeof(*end));
	if (kd->window <= KCORE_END_AREA) {
		kvmi_err(kd, ENOENT, "%llu bytes are too few for a dump",
		    (unsigned long long)kd->window);
		end->looked = true;
		return 0;
	}
	early = kvmi_early_load(kd, &end->early, k);
	have[0] = end_trailer(kd, 0, &t[0], k);
	have[1] = have[0] == -1 ? -1 : end_trailer(kd, 1, &t[1], k);
	if (have[1] == -1)
		return -1;
	end->looked = true;
	end->have_early = early == 1;
	end->have_trailer = have[0] || have[1];
	if (have[0] && have[1])
		end->tr = *end_choose(end, &t[0], &t[1]);
	else if (end->have_trailer)
		end->tr = t[have[1] != 0];
	end_settle(end);
	if (kd->hdr != NULL && (!end->have_trailer ||
	    !end_same(end->tr.dump_id, kd->hdr->dump_id)))
		kd->tr_matches = false;
	if (!end->have_trailer && !end->have_early)
		return end_none(kd, t, k);
	return 1;
}

static void
end_info(const struct kvmi_end *end, struct kvm_dumpinfo *di)
{
	const kcore_trailer_t *t = &end->tr;
	const kcore_early_t *e = &end->early;

	memset(di, 0, sizeof(*di));
	di->di_early = end->have_early;
	if (!end->have_trailer) {
		di->di_state = KCORE_STATE_EMPTY;
		di->di_time_ns = e->panic_time_ns;
		memcpy(di->di_arm_id, e->arm_id, KVM_IDLEN);
		memcpy(di->di_dump_id, e->dump_id, KVM_IDLEN);
		memcpy(di->di_release, e->release, sizeof(di->di_release));
		memcpy(di->di_panicstr, e->panicstr, sizeof(di->di_panicstr));
		return;
	}
	di->di_state = (int)t->state;
	di->di_error = (int)t->error;
	di->di_dumplo = (off_t)t->dumplo;
	di->di_seq = t->seq;
	di->di_data_size = t->data_size;
	di->di_data_valid = t->data_valid;
	di->di_time_ns = t->panic_time_ns;
	di->di_late_lost = t->late_lost;
	di->di_level = t->dump_level;
	memcpy(di->di_arm_id, t->arm_id, KVM_IDLEN);
	memcpy(di->di_dump_id, t->dump_id, KVM_IDLEN);
	memcpy(di->di_release, t->release, sizeof(di->di_release));
	memcpy(di->di_panicstr, t->panicstr, sizeof(di->di_panicstr));
}

int
kvm_dump_find(kvm_t *kd, const unsigned char (*known)[KVM_IDLEN],
    size_t nknown, struct kvm_dumpinfo *di)
{
	const struct kvmi_known k = { known, nknown };
	int rv;

	rv = kvmi_raw_check(kd, false) == -1 ? -1 : kvmi_end_look(kd, &k);
	if (rv == 1)
		end_info(&kd->end, di);
	else
		kvmi_report(kd);
	return rv;
}

/* A trailer for a dump that has only its early record. */
static void
end_from_early(const kvm_t *kd, kcore_trailer_t *t)
{
	const kcore_early_t *e = &kd->end.early;

	memset(t, 0, sizeof(*t));
	t->magic = KCORE_TRAILER_MAGIC;
	t->version = KCORE_VERSION;
	t->size = sizeof(*t);
	t->window_size = kd->window;
	t->nparts = 1;
	t->machine = e->machine;
	t->panic_time_ns = e->panic_time_ns;
	memcpy(t->arm_id, e->arm_id, KCORE_IDLEN);
	memcpy(t->dump_id, e->dump_id, KCORE_IDLEN);
	memcpy(t->release, e->release, sizeof(t->release));
	memcpy(t->panicstr, e->panicstr, sizeof(t->panicstr));
}

int
kvm_dump_setsaved(kvm_t *kd)
{
	struct kvmi_end *end = &kd->end;
	kcore_trailer_t t;

	if (kvmi_raw_check(kd, true) == -1)
		goto fail;
	if (!end->have_trailer && !end->have_early) {
		kvmi_err(kd, ENODEV, "no dump: kvm_dump_find() must find one "
		    "first");
		goto fail;
	}
	if (end->have_trailer)
		t = end->tr;
	else
		end_from_early(kd, &t);
	t.seq++;
	t.state = KCORE_STATE_SAVED;
	t.error = 0;
	t.cksum = kvmi_record_sum(&t, sizeof(t),
	    offsetof(kcore_trailer_t, cksum));
	if (kvmi_raw_write(kd, &t, sizeof(t), kvmi_trailer_off(kd, t.seq)) ==
	    -1) {
		kvmi_prepend(kd, "trailer");
		goto fail;
	}
	end->tr = t;
	end->have_trailer = true;
	return 0;
fail:
	kvmi_report(kd);
	return -1;
}
