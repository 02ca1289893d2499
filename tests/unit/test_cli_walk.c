/* walk (of the commands): the order, and that nothing is left out without a word. The source is
 * included, as the commands are no library of the tests. */
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <stdio.h>

#include "core/cli/walk.c"

static char dir[64];

static void setup(void)
{
	snprintf(dir, sizeof dir, "/tmp/carved-walk-XXXXXX");
	cr_assert(mkdtemp(dir));
	cr_assert(chmod(dir, 0755) == 0 && chdir(dir) == 0);
	umask(022);
}

static void teardown(void)
{
	char command[96];
	snprintf(command, sizeof command, "rm -rf %s", dir);
	cr_assert(system(command) == 0);
}

TestSuite(cli_walk, .init = setup, .fini = teardown);

static void make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	cr_assert(fd >= 0, "%s", path);
	close(fd);
}

struct met {
	struct str files; /* each with a space behind it */
	struct str troubles;
	size_t limit;
	size_t count;
	bool identities;
};

static bool on_file(void *context, const struct walk_file *file)
{
	struct met *met = context;
	str_printf(&met->files, "%s ", file->path);
	met->identities = met->identities || file->identity.inode != 0;
	return ++met->count != met->limit;
}

static void on_trouble(void *context, const char *path, int code)
{
	struct met *met = context;
	str_printf(&met->troubles, "%s:%d ", path, code);
}

static void met_done(struct met *met)
{
	str_done(&met->files);
	str_done(&met->troubles);
}

static struct met walk_here(bool identities, size_t limit)
{
	struct met met = { .limit = limit };
	struct walk_options options = {
		.identities = identities, .file = on_file, .trouble = on_trouble, .context = &met
	};
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	walk_sorted(fd, &options);
	close(fd);
	return met;
}

Test(cli_walk, files_come_in_bytewise_order_of_their_paths)
{
	static const char *const files[] = { "a/x", "a.b", "a-", "a0", "B", "\xff", "a/b/c", "z" };
	cr_assert(mkdir("a", 0755) == 0 && mkdir("a/b", 0755) == 0 && mkdir("empty", 0755) == 0);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		make_file(files[i]);
	cr_assert(symlink("z", "link") == 0 && mkfifo("pipe", 0600) == 0);
	struct met met = walk_here(true, 0);
	cr_expect(strcmp(str_text(&met.files), "B a- a.b a/b/c a/x a0 z \xff ") == 0, "%s",
		  str_text(&met.files));
	cr_expect(met.identities && met.troubles.len == 0);
	met_done(&met);
	met = walk_here(false, 3);
	cr_expect(met.count == 3 && !met.identities, "the caller has enough");
	met_done(&met);
}

/* Runs in a child, as a user whom permissions hold. */
static int walk_unsearchable(void)
{
	if (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0)
		return 77;
	struct met with = walk_here(true, 0);
	bool told = strcmp(str_text(&with.troubles), "closed/:13 shut/:13 ") == 0 &&
		    strcmp(str_text(&with.files), "open ") == 0;
	fprintf(stderr, "files %s troubles %s\n", str_text(&with.files), str_text(&with.troubles));
	met_done(&with);
	return told ? 0 : 1;
}

Test(cli_walk, files_that_cannot_be_asked_are_trouble_of_their_directory)
{
	cr_assert(mkdir("closed", 0755) == 0 && mkdir("shut", 0755) == 0);
	make_file("closed/f");
	make_file("closed/g");
	make_file("shut/f");
	make_file("open");
	cr_assert(chmod("closed", 0744) == 0); /* its names can be read, but no more */
	cr_assert(chmod("shut", 0700) == 0);
	if (getuid() != 0)
		cr_skip_test("needs root to become another user");
	pid_t child = fork();
	if (child == 0)
		_exit(walk_unsearchable());
	int status = 0;
	cr_assert(waitpid(child, &status, 0) == child);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
