/*
 * parse: the subcommand, run in this process with its standard streams on files.
 *
 * The source is included: it is one table row whose functions are its own, and the helpers
 * that it takes from the command line's table are replaced, so that what it complains of is seen.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdarg.h>

#include "core/cli/parse.c"

static char complaint[1024];

int cli_usage_error(const struct cli_command *command, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vsnprintf(complaint, sizeof complaint, format, args);
	va_end(args);
	return command == &cli_parse ? CLI_USAGE : -1;
}

void cli_complain(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vsnprintf(complaint, sizeof complaint, format, args);
	va_end(args);
}

int cli_next_option(int argc, char **argv, const char *shorts, const struct option *longs)
{
	return getopt_long(argc, argv, shorts, longs, NULL);
}

int cli_bad_option(const struct cli_command *command, int result, char **argv)
{
	return cli_usage_error(command, "%c %s", result, argv[optind - 1]);
}

/* One run of the command; getopt starts anew. */
static int run_anew(int argc, char **argv)
{
	optind = 0;
	opterr = 0;
	return cli_parse.run(argc, argv);
}

/* Puts bytes into a file without a name, at its start. */
static int file_with(const void *bytes, size_t len)
{
	int fd = memfd_create("test", 0);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, bytes, len), (ssize_t)len);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Runs parse with the words of args, input on stdin; out is what it printed. */
static int parse(const char *const *args, const char *input, size_t len, struct str *out)
{
	char *argv[16] = { xstrdup("parse") };
	int argc = 1;
	for (; args[argc - 1]; argc++)
		argv[argc] = xstrdup(args[argc - 1]);
	AUTO_CLOSE int in_fd = file_with(input, len), out_fd = file_with("", 0);
	AUTO_CLOSE int old_in = dup(STDIN_FILENO), old_out = dup(STDOUT_FILENO);
	char *kept[16];
	memcpy(kept, argv, sizeof kept);
	dup2(in_fd, STDIN_FILENO);
	dup2(out_fd, STDOUT_FILENO);
	int code = run_anew(argc, argv);
	dup2(old_in, STDIN_FILENO);
	dup2(old_out, STDOUT_FILENO);
	for (int i = 0; i < 16; i++)
		free(kept[i]);
	char chunk[4096];
	ssize_t n;
	for (off_t at = 0; (n = pread(out_fd, chunk, sizeof chunk, at)) > 0; at += n)
		str_append(out, chunk, (size_t)n);
	return code;
}

#define PARSE(out, input, ...) \
	parse((const char *const[]){ __VA_ARGS__, NULL }, input, sizeof(input) - 1, out)

static size_t lines_of(const struct str *out)
{
	size_t lines = 0;
	for (size_t i = 0; i < out->len; i++)
		lines += out->data[i] == '\n';
	return lines;
}

Test(parse, one_line_a_name_and_the_exit_code_says_if_all_matched)
{
	AUTO_STR all = STR_INIT, some = STR_INIT;
	cr_expect_eq(PARSE(&all, "", "HTTP-F1.exe", "extract-HTTP-F1"), CLI_OK);
	cr_expect_eq(lines_of(&all), 2);
	cr_expect_eq(PARSE(&some, "", "HTTP-F1.exe", "mail"), CLI_FOUND);
	cr_expect(strstr(str_text(&some), "\n{\"name\":\"mail\",\"match\":false}\n"), "%s",
		  str_text(&some));
}

Test(parse, sidecars_and_work_files_are_no_match_of_a_kind)
{
	AUTO_STR out = STR_INIT;
	cr_expect_eq(PARSE(&out, "", "file.1.meta", "tmp/file.1"), CLI_FOUND);
	cr_expect_str_eq(str_text(&out),
			 "{\"name\":\"file.1.meta\",\"match\":false,\"kind\":\"sidecar\"}\n"
			 "{\"name\":\"tmp/file.1\",\"match\":false,\"kind\":\"work-file\"}\n");
}

Test(parse, takes_a_scheme)
{
	AUTO_STR two_words = STR_INIT, one_word = STR_INIT, pattern = STR_INIT;
	cr_expect_eq(PARSE(&two_words, "", "--scheme", "zeek", "HTTP-F1.s.text.plain.txt"),
		     CLI_FOUND);
	cr_expect_eq(PARSE(&one_word, "", "HTTP-F1.s.text.plain.txt", "--scheme=broapt-exact"),
		     CLI_OK);
	cr_expect(strstr(str_text(&one_word), "\"scheme\":\"broapt-exact\""));
	cr_expect_eq(PARSE(&pattern, "", "--scheme", "(?<fuid>mail)", "mail"), CLI_OK);
	cr_expect(strstr(str_text(&pattern), "\"fuid\":\"mail\""));
}

Test(parse, reads_names_from_standard_input)
{
	AUTO_STR lines = STR_INIT, nuls = STR_INIT, none = STR_INIT, mixed = STR_INIT;
	cr_expect_eq(PARSE(&lines, "HTTP-F1.exe\n\nHTTP-F2.exe", "-"), CLI_FOUND);
	cr_expect_eq(lines_of(&lines), 3);
	cr_expect(strstr(str_text(&lines), "{\"name\":\"\",\"match\":false}\n"));
	cr_expect_eq(PARSE(&nuls, "HTTP-F1.exe\0C1_F1__h\n\xff\0", "-0", "-"), CLI_OK);
	cr_expect_eq(lines_of(&nuls), 2);
	cr_expect(strstr(str_text(&nuls), "C1_F1__h\\n\\udcff"), "%s", str_text(&nuls));
	cr_expect_eq(PARSE(&none, "", "-"), CLI_OK);
	cr_expect_eq(none.len, 0);
	cr_expect_eq(PARSE(&mixed, "HTTP-F2.exe\n", "HTTP-F1.exe", "-", "HTTP-F3.exe"), CLI_OK);
	cr_expect_lt(strstr(str_text(&mixed), "F1.exe"), strstr(str_text(&mixed), "F2.exe"));
	cr_expect_lt(strstr(str_text(&mixed), "F2.exe"), strstr(str_text(&mixed), "F3.exe"));
}

