/* clamd_peer: how the place of a clamd is written, and what is said when nobody is there. */
#include <criterion/criterion.h>
#include <errno.h>

#include "core/detect/clamd_peer.h"
#include "tests/unit/clamd_fixture.h"

static bool is(const char *got, const char *wanted)
{
	return got && wanted ? strcmp(got, wanted) == 0 : got == wanted;
}

Test(clamd_peer, paths_and_hosts_are_read)
{
	static const struct {
		const char *text, *path, *host, *port;
	} cases[] = {
		{ "/run/clamav/clamd.ctl", "/run/clamav/clamd.ctl", NULL, NULL },
		{ "/a:1", "/a:1", NULL, NULL },
		{ "tcp://av.example.org:3310", NULL, "av.example.org", "3310" },
		{ "127.0.0.1:1", NULL, "127.0.0.1", "1" },
		{ "tcp://[::1]:65535", NULL, "::1", "65535" },
		{ "[fe80::1%eth0]:3310", NULL, "fe80::1%eth0", "3310" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct clamd_peer peer = { 0 };
		struct error err = { 0 };
		cr_expect_eq(clamd_peer_read(&peer, cases[i].text, &err), 0, "%s", err.text);
		cr_expect(is(peer.path, cases[i].path) && is(peer.host, cases[i].host) &&
				  is(peer.port, cases[i].port),
			  "%s: %s %s %s", cases[i].text, peer.path, peer.host, peer.port);
		clamd_peer_done(&peer);
	}
}

Test(clamd_peer, anything_else_is_refused_with_the_forms_that_are_known)
{
	static const char *const cases[] = {
		"",
		"clamd.ctl",
		"tcp://",
		"tcp://host",
		"tcp://:3310",
		"host:",
		"host:0",
		"host:65536",
		"host:+1",
		"host:33 10",
		"http://host:80/",
		"::1:3310",
		"[::1]",
		"[]:1",
		"[::1:3310",
		"unix:/run/clamd",
		"host:999999",
		"tcp:///run/c:1",
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct clamd_peer peer = { 0 };
		struct error err = { 0 };
		cr_expect_eq(clamd_peer_read(&peer, cases[i], &err), -EINVAL, "%s", cases[i]);
		cr_expect(strstr(err.text, "socket: expected "), "%s", err.text);
		cr_expect(!peer.path && !peer.host && !peer.port);
	}
	char path[200] = "/";
	memset(path + 1, 'x', sizeof path - 2);
	struct clamd_peer peer = { 0 };
	struct error err = { 0 };
	cr_expect_eq(clamd_peer_read(&peer, path, &err), -EINVAL);
	cr_expect(strstr(err.text, "199 bytes"), "%s", err.text);
}

static int try_connect(const char *text, struct error *err)
{
	struct clamd_peer peer = { 0 };
	cr_assert_eq(clamd_peer_read(&peer, text, err), 0);
	int fd = -1;
	int result = clamd_peer_connect(&peer, mono_add_ms(mono_now(), 60000), &fd, err);
	cr_assert_eq(fd >= 0, result == 0);
	if (fd >= 0)
		cr_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	fd_close(fd);
	clamd_peer_done(&peer);
	return result;
}

Test(clamd_peer, connects_and_else_says_what_to_mend)
{
	static const struct said script[] = { END };
	struct scripted peer;
	scripted_init(&peer, script);
	struct error err = { 0 };
	cr_expect_eq(try_connect(peer.socket, &err), 0, "%s", err.text);
	AUTO_STR none = STR_INIT;
	str_printf(&none, "%s.not", peer.socket);
	cr_expect_eq(try_connect(str_text(&none), &err), -ENOENT);
	cr_expect(strstr(err.text, peer.socket) && strstr(err.text, "LocalSocket in clamd.conf"),
		  "%s", err.text);
	fixture_write(str_text(&none), "a file");
	cr_expect_eq(try_connect(str_text(&none), &err), -ECONNREFUSED);
	cr_expect(strstr(err.text, "is clamd running?"), "%s", err.text);
	scripted_done(&peer);
	AUTO_STR address = STR_INIT;
	str_printf(&address, "127.0.0.1:%u", clamd_fixture_port());
	cr_expect_eq(try_connect(str_text(&address), &err), -ECONNREFUSED);
	cr_expect(strstr(err.text, "TCPSocket and TCPAddr"), "%s", err.text);
	cr_expect_lt(try_connect("no.such.host.invalid:1", &err), 0);
	cr_expect(strstr(err.text, "no address for the host no.such.host.invalid"), "%s", err.text);
}

Test(clamd_peer, a_socket_that_takes_nobody_is_waited_for_until_the_deadline)
{
	struct sockaddr_un address = clamd_fixture_address("/tmp/carved-full");
	char dir[] = "/tmp/carved-full-XXXXXX";
	cr_assert(mkdtemp(dir));
	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s/s", dir);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	cr_assert_eq(listen(listener, 0), 0);
	int first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(connect(first, (struct sockaddr *)&address, sizeof address), 0);
	struct clamd_peer peer = { .path = address.sun_path };
	struct error err = { 0 };
	int fd = -1;
	cr_expect_eq(clamd_peer_connect(&peer, mono_add_ms(mono_now(), 50), &fd, &err), -EAGAIN);
	cr_expect_eq(clamd_peer_connect(&peer, mono_now(), &fd, &err), -EAGAIN);
	cr_expect(strstr(err.text, "MaxConnectionQueueLength"), "%s", err.text);
	(void)close(first);
	(void)close(listener);
	fixture_remove(dir);
}
