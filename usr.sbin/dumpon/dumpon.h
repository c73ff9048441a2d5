/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dumpon.h: what the parts of dumpon(8) know of each other.
 *
 * Functions that return int give 0, or -1 after one line on standard error that
 * says what is wrong and what to do about it, except where they say otherwise.
 */
#ifndef _DUMPON_H_
#define _DUMPON_H_

#include <stdbool.h>
#include <stdint.h>

#define DUMPON_SYSDIR	"/sys/kernel/swapcore"
#define DUMPON_CONTROL	"/dev/swapcore"

enum dumpon_mode {
	DUMPON_ARM,
	DUMPON_OFF,
	DUMPON_LIST,
};

struct dumpon_opts {
	enum dumpon_mode mode;
	const char *device;
	bool force;
	bool verbose;
	bool accept_secrets;
};

/* The device to be armed, and where it lies on its disk. */
struct target {
	const char *device;	/* as given */
	char name[64];		/* the kernel's name */
	unsigned int major;
	unsigned int minor;
	unsigned int disk_major;
	unsigned int disk_minor;
	uint64_t first;		/* 512-byte sector of the disk */
	uint64_t count;		/* sectors, whole pages of 4096 bytes */
};

/* arm.c */
int dumpon_arm(const struct dumpon_opts *opts);
int dumpon_off(const struct dumpon_opts *opts);

/* target.c: finds the device and checks that a dump can go there. */
int target_find(struct target *t, const char *device);

/* secrets.c: refuses where encryption at rest would be undone. */
int secrets_check(const struct target *t, const struct dumpon_opts *opts);

/* unsaved.c: refuses over a dump that nobody has saved. */
int unsaved_check(const struct target *t);

/* policy.c: makes the kernel call us at a panic; warns where it won't. */
void policy_apply(void);

/* status.c */
void status_armed(const struct target *t, const struct dumpon_opts *opts);
void status_list(const struct dumpon_opts *opts);
/* Warns with the module's own reason; where it has none, with errno's text and
 * the file that could not be written. */
void status_warn_reason(const char *file);

#endif /* _DUMPON_H_ */
