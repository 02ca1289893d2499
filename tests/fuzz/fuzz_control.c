/*
 * Clients of the control socket, which come, say something in pieces, and go: whatever they do, the
 * next one is answered.
 *
 * The daemon behind the socket is not there (--wrap): what a status holds is not the question here.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>

#include "core/app/control.h"
#include "core/app/health.h"
#include "core/app/pause.h"
#include "core/app/reload.h"
#include "core/app/rescan.h"
#include "core/app/state.h"
#include "core/app/status.h"
#include "core/base/error.h"
#include "core/base/str.h"
#include "tests/fuzz/fuzz.h"

#define CLIENTS 20

void __wrap_status_json(struct app *app, struct str *out);  // NOLINT(bugprone-reserved-identifier)
void __wrap_rescan_note(struct app *app);		    // NOLINT(bugprone-reserved-identifier)
bool __wrap_pause_is_on(const struct app *app);		    // NOLINT(bugprone-reserved-identifier)
int __wrap_pause_begin(struct app *app, struct error *err); // NOLINT(bugprone-reserved-identifier)
size_t __wrap_pause_at_work(const struct app *app);	    // NOLINT(bugprone-reserved-identifier)
bool __wrap_pause_end(struct app *app, const char *why);    // NOLINT(bugprone-reserved-identifier)
bool __wrap_health_judge(struct app *app,
			 struct str *lines); // NOLINT(bugprone-reserved-identifier)
void __wrap_reload(struct app *app);	     // NOLINT(bugprone-reserved-identifier)

static struct app app;
static char directory[64];
static struct sockaddr_un address = { .sun_family = AF_UNIX };

void __wrap_status_json(struct app *of, struct str *out) // NOLINT(bugprone-reserved-identifier)
{
	must(of == &app);
	str_puts(out, "{\"state\":\"here\"}");
}

void __wrap_rescan_note(struct app *of) // NOLINT(bugprone-reserved-identifier)
{
	must(of == &app);
}

bool __wrap_pause_is_on(const struct app *of) // NOLINT(bugprone-reserved-identifier)
{
	return pause_left_doubts(of);
}

int __wrap_pause_begin(struct app *of, struct error *err) // NOLINT(bugprone-reserved-identifier)
{
	of->pausing.doubts_left++;
	return of->pausing.doubts_left % 3 ? 0 : error_set(err, EBUSY, "not now");
}

size_t __wrap_pause_at_work(const struct app *of) // NOLINT(bugprone-reserved-identifier)
{
	return of->pausing.doubts_left;
}

bool __wrap_pause_end(struct app *of, const char *why) // NOLINT(bugprone-reserved-identifier)
{
	(void)why;
	of->pausing.doubts_left = 0;
	return true;
}

/* It begins at once, or when the one before has ended, which is later. */
void __wrap_reload(struct app *of) // NOLINT(bugprone-reserved-identifier)
{
	must(of == &app);
	of->reload_again = true;
}

bool __wrap_health_judge(struct app *of, struct str *lines) // NOLINT(bugprone-reserved-identifier)
{
	(void)lines;
	return !of->reload_again;
}

static void end_reload(void)
{
	AUTO_STR lines = STR_INIT;
	if (!app.reload_again)
		return;
	app.reload_again = false;
	app.reloads++;
	control_add_line(&lines, "reloaded");
	control_reloaded(&app, CONTROL_OK, &lines);
}

static void remove_directory(void)
{
	control_free(app.control);
	(void)rmdir(directory);
}

static void begin(void)
{
	struct error err = { 0 };
	char history[96];
	(void)snprintf(directory, sizeof directory, "/tmp/carved-fuzz-XXXXXX");
	must(mkdtemp(directory));
	(void)snprintf(history, sizeof history, "%s/h", directory);
	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s.sock", history);
	must(control_new(&app.control, history, &err) == 0);
	must(atexit(remove_directory) == 0);
}

static int a_client(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	must(fd >= 0);
	must(connect(fd, (const struct sockaddr *)&address, sizeof address) == 0);
	return fd;
}

static void check_next(void)
{
	static const char request[] = "status\n";
	static const char expected[] = "{\"state\":\"here\"}\n";
	char reply[256];
	int fd = a_client();
	control_serve(&app);
	must(send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request));
	control_serve(&app);
	must(recv(fd, reply, sizeof reply, 0) == (ssize_t)strlen(expected));
	must(memcmp(reply, expected, strlen(expected)) == 0);
	must(recv(fd, reply, sizeof reply, 0) == 0);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { (const char *)data, size };
	int clients[CLIENTS];
	if (!app.control)
		begin();
	for (size_t i = 0; i < CLIENTS; i++)
		clients[i] = -1;
	while (in.left > 0) {
		unsigned what = input_byte(&in);
		int *client = &clients[(what >> 3) % CLIENTS];
		size_t len = (size_t)4 << (what & 7);
		if (*client < 0)
			*client = a_client();
		if (len > in.left)
			len = in.left;
		(void)send(*client, in.at, len, MSG_NOSIGNAL);
		in.at += len;
		in.left -= len;
		control_serve(&app);
		if ((what & 7) == 7) {
			close(*client);
			*client = -1;
		} else if ((what & 7) == 6) {
			end_reload();
		}
	}
	end_reload();
	check_next();
	for (size_t i = 0; i < CLIENTS; i++) {
		if (clients[i] >= 0)
			close(clients[i]);
	}
	control_serve(&app);
	return 0;
}
