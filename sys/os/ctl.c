// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * ctl.c: how dumpon(8) and an administrator speak with the module: files in
 * /sys/kernel/swapcore, and /dev/swapcore for what is longer than a page.  All
 * of it is text; dump(4) describes it.
 */
#include <linux/capability.h>
#include <linux/kobject.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include <os/os.h>

#define TEXT_MAX	(4u << 20)

static struct kobject *ctl_kobj;
static unsigned int ctl_level = KCORE_LEVEL_MAX;

/* ---- /dev/swapcore ---- */

static int
parse_extent(struct arm_config *cfg, const char *arg)
{
	struct dump_extent *e = &cfg->extents[cfg->nextents];

	if (cfg->nextents == ARM_MAX_EXTENTS)
		return arm_refuse(-E2BIG, "more than %u extents; choose a less "
		    "fragmented file", ARM_MAX_EXTENTS);
	if (sscanf(arg, "%llu %llu", &e->blk, &e->nblks) != 2)
		return -EINVAL;
	cfg->nextents++;
	return 0;
}

/* "crashnote CPU PADDR": where panic() will save that CPU's registers. */
static int
parse_crashnote(struct arm_config *cfg, const char *arg)
{
	unsigned int cpu;
	u64 paddr;

	if (sscanf(arg, "%u %llx", &cpu, &paddr) != 2 || cpu >= nr_cpu_ids ||
	    !pfn_valid(paddr >> PAGE_SHIFT))
		return -EINVAL;
	cfg->crash_notes[cpu] = paddr;
	return 0;
}

static int
parse_dev(const char *arg, dev_t *dev)
{
	unsigned int major, minor;

	if (sscanf(arg, "%u:%u", &major, &minor) != 2)
		return -EINVAL;
	*dev = MKDEV(major, minor);
	return 0;
}

/* "hold MAJOR:MINOR", or "hold file": the file is a dump file. */
static int
parse_hold(struct arm_config *cfg, const char *arg)
{
	cfg->own = true;
	return strcmp(arg, "file") == 0 ? 0 : parse_dev(arg, &cfg->hold);
}

static int
parse_line(struct arm_config *cfg, const char *key, const char *arg)
{
	if (strcmp(key, "device") == 0)
		return strscpy(cfg->device, arg, sizeof(cfg->device)) < 0 ?
		    -EINVAL : 0;
	if (strcmp(key, "disk") == 0)
		return parse_dev(arg, &cfg->disk);
	if (strcmp(key, "hold") == 0)
		return parse_hold(cfg, arg);
	if (strcmp(key, "mapping") == 0)
		return parse_dev(arg, &cfg->mapping);
	if (strcmp(key, "file") == 0)
		return kstrtoint(arg, 10, &cfg->fd);
	if (strcmp(key, "armid") == 0)
		return strlen(arg) != 2 * KCORE_IDLEN ? -EINVAL :
		    hex2bin(cfg->arm_id, arg, KCORE_IDLEN);
	if (strcmp(key, "bootid") == 0)
		return strlen(arg) != 2 * KCORE_IDLEN ? -EINVAL :
		    hex2bin(cfg->boot_id, arg, KCORE_IDLEN);
	if (strcmp(key, "level") == 0)
		return kstrtou32(arg, 10, &cfg->level);
	if (strcmp(key, "extent") == 0)
		return parse_extent(cfg, arg);
	if (strcmp(key, "crashnote") == 0)
		return parse_crashnote(cfg, arg);
	return -EINVAL;
}

static size_t
count_lines(const char *p)
{
	size_t n = 1;

	for (; *p; p++)
		n += *p == '\n';
	return n;
}

/* *add: behind what is armed already. */
static int
parse(struct arm_config *cfg, char *text, bool *add)
{
	unsigned int n = 0;
	char *line, *arg;

	while ((line = strsep(&text, "\n")) != NULL) {
		n++;
		if (n == 1) {
			if (strcmp(line, "swapcore 1") != 0)
				return arm_refuse(-EINVAL, "line 1 is not "
				    "\"swapcore 1\": dumpon(8) and the module "
				    "are of different versions");
			continue;
		}
		*add = strcmp(line, "add") == 0;
		if (*add || strcmp(line, "arm") == 0)
			break;
		arg = strchr(line, ' ');
		if (arg)
			*arg++ = '\0';
		if (!arg || parse_line(cfg, line, arg) != 0)
			return arm_refuse(-EINVAL, "line %u (\"%.32s\") is not "
			    "understood", n, line);
	}
	if (!line || !cfg->device[0] || !cfg->disk || cfg->nextents == 0 ||
	    !memchr_inv(cfg->arm_id, 0, KCORE_IDLEN))
		return arm_refuse(-EINVAL, "device, disk, armid, extent or the "
		    "closing \"arm\" or \"add\" is missing");
	if (cfg->level & ~md_level_max())
		return arm_refuse(-EINVAL, "dump level %u: it goes from 0, all "
		    "pages, to %u", cfg->level, md_level_max());
	return 0;
}

