/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kvm.h: read a kernel's memory, dead or alive; kvm(3).
 *
 * NetBSD's interface, and what a Linux savecore(8) needs beside it.
 */
#ifndef _KVM_H_
#define _KVM_H_

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct __kvm kvm_t;

struct timespec;		/* which <time.h> of C99 does not have */

/* For kvm_open() and kvm_openfiles(): the running kernel, through /proc. */
#define KVM_NO_FILES	((int)0x80000000)

/* Bytes of the error buffer of kvm_openfiles(): at least _POSIX2_LINE_MAX. */
#define KVM_ERRBUFSZ	2048

#ifndef N_NLIST_DECLARED
#define N_NLIST_DECLARED
struct nlist {
	const char *n_name;	/* looked for; NULL or "" ends the list */
	unsigned char n_type;	/* N_UNDF: not found */
	char n_other;
	short n_desc;
	unsigned long n_value;	/* run-time address */
};
#define N_UNDF	0x00
#define N_EXT	0x01
#define N_ABS	0x02
#define N_TEXT	0x04
#define N_DATA	0x06
#define N_BSS	0x08
#endif

/* kvm_open(3) */
kvm_t *kvm_open(const char *execfile, const char *corefile, char *swapfile,
    int flags, const char *errstr);
kvm_t *kvm_openfiles(const char *execfile, const char *corefile,
    char *swapfile, int flags, char *errbuf);
int kvm_close(kvm_t *kd);
/*
 * A core file or raw device that is open already, for those who may not open
 * it; name is for error texts.  fd is closed by kvm_close(), or at once where
 * this fails.
 */
kvm_t *kvm_openfd(int fd, const char *name, int flags, char *errbuf);
/*
 * The same for a raw dump device that is a file: what is read, is read from the
 * blocks of disk that lie beneath it.  ext: where they are, in bytes, in the
 * order of the file.
 */
struct kvm_extent {
	uint64_t ke_start;
	uint64_t ke_size;
};
kvm_t *kvm_openextents(int fd, int disk, const struct kvm_extent *ext,
    size_t next, const char *name, int flags, char *errbuf);

/* kvm_geterr(3), kvm_getkernelname(3) */
char *kvm_geterr(kvm_t *kd);
const char *kvm_getkernelname(kvm_t *kd);

/* kvm_nlist(3), kvm_read(3) */
int kvm_nlist(kvm_t *kd, struct nlist *nl);
ssize_t kvm_read(kvm_t *kd, unsigned long kva, void *buf, size_t len);
ssize_t kvm_write(kvm_t *kd, unsigned long kva, const void *buf, size_t len);

/* kvm_symbol(3) */
struct kvm_sym {
	const char *ks_name;
	const char *ks_module;	/* NULL: the kernel itself */
	unsigned long ks_addr;
	char ks_type;		/* nm(1)'s letter */
};
int kvm_symbol(kvm_t *kd, unsigned long addr, char *buf, size_t len,
    unsigned long *off);
int kvm_symbols(kvm_t *kd, int (*fn)(void *cookie, const struct kvm_sym *sym),
    void *cookie);

/* kvm_type(3) */
struct kvm_type {
	size_t kt_offset;	/* bytes from the start of the outermost type */
	size_t kt_size;		/* bytes; of a bit field, of its base type */
	unsigned int kt_bit;	/* first bit in the byte at kt_offset */
	unsigned int kt_bits;	/* 0: not a bit field */
};
int kvm_type(kvm_t *kd, const char *path, struct kvm_type *ty);
ssize_t kvm_type_offset(kvm_t *kd, const char *path);
ssize_t kvm_type_size(kvm_t *kd, const char *path);

/* kvm_module(3) */
#define KVM_MODULE_LIVE		0
#define KVM_MODULE_COMING	1
#define KVM_MODULE_GOING	2
#define KVM_MODULE_UNFORMED	3	/* never told */
struct kvm_module {
	const char *km_name;
	unsigned long km_addr;	/* of its struct module */
	unsigned long km_base;	/* of its code */
	unsigned long km_size;	/* bytes of all its memory */
	int km_state;		/* KVM_MODULE_* */
};
int kvm_modules(kvm_t *kd, int (*fn)(void *cookie,
    const struct kvm_module *mod), void *cookie);

