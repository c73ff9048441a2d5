/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * extents_test.c: what dumpon(8) hands over of swap files and logical volumes,
 * and which it refuses.
 */
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arming.h"
#include "fake.h"
#include "fakefile.h"

#define MIB(n)	((uint64_t)(n) << 20)
#define END	"level 0\n"

static const struct dumpon_opts arming_file = {
	.device = SWAPFILE, .level = -1,
};
static const struct dumpon_opts arming_volume = {
	.device = "/dev/dm-0", .level = -1,
};

/* The file's piece at 3 goes on where the one at 0 ends; the last is too long. */
static const struct fake_extent pieces[] = {
	{ 0, MIB(40), MIB(3), 0 },
	{ MIB(3), MIB(43), MIB(1), FIEMAP_EXTENT_UNWRITTEN },
	{ MIB(4), MIB(8), MIB(4), FIEMAP_EXTENT_UNWRITTEN |
	    FIEMAP_EXTENT_MERGED },
	{ MIB(8), MIB(16), MIB(16), FIEMAP_EXTENT_UNWRITTEN |
	    FIEMAP_EXTENT_LAST },
};

static void
file_of_pieces(uint64_t magic)
{
	fakefile_make(MIB(10) + 5000, SWAP, magic, 2);
	fakefile_extents(pieces, 4);
}

/* This test checks that the pieces of a file are handed over in their order, as
 * sectors of the disk, and end with its last whole page. */
static void
arm_file_hands_over_extents(void **state)
{
	const char *text;

	(void)state;
	fake_partition("");
	file_of_pieces(EXT4_SUPER_MAGIC);
	assert_armed(&arming_file);
	text = fake_text("/dev/swapcore");
	assert_said(text, "device " SWAPFILE "\ndisk 259:0\nfile ");
	assert_said(text, "\n" END "extent 83968 8192\nextent 18432 8192\n"
	    "extent 34816 4104\narm\n");
	assert_unsaid(text, "hold");
	assert_unsaid(text, "mapping");
	file_of_pieces(XFS_SUPER_MAGIC);
	assert_armed(&arming_file);
}

/* This test checks that files are refused on other file systems, and where a
 * piece of them can't be written to by its address. */
static void
arm_unfit_file_refused(void **state)
{
	static const struct {
		uint32_t flags;
		const char *said;
	} flags[] = {
		{ FIEMAP_EXTENT_DATA_INLINE, "make it larger" },
		{ FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_UNKNOWN,
		    "without blocks" },
		{ FIEMAP_EXTENT_ENCODED, "compressed" },
		{ FIEMAP_EXTENT_DATA_ENCRYPTED | FIEMAP_EXTENT_ENCODED,
		    "encrypted" },
		{ FIEMAP_EXTENT_SHARED, "shares blocks with another file" },
		{ FIEMAP_EXTENT_DATA_TAIL, "shares a block" },
		{ FIEMAP_EXTENT_UNKNOWN, "not known" },
	};
	struct fake_extent bad[3] = { pieces[0], pieces[1], pieces[2] };
	size_t i;

	(void)state;
	fake_partition("");
	file_of_pieces(BTRFS_SUPER_MAGIC);
	assert_refused(&arming_file, "btrfs");
	file_of_pieces(0x2fc12fc1);
	assert_refused(&arming_file, "zfs");
	file_of_pieces(OVERLAYFS_SUPER_MAGIC);
	assert_refused(&arming_file, "overlay");
	file_of_pieces(0x1234);
	assert_refused(&arming_file, "neither ext4 nor xfs");
	file_of_pieces(XFS_SUPER_MAGIC);
	fakefile_xflags(FS_XFLAG_REALTIME);
	assert_refused(&arming_file, "realtime");
	file_of_pieces(EXT4_SUPER_MAGIC);
	fakefile_extents(bad, 3);
	assert_refused(&arming_file, "has holes");
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		bad[2].flags = flags[i].flags;
		assert_refused(&arming_file, flags[i].said);
	}
	bad[2] = pieces[3];
	assert_refused(&arming_file, "has holes");
	bad[2] = pieces[2];
	bad[2].length -= 1024;
	fakefile_make(MIB(8) - 1024, SWAP, EXT4_SUPER_MAGIC, 2);
	fakefile_extents(bad, 3);
	assert_refused(&arming_file, "needs at least");
	file_of_pieces(EXT4_SUPER_MAGIC);
	fakefile_make(MIB(10), "", EXT4_SUPER_MAGIC, 2);
	assert_refused(&arming_file, "is not swap space");
}

