/* remove: the file that was judged goes, and nothing else, whatever is done between any two looks.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <signal.h>

#include "core/dispose/remove.h"
#include "dispose_fixture.h"

static struct yard y;
static struct error err;

static void setup(void)
{
	yard_init(&y);
	yard_file(&y, "f", "bad");
}

static void teardown(void)
{
	yard_done(&y);
}

TestSuite(remove, .init = setup, .fini = teardown);

static void expect_end(struct removal_task *task, enum removal_state state, const char *note)
{
	cr_expect(remove_file(&y.ground, task, &err), "%s", err.text);
	cr_expect(task->removal.state == state, "it is %s: %s",
		  removal_state_name(task->removal.state),
		  task->removal.note ? task->removal.note : "");
	cr_expect(task->removal.ended_ns > 0);
	if (note)
		cr_expect(task->removal.note && strstr(task->removal.note, note), "%s",
			  task->removal.note);
	cr_expect(yard_count(y.quarantine) == 0 || state == REMOVAL_QUARANTINED,
		  "something lies in the quarantine");
	yard_task_done(task);
}

Test(remove, deletes_the_file_that_was_judged)
{
	struct removal_task task = yard_task(&y, "f", REMOVAL_DELETE);
	expect_end(&task, REMOVAL_REMOVED, NULL);
	cr_expect(!yard_there(&y, "f"));
	cr_expect(yard_asked == 2, "before it is taken, and once nobody else can open it");
}

Test(remove, what_has_gone_is_gone)
{
	struct removal_task task = yard_task(&y, "f", REMOVAL_DELETE);
	unlink(yard_path(&y, "f"));
	expect_end(&task, REMOVAL_GONE, NULL);
	yard_file(&y, "f", "bad");
	task = yard_task(&y, "f", REMOVAL_QUARANTINE);
	unlink(yard_path(&y, "f"));
	task.removal.intended_ns = 5;
	y.ground.started_ns = 6;
	expect_end(&task, REMOVAL_GONE, "may be done since");
}

Test(remove, a_file_system_that_is_away_is_waited_for)
{
	struct removal_task task = yard_task(&y, "f", REMOVAL_DELETE);
	unlink(yard_path(&y, "f"));
	cr_assert(rmdir(y.root) == 0);
	cr_expect(!remove_file(&y.ground, &task, &err) && err.code == ENOENT,
		  "a root may come back");
	cr_assert(mkdir(y.root, 0755) == 0);
	task.version->identity.fsid++;
	cr_expect(!remove_file(&y.ground, &task, &err));
	cr_expect(err.code == ENOENT && strstr(err.text, "not mounted"), "%s", err.text);
	task.removal.tries = 20;
	expect_end(&task, REMOVAL_GONE, NULL);
}

Test(remove, another_file_of_that_name_is_left_alone)
{
	struct removal_task task = yard_task(&y, "f", REMOVAL_DELETE);
	yard_file(&y, "g", "bad"); /* even of the same content */
	cr_assert(rename(yard_path(&y, "g"), yard_path(&y, "f")) == 0);
	expect_end(&task, REMOVAL_REPLACED, "another file");
	cr_expect_str_eq(yard_text(yard_path(&y, "f")), "bad");
}

Test(remove, another_content_is_left_alone_and_a_touched_file_is_not)
{
	struct removal_task task = yard_task(&y, "f", REMOVAL_DELETE);
	yard_file(&y, "f", "longer");
	expect_end(&task, REMOVAL_REPLACED, "content");
	task = yard_task(&y, "f", REMOVAL_DELETE);
	yard_file(&y, "f", "new");
	expect_end(&task, REMOVAL_REPLACED, "content");
	cr_expect_str_eq(yard_text(yard_path(&y, "f")), "new");
	task = yard_task(&y, "f", REMOVAL_DELETE);
	struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 2 } };
	cr_assert(utimensat(AT_FDCWD, yard_path(&y, "f"), times, 0) == 0);
	expect_end(&task, REMOVAL_REMOVED, NULL);
}

Test(remove, another_content_of_that_size_and_time_is_left_alone)
{
	struct stat st;
	struct removal_task task = yard_task(&y, "f", REMOVAL_DELETE);
	cr_assert(stat(yard_path(&y, "f"), &st) == 0);
	yard_file(&y, "f", "new");
	struct timespec times[2] = { st.st_atim, st.st_mtim };
	cr_assert(utimensat(AT_FDCWD, yard_path(&y, "f"), times, 0) == 0);
	expect_end(&task, REMOVAL_REPLACED, "content");
	cr_expect_str_eq(yard_text(yard_path(&y, "f")), "new");
}

