/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel.c: a file with symbols where a kernel has them, for nlist_test.c.
 */
extern int test_data, test_bss;
void test_text(void);
void _start(void);
int *test_user(void);

int test_data = 1;
int test_bss;
static int test_local = 2;
int _test_under = 3;
extern int _test_under;

/* An absolute symbol, and one of per-CPU data, which begins at 0. */
__asm__(".globl test_abs\n.set test_abs, 0xffffffff81234000\n");
__asm__(".globl test_percpu\n.set test_percpu, 0x1234\n");

/* By it a kernel that was moved is found. */
__asm__(".globl _stext\n.set _stext, test_text\n");

void
test_text(void)
{
}

int *
test_user(void)
{
	return &test_local;
}

void
_start(void)
{
	test_text();
}
