/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * stack.S: run the dump on a stack of its own, and a way out of it.
 *
 * A panic can come on an 8 KiB interrupt stack, or on one that has overflowed.
 * The old stack pointer is kept in memory, so that md_abort() can bring a CPU
 * back that has faulted anywhere inside the dump.
 */
#include <linux/linkage.h>
#include <asm/nospec-branch.h>

#include <os/kcompat.h>

	.text

/* int md_on_stack(void *top); */
SYM_FUNC_START(md_on_stack)
	pushq	%rbp
	movq	%rsp, %rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, md_old_stack(%rip)
	movq	%rdi, %rsp
	call	hook_dump
SYM_INNER_LABEL(md_on_stack_return, SYM_L_LOCAL)
	movq	md_old_stack(%rip), %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	RET
SYM_FUNC_END(md_on_stack)
KCOMPAT_NON_STANDARD(md_on_stack)

/* Entered by a return from an exception, never by a call.  objtool sees that its
 * address is taken. */
SYM_FUNC_START(md_on_stack_abort)
	KCOMPAT_ENDBR
	movl	$-14, %eax		/* -EFAULT */
	jmp	md_on_stack_return
SYM_FUNC_END(md_on_stack_abort)
KCOMPAT_NON_STANDARD(md_on_stack_abort)

SYM_FUNC_START(md_just_return)
	KCOMPAT_ENDBR
	RET
SYM_FUNC_END(md_just_return)

	.bss
	.balign	8
SYM_DATA_LOCAL(md_old_stack, .quad 0)
	.section .note.GNU-stack,"",@progbits
