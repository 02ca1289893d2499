/* clamd: a real one, asked through the detector. */
#include <criterion/criterion.h>
#include <errno.h>

#include "core/detect/answer.h"
#include "tests/unit/clamd_fixture.h"

static struct fixture fixture;
static struct real_clamd clamd;
static struct config_detector row;
static struct config config;

static void setup(void)
{
	fixture_init(&fixture, "sample");
	real_clamd_init(&clamd);
	config = (struct config){ .workers = 2 };
	row = (struct config_detector){ .type = (char *)"clamd",
					.name = (char *)"clamd",
					.socket = clamd.socket,
					.max_file_size = 1000,
					.line = 3 };
}

static void teardown(void)
{
	real_clamd_done(&clamd);
	fixture_done(&fixture);
}

TestSuite(clamd, .init = setup, .fini = teardown, .timeout = 240);

static struct detector *open_it(void)
{
	struct detector *detector = NULL;
	struct error err = { 0 };
	cr_assert_eq(detector_open(&detector, &row, &config, &err), 0, "%s", err.text);
	return detector;
}

static void expect(const struct detector *detector, enum outcome outcome, const char *part)
{
	struct answer answer = { 0 };
	detector_scan(detector, &fixture.request, &answer);
	cr_expect_eq(answer.outcome, outcome, "%d: %s", (int)answer.outcome, answer.detail);
	const char *said = answer.signature ? answer.signature : answer.detail;
	cr_expect(part ? said && strstr(said, part) : !said, "%s", said);
	cr_expect(!answer.away && !answer.cancelled && !answer.unable);
	answer_done(&answer);
}

static void write_eicar(void)
{
	AUTO_STR text = STR_INIT;
	str_printf(&text, "%s%s", eicar_head, eicar_tail);
	fixture_write(fixture.path, str_text(&text));
	fixture.request.size = (int64_t)text.len;
}

static void ask_about_both(void)
{
	AUTO(detector) struct detector *detector = open_it();
	expect(detector, OUTCOME_CLEAN, NULL);
	write_eicar();
	expect(detector, OUTCOME_MALICIOUS, "Eicar-Test.UNOFFICIAL");
}

Test(clamd, finds_eicar_through_its_socket)
{
	ask_about_both();
}

Test(clamd, finds_eicar_over_tcp)
{
	AUTO_STR place = STR_INIT;
	str_printf(&place, "tcp://127.0.0.1:%u", clamd.port);
	row.socket = place.data;
	ask_about_both();
}

Test(clamd, what_is_larger_than_it_takes_is_skipped)
{
	AUTO(detector) struct detector *detector = open_it();
	write_eicar();
	fixture.request.size = 1001;
	expect(detector, OUTCOME_SKIPPED,
	       "{\"reason\": \"1001 bytes, max_file_size of the detector is 1000\"}");
	fixture.request.size = 1000;
	expect(detector, OUTCOME_MALICIOUS, "Eicar-Test");
}

Test(clamd, the_digest_knows_version_and_limit)
{
	AUTO(detector) struct detector *first = open_it();
	row.max_file_size++;
	AUTO(detector) struct detector *second = open_it();
	char digest[65];
	(void)strcpy(digest, fixture_digest(first));
	cr_expect_str_eq(fixture_digest(first), digest);
	cr_expect_str_neq(fixture_digest(second), digest);
	AUTO_STR version = STR_INIT;
	AUTO_STR doubts = STR_INIT;
	detector_describe(first, &version);
	detector_doubts(first, &doubts);
	cr_expect(strncmp(str_text(&version), "ClamAV ", 7) == 0, "%s", str_text(&version));
	cr_expect(strstr(str_text(&doubts), "no version of its signatures"), "%s",
		  str_text(&doubts));
}

Test(clamd, one_that_was_started_anew_is_asked_without_a_failure)
{
	AUTO(detector) struct detector *detector = open_it();
	expect(detector, OUTCOME_CLEAN, NULL);
	real_clamd_kill(&clamd);
	real_clamd_start(&clamd);
	expect(detector, OUTCOME_CLEAN, NULL);
}

Test(clamd, one_that_is_dead_is_away_and_no_failure)
{
	AUTO(detector) struct detector *detector = open_it();
	expect(detector, OUTCOME_CLEAN, NULL);
	real_clamd_kill(&clamd);
	struct answer answer = { 0 };
	detector_scan(detector, &fixture.request, &answer);
	cr_expect_eq(answer.outcome, OUTCOMES);
	cr_expect(answer.away && strstr(answer.away, clamd.socket), "%s", answer.away);
	answer_done(&answer);
	char digest[65];
	struct error why = { 0 };
	int64_t since_ns = 0;
	cr_expect_not(detector_digest(detector, digest, &why));
	cr_expect(detector_away(detector, &why, &since_ns));
	real_clamd_start(&clamd);
	while (!detector_digest(detector, digest, &why))
		(void)poll(NULL, 0, 20);
	cr_expect_not(detector_away(detector, &why, &since_ns));
	expect(detector, OUTCOME_CLEAN, NULL);
}