Test(remove, without_a_hash_the_change_time_decides)
{
	struct removal_task task = yard_task(&y, "f", REMOVAL_DELETE);
	task.version->has_sha256 = false;
	cr_assert(chmod(yard_path(&y, "f"), 0600) == 0); /* who knows */
	task.version->checked_ns = task.version->identity.ctime_ns - 1;
	expect_end(&task, REMOVAL_REPLACED, "no hash");
	cr_expect(yard_there(&y, "f"));
	task = yard_task(&y, "f", REMOVAL_DELETE);
	task.version->has_sha256 = false;
	expect_end(&task, REMOVAL_REMOVED, NULL);
}

Test(remove, what_was_never_looked_at_is_known_by_size_and_time)
{
	struct removal_task task = yard_task(&y, "f", REMOVAL_DELETE);
	task.version->has_sha256 = false;
	task.version->checked_ns = 0;
	world_fail(task.version, REASON_OVERSIZE);
	task.version->identity.mtime_ns++;
	expect_end(&task, REMOVAL_REPLACED, "changed");
	task = yard_task(&y, "f", REMOVAL_DELETE);
	task.version->has_sha256 = false;
	task.version->checked_ns = 0;
	world_fail(task.version, REASON_OVERSIZE);
	expect_end(&task, REMOVAL_REMOVED, NULL);
}

Test(remove, what_is_written_to_is_waited_for_and_stays_in_its_place)
{
	struct removal_task task = yard_task(&y, "f", REMOVAL_DELETE);
	yard_written = true;
	cr_expect(!remove_file(&y.ground, &task, &err) && err.code == 0);
	cr_expect_str_eq(yard_text(yard_path(&y, "f")), "bad");
	yard_written = false;
	expect_end(&task, REMOVAL_REMOVED, NULL);
}

static void begin_to_write(int nth)
{
	yard_written = nth == 2;
}

Test(remove, who_began_to_write_just_before_it_was_taken_has_it_back)
{
	struct removal_task task = yard_task(&y, "f", REMOVAL_DELETE);
	yard_deed = begin_to_write;
	cr_expect(!remove_file(&y.ground, &task, &err) && err.code == 0);
	cr_expect_str_eq(yard_text(yard_path(&y, "f")), "bad");
	cr_expect(yard_count(y.quarantine) == 0);
	yard_task_done(&task);
}

/* So long ago that its change time alone says that nobody has changed it since. */
static struct removal_task rested(void)
{
	struct removal_task task = yard_task(&y, "f", REMOVAL_DELETE);
	task.version->checked_ns = task.version->identity.ctime_ns + 4 * clock_tick_ns();
	return task;
}

/* Another content of the same size and time, and closed again. */
static void feign(const char *path)
{
	struct stat st;
	cr_assert(stat(path, &st) == 0);
	world_write_file(path, "new", 3);
	struct timespec times[2] = { st.st_atim, st.st_mtim };
	cr_assert(utimensat(AT_FDCWD, path, times, 0) == 0);
}

static void feign_in_place(int nth)
{
	if (nth == 1)
		feign(yard_path(&y, "f"));
}

/* As by its link in /proc of one who has it open. */
static void feign_in_quarantine(int nth)
{
	char taken[256];
	snprintf(taken, sizeof taken, "%s/1-0.taken", y.quarantine);
	if (nth == 2)
		feign(taken);
}

Test(remove, what_is_written_between_the_looks_is_not_removed)
{
	struct removal_task task = rested();
	yard_deed = feign_in_place;
	expect_end(&task, REMOVAL_REPLACED, "content");
	cr_expect_str_eq(yard_text(yard_path(&y, "f")), "new");
	yard_file(&y, "f", "bad");
	task = rested();
	yard_asked = 0;
	yard_deed = feign_in_quarantine;
	expect_end(&task, REMOVAL_REPLACED, "content");
	cr_expect_str_eq(yard_text(yard_path(&y, "f")), "new");
}

static bool hold(int fd)
{
	(void)fd;
	return true;
}

Test(remove, what_is_written_before_it_is_held_is_not_removed)
{
	struct removal_task task = rested();
	y.ground.hold = y.ground.drop = hold;
	yard_deed = feign_in_place;
	expect_end(&task, REMOVAL_REPLACED, "content");
	cr_expect_str_eq(yard_text(yard_path(&y, "f")), "new");
}

static bool somebody_came(int fd)
{
	(void)fd;
	return false;
}

Test(remove, who_wrote_while_it_was_taken_has_it_back)
{
	struct removal_task task = rested();
	y.ground.hold = y.ground.drop = hold;
	task.version->sha256[0]++; /* nobody came: it is not read again */
	expect_end(&task, REMOVAL_REMOVED, NULL);
	yard_file(&y, "f", "bad");
	task = rested();
	y.ground.drop = somebody_came;
	cr_expect(!remove_file(&y.ground, &task, &err) && err.code == 0);
	cr_expect_str_eq(yard_text(yard_path(&y, "f")), "bad");
	cr_expect(yard_count(y.quarantine) == 0);
	yard_task_done(&task);
}

