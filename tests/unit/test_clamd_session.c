/* clamd_session: questions and replies with a real clamd, and with peers that are none. */
#include <criterion/criterion.h>
#include <errno.h>

#include "core/detect/clamd_peer.h"
#include "core/detect/clamd_session.h"
#include "tests/unit/clamd_fixture.h"

static struct fixture fixture;

static void setup(void)
{
	fixture_init(&fixture, "sample");
}

static void teardown(void)
{
	fixture_done(&fixture);
}

TestSuite(clamd_session, .init = setup, .fini = teardown, .timeout = 240);

static struct clamd_session *begin(const char *place)
{
	struct clamd_peer peer = { 0 };
	struct error err = { 0 };
	struct clamd_session *session = NULL;
	cr_assert_eq(clamd_peer_read(&peer, place, &err), 0);
	cr_assert_eq(clamd_session_open(&session, &peer, mono_add_ms(mono_now(), 60000), &err), 0,
		     "%s", err.text);
	clamd_peer_done(&peer);
	return session;
}

static struct clamd_question about(int fd, int64_t size)
{
	return (struct clamd_question){
		.fd = fd,
		.size = size,
		.deadline = mono_add_ms(mono_now(), FIXTURE_DEADLINE_MS),
		.cancel_fd = -1,
	};
}

static void expect_words(struct clamd_session *session, int fd, int64_t size, const char *part)
{
	AUTO_STR words = STR_INIT;
	struct error err = { 0 };
	const struct clamd_question question = about(fd, size);
	cr_expect_eq(clamd_session_ask(session, &question, &words, &err), CLAMD_ANSWERED, "%s",
		     err.text);
	cr_expect(strstr(str_text(&words), part), "%s, not %s", str_text(&words), part);
}

static void ask_real(const char *place)
{
	AUTO(clamd_session) struct clamd_session *session = begin(place);
	AUTO_STR text = STR_INIT;
	str_printf(&text, "%s%s", eicar_head, eicar_tail);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	cr_expect(clamd_session_unheard(session));
	expect_words(session, -1, 0, "ClamAV ");
	expect_words(session, fixture.fd, 6, ": OK");
	cr_expect_not(clamd_session_unheard(session));
	fixture_write(fixture.path, str_text(&text));
	expect_words(session, fixture.fd, (int64_t)text.len, ": Eicar-Test.UNOFFICIAL FOUND");
	expect_words(session, -1, 0, "ClamAV ");
	cr_expect(clamd_session_usable(session));
	(void)close(null);
}

Test(clamd_session, one_question_after_the_other_on_one_connection)
{
	struct real_clamd clamd;
	real_clamd_init(&clamd);
	AUTO_STR tcp = STR_INIT;
	str_printf(&tcp, "127.0.0.1:%u", clamd.port);
	ask_real(clamd.socket);
	fixture_write(fixture.path, "sample");
	ask_real(str_text(&tcp));
	AUTO(clamd_session) struct clamd_session *session = begin(clamd.socket);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	expect_words(session, null, 0, "Not a regular file");
	(void)close(null);
	real_clamd_done(&clamd);
}

Test(clamd_session, a_stream_over_the_limit_is_no_answer_of_the_file_and_ends_the_session)
{
	struct real_clamd clamd;
	real_clamd_init(&clamd);
	AUTO_STR tcp = STR_INIT;
	str_printf(&tcp, "127.0.0.1:%u", clamd.port);
	AUTO(clamd_session) struct clamd_session *session = begin(str_text(&tcp));
	int64_t size = 64 << 20;
	cr_assert_eq(truncate(fixture.path, size), 0);
	const struct clamd_question question = about(fixture.fd, size);
	AUTO_STR words = STR_INIT;
	struct error err = { 0 };
	enum clamd_end end = clamd_session_ask(session, &question, &words, &err);
	/* what was received before a reset can still be read: tcp_reset() keeps it */
	cr_expect_eq(end, CLAMD_ANSWERED, "%s", err.text);
	cr_expect_str_eq(str_text(&words), "INSTREAM size limit exceeded. ERROR");
	cr_expect_not(clamd_session_usable(session));
	real_clamd_done(&clamd);
}

Test(clamd_session, a_file_that_cannot_be_read_is_not_clamds_fault)
{
	struct real_clamd clamd;
	real_clamd_init(&clamd);
	AUTO_STR tcp = STR_INIT;
	str_printf(&tcp, "127.0.0.1:%u", clamd.port);
	AUTO(clamd_session) struct clamd_session *session = begin(str_text(&tcp));
	AUTO_CLOSE int directory = open(fixture.dir, O_RDONLY | O_CLOEXEC);
	const struct clamd_question question = about(directory, 10);
	AUTO_STR words = STR_INIT;
	struct error err = { 0 };
	cr_expect_eq(clamd_session_ask(session, &question, &words, &err), CLAMD_UNREADABLE);
	cr_expect(strstr(err.text, "cannot read the file"), "%s", err.text);
	cr_expect_not(clamd_session_usable(session));
	real_clamd_done(&clamd);
}

