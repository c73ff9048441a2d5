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
 * every fourth word.  It is taken as the words are copied, which spares reading
 * the page again.
 */
#include <linux/linkage.h>
#include <asm/asm.h>

#include <os/kcompat.h>

.macro LOAD off, to
.Lload\@:
	movq	\off(%rsi), \to
	KCOMPAT_EXTABLE_MC(.Lload\@, .Lout)
.endm

/* word = rotate(acc + word * PRIME64_2, 31) * PRIME64_1, the new accumulator */
.macro SUM word, acc
	imulq	%r12, \word
	addq	\acc, \word
	rolq	$31, \word
	imulq	%rbx, \word
.endm

/*
 * Copies four words, whose registers are the accumulators then.  An emulator
 * writes back what has changed, flags too, before each access to memory: so
 * these come first, and no register is left with what nobody needs.
 */
.macro STRIPE off, w0, w1, w2, w3, a0, a1, a2, a3
	LOAD	\off, \w0
	LOAD	\off + 8, \w1
	LOAD	\off + 16, \w2
	LOAD	\off + 24, \w3
	movq	\w0, \off(%rdi)
	movq	\w1, \off + 8(%rdi)
	movq	\w2, \off + 16(%rdi)
	movq	\w3, \off + 24(%rdi)
	SUM	\w0, \a0
	SUM	\w1, \a1
	SUM	\w2, \a2
	SUM	\w3, \a3
.endm

	.text

/* size_t md_copy_sum(void *dst, const void *src, size_t len, u64 acc[4]); */
SYM_FUNC_START(md_copy_sum)
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movabsq	$0x9e3779b185ebca87, %rbx	/* PRIME64_1 */
	movabsq	$0xc2b2ae3d27d4eb4f, %r12	/* PRIME64_2 */
	movq	(%rcx), %r8
	movq	8(%rcx), %r9
	movq	16(%rcx), %r10
	movq	24(%rcx), %r11
.Lblock:
	STRIPE	0, %rax, %r13, %r14, %r15, %r8, %r9, %r10, %r11
	STRIPE	32, %r8, %r9, %r10, %r11, %rax, %r13, %r14, %r15
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
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	RET
SYM_FUNC_END(md_copy_sum)

/* void md_page_ahead(const void *p); loads: PREFETCH is nothing to an emulator */
SYM_FUNC_START(md_page_ahead)
.Lfirst:
	movq	(%rdi), %rax
	KCOMPAT_EXTABLE_MC(.Lfirst, .Lahead)
.Lsecond:
	movq	64(%rdi), %rax
	KCOMPAT_EXTABLE_MC(.Lsecond, .Lahead)
.Lahead:
	RET
SYM_FUNC_END(md_page_ahead)

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