/* kvm_log(3) */
struct kvm_logrec {
	uint64_t kl_seq;	/* counts up from the boot on */
	uint64_t kl_ts_ns;	/* since boot */
	const char *kl_text;	/* kl_len bytes, no NUL; may have newlines */
	size_t kl_len;
	unsigned int kl_level;	/* syslog(3)'s */
	unsigned int kl_facility;
	uint32_t kl_caller;	/* thread id, or 1 << 31 | CPU */
	uint64_t kl_lost;	/* records before it that could not be read */
};
int kvm_log(kvm_t *kd, int (*fn)(void *cookie, const struct kvm_logrec *rec),
    void *cookie);
#define KVM_LOG_LEVEL	0x1u	/* with <level> */
#define KVM_LOG_CALLER	0x2u	/* with the caller */
size_t kvm_log_text(const struct kvm_logrec *rec, unsigned int flags,
    char *buf, size_t len);
char *kvm_dmesg(kvm_t *kd, unsigned int flags, size_t *len);

/* kvm_regs(3) */
#define KVM_NREGS	48
struct kvm_regs {
	pid_t kr_tid;		/* of the thread; 0: idle */
	unsigned long kr_pc, kr_sp, kr_fp;
	unsigned int kr_n;	/* in kr_reg[] */
	struct kvm_reg {
		const char *kr_name;
		uint64_t kr_value;
	} kr_reg[KVM_NREGS];
};
int kvm_getregs(kvm_t *kd, unsigned int cpu, struct kvm_regs *regs);
int kvm_ncpus(kvm_t *kd);
const char *kvm_release(kvm_t *kd);
const char *kvm_vmcoreinfo(kvm_t *kd);
int kvm_uptime(kvm_t *kd, struct timespec *up, struct timespec *now);

/* kvm_backtrace(3) */
#define KVM_FRAME_RETURN	0x1u	/* kf_pc is a return address */
#define KVM_FRAME_USER		0x2u	/* kf_pc is a user's */
#define KVM_FRAME_GUESS		0x4u	/* no table led here */
struct kvm_frame {
	unsigned int kf_n;	/* counts up from 0 */
	unsigned int kf_flags;	/* KVM_FRAME_* */
	unsigned long kf_pc, kf_sp, kf_fp;
	const char *kf_name;	/* of the function; NULL: not known */
	const char *kf_module;	/* NULL: the kernel itself */
	unsigned long kf_off, kf_size; /* kf_pc in it, bytes of it */
	const char *kf_stack;	/* "TASK", "IRQ" ...; NULL: a user's */
	const struct kvm_regs *kf_regs; /* as interrupted here; NULL */
};
#define KVM_BT_ENTRY		1	/* where the stack begins */
#define KVM_BT_USER		2	/* where a user entered the kernel */
#define KVM_BT_STOPPED		3	/* fn has ended it */
#define KVM_BT_EXITED		4	/* the task has no stack any more */
#define KVM_BT_LOST		5	/* nobody knows the caller */
#define KVM_BT_DAMAGED		6	/* the stack makes no sense */
#define KVM_BT_UNREADABLE	7	/* the stack can't be read */
int kvm_backtrace(kvm_t *kd, const struct kvm_regs *regs,
    int (*fn)(void *cookie, const struct kvm_frame *frame), void *cookie);
int kvm_backtrace_cpu(kvm_t *kd, unsigned int cpu,
    int (*fn)(void *cookie, const struct kvm_frame *frame), void *cookie);
int kvm_backtrace_task(kvm_t *kd, unsigned long task,
    int (*fn)(void *cookie, const struct kvm_frame *frame), void *cookie);
int kvm_backtrace_tid(kvm_t *kd, int tid,
    int (*fn)(void *cookie, const struct kvm_frame *frame), void *cookie);

/* kvm_getproc2(3) */
#define KERN_PROC_ALL		0	/* all processes */
#define KERN_PROC_PID		1	/* by process id */
#define KERN_PROC_PGRP		2	/* by process group */
#define KERN_PROC_SESSION	3	/* by session */
#define KERN_PROC_TTY		4	/* by controlling terminal */
#define KERN_PROC_UID		5	/* by effective uid */
#define KERN_PROC_RUID		6	/* by real uid */
#define KERN_PROC_GID		7	/* by effective gid */
#define KERN_PROC_RGID		8	/* by real gid */
#define KERN_PROC_TTY_NODEV	(-1)	/* with _TTY: those without one */

