#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/app/control_client.h"
#include "core/base/error.h"
#include "core/base/str.h"

static void expect_reachable(const char *history)
{
	struct sockaddr_un address;
	struct error err = { 0 };
	int dir = -1;
	cr_assert_eq(control_address(history, &address, &dir, &err), 0, "%s", err.text);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	char path[4096];
	struct stat st;
	snprintf(path, sizeof path, "%s.sock", history);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert(S_ISSOCK(st.st_mode));
	unlink(path);
	close(fd);
	if (dir >= 0)
		close(dir);
}

Test(control_client, the_socket_lies_beside_the_history_however_long_its_path)
{
	char dir[] = "/tmp/carved-client-XXXXXX";
	cr_assert(mkdtemp(dir));
	char path[1024];
	snprintf(path, sizeof path, "%s/history.db", dir);
	expect_reachable(path);
	char deep[1024];
	snprintf(deep, sizeof deep, "%s/%0120d", dir, 1);
	cr_assert_eq(mkdir(deep, 0755), 0);
	snprintf(path, sizeof path, "%.900s/history.db", deep);
	expect_reachable(path);
	rmdir(deep);
	rmdir(dir);
}

Test(control_client, without_a_daemon_it_says_so)
{
	AUTO_STR answer = STR_INIT;
	struct error err = { 0 };
	cr_assert_eq(control_request("/nonexistent/history.db", "status", &answer, &err), -ENOENT);
	cr_assert(strstr(err.text, "no carved runs"), "%s", err.text);
	char name[300];
	memset(name, 'n', sizeof name - 1);
	name[0] = '/';
	name[sizeof name - 1] = '\0';
	cr_assert_eq(control_request(name, "status", &answer, &err), -ENAMETOOLONG);
}

/* Answers the next client of fd with text, and hangs up. */
static void *answer_one(void *context)
{
	const char *text = ((const char **)context)[1];
	int listener = *(int *)((void **)context)[0];
	char request[64];
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	cr_assert_gt(recv(fd, request, sizeof request, 0), 0);
	cr_assert_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	close(fd);
	return NULL;
}

static int order_answered(const char *text, enum control_end *end, struct str *words,
			  struct error *err)
{
	char dir[] = "/tmp/carved-client-XXXXXX", history[64];
	cr_assert(mkdtemp(dir));
	snprintf(history, sizeof history, "%s/h", dir);
	struct sockaddr_un address;
	int none = -1;
	cr_assert_eq(control_address(history, &address, &none, err), 0);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	cr_assert_eq(listen(listener, 1), 0);
	const void *context[] = { &listener, text };
	pthread_t thread;
	cr_assert_eq(pthread_create(&thread, NULL, answer_one, context), 0);
	int result = control_order(history, "pause", end, words, err);
	pthread_join(thread, NULL);
	close(listener);
	unlink(address.sun_path);
	rmdir(dir);
	return result;
}

Test(control_client, how_an_order_ended_is_told_from_its_words)
{
	static const struct {
		const char *text;
		int result;
		enum control_end end;
		const char *words;
	} cases[] = {
		{ "ok\npaused\n", 0, CONTROL_OK, "paused" },
		{ "wait\nok\na\nb\n", 0, CONTROL_OK, "a\nb" },
		{ "refused\nwhy\n", 0, CONTROL_REFUSED, "why" },
		{ "wait\nfailed\nlater\n", 0, CONTROL_FAILED, "later" },
		{ "ok", 0, CONTROL_OK, "" },
		{ "okay\n", -EPROTO, CONTROL_ENDS, "" },
		{ "{\"error\":\"unknown request\"}\n", -EPROTO, CONTROL_ENDS, "" },
		{ "wait\n", -EPIPE, CONTROL_ENDS, "" },
		{ "\n", -EPIPE, CONTROL_ENDS, "" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO_STR words = STR_INIT;
		struct error err = { 0 };
		enum control_end end = CONTROL_ENDS;
		cr_assert_eq(order_answered(cases[i].text, &end, &words, &err), cases[i].result,
			     "%s", cases[i].text);
		cr_assert_eq(end, cases[i].end, "%s", cases[i].text);
		cr_assert_str_eq(str_text(&words), cases[i].words);
	}
}
