/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dumpon.h: what the parts of dumpon(8) know of each other.
 *
 * Functions that return int give 0, or -1 after one line on standard error that
 * says what is wrong and what to do about it, except where they say otherwise.
 */
#ifndef _DUMPON_H_
#define _DUMPON_H_

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <sys/kcore.h>

#define DUMPON_SYSDIR	"/sys/kernel/swapcore"
#define DUMPON_CONTROL	"/dev/swapcore"
#define DUMPON_MAX	8	/* devices in a list, as the module has it */

enum dumpon_mode {
	DUMPON_ARM,
	DUMPON_CONF,
	DUMPON_LABEL,
	DUMPON_OFF,
	DUMPON_LIST,
	DUMPON_ESTIMATE,
	DUMPON_TEST,
};

struct dumpon_opts {
	enum dumpon_mode mode;
	const char *device;
	const char *const *more;	/* the list behind it, ending in NULL;
					   or NULL */
	bool any;		/* go on where one of them is refused */
	const char *label;	/* the text of --label; "": none */
	int level;		/* -d; -1: the module's */
	bool force;
	bool verbose;
	bool accept_secrets;
	bool yes;		/* -y: --test does not ask */
};

/* The device to be armed or labelled, and where it lies on its disk. */
struct target {
	char device[PATH_MAX];	/* as given, or as found by its label */
	char name[64];		/* the kernel's name */
	unsigned int major;
	unsigned int minor;
	int fd;			/* a swap or dump file, open; or -1 */
	unsigned int disk_major;
	unsigned int disk_minor;
	unsigned int mapping_major;	/* beneath it; 0:0: none */
	unsigned int mapping_minor;
	struct target_extent *ext;	/* of the disk */
	size_t next;
	uint64_t count;		/* sectors, whole pages of 4096 bytes */
	bool labelled;		/* page 0 is a label, not a swap header */
};

struct target_extent {
	uint64_t first;		/* 512-byte sector of the disk */
	uint64_t count;
};

/* arm.c.  dumpon_arm(): 0 where all devices are armed, or with opts->any one. */
int dumpon_arm(const struct dumpon_opts *opts);
int dumpon_load(void);		/* the module */
int dumpon_off(const struct dumpon_opts *opts);

/* auto.c: arms what swapcore.conf(5) says, which may be the best there is. */
int auto_arm(const struct dumpon_opts *opts);

/* caps.c: refuses without the capabilities that the module will ask for. */
int caps_check(void);

/* target.c: finds the device; refuses where no dump could ever go. */
int target_find(struct target *t, const char *device);
void target_free(struct target *t);
/* Reads page 0: fails if it is neither swap's nor a good label. */
int target_check_page0(struct target *t);

/* place.c: where a block device is on its disk. */
struct place_segment {
	uint64_t start;		/* 512-byte sector of the device */
	uint64_t first;		/* and of the disk */
	uint64_t count;
};

struct place {
	unsigned int disk[2];	/* major, minor */
	unsigned int mapping[2];	/* or 0, 0: it is none */
	struct place_segment *segments;
	size_t n;
};

/* t: whose name is in a warning.  Nothing to free after -1. */
int place_find(struct place *p, const struct target *t, unsigned int maj,
    unsigned int min);
void place_free(struct place *p);
/* The sector of the disk; *count is lowered to the sectors that follow there,
 * and is 0 where there is no such sector. */
uint64_t place_map(const struct place *p, uint64_t sector, uint64_t *count);

/* label.c: labels a dump partition. */
int dumpon_label(const struct dumpon_opts *opts);
/* Is the page a label, and a good one? */
bool label_is(const void *page);
bool label_good(const void *page);

/* labelfind.c: the device that "LABEL=text" or "UUID=text" names; others name
 * themselves. */
int labelfind_device(char device[PATH_MAX], const char *spec);

/* secrets.c: refuses where a dump would undo what protects memory. */
int secrets_check(const struct target *t, const struct dumpon_opts *opts);

/* unsaved.c: refuses over a dump that nobody has saved. */
int unsaved_check(const struct target *t);

/* crashnotes.c: a line for each CPU whose registers panic() saves. */
void crashnotes_write(FILE *fp, bool verbose);

/* policy.c: makes the kernel call us at a panic; warns where it won't. */
void policy_apply(void);
/* Is crash_kexec_post_notifiers set? */
bool policy_post_notifiers(void);
/* What becomes of a dump where a kdump kernel is loaded; NULL: none is. */
const char *policy_kdump(void);

/* disks.c: a line for each disk of the machine: can it take dumps? */
void disks_list(void);

/* estimate.c: what a dump would need now, and whether the device has that. */
int estimate(const struct dumpon_opts *opts);

/* trial.c: tells, asks, and panics: comes back only where it did not. */
int trial(const struct dumpon_opts *opts);

/* last.c: prints where the last dump went. */
void last_tell(void);

/* status.c */
/* Prints bytes in the unit that suits them. */
void status_size(uint64_t bytes);
/* Whether a device that has these bytes has room for a dump. */
void status_room(const char *device, uint64_t has, uint64_t need);
/* The same of each that is armed. */
void status_rooms(uint64_t need);
/* Tells of the armed devices in their order, a line for each, the first of them
 * behind what is on the line; and whether a dump fits. */
void status_tell(void);
/* What was armed: n targets, in the module's order. */
void status_armed(const struct target *t, size_t n,
    const struct dumpon_opts *opts);
void status_list(const struct dumpon_opts *opts);
/* The armed devices, a line for each, in buf of STATUS_TEXT bytes: false if
 * there is none. */
#define STATUS_TEXT	4096
bool status_devices(char *buf);
/* Says what became of the devices that were armed before; failed: nothing else
 * is armed instead. */
void status_replaced(const char *before, bool failed);
/* Warns with the module's own reason; where it has none, with errno's text and
 * the file that could not be written. */
void status_warn_reason(const char *file);

#endif /* _DUMPON_H_ */
