/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nvmevf: what makes an SR-IOV virtual function of an NVMe controller work,
 * for which the kernel has no file.
 *
 *	nvmevf release device		the primary controller gives up what it
 *					shares, with its next function reset
 *	nvmevf online device controller	gives a secondary controller queues and
 *					interrupts, and sets it online
 *	nvmevf attach device namespace controller
 *
 * device is the primary controller's, as /dev/nvme0.  The commands are the NVMe
 * base specification's Virtualization Management and Namespace Attachment.
 */
#include <sys/ioctl.h>

#include <linux/nvme_ioctl.h>

#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OP_NS_ATTACH	0x15
#define OP_VIRT_MGMT	0x1c

/* Virtualization Management: CDW10's action, and resource type. */
#define ACT_PRIMARY	0x1u
#define ACT_ASSIGN	0x8u
#define ACT_ONLINE	0x9u
#define TYPE_QUEUES	0u
#define TYPE_INTERRUPTS	1u

#define QUEUES		2	/* for commands to the controller, and for I/O */
#define INTERRUPTS	2

#define LIST_MAX	2048	/* words of a controller list */

static void
admin(int fd, struct nvme_admin_cmd *cmd, const char *what)
{
	int status = ioctl(fd, NVME_IOCTL_ADMIN_CMD, cmd);

	if (status == -1)
		err(1, "%s", what);
	if (status != 0)
		errx(1, "%s: status 0x%x", what, (unsigned int)status);
}

static void
virt(int fd, unsigned int action, unsigned int type, unsigned int controller,
    unsigned int count, const char *what)
{
	struct nvme_admin_cmd cmd = { .opcode = OP_VIRT_MGMT };

	cmd.cdw10 = controller << 16 | type << 8 | action;
	cmd.cdw11 = count;
	admin(fd, &cmd, what);
}

static void
attach(int fd, unsigned int namespace, unsigned int controller)
{
	/* How many, and which. */
	uint16_t list[LIST_MAX] = { 1, (uint16_t)controller };
	struct nvme_admin_cmd cmd = { .opcode = OP_NS_ATTACH };

	cmd.nsid = namespace;
	cmd.addr = (uintptr_t)list;
	cmd.data_len = sizeof(list);
	admin(fd, &cmd, "attach");
}

int
main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	unsigned int number[2] = { 0, 0 };
	int fd, i;

	for (i = 3; i < argc && i < 5; i++)
		number[i - 3] = (unsigned int)strtoul(argv[i], NULL, 0);
	fd = argc > 2 ? open(argv[2], O_RDWR) : -1;
	if (argc > 2 && fd == -1)
		err(1, "%s", argv[2]);
	if (strcmp(what, "release") == 0 && argc == 3) {
		virt(fd, ACT_PRIMARY, TYPE_QUEUES, 0, 0, "release queues");
		virt(fd, ACT_PRIMARY, TYPE_INTERRUPTS, 0, 0,
		    "release interrupts");
	} else if (strcmp(what, "online") == 0 && argc == 4) {
		virt(fd, ACT_ASSIGN, TYPE_QUEUES, number[0], QUEUES,
		    "assign queues");
		virt(fd, ACT_ASSIGN, TYPE_INTERRUPTS, number[0], INTERRUPTS,
		    "assign interrupts");
		virt(fd, ACT_ONLINE, 0, number[0], 0, "set online");
	} else if (strcmp(what, "attach") == 0 && argc == 5) {
		attach(fd, number[0], number[1]);
	} else {
		errx(2, "usage: nvmevf release device | "
		    "online device controller | "
		    "attach device namespace controller");
	}
	close(fd);
	return 0;
}
