/* alert: see alert.h. */
#include "core/app/alert.h"

#include <sys/timerfd.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/detect/cage.h"
#include "core/detect/child.h"
#include "core/detect/credentials.h"
#include "core/detect/http.h"
#include "core/detect/spawn_plan.h"
#include "core/sink/sink.h"

#define STATUS_GOOD	 200
#define STATUS_GOOD_LAST 299
/* What is shown of the last words of a command. */
#define SHOWN_MAX 200

struct alert {
	struct config *config;
	const struct config_alert *row;
	char *target;
	int end_fd; /* a timer: readable once what is under way is to be given up */
	bool ending;
};

static char *target_of(const struct config_alert *row)
{
	return row->run ? xstrdup(row->run[0]) : xmemdup(row->url, http_url_shown(row->url));
}

int alert_new(struct alert **out, struct config *config, struct error *err)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd < 0)
		return error_set(err, errno, "timer for alerts: %s", error_text(errno));
	struct alert *alert = xcalloc(1, sizeof *alert);
	alert->config = config_ref(config);
	alert->row = config->alert;
	alert->target = target_of(alert->row);
	alert->end_fd = fd;
	*out = alert;
	return 0;
}

void alert_free(struct alert *alert)
{
	if (!alert)
		return;
	fd_close(alert->end_fd);
	free(alert->target);
	config_unref(alert->config);
	free(alert);
}

const char *alert_target(const struct alert *alert)
{
	return alert->target;
}

void alert_end(struct alert *alert, int64_t grace_ms)
{
	if (alert->ending)
		return;
	alert->ending = true;
	const int64_t ns = grace_ms * CLOCK_NS_PER_MS + 1; /* 0 would disarm it */
	const struct itimerspec when = { .it_value = { .tv_sec = ns / CLOCK_NS_PER_S,
						       .tv_nsec = ns % CLOCK_NS_PER_S } };
	(void)timerfd_settime(alert->end_fd, 0, &when, NULL); /* nothing of it can be wrong */
}

static int ended(const struct alert *alert, struct error *err)
{
	return error_set(err, ECANCELED, "%s: the end came first", alert->target);
}

static int late(const struct alert *alert, struct error *err)
{
	return error_set(err, ETIMEDOUT, "%s: it took longer than %lld ms (alert: timeout)",
			 alert->target, (long long)alert->row->timeout_ms);
}

static struct mono deadline(const struct alert *alert)
{
	return mono_add_ms(mono_now(), alert->row->timeout_ms);
}

static void set_number(struct spawn_plan *plan, const char *name, int64_t value)
{
	char text[32];
	(void)snprintf(text, sizeof text, "%lld", (long long)value);
	spawn_plan_env(plan, name, text);
}

static void make_plan(struct spawn_plan *plan, const struct alert *alert,
		      const struct sink_portion *portion)
{
	for (char *const *word = alert->row->run; *word; word++)
		spawn_plan_arg(plan, *word, strlen(*word));
	spawn_plan_base_env(plan);
	set_number(plan, "CARVED_TOLD", (int64_t)portion->events);
	set_number(plan, "CARVED_WAITING", portion->waiting);
	plan->cwd = xstrdup("/");
}

/* The last line that it wrote to stderr, as its reason. */
static void put_last_words(struct str *out, const struct child_result *result)
{
	AUTO_STR words = STR_INIT;
	tail_append(&result->err, &words);
	while (words.len > 0 && words.data[words.len - 1] == '\n')
		words.data[--words.len] = '\0';
	const char *line = words.len ? memrchr(words.data, '\n', words.len) : NULL;
	line = line ? line + 1 : str_text(&words);
	if (*line)
		str_printf(out, ": %.*s", SHOWN_MAX, line);
}

static int judge_command(const struct alert *alert, const struct child_result *result,
			 struct error *err)
{
	AUTO_STR words = STR_INIT;
	if (result->end == CHILD_CANCELLED)
		return ended(alert, err);
	if (result->end == CHILD_TIMEOUT)
		return late(alert, err);
	if (result->end == CHILD_EXITED && result->status == 0)
		return 0;
	put_last_words(&words, result);
	return error_set(err, EIO, "%s: %s %d%s", alert->target,
			 result->end == CHILD_EXITED ? "exit status" : "ended by signal",
			 result->status, str_text(&words));
}