#define KI_MAXCOMLEN	24	/* bytes of a name, with its NUL */
#define KI_LNAMELEN	20

/* p_stat */
#define SACTIVE		2
#define SSTOP		4	/* stopped or traced */
#define SZOMB		5	/* waits for its parent */
#define SDEAD		6	/* all but gone */
/* l_stat */
#define LSRUN		2	/* can run */
#define LSSLEEP		3
#define LSSTOP		4
#define LSZOMB		5
#define LSONPROC	7	/* is running */
/* p_flag, l_flag */
#define P_SYSTEM	0x00000200u	/* of the kernel: no user memory */

/* What of a process could not be read, in p_unknown. */
#define KVM_PROC_PARENT	0x01u	/* p_ppid is -1 */
#define KVM_PROC_IDS	0x02u	/* p__pgid, p_sid are -1 */
#define KVM_PROC_CRED	0x04u	/* user and group ids are (uint32_t)-1 */
#define KVM_PROC_TTY	0x08u	/* p_tdev is KERN_PROC_TTY_NODEV */
#define KVM_PROC_VM	0x10u	/* p_vm_* are 0 */
#define KVM_PROC_NLWPS	0x20u	/* p_nlwps is 0 */
#define KVM_PROC_TIMES	0x40u	/* CPU times are 0 */
#define KVM_PROC_ADDR	0x80u	/* p_paddr, p_addr, p_vmspace are 0 */

/* A process.  It may grow at its end: see kvm_getproc2(3). */
struct kinfo_proc2 {
	uint64_t p_paddr;	/* task_struct of its first thread */
	uint64_t p_addr;	/* kernel stack of that thread */
	uint64_t p_vmspace;	/* mm_struct; 0: it has none */
	uint64_t p_nlwps;	/* threads */
	uint64_t p_vm_vsize;	/* pages of its address space */
	uint64_t p_vm_rssize;	/* pages of it in memory */
	int64_t p_ustart_sec;	/* when it began, since 1970-01-01 UTC */
	int32_t p_ustart_usec;
	int32_t p_pid;
	int32_t p_ppid;		/* 0: none */
	int32_t p__pgid;	/* process group */
	int32_t p_sid;		/* session */
	uint32_t p_uid;		/* effective user id */
	uint32_t p_ruid;	/* real */
	uint32_t p_svuid;	/* saved */
	uint32_t p_gid;		/* effective group id */
	uint32_t p_rgid;	/* real */
	uint32_t p_svgid;	/* saved */
	uint32_t p_tdev;	/* terminal's dev_t, or KERN_PROC_TTY_NODEV */
	uint32_t p_flag;	/* P_* */
	uint32_t p_cpuid;	/* CPU that the first thread ran on last */
	uint32_t p_unknown;	/* KVM_PROC_*: could not be read */
	int8_t p_stat;		/* S* */
	char p_state;		/* ps(1)'s letter for the first thread */
	uint8_t p_nice;		/* nice value + 20 */
	uint8_t p_spare;
	char p_comm[KI_MAXCOMLEN];
	/* CPU times: of all its threads, those that ended too. */
	int64_t p_uutime_sec;	/* in user mode */
	int64_t p_ustime_sec;	/* in the kernel */
	int64_t p_uctime_sec;	/* both, of children it has waited for */
	int32_t p_uutime_usec;
	int32_t p_ustime_usec;
	int32_t p_uctime_usec;
	int32_t p_spare2;
};

/* A thread. */
struct kinfo_lwp {
	uint64_t l_laddr;	/* task_struct */
	uint64_t l_addr;	/* kernel stack */
	int32_t l_pid;		/* of its process */
	int32_t l_lid;		/* thread id */
	uint32_t l_flag;	/* P_* */
	uint32_t l_cpuid;	/* CPU that it ran on last */
	int8_t l_stat;		/* LS* */
	char l_state;		/* ps(1)'s letter */
	uint8_t l_nice;		/* nice value + 20 */
	uint8_t l_spare;
	char l_name[KI_LNAMELEN];
};

struct kinfo_proc2 *kvm_getproc2(kvm_t *kd, int op, int arg, size_t elemsize,
    int *cnt);
struct kinfo_lwp *kvm_getlwps(kvm_t *kd, int pid, unsigned long procaddr,
    size_t elemsize, int *cnt);

