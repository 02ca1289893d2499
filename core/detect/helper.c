/*
 * helper: see helper.h.
 *
 * Two locks: "lock" guards the list of idle scanners and is held for moments; "talking" makes
 * conversations with the zygote (fork, reap, start again) one at a time and is held for their time,
 * which is bounded: that is what it is for. talking is never taken while lock is held.
 *
 * A request that was not read when its scanner died (ECONNRESET), or whose scanner went with its
 * zygote, is asked again: the file had no part in that.
 */
#include "core/detect/helper.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/list.h"
#include "core/base/lock.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/detect/answer.h"
#include "core/detect/detect.h"
#include "core/detect/helper_process.h"
#include "core/detect/plain_extension.h"
#include "core/helper/channel.h"

#define PROGRAM "carved-detect"
/* Time for loading: rules by the thousand take seconds to compile; what was kept does not. */
#define LOAD_MS	   120000
#define RESTORE_MS 10000
/* Pauses between starts of a zygote that dies soon: the first restart is at once. */
#define PAUSE_FIRST_MS 200
#define PAUSE_MAX_MS   30000
/* One that lived this long starts with no pause again. */
#define LIVED_MS 60000
/* How often one request is asked when its scanners die without having read it. */
#define TRIES 3
/* A scanner whose channel closed is about to be dead. */
#define DYING_MS 1000

struct scanner {
	struct helper_scanner process;
	int64_t zygote_ns; /* when its zygote was started: which one it was */
	struct list link;
};

struct helper {
	char *program, *type, *name;
	char **paths;
	size_t path_count;
	int64_t limit;
	int keep_fd; /* memory file of what was loaded; sealed */
	struct helper_hello hello;

	struct lock lock;
	/* guarded by lock */
	struct list idle;

	struct lock talking;
	/* guarded by talking */
	struct helper_process process;
	struct mono started;
	struct mono next_start;
	int64_t pause_ms;
	struct error trouble; /* why the last start failed */
};

enum turn {
	TURN_ANSWERED,
	TURN_CANCELLED,
	TURN_LATE,
	TURN_UNREAD,   /* it died before it read the request */
	TURN_DIED,     /* it died over it */
	TURN_NONSENSE, /* what it sent is no answer to the request */
};

static void copy_options(struct helper *helper, const struct helper_options *options)
{
	helper->type = xstrdup(options->type);
	helper->name = xstrdup(options->name);
	helper->limit = options->limit;
	char *const none[] = { NULL };
	char *const *paths = options->paths ? options->paths : none;
	size_t count = 0;
	while (paths[count])
		count++;
	helper->path_count = count;
	helper->paths = xcalloc(count + 1, sizeof(char *));
	for (size_t i = 0; i < count; i++)
		helper->paths[i] = xstrdup(paths[i]);
}

static int check_paths(const struct helper *helper, struct error *err)
{
	if (helper->path_count > HELPER_PATHS_MAX)
		return error_set(err, E2BIG, "more than %d paths", HELPER_PATHS_MAX);
	for (size_t i = 0; i < helper->path_count; i++) {
		if (strlen(helper->paths[i]) > HELPER_PATH_MAX)
			return error_set(err, ENAMETOOLONG, "longer than %d bytes: %.100s...",
					 HELPER_PATH_MAX, helper->paths[i]);
	}
	return 0;
}

static struct helper_load load_of(const struct helper *helper, bool restore)
{
	return (struct helper_load){ .restore = restore,
				     .limit = helper->limit,
				     .paths = helper->paths,
				     .path_count = helper->path_count };
}

static int start_process(struct helper *helper, struct error *err)
{
	helper->started = mono_now();
	return helper_process_start(&helper->process, helper->program, helper->type, helper->name,
				    err);
}

