/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * copy.S: what reads pages and survives bad memory: a copy with the sum of what
 * was copied, and a look for zeros.
 *
 * Each load may end in a page fault or, where the CPU can recover from it, in a
 * machine check; both go to the way out.  The kernel's copy_mc_to_kernel() does
 * this only on some CPUs, and copies byte by byte in an emulator.
 *
 * The sum is the inner loop of XXH64: four accumulators, each of which takes
 * every fourth word.  One pass over a page takes two thirds of the time of two,
 * in an emulator too.
 */
#include <linux/linkage.h>
#include <asm/asm.h>

#include <os/kcompat.h>

/* Copies a word: acc = rotate(acc + word * PRIME64_2, 31) * PRIME64_1 */
.macro WORD off, acc
.Lload\@:
	movq	\off(%rsi), %rax
	KCOMPAT_EXTABLE_MC(.Lload\@, .Lout)
	movq	%rax, \off(%rdi)
	imulq	%r12, %rax
	addq	%rax, \acc
	rolq	$31, \acc
	imulq	%rbx, \acc
.endm

	.text

/* size_t md_copy_sum(void *dst, const void *src, size_t len, u64 acc[4]); */
SYM_FUNC_START(md_copy_sum)
	pushq	%rbx
	pushq	%r12
	movabsq	$0x9e3779b185ebca87, %rbx	/* PRIME64_1 */
	movabsq	$0xc2b2ae3d27d4eb4f, %r12	/* PRIME64_2 */
	movq	(%rcx), %r8
	movq	8(%rcx), %r9
	movq	16(%rcx), %r10
	movq	24(%rcx), %r11
.Lblock:
	WORD	0, %r8
	WORD	8, %r9
	WORD	16, %r10
	WORD	24, %r11
	WORD	32, %r8
	WORD	40, %r9
	WORD	48, %r10
	WORD	56, %r11
	addq	$64, %rsi
	addq	$64, %rdi
	subq	$64, %rdx
	ja	.Lblock
	movq	%r8, (%rcx)
	movq	%r9, 8(%rcx)
	movq	%r10, 16(%rcx)
	movq	%r11, 24(%rcx)
.Lout:
	movq	%rdx, %rax
	popq	%r12
	popq	%rbx
	RET
SYM_FUNC_END(md_copy_sum)

/* u64 md_pages_begun(const void *p, u64 n); */
SYM_FUNC_START(md_pages_begun)
	movq	%rsi, %rdx
	testq	%rsi, %rsi
	jz	.Lend
.Lpage:
	cmpq	$0, (%rdi)
	KCOMPAT_EXTABLE_MC(.Lpage, .Lnext)
	je	.Lend
.Lnext:
	addq	$4096, %rdi
	decq	%rsi
	jnz	.Lpage
.Lend:
	movq	%rdx, %rax
	subq	%rsi, %rax
	RET
SYM_FUNC_END(md_pages_begun)

/* Takes a word into %rax. */
.macro WORD_OR off
.Lload\@:
	orq	\off(%rdi), %rax
	KCOMPAT_EXTABLE_MC(.Lload\@, .Lother)
.endm

/* Leaves where one of n words is not zero. */
.macro ZERO n
.Loff = 0
.rept \n
	WORD_OR	.Loff
.Loff = .Loff + 8
.endr
	testq	%rax, %rax
	jnz	.Lother
	addq	$8 * \n, %rdi
.endm

/* bool md_page_zero(const void *p); most pages differ in the first words */
SYM_FUNC_START(md_page_zero)
	xorl	%eax, %eax
	ZERO	8
	movl	$(4096 - 64) / (56 * 8), %ecx
.Lmore:
	ZERO	56
	decl	%ecx
	jnz	.Lmore
	movl	$1, %eax
	RET
.Lother:
	xorl	%eax, %eax
	RET
SYM_FUNC_END(md_page_zero)
	.section .note.GNU-stack,"",@progbits
