/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * copy.S: a copy that survives bad memory.
 *
 * Each load may end in a page fault or, where the CPU can recover from it, in a
 * machine check; both go to the way out.  The kernel's copy_mc_to_kernel() does
 * this only on some CPUs, and copies byte by byte in an emulator.
 */
#include <linux/linkage.h>
#include <asm/asm.h>

#include <os/kcompat.h>

.macro LOAD off, reg
.Lload\@:
	movq	\off(%rsi), \reg
	KCOMPAT_EXTABLE_MC(.Lload\@, .Lout)
.endm

	.text

/* size_t md_copy_safe(void *dst, const void *src, size_t len); */
SYM_FUNC_START(md_copy_safe)
.Lblock:
	LOAD	0, %r8
	LOAD	8, %r9
	LOAD	16, %r10
	LOAD	24, %r11
	movq	%r8, (%rdi)
	movq	%r9, 8(%rdi)
	movq	%r10, 16(%rdi)
	movq	%r11, 24(%rdi)
	LOAD	32, %r8
	LOAD	40, %r9
	LOAD	48, %r10
	LOAD	56, %r11
	movq	%r8, 32(%rdi)
	movq	%r9, 40(%rdi)
	movq	%r10, 48(%rdi)
	movq	%r11, 56(%rdi)
	addq	$64, %rsi
	addq	$64, %rdi
	subq	$64, %rdx
	ja	.Lblock
.Lout:
	movq	%rdx, %rax
	RET
SYM_FUNC_END(md_copy_safe)
	.section .note.GNU-stack,"",@progbits
