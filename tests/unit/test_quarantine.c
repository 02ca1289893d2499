/* quarantine: the inode itself where that can be, a copy where it cannot, whole before the name
 * goes. */
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
	vault_kept(name, &task.removal, task.version);
	snprintf(kept, sizeof kept, "%s/%s", y.quarantine, name);
	return task;
}

static void expect_kept_of(struct removal_task *task, mode_t mode, uid_t uid)
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
	cr_expect(origin.mode == mode && origin.uid == uid);
	cr_expect(yard_count(y.quarantine) == 2, "the file and what is known of it");
	yard_task_done(task);
}

static void expect_kept(struct removal_task *task, mode_t mode)
{
	expect_kept_of(task, mode, 0);
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

/* A quarantine whose files nobody can change, as there is no file. */
Test(quarantine, a_mode_that_could_not_be_set_is_noted)
{
	struct removal_task task = make();
	struct taking taking = { .task = &task, .ground = &y.ground };
	cr_expect(quarantine_end(&taking) == TAKING_ENDED);
	cr_expect(task.removal.state == REMOVAL_QUARANTINED);
	cr_expect(strstr(task.removal.note, "chmod 000") != NULL, "%s", task.removal.note);
	yard_task_done(&task);
}

static int reader; /* of the owner, who has it open */

/* By what he has open he opens it once more, when it was judged and has no name any more. */
static void open_anew(int nth)
{
	char path[64];
	if (nth != 3)
		return;
	snprintf(path, sizeof path, "/proc/self/fd/%d", reader);
	cr_assert(seteuid(65534) == 0);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	cr_expect(fd < 0 && errno == EACCES, "he may write to it");
	cr_expect(fchmod(reader, 0777) < 0, "he may change its mode");
	cr_expect(linkat(AT_FDCWD, path, AT_FDCWD, yard_path(&y, "g"), AT_SYMLINK_FOLLOW) < 0);
	cr_assert(seteuid(0) == 0);
}

static void of_another(void)
{
	cr_assert(chmod(y.w.dir, 0755) == 0 && chmod(y.root, 0777) == 0 &&
		  chown(yard_path(&y, "f"), 65534, 65534) == 0);
	reader = open(yard_path(&y, "f"), O_RDONLY | O_CLOEXEC);
	cr_assert(reader >= 0);
}

Test(quarantine, its_owner_cannot_change_it_any_more)
{
	struct stat st;
	struct origin origin;
	of_another();
	struct removal_task task = make();
	yard_deed = open_anew;
	cr_expect(remove_file(&y.ground, &task, &err), "%s", err.text);
	cr_expect(task.removal.state == REMOVAL_QUARANTINED && yard_asked == 3);
	cr_expect(stat(kept, &st) == 0 && st.st_uid == 0 && (st.st_mode & 07777) == 0);
	cr_assert(origin_read(y.vault, strrchr(kept, '/') + 1, &origin, &err) == 0);
	cr_expect(origin.uid == 65534 && origin.gid == 65534 && origin.mode == 0640);
	yard_task_done(&task);
	close(reader);
}

static void expect_as_it_was(const char *path)
{
	struct stat st;
	cr_expect(stat(path, &st) == 0 && st.st_uid == 65534 && (st.st_mode & 07777) == 0640);
}

static void write_taken(int nth)
{
	char taken[256];
	snprintf(taken, sizeof taken, "%s/1-0.taken", y.quarantine);
	if (nth == 3)
		world_write_file(taken, "new", 3);
}

static void link_taken(int nth)
{
	char taken[256];
	snprintf(taken, sizeof taken, "%s/1-0.taken", y.quarantine);
	if (nth == 2)
		cr_assert(link(taken, yard_path(&y, "g")) == 0);
}

Test(quarantine, what_its_owner_changed_before_goes_back_and_is_his)
{
	of_another();
	struct removal_task task = make();
	yard_deed = write_taken; /* and closed again */
	cr_expect(remove_file(&y.ground, &task, &err), "%s", err.text);
	cr_expect(task.removal.state == REMOVAL_REPLACED);
	cr_expect(yard_count(y.quarantine) == 0);
	cr_expect_str_eq(yard_text(yard_path(&y, "f")), "new");
	expect_as_it_was(yard_path(&y, "f"));
	yard_task_done(&task);
	close(reader);
}

Test(quarantine, a_name_that_its_owner_gave_it_keeps_what_he_had)
{
	of_another();
	struct removal_task task = make();
	yard_deed = link_taken;
	expect_kept_of(&task, 0640, 65534);
	expect_as_it_was(yard_path(&y, "g"));
	close(reader);
}

Test(quarantine, what_was_made_ours_and_cut_short_goes_back_as_it_was)
{
	char taken[256];
	snprintf(taken, sizeof taken, "%s/1-0.taken", y.quarantine);
	of_another();
	struct removal_task task = make();
	cr_expect(remove_file(&y.ground, &task, &err), "%s", err.text);
	cr_assert(rename(kept, taken) == 0 && chmod(taken, 0400) == 0);
	task.removal.state = REMOVAL_INTENDED;
	yard_written = true;
	cr_expect(!remove_file(&y.ground, &task, &err));
	expect_as_it_was(yard_path(&y, "f"));
	yard_task_done(&task);
	close(reader);
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

Test(quarantine, copies_across_file_systems)
{
	yard_move_quarantine(&y);
	struct removal_task task = make();
	expect_kept(&task, 0640);
	cr_expect(!yard_there(&y, "f"));
}

static void rewrite(int nth)
{
	if (nth == 2) /* it was looked at and could not be taken */
		yard_file(&y, "f", "new");
}

Test(quarantine, what_changes_while_it_is_copied_stays)
{
	yard_move_quarantine(&y);
	struct removal_task task = make();
	yard_deed = rewrite;
	cr_expect(remove_file(&y.ground, &task, &err), "%s", err.text);
	cr_expect(task.removal.state == REMOVAL_REPLACED);
	cr_expect_str_eq(yard_text(yard_path(&y, "f")), "new");
	cr_expect(yard_count(y.quarantine) == 0);
	yard_task_done(&task);
}

static bool is_held(int fd)
{
	(void)fd;
	return true;
}

/* What was judged need not be read again; it is while it is copied. */
Test(quarantine, a_copy_must_be_what_was_judged)
{
	yard_move_quarantine(&y);
	struct removal_task task = make();
	y.ground.hold = y.ground.drop = is_held;
	task.version->checked_ns = task.version->identity.ctime_ns + 4 * clock_tick_ns();
	task.version->sha256[0]++;
	cr_expect(remove_file(&y.ground, &task, &err), "%s", err.text);
	cr_expect(task.removal.state == REMOVAL_REPLACED, "%s",
		  removal_state_name(task.removal.state));
	cr_expect(yard_there(&y, "f") && yard_count(y.quarantine) == 0);
	yard_task_done(&task);
}

static void take_its_name(int nth)
{
	if (nth == 2)
		cr_assert(rename(yard_path(&y, "g"), yard_path(&y, "f")) == 0);
}

Test(quarantine, what_takes_its_name_before_it_goes_stays)
{
	yard_move_quarantine(&y);
	struct removal_task task = make();
	yard_file(&y, "g", "good");
	yard_deed = take_its_name;
	cr_expect(remove_file(&y.ground, &task, &err), "%s", err.text);
	cr_expect_str_eq(yard_text(yard_path(&y, "f")), "good");
	yard_task_done(&task);
}

/* And is no fresh change any more when its name is to go. */
static void change_mode(int nth)
{
	struct stat st;
	if (nth != 2)
		return;
	cr_assert(chmod(yard_path(&y, "f"), 0600) == 0 && stat(yard_path(&y, "f"), &st) == 0);
	yard_rest(st.st_ctim.tv_sec * CLOCK_NS_PER_S + st.st_ctim.tv_nsec);
}

Test(quarantine, what_changes_in_any_way_before_its_name_goes_is_judged_anew)
{
	yard_move_quarantine(&y);
	struct removal_task task = make();
	yard_deed = change_mode;
	cr_expect(!remove_file(&y.ground, &task, &err) && err.code == 0, "%s", err.text);
	cr_expect(yard_there(&y, "f"));
	yard_deed = NULL;
	cr_expect(remove_file(&y.ground, &task, &err), "%s", err.text);
	cr_expect(task.removal.state == REMOVAL_QUARANTINED && !yard_there(&y, "f"));
	yard_task_done(&task);
}

static void forget_name(int nth)
{
	if (nth == 2)
		cr_assert(unlink(yard_path(&y, "f")) == 0);
}

Test(quarantine, what_loses_its_name_while_it_is_copied_is_there)
{
	yard_move_quarantine(&y);
	struct removal_task task = make();
	yard_deed = forget_name;
	expect_kept(&task, 0640);
	umount2(y.quarantine, MNT_DETACH);
}

Test(quarantine, a_full_one_is_told_and_loses_nothing)
{
	yard_move_quarantine(&y);
	char filler[256];
	snprintf(filler, sizeof filler, "%s/filler", y.quarantine);
	int fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	cr_assert(posix_fallocate(fd, 0, 1 << 20) == 0 && close(fd) == 0);
	struct removal_task first = make();
	cr_expect(!remove_file(&y.ground, &first, &err));
	cr_expect(strstr(err.text, "what is known of it cannot be written"), "%s", err.text);
	cr_expect(strstr(err.text, "make room"), "%s", err.text);
	cr_expect(yard_there(&y, "f") && yard_count(y.quarantine) == 1);
	yard_task_done(&first);
	cr_assert(unlink(filler) == 0);
	fd = open(yard_path(&y, "f"), O_WRONLY | O_TRUNC | O_CLOEXEC);
	cr_assert(ftruncate(fd, 2 << 20) == 0 && close(fd) == 0);
	struct removal_task task = make();
	cr_expect(!remove_file(&y.ground, &task, &err));
	cr_expect(err.code == ENOSPC && strstr(err.text, "make room"), "%s", err.text);
	cr_expect(yard_there(&y, "f"));
	cr_expect(mount("carved", y.quarantine, "tmpfs", MS_REMOUNT, "size=8m,mode=0700") == 0);
	cr_expect(remove_file(&y.ground, &task, &err), "%s", err.text);
	cr_expect(task.removal.state == REMOVAL_QUARANTINED && !yard_there(&y, "f"));
	yard_task_done(&task);
}

Test(quarantine, goes_on_from_wherever_it_was_cut_short)
{
	struct removal_task task = make();
	char taken[256];
	snprintf(taken, sizeof taken, "%s/1-0.taken", y.quarantine);
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
	snprintf(half, sizeof half, "%s/1-0.copy", y.quarantine);
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

Test(quarantine, what_a_killed_try_began_goes_with_what_is_not_kept)
{
	char begun[256];
	struct removal_task task = make();
	snprintf(begun, sizeof begun, "%s/1-0.copy", y.quarantine);
	world_write_file(begun, "b", 1);
	snprintf(begun, sizeof begun, "%s/1-0.json", y.quarantine);
	world_write_file(begun, "{", 1);
	cr_assert(unlink(yard_path(&y, "f")) == 0);
	cr_expect(remove_file(&y.ground, &task, &err));
	cr_expect(task.removal.state == REMOVAL_GONE);
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
