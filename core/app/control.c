/* control: see control.h. */
#include "core/app/control.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/app/control_client.h"
#include "core/app/health.h"
#include "core/app/loop.h"
#include "core/app/pause.h"
#include "core/app/reload.h"
#include "core/app/rescan.h"
#include "core/app/state.h"
#include "core/app/status.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/str.h"

#define CLIENTS_MAX  16
#define REQUEST_MAX  256
#define CONTROL_MODE 0660
#define DEAF_MS	     1000 /* pause when clients cannot be let in */

struct client {
	int fd; /* -1: free */
	size_t len;
	uint64_t order;	 /* the smallest is the oldest */
	uint64_t awaits; /* the number of the reload whose end it waits for; 0: none */
	char request[REQUEST_MAX];
};

struct control {
	int listener;
	int epoll_fd;
	int spare_fd; /* given up for a client when no other descriptor is left; -1: given up */
	struct mono deaf_until; /* nobody can be let in before; ns 0: anybody can */
	char *path;
	uint64_t accepted;
	struct client clients[CLIENTS_MAX];
};

static int bind_socket(struct control *control, const char *history, struct error *err)
{
	struct sockaddr_un address;
	AUTO_CLOSE int dir = -1;
	int result = control_address(history, &address, &dir, err);
	if (result < 0)
		return result;
	control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (control->listener < 0)
		return error_set(err, errno, "socket: %s", error_text(errno));
	(void)unlink(control->path);
	const struct sockaddr *at = (const struct sockaddr *)(const void *)&address;
	/* a socket's mode is that of its name, less the umask: never more than 0660, then all of it
	 */
	if (fchmod(control->listener, CONTROL_MODE) < 0 ||
	    bind(control->listener, at, sizeof address) < 0 ||
	    chmod(address.sun_path, CONTROL_MODE) < 0 || listen(control->listener, CLIENTS_MAX) < 0)
		result = -errno;
	if (result < 0)
		return error_set(err, -result, "cannot make the control socket %s: %s",
				 control->path, error_text(-result));
	return 0;
}

static int watch(struct control *control, int fd, uint32_t index)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = index };
	return epoll_ctl(control->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int spare(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int control_new(struct control **out, const char *history, struct error *err)
{
	struct control *control = xcalloc(1, sizeof *control);
	control->listener = -1;
	control->spare_fd = spare();
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		control->clients[i].fd = -1;
	AUTO_STR path = STR_INIT;
	str_printf(&path, "%s.sock", history);
	control->path = str_take(&path);
	control->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	int result =
		control->epoll_fd < 0 ? error_set(err, errno, "epoll: %s", error_text(errno)) : 0;
	if (result == 0)
		result = bind_socket(control, history, err);
	if (result == 0 && (result = watch(control, control->listener, CLIENTS_MAX)) < 0)
		error_set(err, -result, "epoll: %s", error_text(-result));
	if (result < 0) {
		control_free(control);
		return result;
	}
	*out = control;
	return 0;
}

static void hang_up(struct client *client)
{
	if (client->fd >= 0)
		fd_close(client->fd);
	client->fd = -1;
	client->len = 0;
	client->awaits = 0;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		hang_up(&control->clients[i]);
	if (control->listener >= 0) {
		fd_close(control->listener);
		(void)unlink(control->path);
	}
	if (control->epoll_fd >= 0)
		fd_close(control->epoll_fd);
	if (control->spare_fd >= 0)
		fd_close(control->spare_fd);
	free(control->path);
	free(control);
}

int control_fd(const struct control *control)
{
	return control->epoll_fd;
}

/* Those that wait for an answer go last. */
static bool goes_before(const struct client *one, const struct client *other)
{
	if (!one->awaits != !other->awaits)
		return !one->awaits;
	return one->order < other->order;
}

/* The client that came first, NULL: there is none. */
static struct client *oldest_client(struct control *control)
{
	struct client *oldest = NULL;
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &control->clients[i];
		if (client->fd >= 0 && (!oldest || goes_before(client, oldest)))
			oldest = client;
	}
	return oldest;
}

static struct client *free_place(struct control *control)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (control->clients[i].fd < 0)
			return &control->clients[i];
	}
	struct client *oldest = oldest_client(control);
	hang_up(oldest);
	return oldest;
}

/* A descriptor for a client, when there is none: the spare one, or that of the client that came
 * first, who has said nothing yet. */
static bool make_room(struct control *control)
{
	if (control->spare_fd >= 0) {
		fd_close(control->spare_fd);
		control->spare_fd = -1;
		return true;
	}
	struct client *oldest = oldest_client(control);
	if (oldest)
		hang_up(oldest);
	return oldest != NULL;
}

/* A client, or -1: it is gone again, or there is nothing to be had for it. */
static int accept_one(struct control *control)
{
	for (;;) {
		int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		bool ours = fd < 0 && (error_is_ours(errno) || errno == ENOBUFS);
		if (!ours)
			return fd;
		if (!make_room(control)) {
			control->deaf_until = mono_add_ms(mono_now(), DEAF_MS);
			return -1;
		}
	}
}

/* A client that cannot be let in keeps the listener readable, which must not keep us awake. */
static void listen_again(struct control *control, bool wanted)
{
	struct epoll_event event = { .events = wanted ? EPOLLIN : 0, .data.u32 = CLIENTS_MAX };
	(void)epoll_ctl(control->epoll_fd, EPOLL_CTL_MOD, control->listener, &event);
}

static void let_in(struct control *control)
{
	int fd = accept_one(control);
	if (control->deaf_until.ns)
		listen_again(control, false);
	if (fd < 0)
		return;
	struct client *client = free_place(control);
	client->fd = fd;
	client->order = control->accepted++;
	if (watch(control, fd, (uint32_t)(client - control->clients)) < 0)
		hang_up(client);
}

