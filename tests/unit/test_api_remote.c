/* api_remote: what BroAPT's daemon is sent, and what its answers mean. */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>

#include "core/detect/answer.h"
#include "core/detect/api_remote.h"
#include "core/detect/detect.h"
#include "core/detect/digest.h"
#include "tests/unit/detect_fixture.h"
#include "tests/unit/http_fixture.h"

static struct fixture fixture;
static struct http_peer peer;
static struct api_remote *remote;
static struct answer answer;

static struct api_command scripts[] = { { .shell = (char *)"one \"$BROAPT_PATH\"" },
					{ .argv = WORDS("two", "$X \xff") } };
static struct api_variable environment[] = { { (char *)"A", (char *)"1" },
					     { (char *)"B", (char *)"$A" } };
static struct api_variable environ_[] = { { (char *)"A", (char *)"2" } };
static struct api_entry entries[] = {
	{ .pattern = (char *)"application/pdf",
	  .workdir = (char *)".",
	  .shared = (char *)"group",
	  .remote = true,
	  .environ = environ_,
	  .environ_count = 1,
	  .scripts = scripts,
	  .script_count = 2,
	  .report = { .shell = (char *)"true" } },
	{ .pattern = (char *)"example",
	  .workdir = (char *)"w",
	  .shared = (char *)"group",
	  .remote = true,
	  .report = { .argv = WORDS("report") } },
};
static struct api api = { .file = (char *)"api.yml",
			  .environment = environment,
			  .environment_count = 2,
			  .entries = entries,
			  .entry_count = 2 };
static struct config_detector row = { .type = (char *)"api", .name = (char *)"api", .api = &api };

static void setup(void)
{
	fixture_init(&fixture, "HTTP-Fab.cap.application.pdf.pdf");
	fixture.request.root_offset = fixture.request.name_offset;
	fixture.entry.field[ENTRY_FUID] = (struct slice){ .at = "Fab", .len = 3 };
	peer.stop = -1;
}

static void teardown(void)
{
	answer_done(&answer);
	api_remote_free(remote);
	http_peer_done(&peer);
	fixture_done(&fixture);
}

TestSuite(api_remote, .init = setup, .fini = teardown, .timeout = 240);

static char *replies[8];

/* A server that gives these answers in turn. */
static void start(const char *const *said, size_t count)
{
	struct error err = { 0 };
	for (size_t i = 0; i < count; i++)
		replies[i] = http_peer_reply("200 OK", "", said[i]);
	http_peer_start(&peer, (const char *const *)replies, count);
	row.url = peer.url;
	cr_assert_eq(api_remote_new(&remote, &row, &err), 0, "%s", err.text);
}

static void stop(void)
{
	http_peer_stop(&peer);
	for (size_t i = 0; i < peer.reply_count; i++)
		free(replies[i]);
}

#define START(...)                                         \
	static const char *const said[] = { __VA_ARGS__ }; \
	start(said, sizeof said / sizeof *said)

static void ask(const struct api_entry *entry)
{
	answer_done(&answer);
	api_remote_scan(remote, entry, &fixture.request, &answer);
}

#define DONE "{\"id\": \"x\", \"inited\": true, \"scanned\": true, \"reported\": true}"

Test(api_remote, a_file_without_remote_entries_needs_no_server)
{
	struct error err = { 0 };
	struct api_entry local[] = { entries[1] };
	struct api other = { .entries = local, .entry_count = 1 };
	struct config_detector plain = { .api = &other, .url = (char *)"nonsense" };
	local[0].remote = false;
	cr_assert_eq(api_remote_new(&remote, &plain, &err), 0);
	cr_assert_null(remote);
}

Test(api_remote, sends_what_broapt_sends)
{
	START(DONE);
	ask(&entries[0]);
	cr_assert_eq(answer.outcome, OUTCOME_UNKNOWN, "%s", answer.detail);
	ask(&entries[1]);
	stop();
	const char *sent = str_text(&peer.requests);
	cr_assert_eq(strncmp(sent, "POST /scan/api/v1.0/scan HTTP/1.1", 33), 0, "%s", sent);
	cr_assert(strstr(sent, "\r\nContent-Type: application/json\r\n"), "%s", sent);
	cr_assert(
		strstr(sent,
		       "{\"name\": \"HTTP-Fab.cap.application.pdf.pdf\", \"mime\": "
		       "\"application/pdf\", \"uuid\": \"Fab\", \"report\": \"true\", \"shared\": "
		       "\"group\", \"inited\": false, \"workdir\": \".\", \"environ\": {\"B\": "
		       "\"$A\", \"A\": \"2\"}, \"install\": [], \"scripts\": [\"one "
		       "\\\"$BROAPT_PATH\\\"\", [\"two\", \"$X \\udcff\"]]}"),
		"%s", sent);
	/* the default entry's type is "example", and the group is installed by now */
	cr_assert(
		strstr(sent,
		       "\"mime\": \"example\", \"uuid\": \"Fab\", \"report\": [\"report\"], "
		       "\"shared\": \"group\", \"inited\": true, \"workdir\": \"w\", \"environ\": "
		       "{\"A\": \"1\", \"B\": \"$A\"}, \"install\": [], \"scripts\": []}"),
		"%s", sent);
}