static bool
may_arm(void)
{
	return capable(CAP_SYS_ADMIN) && capable(CAP_SYS_RAWIO);
}

static ssize_t
ctl_write(struct file *file, const char __user *buf, size_t len, loff_t *off)
{
	struct arm_config *cfg;
	bool add = false;
	char *text;
	int error;

	if (!may_arm())
		return -EPERM;
	if (len > TEXT_MAX)
		return -E2BIG;
	text = vmemdup_user(buf, len);
	if (IS_ERR(text))
		return PTR_ERR(text);
	cfg = kzalloc(sizeof(*cfg), GFP_KERNEL);
	error = len > 0 && text[len - 1] == '\n' ? 0 : -EINVAL;
	if (!cfg) {
		error = -ENOMEM;
	} else if (error == 0) {
		text[len - 1] = '\0';
		cfg->level = ctl_level;
		cfg->fd = -1;
		cfg->extents = kvcalloc(count_lines(text),
		    sizeof(*cfg->extents), GFP_KERNEL);
		cfg->crash_notes = kvcalloc(nr_cpu_ids,
		    sizeof(*cfg->crash_notes), GFP_KERNEL);
		error = cfg->extents && cfg->crash_notes ? 0 : -ENOMEM;
	}
	if (error == 0) {
		mutex_lock(&arm_lock);
		error = parse(cfg, text, &add);
		if (error == 0 && !add)
			disarm(NULL);
		if (error == 0)
			error = arm(cfg);
		mutex_unlock(&arm_lock);
	}
	kvfree(text);
	if (error != 0) {
		arm_config_free(cfg);
		return error;
	}
	return (ssize_t)len;
}

static const struct file_operations ctl_fops = {
	.owner = THIS_MODULE,
	.write = ctl_write,
};

static struct miscdevice ctl_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "swapcore",
	.fops = &ctl_fops,
	.mode = 0600,
};

/* ---- /sys/kernel/swapcore ---- */

#define CTL_SHOW(name)							\
static ssize_t name##_show(struct kobject *kobj,			\
    struct kobj_attribute *attr, char *buf)

CTL_SHOW(state)
{
	return sysfs_emit(buf, "%s\n", hook_panicked ? "dumping" :
	    armed ? "armed" : arm_suspended ? "suspended" : "disarmed");
}

/* A line for each device, in their order; none, where nothing is armed. */
static ssize_t
show_disks(char *buf, int (*line)(char *, int, const struct armed_disk *),
    const char *none)
{
	unsigned int i;
	int n = 0;

	mutex_lock(&arm_lock);
	for (i = 0; armed && armed->list[i]; i++)
		n += line(buf, n, armed_disk_of(armed->list[i]));
	if (!armed)
		n = sysfs_emit(buf, "%s\n", none);
	mutex_unlock(&arm_lock);
	return n;
}

static int
device_line(char *buf, int n, const struct armed_disk *disk)
{
	return sysfs_emit_at(buf, n, "%s\n", disk->cfg->device);
}

static int
driver_line(char *buf, int n, const struct armed_disk *disk)
{
	return sysfs_emit_at(buf, n, "%s\n", disk->dd.ops->name);
}

static int
window_line(char *buf, int n, const struct armed_disk *disk)
{
	return sysfs_emit_at(buf, n, "%llu\n", disk->dev.w.size);
}

/* The level of the next arming is in `level': this is what a panic uses. */
static int
armed_level_line(char *buf, int n, const struct armed_disk *disk)
{
	return sysfs_emit_at(buf, n, "%u\n", disk->cfg->level);
}

CTL_SHOW(device)
{
	return show_disks(buf, device_line, "");
}

CTL_SHOW(driver)
{
	return show_disks(buf, driver_line, "");
}

CTL_SHOW(window)
{
	return show_disks(buf, window_line, "0");
}

CTL_SHOW(armed_level)
{
	return show_disks(buf, armed_level_line, "");
}

/* What a dump to the first device would need in its window, now. */
static u64
estimate_of(const struct armed *a)
{
	const struct dump *d = &a->dump;
	const u64 size = pages_expected(d->map.npages, a->list[0]->level) *
	    PAGE_SIZE;

	return size + DUMP_CKSUM_SETS * dump_cksum_size(size) +
	    dump_hdr_size(d->map.nram + 1024, 1024, d->notes_len) +
	    KCORE_END_AREA + KCORE_ALIGN;
}

CTL_SHOW(estimate)
{
	ssize_t n;

	mutex_lock(&arm_lock);
	n = sysfs_emit(buf, "%llu\n", armed ? estimate_of(armed) : 0);
	mutex_unlock(&arm_lock);
	return n;
}

