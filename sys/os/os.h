/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * os.h: the Linux side of the module.
 *
 *	swapcore_main.c	load and unload
 *	ctl.c		/sys/kernel/swapcore, /dev/swapcore
 *	arm.c		arming: everything a dump will need is reserved here
 *	arm_disk.c	the disk's part of that
 *	pin.c		keeps files and mappings where they are
 *	watch.c		whether disk and window are still what they were
 *	unit.c		where a disk is: controller, port, target, namespace
 *	own.c		the memory that a dump changes while it runs
 *	hook.c		the panic notifier, and what calls the dump core
 *	events.c	unbind, suspend, hotplug: when arming must end or move
 *	feed.c		hardware watchdogs, fed while a dump runs
 *	bus_linux.c	struct dumpdev_bus over a PCI function or platform device
 *	buffers.c	bounce buffers, which all armed devices share
 *	ram.c		RAM, and the class of each page
 *	md_linux.c	dump_md.h's answers
 *	regs.c		the registers of every CPU
 *	vmcoreinfo.c	VMCOREINFO's text
 */
#ifndef _OS_OS_H_
#define _OS_OS_H_

#include <linux/blkdev.h>
#include <linux/pci.h>
#include <linux/types.h>

#include <kern/dump.h>
#include <os/kcompat.h>

/* ---- vmcoreinfo.c ---- */

/* The note's text, NUL ended, in memory of kmalloc(); NULL. */
char *vmcoreinfo_text(u64 *paddr, u64 *size);
/* The number behind key at the start of a line; false: no such line. */
bool vmcoreinfo_hex(const char *text, const char *key, u64 *val);
bool vmcoreinfo_dec(const char *text, const char *key, u64 *val);
/* Up to len hexadecimal bytes behind key: how many. */
size_t vmcoreinfo_bytes(const char *text, const char *key, u8 *val, size_t len);

/* ---- buffers.c ---- */

#define BUFFERS_LEN	(1536u << 10)	/* what is in flight at most */
#define BUFFERS_CHUNK	(512u << 10)	/* contiguous: in one request */
#define BUFFERS_CHUNKS	(BUFFERS_LEN / BUFFERS_CHUNK)

struct buffers {
	void *chunk[BUFFERS_CHUNKS];	/* NULL: there was no memory */
	void *page;
};

/* How much of it one device has taken. */
struct buffers_taken {
	unsigned int chunk;
	size_t off;
	bool page;
};

void buffers_alloc(struct buffers *b);
void buffers_free(struct buffers *b);
/* A place of len bytes that the device has not taken yet; NULL. */
void *buffers_take(const struct buffers *b, struct buffers_taken *taken,
    size_t len);

/* ---- bus_linux.c ---- */

#define BUS_DMA_MAX	(DUMPDEV_MAXSLOTS + 64u)

/* What the device can reach. */
struct bus_dma {
	struct dumpdev_dma dma;
	bool shared;		/* of the buffers: only mapped */
};

struct bus_linux {
	struct dumpdev_bus bus;
	struct dumpdev_bus bridges[DUMPDEV_MAXBRIDGES];	/* nearest first */
	struct device *dev;	/* the controller */
	struct pci_dev *pdev;	/* the same; NULL: not on PCI */
	void __iomem *bar[DUMPDEV_NBARS];
	struct bus_dma dma[BUS_DMA_MAX];
	const struct buffers *buffers;
	struct buffers_taken taken;
};

void bus_linux_init(struct bus_linux *b, struct device *dev,
    const struct buffers *buffers);

/* ---- ram.c ---- */

/* Builds map->ram from the resource tree; freed by ram_free(). */
int ram_find(struct dump_map *map);
void ram_free(struct dump_map *map);
/* Was the page set aside for a crash kernel when ram_find() looked?  *npages is
 * how many pages from pa on share the answer. */
bool ram_is_aside(kpaddr_t pa, unsigned long *npages);
/* How many pages are, now. */
u64 ram_aside_pages(void);

/* ---- pages.c ---- */

/* How many of npages pages of RAM a dump at this level would have now. */
u64 pages_expected(u64 npages, u32 level);

/* ---- arm.c ---- */

#define ARM_STACK_SIZE	(32u << 10)
#define ARM_MAX_EXTENTS	16384u	/* each is compared with each other */

struct arm_config {
	char device[256];	/* as the administrator calls it */
	dev_t disk;		/* the whole disk */
	dev_t hold;		/* dump partition, ours alone; 0: none */
	dev_t mapping;		/* that is beneath the window; 0: none */
	int fd;			/* the file that is the window; -1: none */
	bool own;		/* the window is nobody else's */
	struct pin *pin;	/* see pin.c; or NULL */
	u8 arm_id[KCORE_IDLEN];
	u8 boot_id[KCORE_IDLEN];
	u32 level;
	unsigned int nextents;
	struct dump_extent *extents;	/* in 512-byte sectors */
	u64 *crash_notes;	/* of each CPU, nr_cpu_ids of them: physical
				   address; 0: not known */
};

/* What dumpmag's page holds: NetBSD's names, at addresses the header tells. */
struct arm_vars {
	u32 dumpmag;
	u32 dumpsize;		/* pages */
	u64 dumplo;		/* in blocks of 512 bytes */
	u64 dumpdev;		/* dev_t of the disk */
	u64 panicstr;		/* kernel address of panicbuf */
	char version[256];
	char panicbuf[512];
};

