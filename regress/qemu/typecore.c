// SPDX-License-Identifier: BSD-2-Clause
/*
 * typecore: asks libkvm for types of a core file, for the tests.
 *
 *	typecore core <paths
 *
 * For each line of the input, prints offset, size, first bit and bits of what
 * it names, or `- ' and why there is none.
 */
#include <err.h>
#include <fcntl.h>
#include <kvm.h>
#include <stdio.h>
#include <string.h>

int
main(int argc, char **argv)
{
	char errbuf[KVM_ERRBUFSZ], line[1024];
	struct kvm_type ty;
	kvm_t *kd;

	if (argc != 2) {
		fprintf(stderr, "usage: typecore core <paths\n");
		return 2;
	}
	kd = kvm_openfiles(NULL, argv[1], NULL, O_RDONLY, errbuf);
	if (kd == NULL)
		errx(1, "%s", errbuf);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (kvm_type(kd, line, &ty) == -1)
			printf("- %s\n", kvm_geterr(kd));
		else
			printf("%zu %zu %u %u\n", ty.kt_offset, ty.kt_size,
			    ty.kt_bit, ty.kt_bits);
	}
	if (kvm_close(kd) == -1)
		errx(1, "kvm_close");
	return 0;
}
