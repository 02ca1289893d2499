/*
 * remote: a server that is sent the content and answers with a report.
 *
 * The protocol is ours, and small: POST to the configured URL, the content as the body,
 *
 *	Content-Type: application/octet-stream
 *	X-Carved-Name: the file's base name, each byte outside A-Z a-z 0-9 . _ ~ - as %XX
 *	X-Carved-Mime: its MIME type, when it has one, written the same way ("/" and "+" stay)
 *	X-Carved-SHA256: the content's hash in hex, unless hashing is off
 *	Authorization: Bearer TOKEN, when there is a token_file
 *
 * and status 200 with a report as in report.h, one JSON object of at most 64 KiB. server.h says
 * what any other answer means.
 *
 * An answer depends on MIME type and extension: a server that judges by more of the name than its
 * extension will find its answer taken over for the same content under another name. The digest is
 * that of the URL: a server with new rules is asked anew about old contents when the URL changes
 * (a query will do).
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/detect/answer.h"
#include "core/detect/detect.h"
#include "core/detect/digest.h"
#include "core/detect/http.h"
#include "core/detect/report.h"
#include "core/detect/server.h"

struct remote {
	struct server *server;
};

static int remote_open(void **state, const struct config_detector *row, const struct config *config,
		       char digest[65], struct error *err)
{
	(void)config;
	struct server *server = NULL;
	int result = server_new(&server, row, "", err);
	if (result < 0)
		return result;
	AUTO(digest) struct digest *hash = digest_new();
	digest_text(hash, "remote 1");
	digest_text(hash, row->url);
	digest_end_hex(hash, digest);
	struct remote *remote = xcalloc(1, sizeof *remote);
	remote->server = server;
	*state = remote;
	return 0;
}

/* No byte of a name can end a header: RFC 3986, section 2.1. */
static void percent(struct str *out, const char *bytes, size_t len, const char *also)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-";
	for (size_t i = 0; i < len; i++) {
		char c = bytes[i];
		if (c && (strchr(plain, c) || strchr(also, c)))
			str_putc(out, c);
		else
			str_printf(out, "%%%02X", (unsigned)(unsigned char)c);
	}
}

static void remote_scan(const void *state, const struct scan_request *request,
			struct answer *answer)
{
	const struct remote *remote = state;
	AUTO_STR name = STR_INIT, mime = STR_INIT, sha256 = STR_INIT, body = STR_INIT;
	const char *base = request->path + request->name_offset;
	const char *headers[5] = { "Content-Type: application/octet-stream" };
	size_t count = 1;
	str_puts(&name, "X-Carved-Name: ");
	percent(&name, base, strlen(base), "");
	headers[count++] = str_text(&name);
	if (request->entry->mime[0]) {
		str_puts(&mime, "X-Carved-Mime: ");
		percent(&mime, request->entry->mime, strlen(request->entry->mime), "/+");
		headers[count++] = str_text(&mime);
	}
	if (request->sha256) {
		str_puts(&sha256, "X-Carved-SHA256: ");
		str_hex(&sha256, request->sha256, DIGEST_SIZE);
		headers[count++] = str_text(&sha256);
	}
	const struct http_request http = {
		.headers = headers,
		.fd = request->fd,
		.size = request->size,
		.deadline = request->deadline,
		.cancel_fd = request->cancel_fd,
	};
	if (!server_ask(remote->server, &http, &body, answer))
		return;
	__attribute__((cleanup(report_cleanup))) struct report report = REPORT_INIT;
	report_read_one(&report, str_text(&body), body.len);
	answer_from_report(answer, &report, server_place(remote->server));
}

static bool remote_in_vain(const void *state, const struct entry *entry, struct error *why)
{
	const struct remote *remote = state;
	(void)entry;
	return server_away(remote->server, why);
}

static void remote_doubts(const void *state, struct str *out)
{
	const struct remote *remote = state;
	server_doubts(remote->server, out);
}

static int remote_probe(const void *state, struct error *err)
{
	const struct remote *remote = state;
	return server_probe(remote->server, err);
}

static void remote_close(void *state)
{
	struct remote *remote = state;
	server_free(remote->server);
	free(remote);
}

const struct detector_class remote_class = {
	.type = "remote",
	.needs = DETECT_NEEDS_FD,
	.reads = DETECT_READS_MIME | DETECT_READS_EXTENSION,
	.open = remote_open,
	.in_vain = remote_in_vain,
	.probe = remote_probe,
	.doubts = remote_doubts,
	.scan = remote_scan,
	.close = remote_close,
};
