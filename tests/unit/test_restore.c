/* restore: back to where it was, as it was, over nothing; and said before it is done. */
#include "core/dispose/quarantine.h"
#include "core/dispose/remove.h"
#include "core/dispose/restore.h"
#include "dispose_fixture.h"

static struct yard y;
static struct error err;
static struct removal_task task;
static bool owner;

/* A file in the quarantine, which the history knows of as number 1. */
static void keep(void)
{
	char sql[512];
	task = yard_task(&y, "f", REMOVAL_QUARANTINE);
	cr_assert(remove_file(&y.ground, &task, &err), "%s", err.text);
	cr_assert(task.removal.state == REMOVAL_QUARANTINED);
	snprintf(sql, sizeof sql,
		 "INSERT INTO removal (id, version_id, action, cause, state, intended_ns, ended_ns,"
		 " place) VALUES (1, 1, 'quarantine', 'rule', 'quarantined', 1, 2, '%s')",
		 task.removal.place);
	world_change(&y.w, sql);
}

static ino_t broken; /* a directory that cannot be synced */

/* Seam: a disk that fails. */
int fsync(int fd)
{
	struct stat st;
	if (fstat(fd, &st) == 0 && st.st_ino != broken)
		return 0;
	errno = EIO;
	return -1;
}

static void setup(void)
{
	struct timespec times[2] = { { .tv_sec = 5, .tv_nsec = 7 }, { .tv_sec = 9, .tv_nsec = 1 } };
	yard_init(&y);
	world_open(&y.w);
	yard_file(&y, "f", "bad");
	cr_assert(chown(yard_path(&y, "f"), 12, 34) == 0 && chmod(yard_path(&y, "f"), 04750) == 0);
	cr_assert(utimensat(AT_FDCWD, yard_path(&y, "f"), times, 0) == 0);
}

static void teardown(void)
{
	yard_task_done(&task);
	yard_done(&y);
}

TestSuite(restore, .init = setup, .fini = teardown);

static void expect_restored(void)
{
	struct stat st;
	cr_assert(restore_file(&y.config, &task, &owner, &err) == 0, "%s", err.text);
	cr_expect(owner);
	cr_assert(stat(yard_path(&y, "f"), &st) == 0);
	cr_expect(st.st_uid == 12 && st.st_gid == 34 && (st.st_mode & 07777) == 04750);
	cr_expect(st.st_mtim.tv_sec == 9 && st.st_mtim.tv_nsec == 1);
	cr_expect_str_eq(yard_text(yard_path(&y, "f")), "bad");
	cr_expect(yard_count(y.quarantine) == 0);
	EXPECT_SQL(&y.w, "SELECT state FROM removal", "restored");
}

Test(restore, brings_back_what_there_was)
{
	keep();
	expect_restored();
}

Test(restore, copies_across_file_systems)
{
	yard_move_quarantine(&y);
	keep();
	expect_restored();
}

Test(restore, a_copy_whose_name_may_not_outlast_a_power_cut_leaves_the_kept_one)
{
	struct stat st;
	yard_move_quarantine(&y);
	keep();
	cr_assert(stat(y.root, &st) == 0);
	broken = st.st_ino;
	cr_expect(restore_file(&y.config, &task, &owner, &err) == -EIO);
	cr_expect(!yard_there(&y, "f"));
	cr_expect(access(task.removal.place, F_OK) == 0);
	EXPECT_SQL(&y.w, "SELECT state FROM removal", "quarantined");
	broken = 0;
	expect_restored();
}

Test(restore, nothing_is_written_over)
{
	keep();
	yard_file(&y, "f", "new");
	cr_expect(restore_file(&y.config, &task, &owner, &err) == -EEXIST);
	cr_expect(strstr(err.text, "over another"), "%s", err.text);
	cr_expect_str_eq(yard_text(yard_path(&y, "f")), "new");
	cr_expect_str_eq(yard_text(task.removal.place), "bad");
	EXPECT_SQL(&y.w, "SELECT state FROM removal", "quarantined");
}