/* This test checks that pieces that are not whole pages are refused. */
static void
arm_file_of_odd_pieces_refused(void **state)
{
	static const struct fake_extent odd[] = {
		{ 0, MIB(40), MIB(3) + 1024, 0 },
		{ MIB(3) + 1024, MIB(50), MIB(20) - 1024, 0 },
	};

	(void)state;
	fake_partition("");
	file_of_pieces(EXT4_SUPER_MAGIC);
	fakefile_extents(odd, 2);
	assert_refused(&arming_file, "not in whole pages");
}

/* This test checks that the segments of a volume are handed over in their order,
 * and that the volume is named, so that it is watched. */
static void
arm_volume_hands_over_segments(void **state)
{
	const char *text;

	(void)state;
	fake_partition("");
	fakefile_mapping("0 40960 linear 259:2 8192\n"
	    "40960 40960 linear 259:2 80000\n"
	    "81920 49152 linear 259:0 400000\n", SWAP);
	assert_armed(&arming_volume);
	text = fake_text("/dev/swapcore");
	assert_said(text, "device /dev/dm-0\ndisk 259:0\nmapping 253:0\n");
	assert_said(text, "\n" END "extent 10240 40960\nextent 82048 40960\n"
	    "extent 400000 49152\narm\n");
}

/* This test checks that a file on a volume is followed through both, and that a
 * piece that lies on two segments becomes two. */
static void
arm_file_on_volume_followed_through_both(void **state)
{
	static const struct fake_extent one[] = {
		{ 0, MIB(10), MIB(12), FIEMAP_EXTENT_LAST },
	};
	const char *text;

	(void)state;
	fake_partition("");
	fakefile_mapping("0 32768 linear 259:2 8192\n"
	    "32768 98304 linear 259:2 2048\n", "");
	fakefile_make(MIB(12), SWAP, EXT4_SUPER_MAGIC, 0);
	fakefile_volume();
	fakefile_extents(one, 1);
	assert_armed(&arming_file);
	text = fake_text("/dev/swapcore");
	assert_said(text, "mapping 253:0\nfile ");
	assert_said(text, "\n" END "extent 30720 12288\nextent 4096 12288\n"
	    "arm\n");
}

/* This test checks that mappings of other kinds, on other mappings and on more
 * than one disk are refused, each with its reason. */
static void
arm_unfit_volume_refused(void **state)
{
	static const struct {
		const char *table;
		const char *said;
	} tables[] = {
		{ "0 131072 crypt aes-xts-plain64 0 0 259:2 0\n",
		    "encrypted (dm-crypt)" },
		{ "0 131072 striped 2 128 259:2 0 259:2 65536\n", "striped" },
		{ "0 131072 thin 253:1 1\n", "thinly" },
		{ "0 40960 linear 259:2 0\n40960 90112 mirror core 1 1\n",
		    "pvmove" },
		{ "0 131072 hovercraft eels\n", "of the type hovercraft" },
		{ "0 65536 linear 259:2 0\n65536 65536 linear 254:0 0\n",
		    "more than one disk, 259:0 and 254:0" },
		{ "0 131072 linear 253:0 0\n", "another mapping, 253:0" },
		{ "0 131072 linear nonsense 0\n", "not understood" },
		{ "0 65536 linear 259:2 0\n", "ends at sector 65536" },
		{ "0 65531 linear 259:2 0\n65531 65541 linear 259:2 99999\n",
		    "not whole pages" },
		{ "", "has no table" },
		{ NULL, "the table of the mapping 253:0" },
	};
	size_t i;

	(void)state;
	fake_partition("");
	fakefile_mapping("", SWAP);
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		fakefile_table(tables[i].table);
		assert_refused(&arming_volume, tables[i].said);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(arm_file_hands_over_extents),
		TEST(arm_unfit_file_refused),
		TEST(arm_file_of_odd_pieces_refused),
		TEST(arm_volume_hands_over_segments),
		TEST(arm_file_on_volume_followed_through_both),
		TEST(arm_unfit_volume_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
