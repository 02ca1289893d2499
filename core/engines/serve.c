/*
 * serve: see serve.h.
 *
 * Only the zygote's loading opens files; then it confines itself, and every scanner inherits that.
 * Sockets of scanners reach it as descriptors and are closed here as soon as the scanner has them:
 * a scanner that dies must be seen by the end of its socket, so nobody else may hold it.
 */
#include "core/engines/serve.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/engines/alone.h"
#include "core/engines/enclose.h"
#include "core/engines/engine.h"
#include "core/engines/scanner.h"
#include "core/helper/channel.h"

/* Memory that a library may take beyond what it has loaded and the sample. */
#define WORK_MEMORY (UINT64_C(1) << 30)

enum {
	EXIT_DONE = 0,
	EXIT_USAGE = 2,
	EXIT_NONSENSE = 3
};

struct zygote {
	const struct engine_class *class;
	void *state;
	int channel;
	uint64_t memory;
};

static bool give(int channel, struct str *packet)
{
	return channel_send(channel, packet, NULL) == 0;
}

static int load(struct zygote *zygote, const struct helper_load *load,
		const struct channel_fds *fds, struct helper_hello *hello)
{
	const struct engine_start start = {
		.load = load,
		.keep_fd = load->restore ? -1 : fds->fd[0],
		.kept_fd = load->restore ? fds->fd[0] : fds->fd[1],
	};
	struct error err = { 0 };
	int result = zygote->class->load(&zygote->state, &start, hello, &err);
	if (result == 0)
		result = enclose((uint64_t)load->limit + WORK_MEMORY, &err);
	hello->ok = result == 0;
	if (result < 0) {
		helper_hello_done(hello);
		helper_problem(hello, err.text);
	}
	return result;
}

/* Waits for LOAD, does it, says HELLO; false: it is over. */
static bool begin(struct zygote *zygote)
{
	__attribute__((cleanup(channel_fds_cleanup))) struct channel_fds fds = CHANNEL_NO_FDS;
	AUTO_STR packet = STR_INIT;
	struct helper_load wanted = { 0 };
	if (channel_receive(zygote->channel, &packet, &fds, true) <= 0 ||
	    !helper_read_load(&packet, &wanted))
		return false;
	struct helper_hello *hello AUTO_FREE = xcalloc(1, sizeof *hello);
	int result = load(zygote, &wanted, &fds, hello);
	helper_put_hello(&packet, hello);
	helper_hello_done(hello);
	helper_load_done(&wanted);
	return give(zygote->channel, &packet) && result == 0;
}

/* In the child: serves on its channel and never comes back. */
static void become_scanner(struct zygote *zygote, pid_t parent, int channel)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it died before that */
		_exit(EXIT_DONE);
	fd_close(zygote->channel);
	(void)alone(); /* a kernel without it was named at the start */
	_exit(scanner_serve(zygote->class, zygote->state, channel));
}

static bool fork_scanner(struct zygote *zygote, int channel, struct str *packet)
{
	const pid_t self = getpid();
	pid_t pid = fork();
	if (pid == 0)
		become_scanner(zygote, self, channel);
	helper_put_number(packet, HELPER_FORKED, pid < 0 ? -errno : pid);
	return give(zygote->channel, packet);
}

static bool reap(struct zygote *zygote, int64_t pid, struct str *packet)
{
	int status = 0;
	pid_t got = 0;
	if (pid > 0 && pid <= INT32_MAX)
		got = waitpid((pid_t)pid, &status, WNOHANG);
	else if (pid < -1 && pid >= -INT32_MAX)
		got = waitpid((pid_t)-pid, &status, 0);
	helper_put_number(packet, HELPER_REAPED, got > 0 ? status : (int64_t)HELPER_STILL_THERE);
	return give(zygote->channel, packet);
}

/* One wish of the daemon's; a negative value, or the exit status. */
static int obey(struct zygote *zygote, struct str *packet)
{
	__attribute__((cleanup(channel_fds_cleanup))) struct channel_fds fds = CHANNEL_NO_FDS;
	int64_t number = 0;
	if (channel_receive(zygote->channel, packet, &fds, true) <= 0)
		return EXIT_DONE;
	bool told = false;
	if (helper_kind_of(packet) == HELPER_FORK && fds.fd[0] >= 0)
		told = fork_scanner(zygote, fds.fd[0], packet);
	else if (helper_read_number(packet, HELPER_REAP, &number))
		told = reap(zygote, number, packet);
	else
		return EXIT_NONSENSE;
	return told ? -1 : EXIT_DONE;
}

int serve(const char *type, int channel)
{
	struct zygote zygote = { .class = engine_class(type), .channel = channel };
	if (!zygote.class)
		return EXIT_USAGE;
	/* whoever started us: when that thread of the daemon ends, so does this. prctl(2). If it is
	 * gone already the channel is closed, and that is seen at once. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	int code = EXIT_DONE;
	if (begin(&zygote)) {
		AUTO_STR packet = STR_INIT;
		do
			code = obey(&zygote, &packet);
		while (code < 0);
	}
	if (zygote.state)
		zygote.class->close(zygote.state);
	return code;
}
