/* The client's side, against the real helper and against one that lies. */
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>

#include "core/detect/helper.h"
#include "detect_fixture.h"
#include "hostile_helper.h"

static struct fixture fixture;
static char *program, *rules;
static struct error err;

static void setup(void)
{
	fixture_init(&fixture, "sample");
	program = fixture_path(&fixture, "helper");
	fixture_write(program, hostile_helper);
	cr_assert_eq(chmod(program, 0755), 0);
	rules = fixture_path(&fixture, "a.yar");
	fixture_write(rules, "rule a { strings: $a = \"sample\" condition: $a }");
}

static void teardown(void)
{
	free(program);
	free(rules);
	fixture_done(&fixture);
}

TestSuite(helper, .init = setup, .fini = teardown);

static struct helper *hostile(const char *mode)
{
	struct helper *helper = NULL;
	const struct helper_options options = {
		.program = program, .type = "yara", .name = mode, .limit = 100, .cancel_fd = -1
	};
	cr_assert_eq(helper_new(&helper, &options, &err), 0, "%s", err.text);
	return helper;
}

static struct helper *real(void)
{
	struct helper *helper = NULL;
	char *paths[] = { rules, NULL };
	const struct helper_options options = {
		.type = "yara", .name = "yara", .paths = paths, .limit = 100, .cancel_fd = -1
	};
	cr_assert_eq(helper_new(&helper, &options, &err), 0, "%s", err.text);
	return helper;
}

static void expect(struct helper *helper, enum outcome outcome, const char *words)
{
	struct answer answer = { .outcome = OUTCOMES };
	helper_ask(helper, &fixture.request, &answer);
	cr_expect_eq(answer.outcome, outcome, "%s, %s", outcome_name(answer.outcome),
		     answer.detail ? answer.detail : "");
	if (words)
		cr_expect(answer.detail && strstr(answer.detail, words), "%s",
			  answer.detail ? answer.detail : "");
	answer_done(&answer);
}

Test(helper, a_lie_costs_one_answer_each)
{
	static const struct {
		const char *mode;
		enum outcome outcome;
		const char *words;
	} rows[] = {
		{ "good", OUTCOME_CLEAN, NULL },
		{ "fds", OUTCOME_CLEAN, NULL },
		{ "other", OUTCOME_ERROR, "is none by its protocol" },
		{ "outcome", OUTCOME_ERROR, "is none by its protocol" },
		{ "control", OUTCOME_ERROR, "is none by its protocol" },
		{ "json", OUTCOME_ERROR, "is none by its protocol" },
		{ "huge", OUTCOME_ERROR, "is none by its protocol" },
		{ "cut", OUTCOME_ERROR, "is none by its protocol" },
		{ "segv", OUTCOME_ERROR, "signal 11 (SIGSEGV)" },
		{ "exit", OUTCOME_ERROR, "status 5" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct helper *helper = hostile(rows[i].mode);
		for (unsigned time = 0; time < 3; time++) /* it is replaced each time */
			expect(helper, rows[i].outcome, rows[i].words);
		helper_free(helper);
	}
}

Test(helper, an_answer_left_behind_is_not_taken_for_the_next_file)
{
	struct helper *helper = hostile("twice");
	expect(helper, OUTCOME_CLEAN, NULL);
	struct answer answer = { .outcome = OUTCOMES };
	helper_ask(helper, &fixture.request, &answer);
	/* it was seen before it was asked again, or by its number */
	cr_assert(answer.outcome == OUTCOME_CLEAN || answer.outcome == OUTCOME_ERROR);
	answer_done(&answer);
	helper_free(helper);
}

Test(helper, one_that_hangs_is_killed_at_the_deadline)
{
	struct helper *helper = hostile("hang");
	fixture.request.deadline = mono_add_ms(mono_now(), 300);
	expect(helper, OUTCOME_TIMEOUT, "deadline");
	helper_free(helper);
}

Test(helper, one_that_hangs_is_killed_when_the_daemon_gives_up)
{
	struct helper *helper = hostile("hang");
	struct answer answer = { .outcome = OUTCOMES };
	fixture.request.cancel_fd = eventfd(1, EFD_CLOEXEC);
	helper_ask(helper, &fixture.request, &answer);
	cr_assert(answer.cancelled);
	cr_assert_eq(answer.outcome, OUTCOMES);
	close(fixture.request.cancel_fd);
	helper_free(helper);
}

Test(helper, want_of_processes_is_ours_not_the_files)
{
	struct helper *helper = hostile("fork");
	struct answer answer = { .outcome = OUTCOMES };
	helper_ask(helper, &fixture.request, &answer);
	cr_assert_eq(answer.unable, EAGAIN);
	answer_done(&answer);
	helper_free(helper);
}

Test(helper, one_that_never_gives_a_scanner_is_away)
{
	struct helper *helper = hostile("init");
	struct answer answer = { .outcome = OUTCOMES };
	for (unsigned i = 0; i < 3; i++) {
		helper_ask(helper, &fixture.request, &answer);
		if (answer.away)
			break;
		cr_assert_eq(answer.outcome, OUTCOME_ERROR);
		answer_done(&answer);
	}
	cr_assert(answer.away, "while it is not started again");
	answer_done(&answer);
	helper_free(helper);
}

/* The process id of the helper's zygote: our one child. */
static pid_t zygote(void)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	AUTO_FREE char *text = fixture_read(path);
	return (pid_t)strtol(text, NULL, 10);
}

