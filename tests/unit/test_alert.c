/* alert: what a command and a server are told, what counts as told, and ends. */
#include <criterion/criterion.h>
#include <errno.h>

#include "core/app/alert.h"
#include "core/sink/sink.h"
#include "tests/unit/detect_fixture.h"
#include "tests/unit/http_fixture.h"

#define TEXT "{\"seq\":1}\n{\"seq\":2}\n"

static const struct sink_portion portion = {
	.text = TEXT, .len = sizeof TEXT - 1, .events = 2, .waiting = 7
};

static struct fixture fixture;
static struct http_peer peer;
static struct config_alert row;
static struct config config;
static struct alert *alert;
static struct error err;

static void setup(void)
{
	fixture_init(&fixture, "sample");
	row = (struct config_alert){ .timeout_ms = FIXTURE_DEADLINE_MS };
	config = (struct config){ .refs = 1, .alert = &row };
}

static void teardown(void)
{
	alert_free(alert);
	fixture_done(&fixture);
}

TestSuite(alert, .init = setup, .fini = teardown, .timeout = 240);

static int tell(void)
{
	err = (struct error){ 0 };
	if (!alert)
		cr_assert_eq(alert_new(&alert, &config, &err), 0, "%s", err.text);
	return alert_take(alert, &portion, &err);
}

/* A script of the shell's, with the fixture's directory as its first argument. */
#define RUN(script) \
	row.run = WORDS((char *)"sh", (char *)"-c", (char *)(script), (char *)"x", fixture.dir)

static char *written(const char *name)
{
	AUTO_FREE char *path = fixture_path(&fixture, name);
	return fixture_read(path);
}

Test(alert, a_command_reads_it_all_and_has_an_environment_of_its_own)
{
	cr_assert_eq(setenv("SECRET", "x", 1), 0);
	RUN("cat >$1/in; env | sort >$1/env; pwd >$1/cwd; echo; echo >&2");
	cr_assert_eq(tell(), 0, "%s", err.text);
	AUTO_FREE char *in = written("in");
	AUTO_FREE char *env = written("env");
	AUTO_FREE char *cwd = written("cwd");
	cr_expect_str_eq(in, TEXT);
	cr_expect_str_eq(cwd, "/\n");
	cr_expect(strstr(env, "CARVED_TOLD=2\nCARVED_WAITING=7\nHOME=/\nLANG=C.UTF-8\n"), "%s",
		  env);
	cr_expect_not(strstr(env, "SECRET"), "%s", env);
	cr_expect_str_eq(alert_target(alert), "sh");
}

Test(alert, a_command_need_not_read_and_may_write_where_its_user_may)
{
	RUN("exec 0<&-; touch $1/made && chmod 700 $1/made && test -x $1/made");
	cr_assert_eq(tell(), 0, "%s", err.text);
}

Test(alert, what_else_it_ends_by_is_no_success)
{
	RUN("echo well; echo first >&2; echo 'no mail' >&2; exit 3");
	cr_expect_eq(tell(), -EIO);
	cr_expect_str_eq(err.text, "sh: exit status 3: no mail");
	alert_free(TAKE(alert));
	RUN("kill -9 $$");
	cr_expect_eq(tell(), -EIO);
	cr_expect_str_eq(err.text, "sh: ended by signal 9");
	alert_free(TAKE(alert));
	row.run = WORDS((char *)"/nonexistent/tell");
	cr_expect_eq(tell(), -ENOENT);
	cr_expect(strstr(err.text, "cannot run /nonexistent/tell: No such file"), "%s", err.text);
}

Test(alert, a_command_that_is_not_through_in_time_is_killed)
{
	row.timeout_ms = 10;
	RUN("exec sleep 86399");
	cr_expect_eq(tell(), -ETIMEDOUT);
	cr_expect(strstr(err.text, "longer than 10 ms (alert: timeout)"), "%s", err.text);
}

Test(alert, an_end_gives_up_what_is_under_way_and_all_else)
{
	RUN("exec sleep 86399");
	cr_assert_eq(alert_new(&alert, &config, &err), 0);
	alert_end(alert, 0);
	alert_end(alert, 86400000); /* the first word counts */
	cr_expect_eq(tell(), -ECANCELED);
	cr_expect_eq(tell(), -ECANCELED);
}

static int post(const char *const *replies, size_t count)
{
	http_peer_start(&peer, replies, count);
	row.url = peer.url;
	int result = tell();
	http_peer_stop(&peer);
	return result;
}

Test(alert, a_server_gets_an_array)
{
	AUTO_FREE char *token = fixture_path(&fixture, "token");
	fixture_write(token, "sesame\n");
	cr_assert_eq(chmod(token, 0600), 0);
	row.token_file = token;
	static const char *const replies[] = { "HTTP/1.1 202 A\r\nContent-Length: 0\r\n\r\n" };
	cr_assert_eq(post(replies, 1), 0, "%s", err.text);
	const char *sent = str_text(&peer.requests);
	cr_expect(strncmp(sent, "POST /scan HTTP/1.1\r\n", 21) == 0, "%s", sent);
	cr_expect(strstr(sent, "\r\nContent-Type: application/json\r\n"), "%s", sent);
	cr_expect(strstr(sent, "\r\nAuthorization: Bearer sesame\r\n"), "%s", sent);
	cr_expect(strstr(sent, "\r\nCarved-Told: 2\r\nCarved-Waiting: 7\r\n"), "%s", sent);
	cr_expect(strstr(sent, "\r\n\r\n[{\"seq\":1},\n{\"seq\":2}]\n"), "%s", sent);
	char place[64];
	snprintf(place, sizeof place, "http://127.0.0.1:%u", peer.port);
	cr_expect_str_eq(alert_target(alert), place);
	http_peer_done(&peer);
}

Test(alert, another_status_or_none_is_no_success)
{
	static const char *const cases[] = {
		"HTTP/1.1 302 F\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 500 E\r\nContent-Length: 0\r\n\r\n",
		"nonsense\r\n\r\n",
		NULL,
	};
	static const int codes[] = { -EPROTO, -EPROTO, -EIO, -EIO };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cr_expect_eq(post(&cases[i], 1), codes[i], "case %zu: %s", i, err.text);
		http_peer_done(&peer);
		alert_free(TAKE(alert));
	}
	row.url = (char *)"http://127.0.0.1:1/";
	cr_expect_eq(tell(), -EHOSTUNREACH, "%s", err.text);
	alert_free(TAKE(alert));
	row.url = (char *)"https://127.0.0.1:99999/s3cret?key=s3cret";
	cr_expect_eq(tell(), -EINVAL);
	cr_expect(strstr(err.text, "https://127.0.0.1:99999: no usable URL"), "%s", err.text);
	alert_free(TAKE(alert));
	row.url = (char *)"http://127.0.0.1:1/";
	row.token_file = (char *)"/nonexistent/token";
	cr_expect_eq(tell(), -ENOENT);
	cr_expect(strstr(err.text, "token_file: /nonexistent/token"), "%s", err.text);
}

Test(alert, an_end_gives_up_a_server_that_says_nothing)
{
	static const char *const hang[] = { HTTP_PEER_HANG };
	http_peer_start(&peer, hang, 1);
	row.url = peer.url;
	cr_assert_eq(alert_new(&alert, &config, &err), 0);
	alert_end(alert, 10);
	cr_expect_eq(tell(), -ECANCELED, "%s", err.text);
	http_peer_done(&peer);
}
