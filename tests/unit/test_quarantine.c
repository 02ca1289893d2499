/* quarantine: the inode itself where that can be, a copy where it cannot, whole before the name
 * goes. */
#include <sys/mount.h>

#include <sched.h>

#include "core/dispose/origin.h"
#include "core/dispose/quarantine.h"
#include "core/dispose/remove.h"
#include "dispose_fixture.h"

static struct yard y;
static struct error err;
static char kept[256];

static void setup(void)
{
	yard_init(&y);
	yard_file(&y, "f", "bad");
	cr_assert(chmod(yard_path(&y, "f"), 0640) == 0);
}

static void teardown(void)
{
	yard_done(&y);
}

TestSuite(quarantine, .init = setup, .fini = teardown);

static struct removal_task make(void)
{
	struct removal_task task = yard_task(&y, "f", REMOVAL_QUARANTINE);
	char name[VAULT_NAME];
	vault_kept(name, 1, task.version);
	snprintf(kept, sizeof kept, "%s/%s", y.quarantine, name);
	return task;
}

static void expect_kept(struct removal_task *task, mode_t mode)
{
	struct origin origin = { 0 };
	struct stat st;
	cr_expect(remove_file(&y.ground, task, &err), "%s", err.text);
	cr_expect(task->removal.state == REMOVAL_QUARANTINED, "%s: %s",
		  removal_state_name(task->removal.state), task->removal.note);
	cr_expect_str_eq(task->removal.place, kept);
	cr_expect(stat(kept, &st) == 0 && (st.st_mode & 07777) == 0);
	cr_expect_str_eq(yard_text(kept), "bad");
	cr_assert(origin_read(y.vault, strrchr(kept, '/') + 1, &origin, &err) == 0, "%s", err.text);
	cr_expect(origin.mode == mode && origin.uid == 0);
	cr_expect(yard_count(y.quarantine) == 2, "the file and what is known of it");
	yard_task_done(task);
}

static ino_t inode(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

Test(quarantine, keeps_the_file_itself)
{
	struct removal_task task = make();
	ino_t was = inode(yard_path(&y, "f"));
	expect_kept(&task, 0640);
	cr_expect(!yard_there(&y, "f"));
	cr_expect(inode(kept) == was);
}

Test(quarantine, copies_what_has_another_name)
{
	struct stat st;
	struct removal_task task = make();
	cr_assert(link(yard_path(&y, "f"), yard_path(&y, "g")) == 0);
	expect_kept(&task, 0640);
	cr_expect(!yard_there(&y, "f"));
	cr_expect(inode(kept) != inode(yard_path(&y, "g")));
	cr_expect(stat(yard_path(&y, "g"), &st) == 0 && (st.st_mode & 07777) == 0640);
}

/* Another file system for the quarantine; false where that cannot be mounted. */
static bool move_quarantine(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("carved", y.quarantine, "tmpfs", 0, "size=1m,mode=0700") < 0)
		return false;
	vault_free(y.vault);
	return vault_open(&y.vault, y.quarantine, &err) == 0 && (y.ground.vault = y.vault);
}

Test(quarantine, copies_across_file_systems)
{
	if (!move_quarantine())
		cr_skip_test("no mounts here");
	struct removal_task task = make();
	expect_kept(&task, 0640);
	cr_expect(!yard_there(&y, "f"));
	umount2(y.quarantine, MNT_DETACH);
}

static void rewrite(int nth)
{
	if (nth == 2) /* it was looked at and could not be taken */
		yard_file(&y, "f", "new");
}

Test(quarantine, what_changes_while_it_is_copied_stays)
{
	if (!move_quarantine())
		cr_skip_test("no mounts here");
	struct removal_task task = make();
	yard_deed = rewrite;
	cr_expect(remove_file(&y.ground, &task, &err), "%s", err.text);
	cr_expect(task.removal.state == REMOVAL_REPLACED);
	cr_expect_str_eq(yard_text(yard_path(&y, "f")), "new");
	cr_expect(yard_count(y.quarantine) == 0);
	yard_task_done(&task);
	umount2(y.quarantine, MNT_DETACH);
}