Test(helper, a_zygote_that_died_is_started_again_with_the_same_rules)
{
	struct helper *helper = real();
	expect(helper, OUTCOME_MALICIOUS, "\"rule\": \"a\"");
	fixture_write(rules, "rule other { condition: false }"); /* not looked at */
	pid_t before = zygote();
	cr_assert_gt(before, 0);
	cr_assert_eq(kill(before, SIGKILL), 0);
	/* its scanner, which dies with it, may answer once more */
	do
		expect(helper, OUTCOME_MALICIOUS, "\"rule\": \"a\"");
	while (zygote() == before);
	helper_free(helper);
	cr_assert_eq(zygote(), 0, "nothing is left");
}

/* A zygote that is asked for the scanner's end would let it become ours, unreaped, when it is
 * killed in the end. */
Test(helper, a_stopped_zygote_is_not_asked_at_the_end_and_no_zombie_stays)
{
	cr_assert_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* as process 1 is */
	struct helper *helper = real();
	expect(helper, OUTCOME_MALICIOUS, "\"rule\": \"a\"");
	cr_assert_eq(kill(zygote(), SIGSTOP), 0);
	helper_free(helper);
	cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1, "a child is left");
	cr_assert_eq(errno, ECHILD);
}

Test(helper, scanners_of_a_dead_zygote_are_reaped_by_process_1)
{
	cr_assert_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	struct helper *helper = real();
	expect(helper, OUTCOME_MALICIOUS, "\"rule\": \"a\"");
	const pid_t before = zygote();
	cr_assert_eq(kill(before, SIGKILL), 0);
	do
		expect(helper, OUTCOME_MALICIOUS, "\"rule\": \"a\"");
	while (zygote() == before);
	helper_free(helper);
	cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1, "a child is left");
	cr_assert_eq(errno, ECHILD);
}

Test(helper, one_that_cannot_load_is_no_helper)
{
	struct helper *helper = NULL;
	char *paths[] = { rules, NULL };
	const struct helper_options options = {
		.type = "yara", .name = "yara", .paths = paths, .limit = 100, .cancel_fd = -1
	};
	fixture_write(rules, "rule a { condition: $b }");
	cr_assert_lt(helper_new(&helper, &options, &err), 0);
	cr_assert_not_null(strstr(err.text, "a.yar:1: "), "%s", err.text);
	cr_assert_null(helper);
	cr_assert_eq(zygote(), 0, "nothing is left");
}
