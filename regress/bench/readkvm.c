/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * readkvm: one thing that libkvm does with a core, for timed.
 *
 *	readkvm core open
 *	readkvm core symbols file	the names in the file
 *	readkvm core ps			every thread
 *	readkvm core log
 *	readkvm core random file	words at the addresses in the file
 *	readkvm core sequential file	the ranges in the file
 *
 * The last line is its answer, for the others to agree with.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kvm.h>

#include "read.h"

#define NAMES_MAX	100000u

/* The sum of the addresses. */
static void
symbols(kvm_t *kd, const char *path)
{
	struct nlist *nl = calloc(NAMES_MAX + 1, sizeof(*nl));
	FILE *in = fopen(path, "r");
	unsigned long sum = 0;
	char line[512];
	size_t n = 0, i;

	if (nl == NULL || in == NULL)
		err(1, "%s", path);
	while (n < NAMES_MAX && fgets(line, sizeof(line), in) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		nl[n].n_name = strdup(line);
		if (nl[n++].n_name == NULL)
			err(1, NULL);
	}
	fclose(in);
	if (kvm_nlist(kd, nl) != 0)
		errx(1, "kvm_nlist: %s", kvm_geterr(kd));
	for (i = 0; i < n; i++)
		sum += nl[i].n_value;
	printf("answer %016lx\n", sum);
}

/* The number of threads, and the sum of their ids. */
static void
ps(kvm_t *kd)
{
	unsigned long threads = 0, sum = 0;
	struct kinfo_proc2 *p;
	struct kinfo_lwp *l;
	int np, nl, i, k;

	p = kvm_getproc2(kd, KERN_PROC_ALL, 0, sizeof(*p), &np);
	if (p == NULL)
		errx(1, "kvm_getproc2: %s", kvm_geterr(kd));
	for (i = 0; i < np; i++) {
		l = kvm_getlwps(kd, p[i].p_pid, p[i].p_paddr, sizeof(*l), &nl);
		if (l == NULL)
			errx(1, "kvm_getlwps: %s", kvm_geterr(kd));
		for (k = 0; k < nl; k++) {
			printf("%d %d %d %u %c %s\n", p[i].p_pid, l[k].l_lid,
			    p[i].p_ppid, p[i].p_ruid, l[k].l_state,
			    l[k].l_name);
			threads++;
			sum += (unsigned long)l[k].l_lid;
		}
	}
	printf("answer %lu %lu\n", threads, sum);
}

static void
kernel_log(kvm_t *kd)
{
	size_t len, i;
	char *text = kvm_dmesg(kd, 0, &len);
	unsigned long lines = 0;

	if (text == NULL)
		errx(1, "kvm_dmesg: %s", kvm_geterr(kd));
	fwrite(text, 1, len, stdout);
	for (i = 0; i < len; i++)
		lines += text[i] == '\n';
	printf("answer %lu\n", lines);
	free(text);
}

static void
get(void *cookie, uint64_t addr, void *buf, size_t len)
{
	kvm_t *kd = cookie;

	if (kvm_read(kd, addr, buf, len) != (ssize_t)len)
		errx(1, "kvm_read: %s", kvm_geterr(kd));
}

int
main(int argc, char **argv)
{
	char text[KVM_ERRBUFSZ];
	const char *what;
	kvm_t *kd;

	if (argc != 3 && argc != 4)
		errx(2, "usage: readkvm core open|symbols|ps|log|random|"
		    "sequential [file]");
	kd = kvm_openfiles(NULL, argv[1], NULL, O_RDONLY, text);
	if (kd == NULL)
		errx(1, "%s", text);
	what = argv[2];
	if (strcmp(what, "open") == 0)
		printf("answer -\n");
	else if (strcmp(what, "symbols") == 0 && argc == 4)
		symbols(kd, argv[3]);
	else if (strcmp(what, "ps") == 0)
		ps(kd);
	else if (strcmp(what, "log") == 0)
		kernel_log(kd);
	else if (strcmp(what, "random") == 0 && argc == 4)
		read_random(get, kd, argv[3]);
	else if (strcmp(what, "sequential") == 0 && argc == 4)
		read_sequential(get, kd, argv[3]);
	else
		errx(2, "%s: not known", what);
	kvm_close(kd);
	return 0;
}
