/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * saving.h: what tests of savecore do and look at over and over.
 */
#ifndef SAVING_H
#define SAVING_H

#include <sys/kcore.h>

#include "sandbox.h"

#define CHUNK	(1u << 20)

/* A sandbox with a small good dump. */
int saving_setup(void **state);
int saving_teardown(void **state);
#define TEST(f)	\
	cmocka_unit_test_setup_teardown(f, saving_setup, saving_teardown)

int save(struct sandbox *s);
int save_forced(struct sandbox *s);
int check(struct sandbox *s);

/* The path of a file in the directory, until the next call. */
const char *in_dir(const struct sandbox *s, const char *name);
void put_in_dir(const struct sandbox *s, const char *name, const char *text);

/* Mounts it for this process and what it starts; skips the test where that is not
 * allowed. */
void assert_mounted(const char *from, const char *to, const char *type,
    unsigned long flags, const char *options);
/* From now on the system call fails, in this process and what it starts. */
void deny(int call, int error);
/* Refused: exit 1, nothing saved, nothing cleared, and said so. */
void assert_refused(struct sandbox *s, int status, const char *what);
/* The header of a saved core. */
cpu_kcore_hdr_t core_header(const struct sandbox *s, const char *name);
/* The first bytes of a file in the directory are the text. */
void assert_text(const struct sandbox *s, const char *name, const char *text);

#endif /* SAVING_H */