Test(restore, what_cannot_be_put_back_is_in_the_quarantine_as_before)
{
	struct stat st;
	keep();
	yard_own_mounts();
	cr_assert(mount(y.root, y.root, NULL, MS_BIND, NULL) == 0);
	cr_assert(mount(NULL, y.root, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0);
	cr_expect(restore_file(&y.config, &task, &owner, &err) < 0);
	umount2(y.root, MNT_DETACH);
	cr_expect(strstr(err.text, "cannot be put back"), "%s", err.text);
	EXPECT_SQL(&y.w, "SELECT state FROM removal", "quarantined");
	cr_expect(stat(task.removal.place, &st) == 0 && (st.st_mode & 0777) == 0);
	expect_restored();
}

Test(restore, one_that_was_cut_short_goes_on)
{
	keep();
	world_change(&y.w, "UPDATE removal SET state = 'restored'");
	task.removal.state = REMOVAL_RESTORED;
	expect_restored();
}

/* It was put back, and moved on, by the time that the call which was killed is made again. */
Test(restore, one_that_was_cut_short_behind_its_end_stays_restored)
{
	keep();
	world_change(&y.w, "UPDATE removal SET state = 'restored'");
	task.removal.state = REMOVAL_RESTORED;
	cr_assert(rename(task.removal.place, yard_path(&y, "elsewhere")) == 0);
	cr_expect(restore_file(&y.config, &task, &owner, &err) == -ENOENT);
	cr_expect(strstr(err.text, "restored already"), "%s", err.text);
	EXPECT_SQL(&y.w, "SELECT state FROM removal", "restored");
	cr_expect(yard_count(y.quarantine) == 0, "what is known of it goes, too");
}

Test(restore, what_others_took_from_the_quarantine_is_not_said_to_be_restored)
{
	keep();
	cr_assert(unlink(task.removal.place) == 0);
	cr_expect(restore_file(&y.config, &task, &owner, &err) == -ENOENT);
	cr_expect(strstr(err.text, "not in the quarantine any more"), "%s", err.text);
	EXPECT_SQL(&y.w, "SELECT state, ended_ns FROM removal", "quarantined|2");
}

Test(restore, only_below_a_root_and_only_what_is_known)
{
	keep();
	y.config.root_count = 0;
	cr_expect(restore_file(&y.config, &task, &owner, &err) == -ENOKEY);
	cr_expect(strstr(err.text, "export it"), "%s", err.text);
	version_free(TAKE(task.version));
	cr_expect(restore_file(&y.config, &task, &owner, &err) == -ENOENT);
	EXPECT_SQL(&y.w, "SELECT state FROM removal", "quarantined");
}

Test(restore, root_gives_no_rights_by_the_word_of_another_user)
{
	struct stat st;
	keep();
	cr_assert(chown(y.quarantine, 65534, 65534) == 0);
	cr_assert(restore_file(&y.config, &task, &owner, &err) == 0, "%s", err.text);
	cr_expect(stat(yard_path(&y, "f"), &st) == 0 && (st.st_mode & 07777) == 0750);
}

Test(restore, what_is_planted_in_the_quarantine_is_not_put_anywhere)
{
	keep();
	cr_assert(link(task.removal.place, yard_path(&y, "other")) == 0);
	cr_expect(restore_file(&y.config, &task, &owner, &err) < 0 && !yard_there(&y, "f"));
	cr_assert(unlink(yard_path(&y, "other")) == 0 && unlink(task.removal.place) == 0);
	cr_assert(symlink("/etc/passwd", task.removal.place) == 0);
	cr_expect(restore_file(&y.config, &task, &owner, &err) < 0 && !yard_there(&y, "f"));
	cr_assert(unlink(task.removal.place) == 0 && mkdir(task.removal.place, 0700) == 0);
	cr_expect(restore_file(&y.config, &task, &owner, &err) < 0 && !yard_there(&y, "f"));
	EXPECT_SQL(&y.w, "SELECT state FROM removal", "quarantined");
}
