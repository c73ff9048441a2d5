// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * vmcoreinfo.c: the kernel's note for dump readers,
 * Documentation/admin-guide/kdump/vmcoreinfo.rst: lines of KEY=VALUE.
 */
#include <linux/elf.h>
#include <linux/io.h>
#include <linux/slab.h>

#include <os/os.h>

char *
vmcoreinfo_text(u64 *paddr, u64 *size)
{
	u64 pa = paddr_vmcoreinfo_note();
	const Elf64_Nhdr *nhdr = phys_to_virt(pa);
	const char *desc = (const char *)(nhdr + 1) +
	    ALIGN(nhdr->n_namesz, 4);

	if (nhdr->n_descsz == 0 || nhdr->n_descsz > VMCOREINFO_BYTES)
		return NULL;
	*paddr = pa;
	*size = VMCOREINFO_NOTE_SIZE;
	return kmemdup_nul(desc, nhdr->n_descsz, GFP_KERNEL);
}

static const char *
find(const char *text, const char *key)
{
	size_t len = strlen(key);

	while (text && *text) {
		if (strncmp(text, key, len) == 0)
			return text + len;
		text = strchr(text, '\n');
		if (text)
			text++;
	}
	return NULL;
}

static bool
number(const char *text, const char *key, unsigned int base, u64 *val)
{
	const char *p = find(text, key);
	char word[24];
	size_t n;

	if (!p)
		return false;
	n = strcspn(p, "\n");
	if (n == 0 || n >= sizeof(word))
		return false;
	memcpy(word, p, n);
	word[n] = '\0';
	return kstrtou64(word, base, val) == 0;
}

bool
vmcoreinfo_hex(const char *text, const char *key, u64 *val)
{
	return number(text, key, 16, val);
}

bool
vmcoreinfo_dec(const char *text, const char *key, u64 *val)
{
	return number(text, key, 10, val);
}

size_t
vmcoreinfo_bytes(const char *text, const char *key, u8 *val, size_t len)
{
	const char *p = find(text, key);
	size_t n;

	if (!p)
		return 0;
	for (n = 0; n < len; n++, p += 2)
		if (hex2bin(&val[n], p, 1) != 0)
			break;
	return n;
}
