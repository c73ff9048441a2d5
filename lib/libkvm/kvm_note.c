/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_note.c: the ELF notes in the dump's header, as elf(5) lays them out.
 */
#include <elf.h>
#include <string.h>

#include "kvm_private.h"

#define NOTE_PAD(n)	(((uint64_t)(n) + 3) & ~3ull)

bool
kvmi_note_next(const void *notes, size_t size, size_t *pos,
    struct kvmi_note *n)
{
	const uint8_t *p = notes;
	Elf64_Nhdr nh;
	uint64_t left, need;

	if (*pos > size || size - *pos < sizeof(nh))
		return false;
	memcpy(&nh, p + *pos, sizeof(nh));
	left = size - *pos - sizeof(nh);
	need = NOTE_PAD(nh.n_namesz) + nh.n_descsz;
	if (nh.n_namesz == 0 || need > left)
		return false;
	n->name = (const char *)(p + *pos + sizeof(nh));
	n->name_len = strnlen(n->name, nh.n_namesz);
	n->type = nh.n_type;
	n->desc = p + *pos + sizeof(nh) + NOTE_PAD(nh.n_namesz);
	n->len = nh.n_descsz;
	/* The last one's padding may be missing. */
	need = NOTE_PAD(nh.n_namesz) + NOTE_PAD(nh.n_descsz);
	*pos += sizeof(nh) + (need < left ? need : left);
	return true;
}

bool
kvmi_note_is(const struct kvmi_note *n, const char *name)
{
	return n->name_len == strlen(name) &&
	    memcmp(n->name, name, n->name_len) == 0;
}

size_t
kvmi_note_put(uint8_t *to, const struct kvmi_note *n)
{
	const Elf64_Nhdr nh = { (Elf64_Word)n->name_len + 1,
	    (Elf64_Word)n->len, n->type };
	const size_t desc = sizeof(nh) + NOTE_PAD(n->name_len + 1);
	const size_t size = desc + NOTE_PAD(n->len);

	if (to == NULL)
		return size;
	memset(to, 0, size);
	memcpy(to, &nh, sizeof(nh));
	memcpy(to + sizeof(nh), n->name, n->name_len);
	if (n->len > 0)
		memcpy(to + desc, n->desc, n->len);
	return size;
}
