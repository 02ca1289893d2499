/* disk: when a file system is too full, and how much must go. */
#include <sys/vfs.h>

#include <criterion/criterion.h>

#include "core/config/config.h"
#include "core/dispose/disk.h"

static const struct config_retention limits = { .disk_high_percent = 90, .disk_low_percent = 80 };

static struct disk judged(bool over, struct disk_room room)
{
	struct disk disk = { .over = over };
	disk_judge(&disk, &limits, &room);
	return disk;
}

Test(disk, is_over_from_the_high_mark_on_until_it_is_at_the_low_one)
{
	struct disk disk =
		judged(false, (struct disk_room){ .bytes_used = 890, .bytes_free = 110 });
	cr_expect(!disk.over);
	cr_expect_eq(disk.percent, 89);
	cr_expect_eq(disk.need_bytes, 0);
	disk = judged(false, (struct disk_room){ .bytes_used = 900, .bytes_free = 100 });
	cr_expect(disk.over);
	cr_expect_eq(disk.percent, 90);
	cr_expect_eq(disk.need_bytes, 101);
	disk = judged(true, (struct disk_room){ .bytes_used = 801, .bytes_free = 199 });
	cr_expect(disk.over);
	cr_expect_eq(disk.percent, 81, "rounded up, as df does");
	cr_expect_eq(disk.need_bytes, 2);
	disk = judged(true, (struct disk_room){ .bytes_used = 800, .bytes_free = 200 });
	cr_expect(!disk.over);
}

Test(disk, is_full_by_inodes_as_well)
{
	struct disk disk = judged(false, (struct disk_room){ .bytes_used = 1,
							     .bytes_free = 999,
							     .files_used = 95,
							     .files_free = 5 });
	cr_expect(disk.over);
	cr_expect_eq(disk.percent, 95);
	cr_expect_eq(disk.need_bytes, 0);
	cr_expect_eq(disk.need_files, 16);
}

Test(disk, sizes_near_the_end_of_the_type_are_no_trouble)
{
	struct disk disk = judged(false, (struct disk_room){ .bytes_used = UINT64_MAX / 2,
							     .bytes_free = UINT64_MAX / 2 });
	cr_expect_eq(disk.percent, 50);
	cr_expect(!disk.over);
	disk = judged(false, (struct disk_room){ 0 });
	cr_expect_eq(disk.percent, 0, "a file system that tells nothing");
	cr_expect_eq(disk_takes(0), 0);
	cr_expect_eq(disk_takes(1), 4096);
	cr_expect_eq(disk_takes(4096), 4096);
}

Test(disk, is_as_large_as_df_says)
{
	struct statfs st = {
		.f_bsize = 1 << 20, .f_frsize = 4096, .f_blocks = 100, .f_bfree = 30, .f_bavail = 20
	};
	struct disk_room room = disk_room_of(&st);
	cr_expect_eq(room.bytes_used, 70 * 4096);
	cr_expect_eq(room.bytes_free, 20 * 4096);
	st.f_frsize = 0;
	st.f_bsize = 512;
	st.f_bfree = 101; /* more than there are */
	st.f_ffree = 1000;
	room = disk_room_of(&st);
	cr_expect_eq(room.bytes_used, 0);
	cr_expect_eq(room.bytes_free, 20 * 512);
	cr_expect_eq(room.files_used, 0);
}

Test(disk, gains_by_what_has_bytes_or_by_all_when_files_are_short)
{
	struct disk disk = { .need_bytes = 1 };
	cr_expect(disk_gains(&disk, 1) && !disk_gains(&disk, 0));
	disk.need_files = 1;
	cr_expect(disk_gains(&disk, 0));
}

Test(disk, each_file_system_of_the_roots_is_looked_at_once)
{
	struct config_root roots[] = { { .path = "/proc" },
				       { .path = "/tmp" },
				       { .path = "/tmp" },
				       { .path = "/nowhere/at/all" } };
	struct config config = { .roots = roots, .root_count = 4, .retention = limits };
	struct disks disks = { 0 };
	disks_look(&disks, &config);
	cr_assert_eq(disks.count, 2);
	cr_expect_eq(disks.missing, 1);
	cr_expect_eq(disks_of(&disks, disks.items[1].fsid), &disks.items[1]);
	cr_expect_null(disks_of(&disks, 12345));
	cr_expect_geq(disks_percent(&disks), disks.items[1].percent);
	/* what was over stays so between the marks: any disk is between 0 and 99 */
	config.retention = (struct config_retention){ .disk_high_percent = 101 };
	disks.items[1].over = true;
	disks_look(&disks, &config);
	cr_expect(disks.items[1].over);
	disks_done(&disks);
	cr_expect_eq(disks_percent(&disks), 0);
}