static void remove_quarantine(int nth)
{
	if (nth == 1)
		cr_assert(rmdir(y.quarantine) == 0);
}

Test(remove, a_quarantine_that_is_removed_meanwhile_does_not_make_the_file_gone)
{
	struct removal_task task = yard_task(&y, "f", REMOVAL_DELETE);
	yard_deed = remove_quarantine;
	cr_expect(!remove_file(&y.ground, &task, &err), "it is %s",
		  removal_state_name(task.removal.state));
	cr_expect(err.code == ENOENT && strstr(err.text, "quarantine"), "%s", err.text);
	cr_expect_str_eq(yard_text(yard_path(&y, "f")), "bad");
	yard_task_done(&task);
}

static void exchange(int nth)
{
	if (nth == 1)
		cr_assert(renameat2(AT_FDCWD, yard_path(&y, "f"), AT_FDCWD, yard_path(&y, "good"),
				    RENAME_EXCHANGE) == 0);
}

Test(remove, what_was_exchanged_for_it_goes_back)
{
	yard_file(&y, "good", "good");
	struct removal_task task = yard_task(&y, "f", REMOVAL_DELETE);
	yard_deed = exchange;
	expect_end(&task, REMOVAL_REPLACED, "another file");
	cr_expect_str_eq(yard_text(yard_path(&y, "f")), "good");
	cr_expect_str_eq(yard_text(yard_path(&y, "good")), "bad");
}

static void put_link(int nth)
{
	if (nth == 1)
		cr_assert(unlink(yard_path(&y, "f")) == 0 &&
			  symlink("good", yard_path(&y, "f")) == 0);
}

Test(remove, a_link_in_its_place_goes_back)
{
	yard_file(&y, "good", "good");
	struct removal_task task = yard_task(&y, "f", REMOVAL_QUARANTINE);
	yard_deed = put_link;
	expect_end(&task, REMOVAL_REPLACED, "another file");
	cr_expect_str_eq(yard_text(yard_path(&y, "f")), "good");
	task = yard_task(&y, "good", REMOVAL_DELETE);
	free(task.version->path);
	task.version->path = xstrdup(yard_path(&y, "f"));
	task.version->path_len = strlen(task.version->path);
	expect_end(&task, REMOVAL_REPLACED, "link");
	cr_expect(yard_there(&y, "good") && yard_there(&y, "f"));
}

Test(remove, links_on_the_way_are_not_followed)
{
	cr_assert(mkdir(yard_path(&y, "d"), 0755) == 0);
	yard_file(&y, "d/f", "bad");
	struct removal_task task = yard_task(&y, "d/f", REMOVAL_DELETE);
	cr_assert(rename(yard_path(&y, "d"), yard_path(&y, "e")) == 0);
	cr_assert(symlink("e", yard_path(&y, "d")) == 0);
	expect_end(&task, REMOVAL_REPLACED, "link");
	cr_expect(yard_there(&y, "e/f"));
}

Test(remove, a_root_that_is_out_of_the_configuration_is_waited_for)
{
	struct removal_task task = yard_task(&y, "f", REMOVAL_DELETE);
	y.config.root_count = 0;
	cr_expect(!remove_file(&y.ground, &task, &err) && err.code == 0, "a reload may bring it");
	cr_expect(strstr(err.text, "no configured root"), "%s", err.text);
	task.removal.tries = 20;
	expect_end(&task, REMOVAL_LEFT, "no configured root");
	task = yard_task(&y, "f", REMOVAL_DELETE);
	cr_expect(!remove_file(&y.ground, &task, &err) && yard_there(&y, "f"));
	y.config.root_count = 1;
	expect_end(&task, REMOVAL_REMOVED, NULL);
}

Test(remove, what_the_history_does_not_know_is_left)
{
	struct removal_task task = yard_task(&y, "f", REMOVAL_DELETE);
	version_free(TAKE(task.version));
	expect_end(&task, REMOVAL_LEFT, "does not know");
	cr_expect(yard_there(&y, "f"));
}

static void take_permission(int nth)
{
	if (nth == 1)
		cr_assert(chmod(y.root, 0555) == 0 && seteuid(65534) == 0);
}

Test(remove, what_is_not_permitted_is_told_and_done_once_it_is)
{
	struct removal_task task = yard_task(&y, "f", REMOVAL_DELETE);
	cr_assert(chmod(y.w.dir, 0755) == 0);
	yard_deed = take_permission;
	bool done = remove_file(&y.ground, &task, &err);
	cr_assert(seteuid(0) == 0);
	cr_expect(!done && err.code == EACCES);
	cr_expect(strstr(err.text, y.root) && strstr(err.text, "write to the directory"), "%s",
		  err.text);
	yard_deed = NULL;
	expect_end(&task, REMOVAL_REMOVED, NULL);
}