Test(api_remote, answers_mean_that_the_commands_ran_or_not)
{
	static const struct {
		enum outcome outcome;
		const char *words;
	} expected[] = {
		{ OUTCOME_ERROR, "or its installation" },
		{ OUTCOME_ERROR, "a command of the entry failed there; its logs" },
		{ OUTCOME_ERROR, "has no \\\"reported\\\": invalid info format" },
		{ OUTCOME_ERROR, "not a JSON object" },
		{ OUTCOME_ERROR, "not a JSON object" },
		{ OUTCOME_ERROR, "failed there" },
		{ OUTCOME_UNKNOWN, NULL },
	};

	START("{\"inited\": false, \"reported\": null}", "{\"inited\": 1, \"reported\": false}",
	      "{\"status\": 400, \"error\": \"'name'\", \"message\": \"invalid info format\"}",
	      "<html>", "[true]", "{\"reported\": \"true\"}", DONE);
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		ask(&entries[0]);
		cr_expect_eq(answer.outcome, expected[i].outcome, "%zu", i);
		cr_expect(expected[i].words ? strstr(answer.detail, expected[i].words) != NULL
					    : !answer.detail,
			  "%zu: %s", i, answer.detail);
	}
	stop();
}

Test(api_remote, what_a_shell_would_read_is_not_sent)
{
	START(DONE);
	size_t sent = 0;
	for (size_t i = 0; i < FIXTURE_NAMES; i++) {
		fixture.request.path = fixture_names[i];
		fixture.request.root_offset = fixture.request.name_offset = 0;
		ask(&entries[0]);
		if (answer.outcome == OUTCOME_UNKNOWN)
			sent++;
		else
			cr_expect_eq(answer.outcome, OUTCOME_SKIPPED, "%s", fixture_names[i]);
	}
	/* "-rf", "--help", "%s%n%s", "a\xff\xfe": words, below a directory */
	cr_assert_eq(sent, 4);
	fixture.request.path = "fine";
	(void)strcpy(fixture.entry.mime, "application/$x");
	ask(&entries[0]);
	cr_assert_eq(answer.outcome, OUTCOME_SKIPPED);
	stop();
	cr_assert_eq(atomic_load(&peer.request_count), 4);
}

Test(api_remote, a_daemon_that_is_not_there_is_away)
{
	struct error why = { 0 };
	START(DONE);
	cr_assert_eq(api_remote_probe(remote, &why), 0, "%s", why.text);
	stop();
	for (int i = 0; i < 3; i++) {
		ask(&entries[0]);
		cr_assert(answer.away && !answer.detail);
	}
	cr_assert(api_remote_away(remote, &why));
	cr_assert_neq(api_remote_probe(remote, &why), 0);
}

static void digest_of(const char *url, char out[DIGEST_HEX])
{
	struct error err = { 0 };
	AUTO(digest) struct digest *hash = digest_new();
	row.url = (char *)url;
	cr_assert_eq(api_remote_new(&remote, &row, &err), 0, "%s", err.text);
	api_remote_digest(remote, hash, &entries[0]);
	digest_end_hex(hash, out);
	api_remote_free(TAKE(remote));
}

Test(api_remote, the_digest_is_of_the_server_and_of_what_it_is_told_to_do)
{
	char first[DIGEST_HEX], again[DIGEST_HEX], elsewhere[DIGEST_HEX], changed[DIGEST_HEX];
	digest_of("http://a", first);
	digest_of("http://a", again);
	digest_of("http://b", elsewhere);
	environ_[0].value = (char *)"3";
	digest_of("http://a", changed);
	cr_assert_str_eq(first, again);
	cr_assert_str_neq(first, elsewhere);
	cr_assert_str_neq(first, changed);
}