/* An answer longer than any. */
static char overlong[6000];

Test(clamd_session, what_no_clamd_says_is_never_an_answer)
{
	memset(overlong, 'x', sizeof overlong);

	const struct {
		struct said said;
		const char *words;
		bool unheard;
	} cases[] = {
		{ CLOSE, "connection", true },
		{ SAID("hello\0"), "not an answer to question 1 of the session: hello", false },
		{ SAID("2: stream: OK\0"), "not an answer to question 1", false },
		{ SAID("stream: OK\0"), "not an answer to question 1", false },
		{ SAID("\0"), "not an answer to question 1", false },
		{ SAID("1: stream: OK\0"
		       "2: stream: OK\0"),
		  "not an answer to question 1", false },
		{ SAID("1: stream: OK\0x"), "not an answer to question 1", false },
		{ { overlong, sizeof overlong }, "longer than any of clamd's", false },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct said script[] = { cases[i].said, END };
		struct scripted peer;
		scripted_init(&peer, script);
		struct clamd_session *session = begin(peer.socket);
		const struct clamd_question question = about(fixture.fd, 6);
		AUTO_STR words = STR_INIT;
		struct error err = { 0 };
		cr_expect_eq(clamd_session_ask(session, &question, &words, &err), CLAMD_LOST,
			     "case %zu", i);
		cr_expect(strstr(err.text, cases[i].words), "%s", err.text);
		cr_expect_eq(words.len, 0);
		if (i < sizeof cases / sizeof *cases - 1)
			cr_expect_eq(clamd_session_unheard(session), cases[i].unheard);
		cr_expect_not(clamd_session_usable(session));
		clamd_session_free(session);
		scripted_done(&peer);
	}
}

Test(clamd_session, half_a_reply_is_none)
{
	static const struct said script[] = { SAID("1: stream: O"), CLOSE, END };
	struct scripted peer;
	scripted_init(&peer, script);
	AUTO(clamd_session) struct clamd_session *session = begin(peer.socket);
	struct clamd_question question = about(-1, 0);
	question.deadline = mono_add_ms(mono_now(), 100);
	AUTO_STR words = STR_INIT;
	struct error err = { 0 };
	cr_expect_eq(clamd_session_ask(session, &question, &words, &err), CLAMD_TIMEOUT);
	cr_expect_eq(words.len, 0);
	cr_expect_not(clamd_session_unheard(session));
	cr_expect_not(clamd_session_usable(session));
	clamd_session_free(TAKE(session));
	scripted_done(&peer);
}

Test(clamd_session, silence_ends_at_the_deadline_or_when_it_is_given_up)
{
	static const struct said script[] = { SILENCE, SILENCE, END };
	struct scripted peer;
	scripted_init(&peer, script);
	AUTO_STR words = STR_INIT;
	struct error err = { 0 };
	struct clamd_session *session = begin(peer.socket);
	struct clamd_question question = about(fixture.fd, 6);
	question.deadline = mono_add_ms(mono_now(), 50);
	cr_expect_eq(clamd_session_ask(session, &question, &words, &err), CLAMD_TIMEOUT);
	cr_expect_not(clamd_session_usable(session));
	clamd_session_free(session);
	session = begin(peer.socket);
	int ends[2];
	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	(void)close(ends[1]);
	question = about(fixture.fd, 6);
	question.cancel_fd = ends[0];
	cr_expect_eq(clamd_session_ask(session, &question, &words, &err), CLAMD_CANCELLED);
	cr_expect_not(clamd_session_usable(session));
	(void)close(ends[0]);
	clamd_session_free(session);
	scripted_done(&peer);
}

Test(clamd_session, one_that_was_closed_meanwhile_is_not_usable)
{
	static const struct said script[] = { SAID("1: ClamAV 9\0"), END };
	struct scripted peer;
	scripted_init(&peer, script);
	AUTO(clamd_session) struct clamd_session *session = begin(peer.socket);
	expect_words(session, -1, 0, "ClamAV 9");
	cr_expect(clamd_session_usable(session));
	const struct clamd_question question = about(-1, 0);
	AUTO_STR words = STR_INIT;
	struct error err = { 0 };
	cr_expect_eq(clamd_session_ask(session, &question, &words, &err), CLAMD_LOST);
	cr_expect(clamd_session_unheard(session));
	cr_expect_not(clamd_session_usable(session));
	clamd_session_free(TAKE(session));
	scripted_done(&peer);
}
