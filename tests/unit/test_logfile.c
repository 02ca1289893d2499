/* logfile: appending, rotation, and what a failure leaves. */
#include <sys/resource.h>
#include <sys/stat.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/sink/logfile.h"

static char dir[64];
static char path[96];
static char other[96];
static struct logfile *logfile;
static struct error err;

static void setup(void)
{
	strcpy(dir, "/tmp/carved-logfile-XXXXXX");
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/events", dir);
	snprintf(other, sizeof other, "%s/events.1", dir);
	logfile = logfile_new(path);
}

static void teardown(void)
{
	char command[128];
	logfile_free(logfile);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	cr_assert(system(command) == 0);
}

TestSuite(logfile, .init = setup, .fini = teardown);

static int append(const char *text)
{
	err = (struct error){ 0 };
	return logfile_append(logfile, text, strlen(text), &err);
}

static void expect_file(const char *name, const char *wanted)
{
	char got[256] = { 0 };
	FILE *file = fopen(name, "r");
	cr_assert(file, "%s", name);
	size_t len = fread(got, 1, sizeof got - 1, file);
	fclose(file);
	cr_expect(len == strlen(wanted) && memcmp(got, wanted, len) == 0, "%s: \"%s\", not \"%s\"",
		  name, got, wanted);
}

static void put(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");
	cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

Test(logfile, is_made_and_appended_to)
{
	struct stat st;
	cr_assert(append("a\n") == 0, "%s", err.text);
	cr_assert(append("b\nc\n") == 0, "%s", err.text);
	expect_file(path, "a\nb\nc\n");
	cr_expect(stat(path, &st) == 0 && (st.st_mode & 07777 & ~0640U) == 0);
}

Test(logfile, follows_its_name)
{
	cr_assert(append("a\n") == 0);
	cr_assert(rename(path, other) == 0);
	cr_assert(append("b\n") == 0);
	expect_file(other, "a\n");
	expect_file(path, "b\n");
	put(other, "new\n");
	cr_assert(rename(other, path) == 0);
	cr_assert(append("c\n") == 0);
	expect_file(path, "new\nc\n");
	cr_assert(unlink(path) == 0);
	cr_assert(append("d\n") == 0);
	expect_file(path, "d\n");
}

Test(logfile, goes_on_where_it_was_truncated)
{
	cr_assert(append("aaaa\n") == 0);
	cr_assert(truncate(path, 0) == 0);
	cr_assert(append("b\n") == 0);
	expect_file(path, "b\n");
}

Test(logfile, ends_what_somebody_began)
{
	put(path, "half a li");
	cr_assert(append("b\n") == 0);
	expect_file(path, "half a li\nb\n");
}

Test(logfile, takes_back_what_did_not_fit)
{
	cr_assert(append("a\n") == 0);
	cr_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	struct rlimit all;
	cr_assert(getrlimit(RLIMIT_FSIZE, &all) == 0);
	struct rlimit five = { .rlim_cur = 5, .rlim_max = all.rlim_max };
	cr_assert(setrlimit(RLIMIT_FSIZE, &five) == 0);
	int result = append("bbbb\n");
	cr_assert(setrlimit(RLIMIT_FSIZE, &all) == 0);
	cr_expect(result == -EFBIG && strstr(err.text, path), "%d %s", result, err.text);
	expect_file(path, "a\n");
	cr_assert(append("c\n") == 0);
	expect_file(path, "a\nc\n");
}

Test(logfile, says_what_stands_in_its_way)
{
	cr_assert(mkdir(path, 0700) == 0);
	cr_expect(append("a\n") == -EISDIR && strstr(err.text, path), "%s", err.text);
	cr_assert(rmdir(path) == 0 && mkfifo(path, 0600) == 0);
	cr_expect(append("a\n") == -EINVAL && strstr(err.text, "no regular file"), "%s", err.text);
	cr_assert(unlink(path) == 0);
	cr_expect(append("a\n") == 0, "%s", err.text);
}
