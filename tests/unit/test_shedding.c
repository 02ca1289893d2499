/* shedding: which of the files that wait are given up. */
#include "retention_fixture.h"

static struct rounds r;
static struct shedding shedding;
static struct disk disk;
static char *globs[] = { (char[]){ "image/*" }, (char[]){ "*/xml" }, (char[]){ "*" }, NULL };

static void setup(void)
{
	rounds_init(&r);
	int fd = open(r.y.root, O_PATH | O_CLOEXEC);
	cr_assert(identity_fsid(fd, &disk.fsid) == 0);
	close(fd);
	shedding = (struct shedding){ 0 };
	r.y.config.retention.shed = globs;
	rounds_put_queued(&r, "1", "text/plain", 1);
	rounds_put_queued(&r, "2", "text/xml", 2);
	rounds_put_queued(&r, "3", "image/png", 3);
	rounds_put_queued(&r, "4", "", 4);
	rounds_put_queued(&r, "5", "image/xml", 5);
	rounds_put_queued(&r, "6", "image/gif", 6);
	disk.need_bytes = 100000;
	disk.need_files = 0;
}

static void teardown(void)
{
	shedding_end(&shedding);
	rounds_done(&r);
}

TestSuite(shedding, .init = setup, .fini = teardown);

static void expect(const char *wanted)
{
	const struct shedding_view view = { &r.y.config, r.retention.reader, &disk };
	AUTO_STR text = STR_INIT;
	cr_assert(shedding_choose(&shedding, &view, &r.err) == 0, "%s", r.err.text);
	for (size_t i = 0; i < shedding.count; i++)
		str_printf(&text, "%lld", (long long)shedding.ids[i]);
	cr_expect_str_eq(str_text(&text), wanted);
}

Test(shedding, goes_by_the_globs_in_their_order)
{
	expect("356214");
	expect("");
	shedding_end(&shedding);
	expect("356214");
}

Test(shedding, takes_as_many_as_are_needed_and_goes_on)
{
	disk.need_bytes = 8192;
	expect("35");
	rounds_put_queued(&r, "7", "image/png", 7);
	expect("67");
	disk.need_bytes = 1;
	disk.need_files = 2;
	expect("21");
}

/* Giving it up would make no room. */
Test(shedding, leaves_what_cannot_be_removed)
{
	cr_assert(mkdir(yard_path(&r.y, "closed"), 0755) == 0);
	rounds_put_queued(&r, "closed/7", "image/png", 7);
	cr_assert(chmod(yard_path(&r.y, "closed"), 0555) == 0);
	cr_assert(chmod(r.y.w.dir, 0755) == 0 && chmod(r.y.root, 0777) == 0);
	if (geteuid() == 0) /* who may write to all */
		cr_assert(seteuid(65534) == 0);
	globs[1] = NULL;
	expect("356");
	cr_assert(seteuid(getuid()) == 0);
	shedding_end(&shedding);
	cr_assert(chmod(yard_path(&r.y, "closed"), 0755) == 0);
	expect("3567");
}

Test(shedding, leaves_what_is_not_there_or_elsewhere)
{
	cr_assert(unlink(yard_path(&r.y, "3")) == 0);
	globs[1] = NULL;
	expect("56");
	shedding_end(&shedding);
	disk.fsid++;
	expect("");
}

Test(shedding, leaves_what_has_no_bytes_where_those_are_short)
{
	rounds_put_waiting(&r, "7", "", "image/png", 7);
	globs[1] = NULL;
	expect("356");
	shedding_end(&shedding);
	disk.need_files = 100;
	expect("3567");
}

Test(shedding, without_globs_nothing_is)
{
	r.y.config.retention.shed = NULL;
	expect("");
}
