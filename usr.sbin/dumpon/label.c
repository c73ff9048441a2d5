/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * label.c: page 0 of a dump partition; kcore(5).
 *
 * Labelling destroys what is there.  So it wants the device for itself, finds
 * no unsaved dump and nothing that libblkid knows, and reads back what it wrote.
 */
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <endian.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <blkid/blkid.h>
#include <xxhash.h>

#include "dumpon.h"
#include "kernfile.h"

#define SECTOR	512u

static uint64_t
label_sum(const kcore_label_t *label)
{
	kcore_label_t l = *label;

	l.cksum = 0;
	return XXH64(&l, sizeof(l), 0);
}

bool
label_is(const void *page)
{
	const kcore_label_t *l = page;

	return le64toh(l->magic) == KCORE_LABEL_MAGIC;
}

bool
label_good(const void *page)
{
	kcore_label_t l;

	memcpy(&l, page, sizeof(l));
	return label_is(&l) && l.version == KCORE_VERSION &&
	    l.size == sizeof(l) && l.label[sizeof(l.label) - 1] == '\0' &&
	    l.cksum == label_sum(&l);
}

static int
label_make(kcore_label_t *l, const struct target *t, const char *text)
{
	struct timespec now;

	memset(l, 0, sizeof(*l));
	if (strlen(text) >= sizeof(l->label)) {
		warnx("--label: the text has more than %zu bytes",
		    sizeof(l->label) - 1);
		return -1;
	}
	if (getrandom(l->uuid, sizeof(l->uuid), 0) !=
	    (ssize_t)sizeof(l->uuid) ||
	    clock_gettime(CLOCK_REALTIME, &now) == -1) {
		warn("random numbers and time");
		return -1;
	}
	l->magic = KCORE_LABEL_MAGIC;
	l->version = KCORE_VERSION;
	l->size = sizeof(*l);
	l->uuid[6] = (uint8_t)((l->uuid[6] & 0x0f) | 0x40);
	l->uuid[8] = (uint8_t)((l->uuid[8] & 0x3f) | 0x80);
	memcpy(l->label, text, strlen(text));
	l->window_size = t->count * SECTOR;
	l->made_ns = (uint64_t)now.tv_sec * 1000000000u +
	    (uint64_t)now.tv_nsec;
	l->cksum = label_sum(l);
	return 0;
}

static bool
label_same(const struct target *t, const struct stat *st)
{
	struct stat own;

	if (t->fd != -1)
		return fstat(t->fd, &own) == 0 && own.st_dev == st->st_dev &&
		    own.st_ino == st->st_ino;
	return S_ISBLK(st->st_mode) && major(st->st_rdev) == t->major &&
	    minor(st->st_rdev) == t->minor;
}

/* Is it one of the devices in /proc/swaps? */
static int
label_refuse_swap(const struct target *t)
{
	char text[16384], *line, *path, *save = NULL;
	struct stat st;
	int fd, r;

	(void)kernfile_read(text, sizeof(text), "/proc/swaps");
	line = strtok_r(text, "\n", &save);
	while (line != NULL && (line = strtok_r(NULL, "\n", &save)) != NULL) {
		path = line;
		path[strcspn(path, " \t")] = '\0';
		fd = kernfile_open(O_RDONLY | O_NONBLOCK, "%s", path);
		if (fd == -1)
			continue;
		r = fstat(fd, &st);
		close(fd);
		if (r == -1 || !label_same(t, &st))
			continue;
		warnx("%s: is in use as swap: swapoff(8) it first", t->device);
		return -1;
	}
	return 0;
}

/* What libblkid finds next: 1 with its name; 0: nothing more; -1. */
static int
label_probe(blkid_probe pr, const char **what)
{
	int r;

	r = blkid_do_probe(pr);
	if (r != 0)
		return r == 1 ? 0 : -1;
	if (blkid_probe_lookup_value(pr, "TYPE", what, NULL) == -1 &&
	    blkid_probe_lookup_value(pr, "PTTYPE", what, NULL) == -1)
		*what = "something";
	return 1;
}

