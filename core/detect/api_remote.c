/* api_remote: see api_remote.h. */
#include "core/detect/api_remote.h"

#include <jansson.h>
#include <stdatomic.h>
#include <string.h>

#include "core/base/str.h"
#include "core/config/api.h"
#include "core/config/config.h"
#include "core/detect/answer.h"
#include "core/detect/api_log.h"
#include "core/detect/api_prepare.h"
#include "core/detect/detect.h"
#include "core/detect/digest.h"
#include "core/detect/http.h"
#include "core/detect/report.h"
#include "core/detect/server.h"

#define PATH_SCAN "/api/v1.0/scan"
/* Bytes of what the daemon says about itself that are shown. */
#define MESSAGE_MAX 200

struct api_remote {
	const struct config_detector *row;
	struct server *server;
	atomic_bool *inited; /* one for each entry; the first of a "shared" group has the word */
};

/* What of a request is not the entry's. */
struct subject {
	const char *name; /* path below the root, raw bytes */
	const char *mime;
	const char *uuid;
	bool inited;
};

static bool any_remote(const struct api *api)
{
	for (size_t i = 0; i < api->entry_count; i++) {
		if (api->entries[i].remote)
			return true;
	}
	return false;
}

int api_remote_new(struct api_remote **out, const struct config_detector *row, struct error *err)
{
	*out = NULL;
	if (!any_remote(row->api))
		return 0;
	struct server *server = NULL;
	int result = server_new(&server, row, PATH_SCAN, err);
	if (result < 0)
		return result;
	struct api_remote *remote = xcalloc(1, sizeof *remote);
	remote->row = row;
	remote->server = server;
	remote->inited = xcalloc(row->api->entry_count, sizeof *remote->inited);
	for (size_t i = 0; i < row->api->entry_count; i++)
		atomic_init(&remote->inited[i], false);
	*out = remote;
	return 0;
}

void api_remote_free(struct api_remote *remote)
{
	if (!remote)
		return;
	server_free(remote->server);
	free(remote->inited);
	free(remote);
}

static atomic_bool *inited_of(struct api_remote *remote, const struct api_entry *entry)
{
	const struct api *api = remote->row->api;
	size_t i = 0;
	while (!api->entries[i].remote || strcmp(api->entries[i].shared, entry->shared) != 0)
		i++;
	return &remote->inited[i];
}

static void put_key(struct str *out, const char *key)
{
	str_puts(out, out->len == 1 ? "" : ", ");
	str_json_text(out, key);
	str_puts(out, ": ");
}

static void put_text(struct str *out, const char *key, const char *text)
{
	put_key(out, key);
	str_json_text(out, text);
}

static void put_command(struct str *out, const struct api_command *command)
{
	if (command->shell) {
		str_json_text(out, command->shell);
		return;
	}
	str_putc(out, '[');
	for (char **word = command->argv; word && *word; word++) {
		str_puts(out, word == command->argv ? "" : ", ");
		str_json_text(out, *word);
	}
	str_putc(out, ']');
}

static void put_commands(struct str *out, const char *key, const struct api_command *commands,
			 size_t count)
{
	put_key(out, key);
	str_putc(out, '[');
	for (size_t i = 0; i < count; i++) {
		str_puts(out, i ? ", " : "");
		put_command(out, &commands[i]);
	}
	str_putc(out, ']');
}

static bool redefined(const struct api_entry *entry, const char *name)
{
	for (size_t i = 0; i < entry->environ_count; i++) {
		if (strcmp(entry->environ[i].name, name) == 0)
			return true;
	}
	return false;
}

/* The file's variables, the entry's over them, as written: the daemon expands them. */
static void put_environ(struct str *out, const struct api *api, const struct api_entry *entry)
{
	AUTO_STR map = STR_INIT;
	str_putc(&map, '{');
	for (size_t i = 0; i < api->environment_count; i++) {
		if (!redefined(entry, api->environment[i].name))
			put_text(&map, api->environment[i].name, api->environment[i].value);
	}
	for (size_t i = 0; i < entry->environ_count; i++)
		put_text(&map, entry->environ[i].name, entry->environ[i].value);
	str_putc(&map, '}');
	put_key(out, "environ");
	str_append(out, map.data, map.len);
}

