/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * stack.S: a call that a fault inside it ends, and nothing else.
 *
 * It can be made on a stack of its own: a panic can come on an 8 KiB interrupt
 * stack, or on one that has overflowed.  The old stack pointer is kept in memory,
 * so that md_abort() can bring a CPU back that has faulted anywhere inside.
 */
#include <linux/linkage.h>
#include <asm/nospec-branch.h>

#include <os/kcompat.h>

	.text

/* int md_guarded(int (*fn)(void *), void *arg, void *top); */
SYM_FUNC_START(md_guarded)
	pushq	%rbp
	movq	%rsp, %rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	md_old_stack(%rip)	/* of the call around this one */
	movq	%rsp, md_old_stack(%rip)
	testq	%rdx, %rdx
	cmovnzq	%rdx, %rsp
	call	hook_call
SYM_INNER_LABEL(md_guarded_return, SYM_L_LOCAL)
	movq	md_old_stack(%rip), %rsp
	popq	md_old_stack(%rip)
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	RET
SYM_FUNC_END(md_guarded)
KCOMPAT_NON_STANDARD(md_guarded)

/* Entered by a return from an exception, never by a call.  objtool sees that its
 * address is taken. */
SYM_FUNC_START(md_guarded_abort)
	KCOMPAT_ENDBR
	movl	$-14, %eax		/* -EFAULT */
	jmp	md_guarded_return
SYM_FUNC_END(md_guarded_abort)
KCOMPAT_NON_STANDARD(md_guarded_abort)

SYM_FUNC_START(md_just_return)
	KCOMPAT_ENDBR
	RET
SYM_FUNC_END(md_just_return)

	.bss
	.balign	8
SYM_DATA_LOCAL(md_old_stack, .quad 0)
	.section .note.GNU-stack,"",@progbits