const char *const control_end_words[CONTROL_ENDS] = {
	[CONTROL_OK] = "ok",
	[CONTROL_REFUSED] = "refused",
	[CONTROL_FAILED] = "failed",
};

void control_add_line(struct str *lines, const char *words)
{
	str_escape(lines, words, strlen(words));
	str_putc(lines, '\n');
}

static void put_end(struct str *out, enum control_end end, const char *words)
{
	str_printf(out, "%s\n", control_end_words[end]);
	control_add_line(out, words);
}

static void say(const struct client *client, const struct str *text)
{
	/* a few KiB into an empty socket buffer: what does not fit is the client's loss */
	(void)send(client->fd, text->data, text->len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool answer_status(struct app *app, struct client *client, struct str *out)
{
	(void)client;
	status_json(app, out);
	str_putc(out, '\n');
	return true;
}

static bool answer_poke(struct app *app, struct client *client, struct str *out)
{
	(void)client;
	app->backlog = true;
	rescan_note(app);
	str_puts(out, "ok\n");
	return true;
}

static bool answer_walk(struct app *app, struct client *client, struct str *out)
{
	(void)client;
	log_notice("a file came back while its version was pruned: all roots are walked");
	loop_walk(app);
	str_puts(out, "ok\n");
	return true;
}

static bool answer_health(struct app *app, struct client *client, struct str *out)
{
	(void)client;
	AUTO_STR lines = STR_INIT;
	bool healthy = health_judge(app, &lines);
	str_printf(out, "%s\n", control_end_words[healthy ? CONTROL_OK : CONTROL_FAILED]);
	if (healthy)
		control_add_line(&lines, pause_is_on(app) ? "healthy, paused" : "healthy");
	str_puts(out, str_text(&lines));
	return true;
}

static bool answer_pause(struct app *app, struct client *client, struct str *out)
{
	(void)client;
	struct error err = { 0 };
	bool before = pause_is_on(app);
	if (pause_begin(app, &err) < 0) {
		put_end(out, CONTROL_FAILED, err.text);
		return true;
	}
	AUTO_STR words = STR_INIT;
	str_printf(&words, "%s; files that workers finish now: %zu",
		   before ? "paused already" : "paused, until \"carved resume\" or a restart",
		   pause_at_work(app));
	put_end(out, CONTROL_OK, str_text(&words));
	return true;
}

static bool answer_resume(struct app *app, struct client *client, struct str *out)
{
	(void)client;
	bool ended = pause_end(app, "on request");
	put_end(out, CONTROL_OK, ended ? "resumed" : "it was not paused");
	return true;
}

/* The answer is control_reloaded()'s. */
static bool answer_reload(struct app *app, struct client *client, struct str *out)
{
	if (app->mode == APP_STOPPING) {
		put_end(out, CONTROL_FAILED, "the daemon is about to end");
		return true;
	}
	str_puts(out, "wait\n");
	say(client, out);
	client->awaits = app->reloads + 1;
	client->len = 0;
	reload(app);
	return false;
}

static const struct {
	const char *name;
	bool (*answer)(struct app *app, struct client *client, struct str *out);
} requests[] = {
	{ "status", answer_status }, { "poke", answer_poke },	  { "pause", answer_pause },
	{ "resume", answer_resume }, { "reload", answer_reload }, { "health", answer_health },
	{ "walk", answer_walk },
};

static void answer(struct app *app, struct client *client)
{
	AUTO_STR text = STR_INIT;
	size_t at = 0, count = sizeof requests / sizeof *requests;
	while (at < count && strcmp(requests[at].name, client->request) != 0)
		at++;
	if (at < count && !requests[at].answer(app, client, &text))
		return;
	if (at == count)
		str_puts(&text, "{\"error\":\"unknown request; known are status, health, "
				"poke, walk, pause, resume and reload\"}\n");
	say(client, &text);
	hang_up(client);
}

void control_reloaded(struct app *app, enum control_end end, const struct str *lines)
{
	AUTO_STR text = STR_INIT;
	str_printf(&text, "%s\n", control_end_words[end]);
	str_append(&text, lines->data, lines->len);
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &app->control->clients[i];
		if (client->awaits && client->awaits <= app->reloads) {
			say(client, &text);
			hang_up(client);
		}
	}
}

static void hear(struct app *app, struct client *client)
{
	ssize_t got = recv(client->fd, client->request + client->len, REQUEST_MAX - client->len, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		hang_up(client);
		return;
	}
	if (client->awaits)
		return; /* it has asked, and is answered in time */
	client->len += (size_t)got;
	char *end = memchr(client->request, '\n', client->len);
	if (end) {
		*end = '\0';
		answer(app, client);
	} else if (client->len == REQUEST_MAX) {
		hang_up(client);
	}
}

struct mono control_due(const struct control *control)
{
	return control->deaf_until;
}

void control_tick(struct control *control)
{
	if (control->deaf_until.ns == 0 || !mono_passed(control->deaf_until))
		return;
	control->deaf_until.ns = 0;
	listen_again(control, true);
}

void control_serve(struct app *app)
{
	struct control *control = app->control;
	struct epoll_event events[CLIENTS_MAX + 1];
	int count = epoll_wait(control->epoll_fd, events, CLIENTS_MAX + 1, 0);
	for (int i = 0; i < count; i++) {
		uint32_t index = events[i].data.u32;
		if (index == CLIENTS_MAX)
			let_in(control);
		else if (control->clients[index].fd >= 0)
			hear(app, &control->clients[index]);
	}
	if (control->spare_fd < 0)
		control->spare_fd = spare();
}
