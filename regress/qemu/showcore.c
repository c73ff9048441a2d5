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

#define SHOW_TEXT	120u

/* Strings from a dump are not to be trusted with a terminal. */
static void
show_text(const char *what, const char *text, size_t len)
{
	size_t i;

	printf("%-20s", what);
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
	printf("%-20s%" PRIu64 ".%03" PRIu64 " s\n", "uptime",
	    hdr->uptime_ns / 1000000000u, hdr->uptime_ns / 1000000u % 1000u);
	printf("%-20s%" PRIu64 " MiB of memory in %" PRIu64 " pieces\n",
	    "holds", hdr->data_size >> 20, hdr->nmemsegs);
	printf("%-20s%" PRIu32 " CPUs, KASLR slide %#" PRIx64
	    ", %" PRIu32 "-level page tables\n", "machine", hdr->ncpus,
	    hdr->kaslr_slide, hdr->paging_levels);
}

enum show_how { SHOW_NUMBER, SHOW_HEX, SHOW_STRING, SHOW_POINTED };

static const struct show_variable {
	const char *name;
	enum show_how how;
	size_t size;		/* of a number */
} variables[] = {
	{ "dumpmag", SHOW_HEX, sizeof(uint32_t) },
	{ "panicstr", SHOW_POINTED, 0 },
	{ "linux_banner", SHOW_STRING, 0 },
	{ "saved_command_line", SHOW_POINTED, 0 },
	{ "jiffies_64", SHOW_NUMBER, sizeof(uint64_t) },
	{ "nr_threads", SHOW_NUMBER, sizeof(int) },
	{ "total_forks", SHOW_NUMBER, sizeof(unsigned long) },
};
#define SHOW_OWN	2u	/* the first are known without a kernel */
#define SHOW_ALL	(sizeof(variables) / sizeof(variables[0]))

static void
show_read(kvm_t *kd, const char *name, unsigned long addr, void *buf,
    size_t len)
{
	if (kvm_read(kd, addr, buf, len) != (ssize_t)len)
		errx(1, "%s: %s", name, kvm_geterr(kd));
}

static void
show_variable(kvm_t *kd, const struct show_variable *v)
{
	unsigned long addr, number = 0;
	char text[SHOW_TEXT];
	struct nlist nl[2];

	memset(nl, 0, sizeof(nl));
	nl[0].n_name = v->name;
	if (kvm_nlist(kd, nl) == -1)
		errx(1, "%s: %s", v->name, kvm_geterr(kd));
	if (nl[0].n_type == N_UNDF) {
		printf("%-20sno such name\n", v->name);
		return;
	}
	addr = nl[0].n_value;
	if (v->how == SHOW_POINTED)
		show_read(kd, v->name, addr, &addr, sizeof(addr));
	if (v->how == SHOW_POINTED || v->how == SHOW_STRING) {
		show_read(kd, v->name, addr, text, sizeof(text));
		show_text(v->name, text, sizeof(text));
		return;
	}
	show_read(kd, v->name, addr, &number, v->size);
	printf(v->how == SHOW_HEX ? "%-20s%#lx" : "%-20s%lu", v->name, number);
	printf(" (at %#lx)\n", addr);
}

int
main(int argc, char **argv)
{
	const cpu_kcore_hdr_t *hdr;
	char errbuf[KVM_ERRBUFSZ];
	kvm_t *kd;
	size_t i;

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
	for (i = 0; i < (argc == 3 ? SHOW_ALL : SHOW_OWN); i++)
		show_variable(kd, &variables[i]);
	if (kvm_close(kd) == -1)
		errx(1, "kvm_close");
	return 0;
}