/* The first start: loads, and keeps what it loaded. */
static int load(struct helper *helper, const struct helper_options *options, struct error *err)
{
	const struct helper *earlier = options->earlier;
	helper->keep_fd = memfd_create("carved-keep", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (helper->keep_fd < 0)
		return error_set(err, errno, "memfd_create: %s", error_text(errno));
	const struct channel_fds fds = {
		.fd = { helper->keep_fd, earlier ? earlier->keep_fd : -1 },
	};
	const struct helper_wish wish = { .load = load_of(helper, false),
					  .fds = &fds,
					  .timeout_ms = LOAD_MS,
					  .cancel_fd = options->cancel_fd };
	int result = start_process(helper, err);
	if (result == 0)
		result = helper_process_load(&helper->process, &wish, &helper->hello, err);
	if (result < 0)
		return result;
	if (fcntl(helper->keep_fd, F_ADD_SEALS,
		  F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return error_set(err, errno, "sealing what a helper keeps: %s", error_text(errno));
	return 0;
}

int helper_new(struct helper **out, const struct helper_options *options, struct error *err)
{
	AUTO(helper) struct helper *helper = xcalloc(1, sizeof *helper);
	lock_init(&helper->lock);
	lock_init(&helper->talking);
	list_init(&helper->idle);
	helper->process = (struct helper_process)HELPER_PROCESS_NONE;
	helper->keep_fd = -1;
	copy_options(helper, options);
	helper->program = options->program ? xstrdup(options->program) : config_program(PROGRAM);
	if (!helper->program)
		return error_set(err, ENOENT,
				 "the program " PROGRAM " is neither beside carved nor installed "
				 "(libexec/carved; CARVED_LIBEXEC_DIR names another directory)");
	int result = check_paths(helper, err);
	if (result == 0)
		result = load(helper, options, err);
	if (result < 0)
		return result;
	*out = TAKE(helper);
	return 0;
}

/* Lets a scanner go; its wait status, -1: not known. */
static int end_scanner(struct helper *helper, struct scanner *scanner, int grace_ms)
{
	lock_take(&helper->talking);
	int status = helper_scanner_end(&scanner->process, &helper->process, grace_ms);
	lock_drop(&helper->talking);
	free(scanner);
	return status;
}

void helper_free(struct helper *helper)
{
	if (!helper)
		return;
	/* first the zygote: one that hangs would be asked about each scanner */
	helper_process_end(&helper->process);
	for (struct list *link; (link = list_shift(&helper->idle));)
		(void)end_scanner(helper, LIST_OF(link, struct scanner, link), 0);
	if (helper->keep_fd >= 0)
		fd_close(helper->keep_fd);
	helper_hello_done(&helper->hello);
	for (size_t i = 0; i < helper->path_count; i++)
		free(helper->paths[i]);
	free(helper->paths);
	free(helper->program);
	free(helper->type);
	free(helper->name);
	lock_done(&helper->lock);
	lock_done(&helper->talking);
	free(helper);
}

const struct helper_hello *helper_hello(const struct helper *helper)
{
	return &helper->hello;
}

/* Loads again what was kept; an engine that keeps nothing must come to the same digest. */
static int restore(struct helper *helper, struct error *err)
{
	struct helper_hello *hello AUTO_FREE = xcalloc(1, sizeof *hello);
	const bool kept = lseek(helper->keep_fd, 0, SEEK_END) > 0;
	const struct channel_fds fds = { .fd = { kept ? helper->keep_fd : -1, -1 } };
	const struct helper_wish wish = { .load = load_of(helper, kept),
					  .fds = &fds,
					  .timeout_ms = RESTORE_MS,
					  .cancel_fd = -1 };
	int result = start_process(helper, err);
	if (result == 0)
		result = helper_process_load(&helper->process, &wish, hello, err);
	if (result == 0 && strcmp(hello->digest, helper->hello.digest) != 0)
		result = error_set(err, ESTALE,
				   "what the helper loads has changed since it was first started; "
				   "SIGHUP takes it in");
	helper_hello_done(hello);
	return result;
}

/* The zygote is of no use: ends it, and notes when another may be tried. */
static void give_up_process(struct helper *helper)
{
	assert(lock_mine(&helper->talking));
	const struct mono now = mono_now();
	bool lived = now.ns - helper->started.ns > LIVED_MS * CLOCK_NS_PER_MS;
	helper_process_end(&helper->process);
	helper->next_start = mono_add_ms(now, lived ? 0 : helper->pause_ms);
	int64_t next = helper->pause_ms ? 2 * helper->pause_ms : PAUSE_FIRST_MS;
	helper->pause_ms = lived ? 0 : next < PAUSE_MAX_MS ? next : PAUSE_MAX_MS;
}

/* Starts the zygote again when it is gone. */
static int revive(struct helper *helper, struct error *err)
{
	assert(lock_mine(&helper->talking));
	if (helper_process_alive(&helper->process))
		return 0;
	if (helper->process.pid > 0)
		give_up_process(helper);
	if (!mono_passed(helper->next_start))
		return error_set(err, EAGAIN, "the helper died, it is started again in %d ms (%s)",
				 mono_ms_until(helper->next_start),
				 *helper->trouble.text ? helper->trouble.text : "it died before");
	int result = restore(helper, err);
	if (result < 0) {
		helper->trouble = *err;
		give_up_process(helper);
	}
	return result;
}

static int fork_scanner(struct helper *helper, struct scanner *out, struct error *err)
{
	lock_take(&helper->talking);
	int result = revive(helper, err);
	if (result == 0) {
		result = helper_process_fork(&helper->process, &out->process, err);
		bool ours = result == -EAGAIN || error_is_ours(-result);
		if (result < 0 && !ours)
			give_up_process(helper);
		if (result < 0 && !ours) /* it was dead, or hung: once more with a new one */
			result = revive(helper, err) < 0 ? -EHOSTDOWN
							 : helper_process_fork(&helper->process,
									       &out->process, err);
	} else {
		result = -EHOSTDOWN;
	}
	out->zygote_ns = helper->started.ns;
	lock_drop(&helper->talking);
	return result;
}

/* True when nothing came from an idle scanner that nobody asked for, and it lives. */
static bool is_quiet(const struct scanner *scanner)
{
	struct pollfd one = { .fd = scanner->process.channel, .events = POLLIN };
	return poll(&one, 1, 0) == 0;
}

static struct scanner *take_idle(struct helper *helper)
{
	for (;;) {
		lock_take(&helper->lock);
		struct list *link = list_shift(&helper->idle);
		lock_drop(&helper->lock);
		if (!link)
			return NULL;
		struct scanner *scanner = LIST_OF(link, struct scanner, link);
		if (is_quiet(scanner))
			return scanner;
		(void)end_scanner(helper, scanner, 0);
	}
}

static int take_scanner(struct helper *helper, struct scanner **out, struct error *err)
{
	*out = take_idle(helper);
	if (*out)
		return 0;
	struct scanner *scanner AUTO_FREE = xcalloc(1, sizeof *scanner);
	list_init(&scanner->link);
	int result = fork_scanner(helper, scanner, err);
	if (result == 0)
		*out = TAKE(scanner);
	return result;
}

static void put_back(struct helper *helper, struct scanner *scanner)
{
	lock_take(&helper->lock);
	list_append(&helper->idle, &scanner->link);
	lock_drop(&helper->lock);
}

static struct wire_bytes field(struct slice slice)
{
	bool fits = slice.at && slice.len <= HELPER_FIELD_MAX;
	return (struct wire_bytes){ .at = fits ? slice.at : "", .len = fits ? slice.len : 0 };
}

static uint64_t put_request(const struct scan_request *request, struct str *packet)
{
	const struct entry *entry = request->entry;
	const char *base = request->path + request->name_offset;
	struct slice name = { .at = base, .len = strlen(base) };
	struct slice extension = entry->field[ENTRY_EXTENSION];
	if (!extension.at)
		extension = plain_extension(name);
	struct helper_request out = {
		.timeout_ms = mono_ms_until(request->deadline),
		.size = request->size,
		.field = {
			[HELPER_NAME] = field(name),
			[HELPER_EXTENSION] = field(extension),
			[HELPER_MIME] = { .at = entry->mime, .len = strlen(entry->mime) },
			[HELPER_PROTOCOL] = field(entry->field[ENTRY_PROTOCOL]),
		},
	};
	/* not to be guessed: an answer that was left behind for a file to come is none */
	arc4random_buf(&out.id, sizeof out.id);
	helper_put_request(packet, &out);
	return out.id;
}

static enum turn take_answer(const struct scanner *scanner, uint64_t id, struct helper_answer *out)
{
	AUTO_STR packet = STR_INIT;
	int got = channel_receive(scanner->process.channel, &packet, NULL, false);
	if (got == 0)
		return TURN_DIED;
	if (got == -ECONNRESET)
		return TURN_UNREAD;
	if (got < 0 || !helper_read_answer(&packet, out))
		return TURN_NONSENSE;
	return out->id == id ? TURN_ANSWERED : TURN_NONSENSE;
}

static enum turn wait_answer(const struct scanner *scanner, const struct scan_request *request,
			     uint64_t id, struct helper_answer *out)
{
	for (;;) {
		struct pollfd fds[] = { { .fd = scanner->process.channel, .events = POLLIN },
					{ .fd = request->cancel_fd, .events = POLLIN } };
		int ready = poll(fds, 2, mono_ms_until(request->deadline));
		if (ready > 0 && fds[0].revents)
			return take_answer(scanner, id, out);
		if (ready > 0 && fds[1].revents)
			return TURN_CANCELLED;
		if (mono_passed(request->deadline))
			return TURN_LATE;
	}
}

static enum turn ask_scanner(const struct scanner *scanner, const struct scan_request *request,
			     struct helper_answer *out)
{
	AUTO_STR packet = STR_INIT;
	uint64_t id = put_request(request, &packet);
	const struct channel_fds fds = { .fd = { request->fd, -1 } };
	int result = channel_send(scanner->process.channel, &packet, &fds);
	if (result < 0)
		return TURN_UNREAD;
	return wait_answer(scanner, request, id, out);
}

/* Of the one that was started then; in its place there may be another. */
static bool zygote_lives(struct helper *helper, int64_t zygote_ns)
{
	lock_take(&helper->talking);
	bool lives = helper->started.ns == zygote_ns && helper_process_alive(&helper->process);
	lock_drop(&helper->talking);
	return lives;
}

static void say_death(struct answer *answer, int status)
{
	if (status >= 0 && WIFSIGNALED(status)) {
		const char *name = sigabbrev_np(WTERMSIG(status));
		answer_fail(answer, OUTCOME_ERROR,
			    "the helper was killed by signal %d (SIG%s) over this file",
			    WTERMSIG(status), name ? name : "?");
	} else if (status >= 0) {
		answer_fail(answer, OUTCOME_ERROR, "the helper ended over this file (status %d)",
			    WEXITSTATUS(status));
	} else {
		answer_fail(answer, OUTCOME_ERROR,
			    "the helper was killed over this file (its status is not known)");
	}
}

/* What one turn led to; true: it is to be asked again. */
static bool settle(struct helper *helper, struct scanner *scanner, enum turn turn,
		   struct answer *answer)
{
	if (turn == TURN_ANSWERED) {
		put_back(helper, scanner);
		return false;
	}
	const int64_t zygote_ns = scanner->zygote_ns;
	int status = end_scanner(helper, scanner, turn == TURN_DIED ? DYING_MS : 0);
	switch (turn) {
	case TURN_CANCELLED:
		answer->cancelled = true;
		answer->outcome = OUTCOMES;
		return false;
	case TURN_LATE:
		answer_fail(answer, OUTCOME_TIMEOUT,
			    "the helper was still at it at the deadline, killed");
		return false;
	case TURN_NONSENSE:
		answer_fail(answer, OUTCOME_ERROR,
			    "the helper's answer is none by its protocol; it was killed");
		return false;
	case TURN_DIED:
		say_death(answer, status);
		return !zygote_lives(helper, zygote_ns);
	case TURN_UNREAD:
		answer_fail(answer, OUTCOME_ERROR, "helpers die before they read the request");
		return true;
	case TURN_ANSWERED:
		break;
	}
	return false;
}

static void no_scanner(struct answer *answer, int code, const struct error *err)
{
	answer_done(answer); /* of a try before */
	if (code == EHOSTDOWN)
		answer_away(answer, err->text);
	else
		answer_not_run(answer, code, err->text);
}

void helper_ask(struct helper *helper, const struct scan_request *request, struct answer *answer)
{
	__attribute__((cleanup(
		helper_answer_cleanup))) struct helper_answer said = { .outcome = OUTCOMES };
	bool again = true;
	for (unsigned i = 0; i < TRIES && again; i++) {
		struct scanner *scanner = NULL;
		struct error err = { 0 };
		int result = take_scanner(helper, &scanner, &err);
		if (result < 0) {
			no_scanner(answer, -result, &err);
			return;
		}
		helper_answer_done(&said);
		answer_done(answer);
		enum turn turn = ask_scanner(scanner, request, &said);
		again = settle(helper, scanner, turn, answer);
		if (turn != TURN_ANSWERED)
			helper_answer_done(&said);
	}
	if (said.outcome == OUTCOMES)
		return;
	answer->outcome = said.outcome;
	answer->signature = TAKE(said.signature);
	answer->detail = TAKE(said.detail);
	answer->real_mime = TAKE(said.real_mime);
}