Test(remove, a_long_name_does_not_hide_what_to_mend)
{
	char name[NAME_MAX + 1] = { 0 };
	memset(name, 'x', NAME_MAX);
	cr_assert(mkdir(yard_path(&y, "d"), 0755) == 0 && chdir(yard_path(&y, "d")) == 0);
	for (int depth = 0; depth < 2; depth++)
		cr_assert(mkdir(name, 0755) == 0 && chdir(name) == 0);
	world_write_file("f", "bad", 3);
	cr_assert(chdir("/") == 0);
	struct removal_task task = yard_task(&y, "f", REMOVAL_DELETE);
	AUTO_STR path = STR_INIT;
	str_printf(&path, "%s/d/%s/%s/f", y.root, name, name);
	version_set_path(task.version, str_text(&path), path.len);
	task.version->identity.fsid++;
	cr_assert(unlink(str_text(&path)) == 0);
	cr_expect(!remove_file(&y.ground, &task, &err));
	cr_expect(strstr(err.text, "its file system is not mounted there"), "%s", err.text);
	yard_task_done(&task);
}

Test(remove, what_an_earlier_try_took_is_done)
{
	char taken[256];
	snprintf(taken, sizeof taken, "%s/1-0.taken", y.quarantine);
	struct removal_task task = yard_task(&y, "f", REMOVAL_DELETE);
	cr_assert(rename(yard_path(&y, "f"), taken) == 0);
	expect_end(&task, REMOVAL_REMOVED, NULL);
	yard_file(&y, "f", "bad");
	task = yard_task(&y, "f", REMOVAL_DELETE);
	task.version->has_sha256 = false; /* its change time is that of the taking */
	task.version->checked_ns -= CLOCK_NS_PER_S;
	cr_assert(rename(yard_path(&y, "f"), taken) == 0);
	expect_end(&task, REMOVAL_REMOVED, NULL);
}

Test(remove, what_an_earlier_try_took_in_vain_goes_back)
{
	char taken[256];
	snprintf(taken, sizeof taken, "%s/1-0.taken", y.quarantine);
	struct removal_task task = yard_task(&y, "f", REMOVAL_DELETE);
	world_write_file(taken, "other", 5);
	unlink(yard_path(&y, "f"));
	expect_end(&task, REMOVAL_REPLACED, "another file");
	cr_expect_str_eq(yard_text(yard_path(&y, "f")), "other");
}

Test(remove, what_goes_back_does_so_over_nothing)
{
	char taken[256];
	snprintf(taken, sizeof taken, "%s/1-0.taken", y.quarantine);
	struct removal_task task = yard_task(&y, "f", REMOVAL_DELETE);
	world_write_file(taken, "other", 5);
	expect_end(&task, REMOVAL_REPLACED, "another file");
	cr_expect_str_eq(yard_text(yard_path(&y, "f")), "bad");
	cr_expect_str_eq(yard_text(yard_path(&y, "f.put-back-1")), "other");
}

Test(remove, what_an_earlier_try_took_and_is_no_file_goes_back)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	snprintf(name.sun_path, sizeof name.sun_path, "%s/1-0.taken", y.quarantine);
	struct removal_task task = yard_task(&y, "f", REMOVAL_DELETE);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&name, sizeof name) == 0);
	close(fd);
	unlink(yard_path(&y, "f"));
	expect_end(&task, REMOVAL_REPLACED, "no regular file");
	cr_expect(yard_there(&y, "f"));
}

/* Another open of it has to wait until the lease is given up, or fails at once. */
static int lease_of(const char *path)
{
	signal(SIGIO, SIG_IGN);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	cr_assert(fd >= 0 && fcntl(fd, F_SETLEASE, F_WRLCK) == 0);
	return fd;
}

Test(remove, what_an_earlier_try_took_and_cannot_be_opened_is_not_gone)
{
	char taken[256];
	snprintf(taken, sizeof taken, "%s/1-0.taken", y.quarantine);
	struct removal_task task = yard_task(&y, "f", REMOVAL_DELETE);
	int fd = lease_of(yard_path(&y, "f"));
	cr_assert(rename(yard_path(&y, "f"), taken) == 0);
	cr_expect(!remove_file(&y.ground, &task, &err), "it is %s",
		  removal_state_name(task.removal.state));
	cr_expect(err.code == EAGAIN, "%s", err.text);
	close(fd);
	expect_end(&task, REMOVAL_REMOVED, NULL);
}