Test(parse, a_name_may_begin_with_a_dash_behind_two)
{
	AUTO_STR out = STR_INIT;
	cr_expect_eq(PARSE(&out, "HTTP-F1.exe", "--", "--scheme", "-0", "-", "--"), CLI_FOUND);
	cr_expect_str_eq(str_text(&out), "{\"name\":\"--scheme\",\"match\":false}\n"
					 "{\"name\":\"-0\",\"match\":false}\n"
					 "{\"name\":\"-\",\"match\":false}\n"
					 "{\"name\":\"--\",\"match\":false}\n");
}

Test(parse, wrong_usage_is_refused)
{
	static const struct {
		const char *args[4], *word;
	} cases[] = {
		{ { NULL }, "no NAME" },
		{ { "--", NULL }, "no NAME" },
		{ { "-0", NULL }, "no NAME" },
		{ { "--scheme", NULL }, ": --scheme" },
		{ { "--nonsense", "x", NULL }, "--nonsense" },
		{ { "--schemes=zeek", "x", NULL }, "--schemes" },
		{ { "-x", NULL }, "-x" },
		{ { "--scheme", "zeeek", "x", NULL }, "zeeek" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO_STR out = STR_INIT;
		complaint[0] = '\0';
		cr_expect_eq(parse(cases[i].args, "", 0, &out), CLI_USAGE, "case %zu", i);
		cr_expect(strstr(complaint, cases[i].word), "case %zu: %s", i, complaint);
		cr_expect_eq(out.len, 0);
	}
}

Test(parse, names_from_standard_input_have_a_longest_length)
{
	static const size_t lengths[] = { CHUNK - 1, CHUNK, CHUNK + 1, NAME_LIMIT };
	AUTO_FREE char *input = xcalloc(1, 2 * NAME_LIMIT);
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		AUTO_STR out = STR_INIT;
		memset(input, 'x', 2 * NAME_LIMIT);
		input[lengths[i]] = '\n';
		memcpy(input + lengths[i] + 1, "mail", 5);
		const char *const args[] = { "-", NULL };
		cr_expect_eq(parse(args, input, lengths[i] + 5, &out), CLI_FOUND);
		cr_expect_eq(lines_of(&out), 2, "%zu", lengths[i]);
		cr_expect_eq(out.len, lengths[i] + strlen("mail") +
					      2 * strlen("{\"name\":\"\",\"match\":false}\n"));
	}
	AUTO_STR out = STR_INIT;
	const char *const args[] = { "-", NULL };
	input[NAME_LIMIT] = 'x';
	cr_expect_eq(parse(args, input, 2 * NAME_LIMIT, &out), CLI_USAGE);
	cr_expect(strstr(complaint, "name 1 ") && strstr(complaint, "-0"), "%s", complaint);
	input[0] = '\n';
	input[NAME_LIMIT + 2] = '\n';
	cr_expect_eq(parse(args, input, NAME_LIMIT + 3, &out), CLI_USAGE);
	cr_expect(strstr(complaint, "name 2 "), "%s", complaint);
}

Test(parse, answers_before_it_waits_for_the_next_name)
{
	int to[2], from[2];
	cr_assert_eq(pipe2(to, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(from, O_CLOEXEC), 0);
	pid_t child = fork();
	if (child == 0) {
		char *argv[] = { xstrdup("parse"), xstrdup("-"), NULL };
		dup2(to[0], STDIN_FILENO);
		dup2(from[1], STDOUT_FILENO);
		close(to[1]);
		_exit(run_anew(2, argv));
	}
	close(to[0]);
	close(from[1]);
	char answer_text[1024] = "";
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(write(to[1], "HTTP-F1.exe\n", 12), 12);
		ssize_t n = read(from[0], answer_text, sizeof answer_text - 1);
		cr_assert_gt(n, 0);
		cr_expect_eq(answer_text[n - 1], '\n');
	}
	close(to[1]);
	int status = -1;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect_eq(status, 0);
}

Test(parse, says_when_reading_or_writing_fails)
{
	AUTO_CLOSE int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	AUTO_CLOSE int directory = open("/", O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int old_in = dup(STDIN_FILENO), old_out = dup(STDOUT_FILENO);
	char word[] = "parse", name[] = "HTTP-F1.exe", dash[] = "-";
	char *with_name[] = { word, name, NULL }, *with_dash[] = { word, dash, NULL };
	dup2(full, STDOUT_FILENO);
	int full_code = run_anew(2, with_name);
	dup2(old_out, STDOUT_FILENO);
	cr_expect_eq(full_code, CLI_FAILED);
	cr_expect(strstr(complaint, "standard output"), "%s", complaint);
	dup2(directory, STDIN_FILENO);
	int directory_code = run_anew(2, with_dash);
	dup2(old_in, STDIN_FILENO);
	cr_expect_eq(directory_code, CLI_FAILED);
	cr_expect(strstr(complaint, "standard input"), "%s", complaint);
}
