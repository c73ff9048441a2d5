// SPDX-License-Identifier: BSD-2-Clause
/*
 * showcore: what a core file says of the machine that died, through libkvm.
 *
 *	showcore core [kernel]
 *
 * A small program to show the library's use: the header, and with a kernel (or
 * a name list of it) a few of its variables.
 */
#include <sys/kcore.h>

#include <ctype.h>
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <kvm.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SHOW_TEXT	160u

/* Strings from a dump are not to be trusted with a terminal. */
static void
show_text(const char *what, const char *text, size_t len)
{
	size_t i;

	printf("%-16s", what);
	for (i = 0; i < len && text[i] != '\0' && text[i] != '\n'; i++)
		putchar(isprint((unsigned char)text[i]) ? text[i] : '?');
	putchar('\n');
}

static void
show_header(const cpu_kcore_hdr_t *hdr)
{
	time_t when = (time_t)(hdr->panic_time_ns / 1000000000u);
	char text[64] = "unknown";
	struct tm tm;

	show_text("panic", hdr->panicstr, sizeof(hdr->panicstr));
	show_text("task", hdr->panic_comm, sizeof(hdr->panic_comm));
	show_text("release", hdr->release, sizeof(hdr->release));
	show_text("version", hdr->osversion, sizeof(hdr->osversion));
	if (localtime_r(&when, &tm) != NULL)
		strftime(text, sizeof(text), "%F %T %Z", &tm);
	show_text("went down at", text, sizeof(text));
	printf("%-16s%" PRIu64 ".%03" PRIu64 " s\n", "uptime",
	    hdr->uptime_ns / 1000000000u, hdr->uptime_ns / 1000000u % 1000u);
	printf("%-16s%" PRIu64 " MiB of memory in %" PRIu64 " pieces\n",
	    "holds", hdr->data_size >> 20, hdr->nmemsegs);
	printf("%-16s%" PRIu32 " CPUs, KASLR slide %#" PRIx64
	    ", %" PRIu32 "-level page tables\n", "machine", hdr->ncpus,
	    hdr->kaslr_slide, hdr->paging_levels);
}

/* A variable of the kernel: size 0 is a text, else a number of that size. */
static void
show_variable(kvm_t *kd, const char *name, size_t size)
{
	char text[SHOW_TEXT];
	struct nlist nl[2];
	uint64_t number = 0;

	memset(nl, 0, sizeof(nl));
	nl[0].n_name = name;
	if (kvm_nlist(kd, nl) == -1)
		errx(1, "%s: %s", name, kvm_geterr(kd));
	if (nl[0].n_type == N_UNDF) {
		printf("%-16sno such name\n", name);
		return;
	}
	if (size == 0) {
		if (kvm_read(kd, nl[0].n_value, text, sizeof(text)) !=
		    (ssize_t)sizeof(text))
			errx(1, "%s: %s", name, kvm_geterr(kd));
		show_text(name, text, sizeof(text));
		return;
	}
	if (kvm_read(kd, nl[0].n_value, &number, size) != (ssize_t)size)
		errx(1, "%s: %s", name, kvm_geterr(kd));
	printf("%-16s%" PRIu64 " (at %#lx)\n", name, number, nl[0].n_value);
}

int
main(int argc, char **argv)
{
	const cpu_kcore_hdr_t *hdr;
	char errbuf[KVM_ERRBUFSZ];
	kvm_t *kd;

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: showcore core [kernel]\n");
		return 2;
	}
	kd = kvm_openfiles(argv[2], argv[1], NULL, O_RDONLY, errbuf);
	if (kd == NULL)
		errx(1, "%s", errbuf);
	if ((hdr = kvm_dump_hdr(kd)) == NULL)
		errx(1, "%s: %s", argv[1], kvm_geterr(kd));
	show_header(hdr);
	show_variable(kd, "dumpmag", sizeof(uint32_t));
	if (argc == 3) {
		show_variable(kd, "linux_banner", 0);
		show_variable(kd, "jiffies_64", sizeof(uint64_t));
		show_variable(kd, "nr_threads", sizeof(int));
		show_variable(kd, "total_forks", sizeof(long));
		show_variable(kd, "saved_command_line", sizeof(uint64_t));
	}
	if (kvm_close(kd) == -1)
		errx(1, "kvm_close");
	return 0;
}
