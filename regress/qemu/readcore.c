// SPDX-License-Identifier: BSD-2-Clause
/*
 * readcore: read kernel memory from a dump through libkvm, for the tests.
 *
 *	readcore [-r] [-N kernel] core name|address:length|@thread ...
 *
 * Prints a line for each argument: the address, a blank, the bytes in
 * hexadecimal; a name without a length gets its address alone, a thread its
 * functions.  With -r, core is a raw dump device or an image of one.
 */
#include <sys/kcore.h>

#include <err.h>
#include <fcntl.h>
#include <kvm.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
read_raw_header(kvm_t *kd, const char *core)
{
	struct kvm_dumpinfo di;

	switch (kvm_dump_find(kd, NULL, 0, &di)) {
	case -1:
		errx(1, "%s: %s", core, kvm_geterr(kd));
	case 0:
		errx(1, "%s: no dump", core);
	default:
		break;
	}
	if (kvm_dump_mkheader64(kd, di.di_dumplo) <= 0)
		errx(1, "%s: %s", core, kvm_geterr(kd));
}

static unsigned long
find_name(kvm_t *kd, const char *name)
{
	struct nlist nl[2];

	memset(nl, 0, sizeof(nl));
	nl[0].n_name = name;
	if (kvm_nlist(kd, nl) == -1)
		errx(1, "%s: %s", name, kvm_geterr(kd));
	if (nl[0].n_type == N_UNDF)
		errx(1, "%s: no such name", name);
	return nl[0].n_value;
}

static void
print_memory(kvm_t *kd, unsigned long addr, size_t len)
{
	unsigned char *buf;
	ssize_t n;
	size_t i;

	if ((buf = malloc(len)) == NULL)
		err(1, "malloc");
	n = kvm_read(kd, addr, buf, len);
	if (n == -1)
		errx(1, "%#lx: %s", addr, kvm_geterr(kd));
	if ((size_t)n != len)
		errx(1, "%#lx: %zd bytes of %zu read", addr, n, len);
	putchar(' ');
	for (i = 0; i < len; i++)
		printf("%02x", buf[i]);
	free(buf);
}

static int
print_frame(void *cookie, const struct kvm_frame *f)
{
	(void)cookie;
	printf(" %s", f->kf_name != NULL ? f->kf_name : "?");
	return 0;
}

static void
print_stack(kvm_t *kd, const char *arg)
{
	printf("%s", arg);
	if (kvm_backtrace_tid(kd, atoi(arg + 1), print_frame, NULL) == -1)
		errx(1, "%s: %s", arg, kvm_geterr(kd));
	putchar('\n');
}

static void
print_place(kvm_t *kd, char *arg)
{
	unsigned long addr;
	char *colon;

	if ((colon = strchr(arg, ':')) != NULL)
		*colon = '\0';
	if (strncmp(arg, "0x", 2) == 0)
		addr = strtoul(arg, NULL, 16);
	else
		addr = find_name(kd, arg);
	printf("%#lx", addr);
	if (colon != NULL)
		print_memory(kd, addr, strtoul(colon + 1, NULL, 0));
	putchar('\n');
}

int
main(int argc, char **argv)
{
	const char *kernel = NULL;
	char errbuf[KVM_ERRBUFSZ];
	bool raw = false;
	kvm_t *kd;
	int ch, i;

	while ((ch = getopt(argc, argv, "N:r")) != -1)
		if (ch == 'N')
			kernel = optarg;
		else if (ch == 'r')
			raw = true;
		else
			return 2;
	if (optind == argc) {
		fprintf(stderr, "usage: readcore [-r] [-N kernel] core "
		    "name|address[:length]|@thread ...\n");
		return 2;
	}
	kd = kvm_openfiles(kernel, argv[optind], NULL, O_RDONLY, errbuf);
	if (kd == NULL)
		errx(1, "%s", errbuf);
	if (raw)
		read_raw_header(kd, argv[optind]);
	for (i = optind + 1; i < argc; i++)
		if (argv[i][0] == '@')
			print_stack(kd, argv[i]);
		else
			print_place(kd, argv[i]);
	if (kvm_close(kd) == -1)
		errx(1, "kvm_close");
	return 0;
}
