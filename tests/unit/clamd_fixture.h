/*
 * What the tests of clamd share: a real clamd with one signature in a directory of its own, and a
 * peer that says what no clamd can be made to say.
 */
#ifndef CARVED_TESTS_UNIT_CLAMD_FIXTURE_H
#define CARVED_TESTS_UNIT_CLAMD_FIXTURE_H

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>

#include "tests/unit/detect_fixture.h"

#define CLAMD_BINARY "/usr/sbin/clamd"

/* The EICAR test file in two halves, so that this file is not what it is about. */
static const char eicar_head[] = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-";
static const char eicar_tail[] = "ANTIVIRUS-TEST-FILE!$H+H*";

static inline struct sockaddr_un clamd_fixture_address(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	assert(strlen(path) < sizeof address.sun_path);
	(void)strcpy(address.sun_path, path);
	return address;
}

/* A real one. */
struct real_clamd {
	char dir[64];
	char *socket;
	char *conf;
	unsigned port;
	pid_t pid;
};

/* A port that nobody has. */
static inline unsigned clamd_fixture_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(bind(fd, (struct sockaddr *)&address, size) == 0);
	assert(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
	(void)close(fd);
	return ntohs(address.sin_port);
}

static inline bool real_clamd_answers(const struct real_clamd *clamd)
{
	struct sockaddr_un address = clamd_fixture_address(clamd->socket);
	char reply[8] = "";
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
		    send(fd, "zPING", 6, MSG_NOSIGNAL) == 6 &&
		    recv(fd, reply, sizeof reply, MSG_WAITALL) == 5;
	(void)close(fd);
	return good && strcmp(reply, "PONG") == 0;
}

static inline void real_clamd_start(struct real_clamd *clamd)
{
	char *words[] = { (char *)CLAMD_BINARY, (char *)"-c", clamd->conf, NULL };
	posix_spawn_file_actions_t actions;
	assert(posix_spawn_file_actions_init(&actions) == 0);
	assert(posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) == 0);
	assert(posix_spawn_file_actions_adddup2(&actions, 1, 2) == 0);
	assert(posix_spawn(&clamd->pid, CLAMD_BINARY, &actions, NULL, words, environ) == 0);
	(void)posix_spawn_file_actions_destroy(&actions);
	while (!real_clamd_answers(clamd)) {
		assert(waitpid(clamd->pid, NULL, WNOHANG) == 0);
		(void)poll(NULL, 0, 20);
	}
}

static inline void real_clamd_init(struct real_clamd *clamd)
{
	*clamd = (struct real_clamd){ .dir = "/tmp/carved-clamd-XXXXXX" };
	assert(mkdtemp(clamd->dir));
	clamd->port = clamd_fixture_port();
	AUTO_STR line = STR_INIT;
	str_printf(&line, "%s/clamd.ctl", clamd->dir);
	clamd->socket = str_take(&line);
	str_printf(&line, "%s/clamd.conf", clamd->dir);
	clamd->conf = str_take(&line);
	str_printf(&line,
		   "DatabaseDirectory %s\nLocalSocket %s\nForeground yes\nUser %s\n"
		   "TCPSocket %u\nTCPAddr 127.0.0.1\nStreamMaxLength 1M\n",
		   clamd->dir, clamd->socket, getuid() == 0 ? "root" : getlogin(), clamd->port);
	fixture_write(clamd->conf, str_text(&line));
	str_reset(&line);
	str_puts(&line, "Eicar-Test:0:*:");
	str_hex(&line, eicar_head, strlen(eicar_head));
	str_hex(&line, eicar_tail, strlen(eicar_tail));
	str_putc(&line, '\n');
	AUTO_STR path = STR_INIT;
	str_printf(&path, "%s/test.ndb", clamd->dir);
	fixture_write(str_text(&path), str_text(&line));
	real_clamd_start(clamd);
}

static inline void real_clamd_kill(struct real_clamd *clamd)
{
	if (clamd->pid) {
		(void)kill(clamd->pid, SIGKILL);
		(void)waitpid(clamd->pid, NULL, 0);
	}
	clamd->pid = 0;
}

static inline void real_clamd_stop(const struct real_clamd *clamd)
{
	int how = 0;
	(void)kill(clamd->pid, SIGSTOP);
	assert(waitpid(clamd->pid, &how, WUNTRACED) == clamd->pid && WIFSTOPPED(how));
}

static inline void real_clamd_done(struct real_clamd *clamd)
{
	real_clamd_kill(clamd);
	fixture_remove(clamd->dir);
	free(clamd->socket);
	free(clamd->conf);
}

/* One that follows a script: each question of a connection is answered by the next line of it. */
struct said {
	const char *bytes; /* NULL: the connection is closed */
	size_t len;	   /* 0: silence, until the other side closes */
};

#define SAID(text)                          \
	{                                   \
		(text), sizeof(text "") - 1 \
	}
#define SILENCE       \
	{             \
		"", 0 \
	}
#define CLOSE           \
	{               \
		NULL, 0 \
	}

#define END             \
	{               \
		NULL, 1 \
	}

struct scripted {
	const struct said *script; /* over all connections; at its END each is closed */
	int listener;
	char dir[64];
	char *socket;
	pthread_t thread;
	atomic_uint connections;
	atomic_bool over;
};

/* The next question that is not empty (the byte beside a descriptor is) and not IDSESSION; false:
 * the other side closed. */
static inline bool scripted_hear(int fd)
{
	char word[64] = "";
	for (size_t len = 0; recv(fd, word + len, 1, 0) == 1;) {
		if (word[len] != '\0') {
			len += len + 2 < sizeof word;
			continue;
		}
		if (len > 0 && strcmp(word, "zIDSESSION") != 0)
			return true;
		len = 0;
	}
	return false;
}

static inline void scripted_serve(struct scripted *peer, int fd)
{
	while (scripted_hear(fd)) {
		const struct said *line = peer->script;
		if (!line->bytes) {
			peer->script += line->len == 0;
			return;
		}
		peer->script++;
		if (line->len == 0) {
			while (scripted_hear(fd))
				;
			return;
		}
		(void)send(fd, line->bytes, line->len, MSG_NOSIGNAL);
	}
}

static inline void *scripted_run(void *peer_)
{
	struct scripted *peer = peer_;
	for (;;) {
		int fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0 || atomic_load(&peer->over)) {
			if (fd >= 0)
				(void)close(fd);
			return NULL;
		}
		atomic_fetch_add(&peer->connections, 1);
		scripted_serve(peer, fd);
		(void)close(fd);
	}
}

static inline void scripted_init(struct scripted *peer, const struct said *script)
{
	*peer = (struct scripted){ .script = script, .dir = "/tmp/carved-peer-XXXXXX" };
	assert(mkdtemp(peer->dir));
	AUTO_STR path = STR_INIT;
	str_printf(&path, "%s/s", peer->dir);
	peer->socket = str_take(&path);
	struct sockaddr_un address = clamd_fixture_address(peer->socket);
	peer->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(bind(peer->listener, (struct sockaddr *)&address, sizeof address) == 0);
	assert(listen(peer->listener, 8) == 0);
	assert(pthread_create(&peer->thread, NULL, scripted_run, peer) == 0);
}

/* All connections to it are closed by then. */
static inline void scripted_done(struct scripted *peer)
{
	atomic_store(&peer->over, true);
	(void)shutdown(peer->listener, SHUT_RDWR);
	(void)pthread_join(peer->thread, NULL);
	(void)close(peer->listener);
	fixture_remove(peer->dir);
	free(peer->socket);
}

#endif
