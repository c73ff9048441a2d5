/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crashinfo_test.c: what crashinfo(8) prints of dumps whose contents are known,
 * among them strings that no terminal should see.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <sys/kcore.h>

#include "output.h"
#include "tasks.h"

/* One record in a log of its own. */
static void
put_log(struct guest *g, const char *text)
{
	const uint16_t len = (uint16_t)strlen(text);
	uint64_t desc[3] = { 2ull << 62 | 1, 0, (8 + len + 7u) / 8 * 8 };
	uint64_t descs[6] = { 0 }, infos[22] = { 0 }, prb[12] = { 0 }, at;
	uint8_t data[256] = { 0 };

	memcpy(&descs[3], desc, sizeof(desc));
	infos[11 + 1] = 1500000000;
	infos[11 + 2] = len | 6ull << 29;
	memcpy(data + 8, text, len);
	prb[1] = 1;
	prb[2] = guest_put(g, descs, sizeof(descs), 8);
	prb[3] = guest_put(g, infos, sizeof(infos), 8);
	prb[4] = prb[5] = 1;
	prb[8] = 8;
	prb[9] = guest_put(g, data, sizeof(data), 8);
	at = guest_put(g, prb, sizeof(prb), 8);
	guest_info(g, "SYMBOL(prb)=%llx",
	    (unsigned long long)guest_put(g, &at, 8, 8));
	guest_info(g, "OFFSET(printk_ringbuffer.desc_ring)=8\n"
	    "OFFSET(printk_ringbuffer.text_data_ring)=64\n"
	    "OFFSET(prb_desc_ring.count_bits)=0\n"
	    "OFFSET(prb_desc_ring.descs)=8\nOFFSET(prb_desc_ring.infos)=16\n"
	    "OFFSET(prb_desc_ring.head_id)=24\n"
	    "OFFSET(prb_desc_ring.tail_id)=32\n"
	    "OFFSET(prb_data_ring.size_bits)=0\nOFFSET(prb_data_ring.data)=8\n"
	    "OFFSET(prb_desc.state_var)=0\nOFFSET(prb_desc.text_blk_lpos)=8\n"
	    "OFFSET(prb_data_blk_lpos.begin)=0\n"
	    "OFFSET(prb_data_blk_lpos.next)=8\n"
	    "OFFSET(atomic_long_t.counter)=0\nSIZE(prb_desc)=24\n"
	    "SIZE(printk_info)=88\nOFFSET(printk_info.seq)=0\n"
	    "OFFSET(printk_info.ts_nsec)=8\nOFFSET(printk_info.text_len)=16\n"
	    "OFFSET(printk_info.caller_id)=20");
}

/* A core; the caller may change the rest of g->im.spec before. */
static void
make(struct guest *g)
{
	const struct ksyms_sym syms[] = {
		{ g->base, 'T', "_stext" }, { g->base + 8, 't', "a\\b" },
		{ g->base + 0x100, 'B', "_end" },
	};

	ksyms_put(g, KSYMS_PLACE, true, syms, 3);
	put_log(g, "\x1b[31mred\nsecond\t\"line\"\x80");
	guest_make(g);
}

/* This test checks text: it is as documented, and safe for a terminal. */
static void
crashinfo_text_is_safe(void **state)
{
	struct guest g;
	char want[256];

	(void)state;
	guest_init(&g);
	g.im.spec.nnotes = 1;
	g.im.spec.panicstr = "oops \x1b]0;title\x07";
	g.im.spec.release = "6.1.0-test";
	g.im.spec.uptime_ns = 93784005000000;
	make(&g);
	assert_int_equal(run_on(&g, "", "dmesg"), 0);
	assert_string_equal(output, "[    1.500000] \\033[31mred\n"
	    "[    1.500000] second\t\"line\"\\200\n");
	assert_int_equal(run_on(&g, "", "nm"), 0);
	snprintf(want, sizeof(want), "%016llx T _stext\n%016llx t a\\\\b\n"
	    "%016llx B _end\n", (unsigned long long)g.base,
	    (unsigned long long)g.base + 8, (unsigned long long)g.base + 0x100);
	assert_string_equal(output, want);
	assert_int_equal(run_on(&g, "", "uptime"), 0);
	output_has("release   6.1.0-test\n");
	output_has("panic     oops \\033]0;title\\007\n");
	output_has("uptime    1 days 02:03:04.005\n");
	guest_fini(&g);
}

/* This test checks that where a core does not tell when the kernel died, or how
 * long it ran, no time is made up. */
static void
crashinfo_unknown_times_are_left_out(void **state)
{
	struct guest g;

	(void)state;
	guest_init(&g);
	g.im.spec.uptime_ns = 0;
	make(&g);
	assert_int_equal(run_on(&g, "", "uptime"), 0);
	assert_null(strstr(output, "uptime"));
	output_has("died      ");
	assert_int_equal(run_on(&g, "--json", "uptime"), 0);
	output_has("\"uptime_ns\": null,\n");
	g.im.spec.time_ns = 0;
	make(&g);
	assert_int_equal(run_on(&g, "", "uptime"), 0);
	assert_null(strstr(output, "died"));
	assert_int_equal(run_on(&g, "--json", "uptime"), 0);
	output_has("\"time_ns\": null,\n");
	guest_fini(&g);
}