static blkid_probe
label_prober(int fd)
{
	blkid_probe pr;

	pr = blkid_new_probe();
	if (pr != NULL && blkid_probe_set_device(pr, fd, 0, 0) == 0 &&
	    blkid_probe_enable_superblocks(pr, 1) == 0 &&
	    blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE |
	    BLKID_SUBLKS_MAGIC | BLKID_SUBLKS_BADCSUM) == 0 &&
	    blkid_probe_enable_partitions(pr, 1) == 0 &&
	    blkid_probe_set_partitions_flags(pr, BLKID_PARTS_MAGIC) == 0)
		return pr;
	blkid_free_probe(pr);
	return NULL;
}

/* Refuses over what is there; with -f removes the signatures of it. */
static int
label_clear(const struct target *t, int fd, const struct dumpon_opts *opts)
{
	unsigned char page[KCORE_ALIGN];
	const char *what;
	blkid_probe pr;
	int r;

	if (!opts->force &&
	    pread(fd, page, sizeof(page), 0) == (ssize_t)sizeof(page) &&
	    label_is(page)) {
		warnx("%s: has a dump label already: -f makes a new one",
		    t->device);
		return -1;
	}
	pr = label_prober(fd);
	if (pr == NULL) {
		warnx("%s: libblkid can't look at it", t->device);
		return -1;
	}
	while ((r = label_probe(pr, &what)) == 1) {
		if (!opts->force) {
			warnx("%s: holds %s, which a label destroys: -f writes "
			    "it all the same", t->device, what);
			break;
		}
		printf("%s: %s removed\n", t->device, what);
		if (blkid_do_wipe(pr, 0) != 0) {
			warn("%s: signature of %s", t->device, what);
			break;
		}
	}
	if (r == -1)
		warnx("%s: libblkid can't tell what is on it", t->device);
	blkid_free_probe(pr);
	return r == 0 ? 0 : -1;
}

static int
label_write(const struct target *t, int fd, const kcore_label_t *l)
{
	kcore_label_t back;

	if (pwrite(fd, l, sizeof(*l), 0) != (ssize_t)sizeof(*l) ||
	    fsync(fd) == -1) {
		warn("%s: write of the label", t->device);
		return -1;
	}
	(void)posix_fadvise(fd, 0, sizeof(back), POSIX_FADV_DONTNEED);
	if (pread(fd, &back, sizeof(back), 0) == (ssize_t)sizeof(back) &&
	    memcmp(&back, l, sizeof(back)) == 0)
		return 0;
	warnx("%s: the label is not there when read back", t->device);
	return -1;
}

static int
label_open(const struct target *t)
{
	int fd = kernfile_open(O_RDWR | O_EXCL, "%s", t->device);

	if (fd != -1)
		return fd;
	if (errno == EBUSY)
		warnx("%s: something else has it open for itself: an armed "
		    "dump partition needs dumpon off first", t->device);
	else if (errno == ETXTBSY)
		warnx("%s: is an armed dump file: dumpon off first", t->device);
	else
		warn("%s", t->device);
	return -1;
}

static int
label_target(const struct target *t, const struct dumpon_opts *opts)
{
	kcore_label_t l;
	int fd, r = -1;

	if (label_refuse_swap(t) == -1 ||
	    (!opts->force && unsaved_check(t) == -1) ||
	    label_make(&l, t, opts->label) == -1 ||
	    (fd = label_open(t)) == -1)
		return -1;
	if (label_clear(t, fd, opts) == 0)
		r = label_write(t, fd, &l);
	if (close(fd) == -1 && r == 0) {
		warn("%s", t->device);
		r = -1;
	}
	if (r == 0)
		printf("%s is a dump %s\n", t->device,
		    t->fd == -1 ? "partition" : "file");
	return r;
}

int
dumpon_label(const struct dumpon_opts *opts)
{
	struct target t;
	int r;

	if (target_find(&t, opts->device) == -1)
		return -1;
	r = label_target(&t, opts);
	target_free(&t);
	return r;
}
