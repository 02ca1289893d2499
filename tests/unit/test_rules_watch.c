#include <sys/inotify.h>
#include <sys/syscall.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "core/app/engine.h"
#include "core/app/rules_watch.h"
#include "detect_fixture.h"

static struct fixture fixture;
static struct rules_watch *watch;
static struct engine *engine;
static struct error err;

static void setup(void)
{
	fixture_init(&fixture, "sample");
	AUTO_FREE char *sub = fixture_path(&fixture, "sub");
	cr_assert_eq(mkdir(sub, 0755), 0);
	AUTO_FREE char *rule = fixture_path(&fixture, "a.yar");
	fixture_write(rule, "rule a { condition: true }");
	cr_assert_eq(rules_watch_new(&watch, &err), 0, "%s", err.text);
}

static void teardown(void)
{
	rules_watch_free(watch);
	engine_unref(engine);
	fixture_done(&fixture);
}

TestSuite(rules_watch, .init = setup, .fini = teardown);

static void watch_path(char *path)
{
	static char *rules[2];
	static struct config_detector row = { .type = (char *)"yara",
					      .name = (char *)"y",
					      .rules = rules };
	rules[0] = path;
	static struct config config = { .refs = 2, .max_file_size = 100, .detector_count = 1 };
	config.detectors = &row;
	cr_assert_eq(engine_new(&engine, &config, &err), 0, "%s", err.text);
	cr_assert_eq(rules_watch_set(watch, engine, &err), 0, "%s", err.text);
	cr_assert_not(rules_watch_changed(watch));
}

static void watch_again(void)
{
	cr_assert_eq(rules_watch_set(watch, engine, &err), 0, "%s", err.text);
}

static bool told(void)
{
	struct pollfd one = { .fd = rules_watch_fd(watch), .events = POLLIN };
	return poll(&one, 1, 0) == 1 && rules_watch_changed(watch);
}

static void put(const char *name)
{
	AUTO_FREE char *path = fixture_path(&fixture, name);
	fixture_write(path, "rule b { condition: true }");
}

Test(rules_watch, directories_are_watched_with_all_below_them)
{
	watch_path(fixture.dir);
	put("b.yar");
	cr_assert(told());
	cr_assert_not(told(), "once");
	put("sub/c.yar");
	cr_assert(told());
	AUTO_FREE char *path = fixture_path(&fixture, "b.yar");
	cr_assert_eq(unlink(path), 0);
	cr_assert(told());
	put(".b.yar.swp");
	put("b.yar~");
	cr_assert_not(told(), "what editors leave behind");
	AUTO_FREE char *text = fixture_read(fixture.path);
	cr_assert_not(told(), "reading is no change");
}

Test(rules_watch, of_a_file_its_own_name_counts)
{
	AUTO_FREE char *path = fixture_path(&fixture, "a.yar");
	AUTO_FREE char *other = fixture_path(&fixture, "other");
	watch_path(path);
	put("b.yar");
	cr_assert_not(told());
	put("a.yar");
	cr_assert(told());
	put("other");
	cr_assert_not(told());
	cr_assert_eq(rename(other, path), 0); /* as editors save */
	cr_assert(told());
}

Test(rules_watch, what_a_link_leads_to_is_watched)
{
	AUTO_FREE char *link = fixture_path(&fixture, "sub/l.yar");
	AUTO_FREE char *sub = fixture_path(&fixture, "sub");
	AUTO_FREE char *target = fixture_path(&fixture, "a.yar");
	cr_assert_eq(symlink(target, link), 0);
	watch_path(sub);
	put("a.yar");
	cr_assert(told());
}

Test(rules_watch, a_directory_that_is_removed_and_comes_back_is_noticed)
{
	AUTO_FREE char *sub = fixture_path(&fixture, "sub");
	AUTO_FREE char *aside = fixture_path(&fixture, "aside");
	put("sub/a.yar");
	watch_path(sub);
	cr_assert_eq(rename(sub, aside), 0);
	cr_assert(told());
	watch_again();
	put("aside/b.yar");
	cr_assert_not(told(), "it is not there");
	cr_assert_eq(mkdir(sub, 0755), 0);
	cr_assert(told());
	watch_again();
	put("sub/b.yar");
	cr_assert(told());
}

Test(rules_watch, a_directory_may_go_with_those_above_it)
{
	AUTO_FREE char *sub = fixture_path(&fixture, "sub");
	AUTO_FREE char *aside = fixture_path(&fixture, "aside");
	AUTO_FREE char *inner = fixture_path(&fixture, "sub/inner");
	AUTO_FREE char *deep = fixture_path(&fixture, "sub/inner/deep");
	cr_assert_eq(mkdir(inner, 0755), 0);
	cr_assert_eq(mkdir(deep, 0755), 0);
	put("sub/inner/deep/a.yar");
	watch_path(deep);
	cr_assert_eq(rename(sub, aside), 0);
	watch_again();
	(void)told();
	cr_assert_eq(rename(aside, sub), 0);
	cr_assert(told());
}

Test(rules_watch, a_link_that_is_switched_is_noticed)
{
	AUTO_FREE char *current = fixture_path(&fixture, "cur");
	AUTO_FREE char *next = fixture_path(&fixture, "next");
	put("sub/a.yar");
	cr_assert_eq(symlink("sub", current), 0);
	watch_path(current);
	cr_assert_eq(symlink(".", next), 0);
	cr_assert_not(told());
	cr_assert_eq(rename(next, current), 0);
	cr_assert(told());
}

Test(rules_watch, nothing_is_lost_when_it_is_set_again)
{
	watch_path(fixture.dir);
	put("sub/c.yar");
	watch_again();
	cr_assert(told());
	AUTO_FREE char *more = fixture_path(&fixture, "sub/more");
	AUTO_FREE char *aside = fixture_path(&fixture, ".aside");
	cr_assert_eq(mkdir(more, 0755), 0);
	watch_again();
	cr_assert(told());
	put("sub/more/d.yar");
	cr_assert_eq(rename(more, aside), 0);
	watch_again();
	cr_assert(told());
}

Test(rules_watch, directories_are_watched_once_however_many_links_lead_to_them)
{
	for (unsigned i = 0; i < 4; i++) { /* 4^32 places */
		char name[8];
		snprintf(name, sizeof name, "sub/%u", i);
		AUTO_FREE char *link = fixture_path(&fixture, name);
		cr_assert_eq(symlink(".", link), 0);
	}
	watch_path(fixture.dir);
	put("sub/c.yar");
	cr_assert(told());
}

static int refuse_with;

int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	if (refuse_with) {
		errno = refuse_with;
		return -1;
	}
	return (int)syscall(SYS_inotify_add_watch, fd, path, mask);
}

Test(rules_watch, only_want_of_watches_or_memory_is_worth_another_try)
{
	const struct {
		int error;
		bool short_of;
	} cases[] = { { ENOSPC, true }, { ENOMEM, true }, { ENOENT, false }, { EACCES, false } };

	watch_path(fixture.dir);
	cr_assert(!rules_watch_short(watch));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		refuse_with = cases[i].error;
		cr_assert_gt(rules_watch_set(watch, engine, &err), 0);
		cr_assert_eq(rules_watch_short(watch), cases[i].short_of, "%zu", i);
	}
	refuse_with = 0;
	watch_again();
	cr_assert(!rules_watch_short(watch));
}
