// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * pin.c: keeps the window where it is while it is armed.  What the extents speak
 * of is a file, or a mapping of the device mapper, or a file on a mapping; and
 * both can be moved while they are used.
 *
 * A swap file in use is pinned by swapon(2): until swapoff(8) nobody writes to it,
 * shortens or removes it, and its blocks stay.  A dump file gets the same mark
 * from us.  A mapping is kept open, so that it is not removed; but a new table
 * can be loaded into it at any time.  A probe sees that, because a table must not
 * be looked at after the panic.
 *
 * What happened is found at the panic in any case; and by watch.c before that, so
 * that somebody reads of it.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kprobes.h>
#include <linux/slab.h>

#include <os/kcompat.h>
#include <os/os.h>

struct pin {
	struct file *file;		/* or NULL */
	bool ours;			/* a dump file: the marks are ours */
	struct timespec64 ctime;	/* of a swap file */
	kcompat_bdev *mapping;		/* or NULL */
	void *md;			/* the mapping, as its code knows it */
	bool reloaded;
	bool probing;
	struct kprobe probe;
};

/* A new table comes into force: dm_swap_table(md, table). */
static int
on_swap_table(struct kprobe *probe, struct pt_regs *regs)
{
	struct pin *pin = container_of(probe, struct pin, probe);

	if ((void *)regs_get_kernel_argument(regs, 0) == pin->md)
		WRITE_ONCE(pin->reloaded, true);
	return 0;
}

static int
pin_mapping(struct pin *pin, const struct arm_config *cfg)
{
	int error;

	pin->mapping = kcompat_bdev_open(cfg->mapping, NULL);
	if (IS_ERR(pin->mapping)) {
		error = (int)PTR_ERR(pin->mapping);
		pin->mapping = NULL;
		return arm_refuse(error, "%s: the mapping %u:%u beneath it "
		    "can't be opened (error %d)", cfg->device,
		    MAJOR(cfg->mapping), MINOR(cfg->mapping), -error);
	}
	pin->md = kcompat_bdev_of(pin->mapping)->bd_disk->private_data;
	pin->probe.symbol_name = "dm_swap_table";
	pin->probe.pre_handler = on_swap_table;
	error = register_kprobe(&pin->probe);
	if (error != 0)
		return arm_refuse(error, "%s: changes of the mapping beneath "
		    "it can't be seen (error %d); choose a partition",
		    cfg->device, -error);
	pin->probing = true;
	return 0;
}

/* The marks of swapon(2), for a file that is not swap. */
static int
pin_own(struct pin *pin, const struct arm_config *cfg)
{
	struct inode *inode = file_inode(pin->file);
	int error;

	error = deny_write_access(pin->file);
	if (error != 0)
		return arm_refuse(error, "%s: is open for writing; a dump file "
		    "must be free", cfg->device);
	inode_lock(inode);
	if (IS_SWAPFILE(inode))
		error = -EBUSY;
	else
		inode->i_flags |= S_SWAPFILE;
	inode_unlock(inode);
	if (error == 0) {
		pin->ours = true;
		return 0;
	}
	allow_write_access(pin->file);
	return arm_refuse(error, "%s: is in use as swap, although it has a "
	    "dump label", cfg->device);
}

static int
pin_file(struct pin *pin, const struct arm_config *cfg)
{
	struct inode *inode;

	pin->file = fget(cfg->fd);
	if (!pin->file)
		return arm_refuse(-EBADF, "%s: descriptor %u is not open",
		    cfg->device, cfg->fd);
	inode = file_inode(pin->file);
	if (!S_ISREG(inode->i_mode))
		return arm_refuse(-EINVAL, "%s: is not a regular file",
		    cfg->device);
	if (cfg->own)
		return pin_own(pin, cfg);
	pin->ctime = kcompat_ctime(inode);
	if (!IS_SWAPFILE(inode))
		return arm_refuse(-EINVAL, "%s: is not in use as swap, and "
		    "nothing keeps its blocks where they are; swapon(8) it "
		    "first", cfg->device);
	return 0;
}

static void
pin_free(struct pin *pin)
{
	struct inode *inode;

	if (pin->probing)
		unregister_kprobe(&pin->probe);
	if (pin->mapping)
		kcompat_bdev_close(pin->mapping, false);
	if (pin->ours) {
		inode = file_inode(pin->file);
		inode_lock(inode);
		inode->i_flags &= ~S_SWAPFILE;
		inode_unlock(inode);
		allow_write_access(pin->file);
	}
	if (pin->file)
		fput(pin->file);
	kfree(pin);
}

int
pin_take(struct arm_config *cfg)
{
	const char *why = pin_lost(cfg);
	struct pin *pin;
	int error = 0;

	if (why)
		return arm_refuse(-ESTALE, "%s; run dumpon again", why);
	if (cfg->pin || (cfg->fd < 0 && !cfg->mapping))
		return 0;
	pin = kzalloc(sizeof(*pin), GFP_KERNEL);
	if (!pin)
		return -ENOMEM;
	if (cfg->mapping)
		error = pin_mapping(pin, cfg);
	if (error == 0 && cfg->fd >= 0)
		error = pin_file(pin, cfg);
	if (error != 0) {
		pin_free(pin);
		return error;
	}
	cfg->pin = pin;
	return 0;
}

void
pin_drop(struct arm_config *cfg)
{
	if (cfg && cfg->pin) {
		pin_free(cfg->pin);
		cfg->pin = NULL;
	}
}

const char *
pin_lost(const struct arm_config *cfg)
{
	const struct pin *pin = cfg->pin;
	struct timespec64 now;

	if (!pin)
		return NULL;
	if (READ_ONCE(pin->reloaded))
		return "the mapping beneath it got another table";
	if (!pin->file)
		return NULL;
	if (!IS_SWAPFILE(file_inode(pin->file)))
		return "the swap file is not in use any more";
	now = kcompat_ctime(file_inode(pin->file));
	if (!pin->ours && timespec64_compare(&now, &pin->ctime) != 0)
		return "the swap file was changed";
	return NULL;
}