/* This test checks JSON: bytes are characters, addresses strings. */
static void
crashinfo_json_is_as_documented(void **state)
{
	struct guest g;
	char want[256];

	(void)state;
	guest_init(&g);
	g.im.spec.uptime_ns = 5;
	make(&g);
	assert_int_equal(run_on(&g, "--json", "dmesg"), 0);
	output_has("\"text\": \"\\u001b[31mred\\nsecond\\u0009\\\"line\\\""
	    "\\u0080\"");
	output_has("\"level\": 6");
	assert_int_equal(run_on(&g, "--json", "nm"), 0);
	snprintf(want, sizeof(want), "[{\"name\": \"_stext\",\n\"address\": "
	    "\"0x%llx\",\n\"type\": \"T\",\n\"module\": null},\n{\"name\": "
	    "\"a\\\\b\"", (unsigned long long)g.base);
	output_has(want);
	assert_int_equal(run_on(&g, "--json", "uptime"), 0);
	output_has("\"uptime_ns\": 5,\n\"load\": null}\n");
	guest_fini(&g);
}

/* This test checks that registers have their CPU, and the unknown are told. */
static void
crashinfo_regs_name_each_cpu(void **state)
{
	struct mkdump_poke pokes[4];
	struct guest g;
	size_t notes;

	(void)state;
	guest_init(&g);
	g.im.spec.nnotes = 2;
	make(&g);
	/* In a note, pr_reg is at 112, and rip the 17th register. */
	notes = kvm_dump_hdr(g.im.kd)->notes_off;
	memcpy(pokes, g.pokes, sizeof(g.pokes));
	pokes[2] = (struct mkdump_poke){ MKDUMP_CPU, notes + 20 + 112 + 16 * 8,
	    8, g.base + 9 };
	pokes[3] = (struct mkdump_poke){ MKDUMP_CPU, notes + 356 + 20 + 32, 8,
	    0 };
	g.im.spec.pokes = pokes;
	g.im.spec.npokes = 4;
	guest_make(&g);
	run_on(&g, "", "regs");
	output_has("CPU 0");
	output_has(", thread 4242: a\\\\b+0x1\n");
	output_has("       rip ");
	output_has("CPU 1, which panicked: not known\n");
	guest_fini(&g);
}

/* This test checks processes and threads, one of which is damaged. */
static void
crashinfo_ps_is_as_documented(void **state)
{
	struct tasks f;

	(void)state;
	tasks_make(&f, true);
	strcpy((char *)guest_at(&f.g, f.task[3] + T_COMM), "\x1b[31mred");
	tasks_put(&f.g, f.task[6] + T_CRED, 8, 8);
	guest_make(&f.g);
	assert_int_equal(run_on(&f.g, "", "ps"), 0);
	output_has("    PID    PPID     UID S  NLWP       RSS COMMAND\n"
	    "      1       0       0 S     1         0 init\n"
	    "      2       0       0 I     1         0 [kthreadd]\n"
	    "    100       1    1004 D     3     ");
	output_has(" \\033[31mred\n    103       1       ? T     1 ");
	assert_null(strstr(output, "worker"));
	assert_int_equal(run_on(&f.g, "-H", "ps"), 0);
	output_has("    PID     TID    PPID     UID S  NLWP       RSS COMM");
	output_has("\n    100     101       1    1004 R     3     ");
	output_has("\n    100     102       1    1004 t     3     ");
	assert_int_equal(run_on(&f.g, "--json -H", "ps"), 0);
	output_has("\"uid\": 1004");
	output_has("\"comm\": \"\\u001b[31mred\"");
	output_has("\"uid\": null");
	output_has("\"threads\": [{\"tid\": 100,\n\"state\": \"D\"");
	output_has("{\"tid\": 101,\n\"state\": \"R\",\n\"running\": true");
	assert_int_equal(run_on(&f.g, "", "report"), 0);
	output_has("8 in all, 1 of them on a CPU: 1 that could run (R), 1 "
	    "asleep (S), ");
	guest_fini(&f.g);
}

/* This test checks that of the running system nobody claims to know what its
 * CPUs do. */
static void
crashinfo_running_system_does_not_stop(void **state)
{
	(void)state;
	assert_int_equal(run("report"), 0);
	output_has(" in all: ");
	assert_null(strstr(output, " on a CPU"));
	assert_int_equal(run("--json report"), 0);
	output_has("\"running\": null,\n\"R\": ");
	assert_int_equal(run("--json -H ps"), 0);
	output_has("\"running\": null,\n\"cpu\": ");
}