CTL_SHOW(held)
{
	ssize_t n;

	mutex_lock(&arm_lock);
	n = sysfs_emit(buf, "%llu\n", arm_held());
	mutex_unlock(&arm_lock);
	return n;
}

CTL_SHOW(reason)
{
	ssize_t n;

	mutex_lock(&arm_lock);
	n = sysfs_emit(buf, "%s\n", arm_reason());
	mutex_unlock(&arm_lock);
	return n;
}

CTL_SHOW(moved)
{
	ssize_t n;

	mutex_lock(&arm_lock);
	n = (ssize_t)hook_moved(buf, PAGE_SIZE);
	mutex_unlock(&arm_lock);
	return n;
}

CTL_SHOW(watchdogs)
{
	ssize_t n;

	mutex_lock(&arm_lock);
	n = (ssize_t)feed_list(buf, PAGE_SIZE);
	mutex_unlock(&arm_lock);
	return n;
}

CTL_SHOW(level)
{
	return sysfs_emit(buf, "%u\n", ctl_level);
}

static ssize_t
level_store(struct kobject *kobj, struct kobj_attribute *attr,
    const char *buf, size_t len)
{
	unsigned int level;

	if (!may_arm())
		return -EPERM;
	if (kstrtouint(buf, 10, &level) != 0 || level > KCORE_LEVEL_MAX)
		return -EINVAL;
	ctl_level = level;
	return (ssize_t)len;
}

static ssize_t
disarm_store(struct kobject *kobj, struct kobj_attribute *attr,
    const char *buf, size_t len)
{
	if (!may_arm())
		return -EPERM;
	if (!sysfs_streq(buf, "1"))
		return -EINVAL;
	mutex_lock(&arm_lock);
	arm_reason_clear();
	disarm(NULL);
	mutex_unlock(&arm_lock);
	return (ssize_t)len;
}

/* It can be longer than a page, so it is a binary file. */
struct own_text {
	char *buf;
	size_t room, used;
};

#define OWN_LINE	64u		/* more than any has */

static void
own_count(void *arg, u64 start, u64 end, const char *what)
{
	((struct own_text *)arg)->room += OWN_LINE;
}

static void
own_line(void *arg, u64 start, u64 end, const char *what)
{
	struct own_text *t = arg;

	t->used += (size_t)scnprintf(t->buf + t->used, t->room - t->used,
	    "%llx-%llx %s\n", start, end, what);
}

static ssize_t
own_read(struct file *file, struct kobject *kobj, kcompat_bin_attr *attr,
    char *buf, loff_t off, size_t len)
{
	struct own_text t = { .room = OWN_LINE };
	ssize_t n = -ENOMEM;

	mutex_lock(&arm_lock);
	if (armed)
		own_each(armed, own_count, &t);
	t.buf = kvmalloc(t.room, GFP_KERNEL);
	if (armed && t.buf)
		own_each(armed, own_line, &t);
	mutex_unlock(&arm_lock);
	if (t.buf)
		n = memory_read_from_buffer(buf, len, &off, t.buf, t.used);
	kvfree(t.buf);
	return n;
}

#define CTL_RO(name) \
static struct kobj_attribute name##_attr = __ATTR(name, 0444, name##_show, NULL)

CTL_RO(state);
CTL_RO(device);
CTL_RO(driver);
CTL_RO(window);
CTL_RO(estimate);
CTL_RO(held);
CTL_RO(reason);
CTL_RO(moved);
CTL_RO(watchdogs);
CTL_RO(armed_level);
static const struct bin_attribute own_attr =
    __BIN_ATTR(own, 0400, own_read, NULL, 0);
static struct kobj_attribute level_attr =
    __ATTR(level, 0644, level_show, level_store);
static struct kobj_attribute disarm_attr =
    __ATTR(disarm, 0200, NULL, disarm_store);

static struct attribute *ctl_attrs[] = {
	&state_attr.attr, &device_attr.attr, &driver_attr.attr,
	&window_attr.attr, &estimate_attr.attr, &held_attr.attr,
	&reason_attr.attr, &moved_attr.attr, &armed_level_attr.attr,
	&watchdogs_attr.attr, &level_attr.attr, &disarm_attr.attr, NULL,
};

static const struct attribute_group ctl_group = {
	.attrs = ctl_attrs,
};

int
ctl_init(void)
{
	int error;

	ctl_kobj = kobject_create_and_add("swapcore", kernel_kobj);
	if (!ctl_kobj)
		return -ENOMEM;
	error = sysfs_create_group(ctl_kobj, &ctl_group);
	if (error == 0)
		error = sysfs_create_bin_file(ctl_kobj, &own_attr);
	if (error == 0)
		error = misc_register(&ctl_misc);
	if (error != 0)
		kobject_put(ctl_kobj);
	return error;
}

void
ctl_fini(void)
{
	misc_deregister(&ctl_misc);
	kobject_put(ctl_kobj);
}