Test(clamd, one_that_hangs_times_out_and_answers_again_later)
{
	AUTO(detector) struct detector *detector = open_it();
	write_eicar();
	expect(detector, OUTCOME_MALICIOUS, "Eicar-Test");
	real_clamd_stop(&clamd);
	fixture.request.deadline = mono_add_ms(mono_now(), 50);
	expect(detector, OUTCOME_TIMEOUT, "no answer from clamd until the deadline");
	char digest[65];
	struct error why = { 0 };
	cr_expect_not(detector_digest(detector, digest, &why), "its version is doubted");
	cr_expect(strstr(why.text, "does not answer within 2 s"), "%s", why.text);
	(void)kill(clamd.pid, SIGCONT);
	while (!detector_digest(detector, digest, &why))
		(void)poll(NULL, 0, 20);
	fixture.request.deadline = mono_add_ms(mono_now(), FIXTURE_DEADLINE_MS);
	expect(detector, OUTCOME_MALICIOUS, "Eicar-Test");
}

Test(clamd, it_can_be_given_up)
{
	AUTO(detector) struct detector *detector = open_it();
	int ends[2];
	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	(void)close(ends[1]);
	real_clamd_stop(&clamd);
	fixture.request.cancel_fd = ends[0];
	struct answer answer = { 0 };
	detector_scan(detector, &fixture.request, &answer);
	cr_expect(answer.cancelled);
	cr_expect_eq(answer.outcome, OUTCOMES);
	answer_done(&answer);
	(void)close(ends[0]);
}

Test(clamd, a_peer_that_breaks_off_in_the_middle_is_an_error_and_never_clean)
{
	static const struct said script[] = { SAID("1: ClamAV 9/1/x\0"), SAID("3: fd[1]: OK\0"),
					      SAID("1: fd[1]: OK\0"), SAID("2: ClamAV 9/1/x\0"),
					      END };
	struct scripted peer;
	scripted_init(&peer, script);
	row.socket = peer.socket;
	struct detector *detector = open_it();
	expect(detector, OUTCOME_ERROR, "not an answer to question 2");
	expect(detector, OUTCOME_CLEAN, NULL);
	cr_expect_eq(atomic_load(&peer.connections), 2, "what went wrong is not used again");
	detector_free(detector);
	scripted_done(&peer);
}

Test(clamd, a_session_that_closes_without_a_word_is_replaced_once)
{
	static const struct said script[] = { SAID("1: ClamAV 9/1/x\0"),
					      CLOSE,
					      SAID("1: fd[1]: OK\0"),
					      SAID("2: ClamAV 9/1/x\0"),
					      CLOSE,
					      CLOSE,
					      END };
	struct scripted peer;
	scripted_init(&peer, script);
	row.socket = peer.socket;
	struct detector *detector = open_it();
	expect(detector, OUTCOME_CLEAN, NULL);
	expect(detector, OUTCOME_ERROR, "connection");
	cr_expect_eq(atomic_load(&peer.connections), 3);
	detector_free(detector);
	scripted_done(&peer);
}

Test(clamd, an_answer_is_of_the_signatures_that_it_is_recorded_under)
{
	/* another clamd listens there when the file is asked about, with older signatures */
	static const struct said script[] = { SAID("1: ClamAV 9/2/x\0"),
					      CLOSE,
					      SAID("1: fd[1]: OK\0"),
					      SAID("2: ClamAV 9/1/x\0"),
					      SAID("3: fd[2]: OK\0"),
					      SAID("4: ClamAV 9/1/x\0"),
					      END };
	struct scripted peer;
	scripted_init(&peer, script);
	row.socket = peer.socket;
	struct detector *detector = open_it();
	char digest[65];
	(void)strcpy(digest, fixture_digest(detector));
	struct answer answer = { 0 };
	detector_scan(detector, &fixture.request, &answer);
	cr_expect_eq(answer.outcome, OUTCOME_CLEAN);
	cr_expect_eq(strlen(answer.digest), 64);
	cr_expect_str_neq(answer.digest, digest);
	answer_done(&answer);
	detector_free(detector);
	scripted_done(&peer);
}

Test(clamd, signatures_that_change_all_the_time_give_no_answer)
{
	static const struct said script[] = { SAID("1: ClamAV 9/1/x\0"), SAID("2: fd[1]: OK\0"),
					      SAID("3: ClamAV 9/2/x\0"), SAID("4: fd[2]: OK\0"),
					      SAID("5: ClamAV 9/3/x\0"), SAID("6: fd[3]: OK\0"),
					      SAID("7: ClamAV 9/4/x\0"), END };
	struct scripted peer;
	scripted_init(&peer, script);
	row.socket = peer.socket;
	struct detector *detector = open_it();
	expect(detector, OUTCOME_ERROR, "had other signatures after each of 3 scans");
	detector_free(detector);
	scripted_done(&peer);
}

Test(clamd, want_of_descriptors_is_ours)
{
	AUTO(detector) struct detector *detector = open_it();
	real_clamd_kill(&clamd); /* so that the session is gone */
	real_clamd_start(&clamd);
	int fds[4096];
	size_t count = 0;
	while (count < 4096 && (fds[count] = dup(fixture.fd)) >= 0)
		count++;
	if (count < 4096) {
		struct answer answer = { 0 };
		detector_scan(detector, &fixture.request, &answer);
		cr_expect_eq(answer.unable, EMFILE);
		cr_expect_null(answer.away);
		answer_done(&answer);
	}
	while (count > 0)
		(void)close(fds[--count]);
	expect(detector, OUTCOME_CLEAN, NULL);
}

Test(clamd, a_place_that_is_none_is_refused_with_the_line)
{
	row.socket = (char *)"clamd.ctl";
	struct detector *detector = NULL;
	struct error err = { 0 };
	cr_assert_eq(detector_open(&detector, &row, &config, &err), -EINVAL);
	cr_assert(strstr(err.text, "detector clamd (line 3): socket: expected"), "%s", err.text);
}