/* kvm_getprocs(3) */
struct kinfo_proc {
	struct {
		uint64_t p_vmspace;	/* as in kinfo_proc2, all of it */
		uint64_t p_nlwps;
		int32_t p_pid;
		uint32_t p_flag;
		int8_t p_stat;
		uint8_t p_nice;
		char p_comm[KI_MAXCOMLEN];
	} kp_proc;
	struct {
		uint64_t e_paddr;	/* p_paddr */
		int32_t e_ppid;
		int32_t e_pgid;
		int32_t e_sid;
		uint32_t e_tdev;
		struct {
			uint32_t p_ruid, p_svuid, p_rgid, p_svgid;
		} e_pcred;
		struct {
			uint32_t cr_uid, cr_gid;
		} e_ucred;
		struct {
			uint64_t vm_rssize;	/* pages */
		} e_vm;
		uint32_t e_unknown;	/* p_unknown */
	} kp_eproc;
};
struct kinfo_proc *kvm_getprocs(kvm_t *kd, int op, int arg, int *cnt);
char **kvm_getargv(kvm_t *kd, const struct kinfo_proc *p, int nchr);
char **kvm_getenvv(kvm_t *kd, const struct kinfo_proc *p, int nchr);
char **kvm_getargv2(kvm_t *kd, const struct kinfo_proc2 *p, int nchr);
char **kvm_getenvv2(kvm_t *kd, const struct kinfo_proc2 *p, int nchr);

/* kvm_getfiles(3) */
#define KERN_FILE_BYFILE	1	/* each open file once */
#define KERN_FILE_BYPID		2	/* each descriptor of a process */

/* ki_ftype */
#define DTYPE_VNODE	1	/* file, directory, device, named pipe */
#define DTYPE_SOCKET	2
#define DTYPE_PIPE	3
#define DTYPE_MISC	5	/* an anonymous inode: eventfd, epoll, ... */

/* What of a file could not be read, in ki_unknown. */
#define KVM_FILE_FILE	0x01u	/* all but ki_fileaddr, ki_pid, ki_fd */
#define KVM_FILE_INODE	0x02u	/* ki_ftype, and ki_v* but ki_vdata, are 0 */
#define KVM_FILE_CRED	0x04u	/* ki_fuid, ki_fgid are (uint32_t)-1 */
#define KVM_FILE_PATH	0x08u	/* ki_path is NULL */
#define KVM_FILE_ADDR	0x10u	/* ki_fileaddr, ki_fops, ki_fdata, ki_fucred,
				   ki_vdata, ki_count are 0 */
#define KVM_FILE_TABLE	0x20u	/* no file: more descriptors of ki_pid */

struct kinfo_file {
	uint64_t ki_fileaddr;	/* struct file */
	uint64_t ki_fops;	/* its file_operations */
	uint64_t ki_fdata;	/* its private_data */
	uint64_t ki_fucred;	/* cred of who opened it */
	uint64_t ki_vdata;	/* its inode */
	uint64_t ki_foffset;	/* bytes */
	uint64_t ki_count;	/* references */
	uint64_t ki_vsize;	/* bytes of the inode */
	uint64_t ki_vfileid;	/* number of the inode */
	uint32_t ki_vfsid;	/* makedev(3) of its file system */
	uint32_t ki_vrdev;	/* the same of a device */
	uint32_t ki_vmode;	/* type and permissions: inode(7) */
	uint32_t ki_flag;	/* O_*: open(2) */
	uint32_t ki_ftype;	/* DTYPE_* */
	uint32_t ki_fuid;	/* effective user id of who opened it */
	uint32_t ki_fgid;	/* effective group id */
	int32_t ki_pid;		/* KERN_FILE_BYPID: process; else 0 */
	int32_t ki_fd;		/* KERN_FILE_BYPID: number; else -1 */
	uint32_t ki_ofileflags;	/* FD_CLOEXEC: fcntl(2) */
	uint32_t ki_unknown;	/* KVM_FILE_*: could not be read */
	uint32_t ki_spare;
	const char *ki_path;	/* NULL: it has none, or it is not known */
};
/* They are struct kinfo_file. */
char *kvm_getfiles(kvm_t *kd, int op, int arg, int *cnt);

/* kvm_getloadavg(3) */
int kvm_getloadavg(kvm_t *kd, double loadavg[], int nelem);

/* kvm_dump(3) */
int kvm_dump_mkheader(kvm_t *kd, off_t dump_off);
int kvm_dump_wrtheader(kvm_t *kd, FILE *fp, int dumpsize);
int kvm_dump_header(kvm_t *kd,
    bool (*write_buf)(void *cookie, const void *buf, size_t len),
    void *cookie, int dumpsize);