Test(quarantine, a_full_one_is_told_and_loses_nothing)
{
	if (!move_quarantine())
		cr_skip_test("no mounts here");
	int fd = open(yard_path(&y, "f"), O_WRONLY | O_TRUNC);
	cr_assert(ftruncate(fd, 2 << 20) == 0 && close(fd) == 0);
	struct removal_task task = make();
	cr_expect(!remove_file(&y.ground, &task, &err));
	cr_expect(err.code == ENOSPC && strstr(err.text, "make room"), "%s", err.text);
	cr_expect(yard_there(&y, "f"));
	cr_expect(mount("carved", y.quarantine, "tmpfs", MS_REMOUNT, "size=8m,mode=0700") == 0);
	cr_expect(remove_file(&y.ground, &task, &err), "%s", err.text);
	cr_expect(task.removal.state == REMOVAL_QUARANTINED && !yard_there(&y, "f"));
	yard_task_done(&task);
	umount2(y.quarantine, MNT_DETACH);
}

Test(quarantine, goes_on_from_wherever_it_was_cut_short)
{
	struct removal_task task = make();
	char taken[256];
	snprintf(taken, sizeof taken, "%s/1.taken", y.quarantine);
	cr_assert(rename(yard_path(&y, "f"), taken) == 0); /* taken */
	expect_kept(&task, 0640);
	cr_assert(rename(kept, yard_path(&y, "f")) == 0); /* known: with its first mode */
	task = make();
	expect_kept(&task, 0640);
	cr_assert(chmod(kept, 0640) == 0);
	yard_file(&y, "f", "bad");
	task = make(); /* kept, and not said */
	cr_assert(unlink(yard_path(&y, "f")) == 0);
	expect_kept(&task, 0640);
	yard_file(&y, "f", "bad");
	task = make(); /* copied, and its name still there */
	expect_kept(&task, 0640);
	cr_expect(!yard_there(&y, "f"));
	yard_file(&y, "f", "bad");
	task = make();
	yard_file(&y, "f", "new"); /* something else stands there by now */
	expect_kept(&task, 0640);
	cr_expect_str_eq(yard_text(yard_path(&y, "f")), "new");
}

Test(quarantine, a_copy_that_was_cut_short_is_made_anew)
{
	char half[256];
	snprintf(half, sizeof half, "%s/1.copy", y.quarantine);
	world_write_file(half, "b", 1);
	struct removal_task task = make();
	cr_assert(link(yard_path(&y, "f"), yard_path(&y, "g")) == 0);
	expect_kept(&task, 0640);
}

Test(quarantine, what_is_not_kept_leaves_nothing)
{
	struct removal_task task = make();
	yard_file(&y, "f", "new");
	cr_expect(remove_file(&y.ground, &task, &err));
	cr_expect(task.removal.state == REMOVAL_REPLACED);
	cr_expect(yard_count(y.quarantine) == 0);
	yard_task_done(&task);
}

Test(quarantine, a_file_whose_mode_is_not_ours_is_copied)
{
	struct stat st;
	cr_assert(chmod(y.w.dir, 0755) == 0 && chmod(y.root, 0777) == 0 &&
		  chmod(yard_path(&y, "f"), 0644) == 0);
	cr_assert(chown(y.quarantine, 65534, 65534) == 0);
	struct removal_task task = make();
	cr_assert(seteuid(65534) == 0);
	bool done = remove_file(&y.ground, &task, &err);
	cr_assert(seteuid(0) == 0);
	cr_expect(done && task.removal.state == REMOVAL_QUARANTINED, "%s", err.text);
	cr_expect(stat(kept, &st) == 0 && st.st_uid == 65534 && (st.st_mode & 07777) == 0);
	cr_expect(!yard_there(&y, "f"));
	yard_task_done(&task);
}