static void put_body(struct str *out, const struct api *api, const struct api_entry *entry,
		     const struct subject *subject)
{
	str_putc(out, '{');
	put_text(out, "name", subject->name);
	put_text(out, "mime", subject->mime);
	put_text(out, "uuid", subject->uuid);
	put_key(out, "report");
	put_command(out, &entry->report);
	put_text(out, "shared", entry->shared);
	put_key(out, "inited");
	str_puts(out, subject->inited ? "true" : "false");
	put_text(out, "workdir", entry->workdir);
	put_environ(out, api, entry);
	put_commands(out, "install", entry->install, entry->install_count);
	put_commands(out, "scripts", entry->scripts, entry->script_count);
	str_putc(out, '}');
}

void api_remote_digest(const struct api_remote *remote, struct digest *hash,
		       const struct api_entry *entry)
{
	const struct subject nobody = { .name = "", .mime = "", .uuid = "" };
	AUTO_STR body = STR_INIT;
	put_body(&body, remote->row->api, entry, &nobody);
	digest_text(hash, remote->row->url);
	digest_text(hash, str_text(&body));
}

/* A word to every shell, whether quoted or not; bytes above ASCII are letters to all of them. */
static bool is_word(const char *text)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-+/=@:%,";
	for (; *text; text++) {
		if ((unsigned char)*text < 0x80 && !strchr(plain, *text))
			return false;
	}
	return true;
}

/* JSON has true; older Pythons' shared values come as numbers. */
static bool is_true(const json_t *value)
{
	return json_is_true(value) || (json_is_integer(value) && json_integer_value(value) != 0);
}

static void judge(const json_t *object, const char *place, struct answer *answer)
{
	const json_t *reported = json_object_get(object, "reported");
	const json_t *inited = json_object_get(object, "inited");
	const char *message = json_string_value(json_object_get(object, "message"));
	if (!json_is_object(object))
		answer_fail(answer, OUTCOME_ERROR, "%s: the answer is not a JSON object", place);
	else if (!reported)
		answer_fail(answer, OUTCOME_ERROR, "%s: the answer has no \"reported\"%s%.*s",
			    place, message ? ": " : "", MESSAGE_MAX, message ? message : "");
	else if (is_true(reported))
		answer->outcome = OUTCOME_UNKNOWN;
	else
		answer_fail(answer, OUTCOME_ERROR, "%s: %s; its logs have more", place,
			    is_true(inited) ? "a command of the entry failed there"
					    : "a command of the entry failed there, or its "
					      "installation");
}

static void read_answer(struct api_remote *remote, atomic_bool *inited, const struct str *body,
			struct answer *answer)
{
	json_error_t error = { 0 };
	const char *text = str_text(body);
	json_t *object = report_too_deep(text, body->len)
				 ? NULL
				 : json_loadb(text, body->len, JSON_REJECT_DUPLICATES, &error);
	judge(object, server_place(remote->server), answer);
	if (is_true(json_object_get(object, "inited")) || answer->outcome == OUTCOME_UNKNOWN)
		atomic_store(inited, true);
	json_decref(object);
}

void api_remote_scan(struct api_remote *remote, const struct api_entry *entry,
		     const struct scan_request *request, struct answer *answer)
{
	static const char *const headers[] = { "Content-Type: application/json", NULL };
	AUTO_STR uuid = STR_INIT, body = STR_INIT, reply = STR_INIT;
	atomic_bool *inited = inited_of(remote, entry);
	const char *mime = request->entry->mime;
	api_log_id(&uuid, request);
	const struct subject subject = {
		.name = request->path + request->root_offset,
		.mime = api_entry_is_default(entry) ? "example" : mime,
		.uuid = str_text(&uuid),
		.inited = atomic_load(inited),
	};
	if (!is_word(subject.name) || !is_word(subject.mime)) {
		answer_fail(answer, OUTCOME_SKIPPED,
			    "the name or type holds characters that a shell reads, and BroAPT's "
			    "daemon would put it into a shell's command: not sent");
		return;
	}
	put_body(&body, remote->row->api, entry, &subject);
	const struct http_request http = {
		.headers = headers,
		.fd = -1,
		.text = str_text(&body),
		.deadline = request->deadline,
		.cancel_fd = request->cancel_fd,
	};
	if (server_ask(remote->server, &http, &reply, answer))
		read_answer(remote, inited, &reply, answer);
}

bool api_remote_away(struct api_remote *remote, struct error *why)
{
	return server_away(remote->server, why);
}

void api_remote_doubts(const struct api_remote *remote, struct str *out)
{
	server_doubts(remote->server, out);
}

int api_remote_probe(struct api_remote *remote, struct error *err)
{
	return server_probe(remote->server, err);
}
