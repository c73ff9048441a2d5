/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm_cpu.c: the header in force: read, kept, and changed by kvm_dump_mark().
 */
#include <errno.h>
#include <stdlib.h>

#include "kvm_header.h"
#include "kvm_live.h"
#include "kvm_machine.h"
#include "kvm_symbols.h"
#include "kvm_unwind.h"

void
kvmi_cpu_drop(kvm_t *kd)
{
	kvmi_runs_fini(&kd->runs);
	kvmi_ranges_fini(kd, &kd->where);
	kvmi_view_drop(&kd->view);
	kvmi_vm_flush(&kd->vm);
	kvmi_orctab_free(kd->orctab);
	kd->orctab = NULL;
	free(kd->stacks);
	kd->stacks = NULL;
	free(kd->tasktype);
	kd->tasktype = NULL;
	kvmi_modules_free(kd->modules);
	kd->modules = NULL;
	kvmi_types_free(kd->types);
	kd->types = NULL;
	kvmi_kallsyms_free(kd->kallsyms);
	kd->kallsyms = NULL;
	kvmi_failure_fini(&kd->nokallsyms);
	free(kd->info);
	kd->info = NULL;
	kvmi_spill_free(kd, kd->cpu);
	kd->cpu = NULL;
	kd->hdr = NULL;
	kd->machine = NULL;
	kd->data_base = kd->data_len = 0;
	kd->tr_matches = false;
}

int
kvmi_cpu_take(kvm_t *kd, uint8_t *cpu, uint64_t size, uint32_t mid)
{
	cpu_kcore_hdr_t *h = (void *)cpu;

	kd->cpu = cpu;
	if (kvmi_cpuhdr_check(kd, cpu, size) == -1)
		goto invalid;
	if (h->machine != mid) {
		kvmi_err(kd, EBADMSG, "machine %u where %u was expected",
		    h->machine, mid);
		goto invalid;
	}
	if (kvmi_runs_init(kd, &kd->runs,
	    (void *)(cpu + h->memsegs_off), h->nmemsegs, (void *)(cpu + h->exclsegs_off), h->nexclsegs,
	    h->data_valid) == -1) {
		kvmi_syserr(kd, ENOMEM, "memsegs");
		kvmi_cpu_drop(kd);
		return -1;
	}
	kd->hdr = h;
	kd->machine = kvmi_machine_find(mid);
	kd->vm.root = h->ptdpaddr;
	kd->vm.levels = h->paging_levels;
	kd->vm.enc_mask = h->enc_mask;
	kd->data_len = h->data_valid;
	return 1;
invalid:
	kvmi_prepend(kd, "header");
	kvmi_cpu_drop(kd);
	return 0;
}

int
kvmi_cpu_load(kvm_t *kd, uint32_t mid, uint64_t off, uint64_t size)
{
	uint8_t *cpu;

	kvmi_cpu_drop(kd);
	if (size < sizeof(cpu_kcore_hdr_t) || size > KCORE_CPU_MAX ||
	    off > kd->file_size || size > kd->file_size - off) {
		kvmi_err(kd, EBADMSG, "header: a CPU segment of %llu bytes at "
		    "%llu in %llu bytes", (unsigned long long)size,
		    (unsigned long long)off,
		    (unsigned long long)kd->file_size);
		return 0;
	}
	cpu = kvmi_spill_alloc(kd, size);
	if (cpu == NULL)
		return kvmi_syserr(kd, ENOMEM, "header");
	if (kvmi_spill_read(kd, cpu, size, off) == -1) {
		kvmi_spill_free(kd, cpu);
		return kvmi_prepend(kd, "header");
	}
	return kvmi_cpu_take(kd, cpu, size, mid);
}

void
kvmi_cpu_sum(kvm_t *kd, cpu_kcore_hdr_t *h)
{
	h->tables_cksum = kvmi_sum_tables(kd, &(struct iovec){
	    (uint8_t *)h + h->hdrsize, h->cpu_size - h->hdrsize }, 1);
	h->hdr_cksum = kvmi_record_sum(h, sizeof(*h),
	    offsetof(cpu_kcore_hdr_t, hdr_cksum));
}

void
kvmi_cpu_changed(kvm_t *kd)
{
	kvmi_cpu_sum(kd, kd->hdr);
	kd->runs.nexcls = kd->hdr->nexclsegs;
}

int
kvmi_need_header(kvm_t *kd)
{
	if (kd->live != NULL)
		return kvmi_err(kd, ENODEV, kd->live->name == NULL ?
		    "opened with KVM_NO_FILES: there is no dump" :
		    "this is the running system, not a dump");
	if (kd->hdr == NULL)
		return kvmi_err(kd, ENODEV, "no dump header yet: "
		    "kvm_dump_mkheader() must find one first");
	return 0;
}

const struct cpu_kcore_hdr *
kvm_dump_hdr(kvm_t *kd)
{
	if (kvmi_need_header(kd) == -1) {
		kvmi_report(kd);
		return NULL;
	}
	/* Whoever walks through its tables asks again and again. */
	kvmi_spill_step(kd, KVMI_SPILL_ASKED);
	return kd->hdr;
}