static int run_command(const struct alert *alert, const struct sink_portion *portion,
		       struct error *err)
{
	__attribute__((cleanup(spawn_plan_cleanup))) struct spawn_plan plan = { 0 };
	make_plan(&plan, alert, portion);
	const struct cage cage = { .open = true };
	const struct child_job job = {
		.plan = &plan,
		.cage = &cage,
		.sample_fd = -1,
		.cancel_fd = alert->end_fd,
		.input = portion->text,
		.input_len = portion->len,
		.deadline = deadline(alert),
	};
	__attribute__((cleanup(child_result_cleanup))) struct child_result result = { 0 };
	int code = child_run(&job, &result, err);
	return code < 0 ? code : judge_command(alert, &result, err);
}

/* From lines to one array. Strings of JSON hold no newline. */
static void make_array(struct str *out, const struct sink_portion *portion)
{
	str_putc(out, '[');
	size_t len = portion->len;
	if (len && portion->text[len - 1] == '\n')
		len--;
	for (size_t done = 0; done < len;) {
		const char *line = portion->text + done;
		const char *end = memchr(line, '\n', len - done);
		size_t part = end ? (size_t)(end - line) : len - done;
		if (done)
			str_puts(out, ",\n");
		str_append(out, line, part);
		done += part + 1;
	}
	str_puts(out, "]\n");
}

static int judge_reply(const struct alert *alert, const struct http_reply *reply, struct error *err)
{
	switch (reply->end) {
	case HTTP_ANSWERED:
	case HTTP_TOO_LONG: /* nobody reads what it says besides */
		if (reply->status >= STATUS_GOOD && reply->status <= STATUS_GOOD_LAST)
			return 0;
		return error_set(err, EPROTO, "%s: it answered with status %ld", alert->target,
				 reply->status);
	case HTTP_CANCELLED:
		return ended(alert, err);
	case HTTP_LATE:
		return late(alert, err);
	case HTTP_UNREACHED:
		return error_set(err, EHOSTUNREACH, "%s: %s", alert->target, reply->words);
	case HTTP_UNABLE:
		return error_set(err, reply->code, "%s: %s", alert->target, reply->words);
	case HTTP_BROKEN:
	case HTTP_BODY:
		break;
	}
	return error_set(err, EIO, "%s: %s", alert->target, reply->words);
}

static int post_to(const struct alert *alert, struct http_client *client,
		   const struct sink_portion *portion, struct error *err)
{
	char told[64], waiting[64];
	(void)snprintf(told, sizeof told, "Carved-Told: %zu", portion->events);
	(void)snprintf(waiting, sizeof waiting, "Carved-Waiting: %lld",
		       (long long)portion->waiting);
	const char *const headers[] = { "Content-Type: application/json", told, waiting, NULL };
	AUTO_STR body = STR_INIT;
	make_array(&body, portion);
	const struct http_request request = {
		.headers = headers,
		.fd = -1,
		.text = str_text(&body),
		.deadline = deadline(alert),
		.cancel_fd = alert->end_fd,
	};
	__attribute__((cleanup(http_reply_cleanup))) struct http_reply reply = { 0 };
	http_exchange(client, &request, &reply);
	return judge_reply(alert, &reply, err);
}

static int post(const struct alert *alert, const struct sink_portion *portion, struct error *err)
{
	__attribute__((cleanup(credentials_cleanup))) struct credentials credentials = { 0 };
	const struct config_alert *row = alert->row;
	int result = credentials_load(&credentials, row->ca, row->token_file, err);
	if (result < 0)
		return result;
	const struct http_setup setup = { .url = row->url,
					  .ca = &credentials.ca,
					  .token = credentials.token };
	AUTO(http_client) struct http_client *client = NULL;
	result = http_client_new(&client, &setup, err);
	return result < 0 ? result : post_to(alert, client, portion, err);
}

int alert_take(void *context, const struct sink_portion *portion, struct error *err)
{
	const struct alert *alert = context;
	return alert->row->run ? run_command(alert, portion, err) : post(alert, portion, err);
}