/* This test checks arguments that can't be read, and why; and load averages. */
static void
crashinfo_ps_says_why_there_are_no_arguments(void **state)
{
	struct tasks f;

	(void)state;
	tasks_make(&f, true);
	strcpy((char *)guest_at(&f.g, f.task[3] + T_COMM), "\x1b[31mred");
	tasks_put(&f.g, f.mm + M_PGD, 8, f.g.base);
	tasks_put(&f.g, f.mm + M_ARG_START, 8, 0x7000);
	tasks_put(&f.g, f.mm + M_ARG_END, 8, 0x7010);
	guest_make(&f.g);
	assert_int_equal(run_on(&f.g, "", "ps -a"), 0);
	output_has(" [kthreadd]\n");
	output_has(" (\\033[31mred)\n");
	output_has("crashinfo: 1 of the arguments and environments can't be "
	    "read, the first: ");
	output_has(": arguments of process 100: address 0x");
	assert_int_equal(run_on(&f.g, "", "ps -e"), 0);
	output_has(" \\033[31mred\n");
	assert_int_equal(run_on(&f.g, "--json", "ps -ae"), 0);
	output_has("\"args_error\": \"");
	output_has(": arguments of process 100: address 0x");
	output_has("\"args\": null,\n\"env\": []}");
	assert_int_equal(run_on(&f.g, "", "ps 100"), 2);
	output_has("usage: crashinfo");
	assert_int_equal(run_on(&f.g, "", "files"), 0);
	assert_string_equal(output, "    PID   FD TYPE   RW       OFFSET      "
	    "INODE DEV     PATH\n");
	assert_int_equal(run_on(&f.g, "", "uptime"), 0);
	output_has("load      0.50 1.25 100.00\n");
	assert_int_equal(run_on(&f.g, "--json", "uptime"), 0);
	output_has("\"load\": [0.50,\n1.25,\n100.00]");
	guest_fini(&f.g);
}

/* This test checks a raw device, whole and with an early record alone. */
static void
crashinfo_raw_device_is_read(void **state)
{
	struct guest g;

	(void)state;
	guest_init(&g);
	g.im.spec.core = false;
	g.im.spec.log = "the last\x1b words\n";
	make(&g);
	assert_int_equal(run_on(&g, "", "dmesg"), 0);
	output_has("[    1.500000] \\033[31mred\n");
	g.im.spec.early_only = true;
	g.im.spec.seq = 1;
	g.im.spec.state = 1;
	image_write(&g.im);
	assert_int_equal(run_on(&g, "", "dmesg"), 0);
	assert_string_equal(output, "the last\\033 words\n");
	assert_int_equal(run_on(&g, "", "nm"), 1);
	output_has(": nm: the dump got no further than its early record\n");
	g.im.spec.log = "";
	image_write(&g.im);
	assert_int_equal(run_on(&g, "", "dmesg"), 1);
	output_has(": the early record has no text\n");
	guest_fini(&g);
}

/* This test checks that errors name the file and what is wrong. */
static void
crashinfo_errors_are_told(void **state)
{
	struct guest g;

	(void)state;
	assert_int_equal(run("-H"), 2);
	output_has("crashinfo: -H: only with ps\nusage: crashinfo ");
	assert_int_equal(run("-N kernel -M - uptime"), 2);
	output_has("crashinfo: -M -: goes without -N\n");
	assert_int_equal(run("nosuch"), 2);
	output_has("crashinfo: nosuch: no such command\n");
	assert_int_equal(run("-H nm"), 2);
	assert_int_equal(run("-M /nonexistent uptime"), 1);
	output_has("crashinfo: /nonexistent: open: No such file");
	assert_int_equal(run("-M /dev/null uptime"), 1);
	guest_init(&g);
	guest_make(&g);
	assert_int_equal(run_on(&g, "", "nm"), 1);
	output_has("kallsyms: VMCOREINFO");
	assert_int_equal(run_on(&g, "", "ps -Q"), 2);
	output_has("crashinfo: ps: invalid option -- 'Q'\nusage: crashinfo ");
	assert_int_equal(run_on(&g, "", "bt -c"), 2);
	output_has("crashinfo: bt: option requires an argument -- 'c'\nusage: ");
	assert_int_equal(run_on(&g, "", "uptime >/dev/full"), 1);
	output_has("standard output: No space left on device");
	guest_fini(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crashinfo_text_is_safe),
		cmocka_unit_test(crashinfo_unknown_times_are_left_out),
		cmocka_unit_test(crashinfo_json_is_as_documented),
		cmocka_unit_test(crashinfo_regs_name_each_cpu),
		cmocka_unit_test(crashinfo_ps_is_as_documented),
		cmocka_unit_test(crashinfo_running_system_does_not_stop),
		cmocka_unit_test(crashinfo_ps_says_why_there_are_no_arguments),
		cmocka_unit_test(crashinfo_raw_device_is_read),
		cmocka_unit_test(crashinfo_errors_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
