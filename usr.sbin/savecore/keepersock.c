/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keepersock.c: messages with descriptors, and the names both sides know.
 */
#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "keeper.h"

/* Room for one descriptor, aligned. */
union keepersock_control {
	char buf[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

int
keeper_send(int sock, const void *buf, size_t len, int fd)
{
	struct iovec iov = { (void *)(uintptr_t)buf, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	union keepersock_control control;
	struct cmsghdr *c;
	ssize_t n;

	if (fd != -1) {
		memset(&control, 0, sizeof(control));
		m.msg_control = control.buf;
		m.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	do
		n = sendmsg(sock, &m, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == (ssize_t)len ? 0 : -1;
}

int
keeper_recv(int sock, void *buf, size_t len, int *fd)
{
	struct iovec iov = { buf, len };
	union keepersock_control control;
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf,
		/* Without the padding, which has room for a second one. */
		.msg_controllen = CMSG_LEN(sizeof(int)),
	};
	struct cmsghdr *c;
	ssize_t n;

	*fd = -1;
	do
		n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	if (n <= 0)
		return n == 0 ? 0 : -1;
	c = CMSG_FIRSTHDR(&m);
	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(c), sizeof(*fd));
	if (n == (ssize_t)len && (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
		return 1;
	if (*fd != -1)
		close(*fd);
	*fd = -1;
	errno = EPROTO;
	return -1;
}

void
keeper_name(char *name, const struct crashdir *dir, enum keeper_file what,
    unsigned int number, enum keeper_packing packing)
{
	static const char *const packed[] = {
		[KEEPER_PLAIN] = "",
		[KEEPER_GZIP] = ".gz",
		[KEEPER_ZSTD] = ".zst",
	};
	const char *const suffix[] = {
		[KEEPER_CORE] = dir->suffix,
		[KEEPER_KERNEL] = "",
		[KEEPER_LOG] = ".log",
		[KEEPER_NOTE] = ".damaged",
		[KEEPER_FACTS] = ".facts",
	};

	if (dir->output != NULL)
		snprintf(name, NAME_MAX + 1, "%s", dir->output);
	else if (what == KEEPER_INFO || what == KEEPER_DMESG)
		snprintf(name, NAME_MAX + 1, "%s.%u%s",
		    what == KEEPER_INFO ? "info" : "dmesg", number,
		    packed[packing]);
	else
		snprintf(name, NAME_MAX + 1, "linux.%u%s%s", number,
		    suffix[what], packed[packing]);
}