/* One device of the list. */
struct armed_disk {
	struct dump_device dev;	/* what the dump core sees of it */
	struct arm_config *cfg;
	struct dumpdev dd;
	struct bus_linux bus;
	struct events_watch *watch;	/* or NULL */
	struct gendisk *gd;		/* with a reference; or NULL */
	sector_t sectors;		/* that it has, as far as we know */
	kcompat_bdev *held_bdev;	/* open exclusively; or NULL */
	bool dev_locked;	/* the controller, while arming */
	bool no_d3cold;		/* somebody else forbade it before */
	struct dump_extent *blocks;	/* the extents in device blocks */
};

/* The list, and what its devices share: one at a time is dumped to. */
struct armed {
	struct dump dump;
	/* In order, ending in NULL.  A panic can come at any moment: what is
	 * in here is whole, and is taken out before it is given back. */
	const struct dump_device *list[DUMP_DEVICES_MAX + 1];
	struct buffers buffers;
	struct arm_vars *vars;	/* a page of its own */
	void *stack;		/* ARM_STACK_SIZE bytes */
};

static inline struct armed_disk *
armed_disk_of(const struct dump_device *dev)
{
	return container_of(dev, struct armed_disk, dev);
}

/* Refuses: notes the reason for `reason' and the log.  Returns error. */
__printf(2, 3) int arm_refuse(int error, const char *fmt, ...);
const char *arm_reason(void);
void arm_reason_clear(void);

/* Takes cfg over where it succeeds, as the last of the list; the caller holds
 * arm_lock. */
int arm(struct arm_config *cfg);
/* All of them.  why: for the log and `reason'; NULL where the administrator
 * asked. */
void disarm(const char *why);
/* This one, and all where it is the last. */
void disarm_disk(struct armed_disk *disk, const char *why);
/* Bytes of memory reserved. */
u64 arm_held(void);
/* Gives up for a while, or comes back, with the same configuration. */
void arm_suspend(const char *why);
void arm_resume(void);
void arm_config_free(struct arm_config *cfg);

extern struct mutex arm_lock;
extern struct armed *armed;		/* NULL: disarmed.  Under arm_lock */
extern bool arm_suspended;
extern bool arm_asleep;			/* the machine suspends: don't arm */

/* ---- arm_disk.c ---- */

/* Fills in what a dump needs of the disk that disk->cfg names.  0; -ENOMEM, or
 * an error after arm_refuse(): what is there goes back with arm_disk_free(). */
int arm_disk(struct armed_disk *disk, const struct buffers *buffers,
    struct block_device *bdev);
/* The controller's driver may go again; see arm_function(). */
void arm_disk_unlock(struct armed_disk *disk);
void arm_disk_free(struct armed_disk *disk);

/* ---- pin.c ---- */

/* Pins what cfg names: 0; -ENOMEM, or an error after arm_refuse(). */
int pin_take(struct arm_config *cfg);
void pin_drop(struct arm_config *cfg);
/* Is the window not what it was?  Why; NULL: it is.  Also after a panic. */
const char *pin_lost(const struct arm_config *cfg);

/* ---- watch.c ---- */

/* The caller holds arm_lock. */
void watch_begin(void);
void watch_fini(void);	/* after the last disarm */

/* ---- own.c ---- */

/* Calls fn for each physical range that a dump changes while it runs. */
void own_each(const struct armed *a,
    void (*fn)(void *arg, u64 start, u64 end, const char *what), void *arg);

/* ---- unit.c ---- */

/* What there are dump drivers for. */
#define UNIT_DRIVEN	"NVMe, SATA (AHCI), virtio-blk or virtio-scsi"

/* The controller that a disk hangs from, with a reference: a PCI function, or
 * virtio on the platform bus; NULL.  *via: the device on another bus between the
 * two, if there is one. */
struct device *unit_controller(struct gendisk *disk, struct device **via);
/* Which of the controller's disks it is: dumpdev.h's unit. */
int unit_find(const struct arm_config *cfg, struct block_device *bdev,
    const struct bus_linux *bus, u32 *unit);

/* ---- hook.c ---- */

int hook_init(struct armed *a);		/* armed: from now on a panic dumps */
void hook_fini(void);
/* Puts our notifier first; names those it moved behind in moved[]. */
void hook_first(void);
size_t hook_moved(char *buf, size_t len);
/* True since a dump began: no lock may be taken any more. */
extern bool hook_panicked;
/*
 * After the panic: what fn(arg) returned; -EFAULT where a fault ended it, and
 * hook_fault says which.  Locks that it held stay taken.
 */
int hook_guarded(int (*fn)(void *), void *arg);
extern struct hook_fault {
	const char *what;
	unsigned long ip, address;	/* address: of a page fault, or 0 */
} hook_fault;

/* ---- feed.c ---- */

/* Armed, arm_lock held: notes the watchdogs that are not known yet. */
void feed_find(void);
void feed_forget(void);
/* Their identities, one a line. */
size_t feed_list(char *buf, size_t len);
/* After the panic: those that run begin to count anew. */
void feed_watchdogs(void);

/* ---- regs.c ---- */

void regs_init(const struct armed *a);
void regs_fini(void);
/* The die notifier saw an oops with these registers. */
void regs_oopsed(const struct pt_regs *regs);
/* Bytes that the notes of all CPUs can take. */
size_t regs_notes_max(void);

/* ---- events.c ---- */

struct events_watch;

int events_init(void);
void events_fini(void);	/* after the last disarm */
/* Disarms when dev's driver is taken away.  ERR_PTR(-ENODEV): it has none. */
struct events_watch *events_watch(struct device *dev);
void events_unwatch(struct events_watch *w);

/* ---- ctl.c ---- */

int ctl_init(void);
void ctl_fini(void);

#endif /* _OS_OS_H_ */