int kvm_dump_inval(kvm_t *kd);

/* The same for sizes past INT_MAX. */
int64_t kvm_dump_mkheader64(kvm_t *kd, off_t dump_off);
int kvm_dump_wrtheader64(kvm_t *kd, FILE *fp, uint64_t dumpsize);
int kvm_dump_header64(kvm_t *kd,
    bool (*write_buf)(void *cookie, const void *buf, size_t len),
    void *cookie, uint64_t dumpsize);

/*
 * What the end of a raw dump device says, from the trailers and the early
 * record alone.  Strings are as found: encode them before showing them.
 */
#define KVM_IDLEN	16
struct kvm_dumpinfo {
	int di_state;		/* KCORE_STATE_*; EMPTY: an early record and
				   no trailer that goes with it */
	int di_error;		/* errno the dump ended with, or 0 */
	off_t di_dumplo;	/* for kvm_dump_mkheader(); 0: no header, the
				   early record is all there is */
	uint64_t di_seq;	/* of the trailer in force */
	uint64_t di_data_size;	/* bytes of CORE_DATA, as planned */
	uint64_t di_data_valid;	/* bytes of it that were written */
	uint64_t di_time_ns;	/* of the panic, realtime */
	uint64_t di_late_lost;	/* ranges that could not be read or noted, so
				   that nobody knows where they are */
	unsigned int di_level;	/* dump level */
	bool di_early;		/* a whole early record is there */
	unsigned char di_arm_id[KVM_IDLEN];
	unsigned char di_dump_id[KVM_IDLEN];
	char di_release[72];
	char di_panicstr[512];
};

/*
 * Looks at the end of the raw device.  Where known is not NULL, only records
 * whose arm id is one of nknown ids are believed.  1: found; 0: no dump; -1.
 * A following kvm_dump_mkheader() checks the header against the trailer.
 */
int kvm_dump_find(kvm_t *kd, const unsigned char (*known)[KVM_IDLEN],
    size_t nknown, struct kvm_dumpinfo *di);

/* The header in force, after kvm_dump_mkheader() or on a core file; NULL. */
struct cpu_kcore_hdr;
const struct cpu_kcore_hdr *kvm_dump_hdr(kvm_t *kd);

/* Reads CORE_DATA at an offset in it.  Bytes read (short only at the end). */
ssize_t kvm_dump_read(kvm_t *kd, void *buf, size_t len, uint64_t data_off);

/*
 * The checksum that the dumping kernel noted for a chunk of KCORE_CHUNK bytes
 * of CORE_DATA (raw device only).  1: *sum is it; 0: none was written; -1: the
 * page that holds it is damaged or can't be read.
 */
int kvm_dump_cksum(kvm_t *kd, uint64_t chunk, uint64_t *sum);

/*
 * 1: the chunk's contents (len bytes in buf) are what the kernel wrote; 0: they
 * are not; 2: there is no checksum to say; -1.  Knows that kvm_dump_inval()
 * changed dumpmag in the first chunk.
 */
int kvm_dump_verify(kvm_t *kd, uint64_t chunk, const void *buf, size_t len);

/*
 * Notes in the header that the next kvm_dump_wrtheader() writes: bytes of
 * CORE_DATA from data_off on are of kind KCORE_EXCL_DAMAGED or _MISSING.
 * -1 with ENOSPC once KCORE_EXCL_SPARE ranges of memory are noted.
 */
int kvm_dump_mark(kvm_t *kd, unsigned int kind, uint64_t data_off,
    uint64_t len);

/*
 * Leaves out of the dump what makedumpfile -d level would, as the kernel's own
 * memory map tells: from now on CORE_DATA and the header are those of the rest.
 * 0, or -1: there is no header any more, or it is as before.
 */
int kvm_dump_filter(kvm_t *kd, unsigned int level);

/* The early record's text: the end of the kernel log.  Bytes, 0: none, -1. */
ssize_t kvm_dump_earlylog(kvm_t *kd, char *buf, size_t len);

/* Writes a trailer with state SAVED (raw device).  After kvm_dump_inval(). */
int kvm_dump_setsaved(kvm_t *kd);

#ifdef __cplusplus
}
#endif

#endif /* _KVM_H_ */
