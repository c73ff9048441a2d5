/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake.h: a tree of files that stands for /sys, /proc, /dev and /var, and what
 * a program says.
 */
#ifndef FAKE_H
#define FAKE_H

#include <stdbool.h>
#include <stddef.h>

/* A tree with the module loaded and disarmed; nothing else.  The root is what
 * kernfile_root() returns. */
void fake_create(void);
void fake_destroy(void);

/* Each test has a tree of its own. */
int fake_setup(void **state);
int fake_teardown(void **state);
#define TEST(f)	cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)

/* A file with its parents; what is there is replaced. */
void fake_file(const char *path, const char *text);
void fake_link(const char *path, const char *target);
void fake_remove(const char *path);
/* The file's text, until the next call. */
const char *fake_text(const char *path);
/* The path with the root before it, until the next call. */
const char *fake_path(const char *path);

/* A mapping of 64 MiB: /dev/dm-0, 253:0. */
void fake_volume(const char *signature);

/*
 * A partition of 64 MiB of the NVMe disk 259:0, with the signature given at the
 * end of page 0: /dev/nvme0n1p2, 259:2, from sector 2048 on.
 */
void fake_partition(const char *signature);
/* The same device with another signature. */
void fake_partition_signature(const char *signature);
/* The whole virtio disk /dev/vda, 254:0, 64 MiB. */
void fake_disk(const char *signature);

/* Opening a device with O_EXCL fails with EBUSY. */
void fake_busy(bool busy);

/* Collects standard output and error until fake_said() returns them. */
void fake_listen(void);
const char *fake_said(void);

#endif /* FAKE_H */
