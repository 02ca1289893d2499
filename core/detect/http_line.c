/*
 * http_line: see http_line.h.
 *
 * The multi interface is used for a single transfer, because it lets us wait for a descriptor of
 * ours beside libcurl's own, and give up at any moment. What libcurl says at the end is read with
 * one question in mind: did any of the request leave the house? If not, the server was not reached,
 * and the file is none the worse; if it did, the file may be why it failed.
 *
 * Options: https://curl.se/libcurl/c/curl_easy_setopt.html, of 7.88 and later.
 */
#include "core/detect/http_line.h"

#include <sys/socket.h>

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/detect/curl_api.h"

/* How long libcurl may be left to itself. */
#define POLL_MAX_MS 1000
/* Three digits (RFC 9110, section 15); libcurl makes others of numbers that overflow. */
#define STATUS_LEAST 100
#define STATUS_MOST  999

#define SET(line, option, value) must(curl_api.easy_setopt((line)->easy, option, value) == CURLE_OK)

/* Options fail for want of memory, or because this libcurl cannot do what we rely on. */
static void must(bool well)
{
	if (!well)
		abort();
}

struct http_line *http_line_new(void)
{
	struct http_line *line = xcalloc(1, sizeof *line);
	line->multi = curl_api.multi_init();
	must(line->multi);
	must(curl_api.multi_setopt(line->multi, CURLMOPT_MAXCONNECTS, 1L) == CURLM_OK);
	return line;
}

void http_line_free(struct http_line *line)
{
	if (!line)
		return;
	(void)curl_api.multi_cleanup(line->multi);
	curl_api.slist_free_all(line->headers);
	free(line);
}

static void fault(struct http_line *line, enum http_end end, const char *words)
{
	line->reply->end = end;
	(void)snprintf(line->reply->words, sizeof line->reply->words, "%s", words);
}

/* libcurl reads the body here. */
static size_t read_body(char *buffer, size_t size, size_t count, void *context)
{
	struct http_line *line = context;
	const struct http_request *request = line->request;
	int64_t left = request->size - line->sent;
	size_t room = size * count;
	if ((int64_t)room > left)
		room = (size_t)left;
	if (room == 0)
		return 0;
	ssize_t got;
	do
		got = pread(request->fd, buffer, room, line->sent);
	while (got < 0 && errno == EINTR);
	if (got <= 0) {
		fault(line, HTTP_BODY,
		      got < 0 ? error_text(errno) : "the file became shorter while it was sent");
		return CURL_READFUNC_ABORT;
	}
	line->sent += got;
	return (size_t)got;
}

/* A kept connection may turn out to be closed by the server: libcurl begins anew. */
static int seek_body(void *context, curl_off_t offset, int origin)
{
	struct http_line *line = context;
	if (origin != SEEK_SET || offset < 0 || offset > line->request->size)
		return CURL_SEEKFUNC_FAIL;
	line->sent = offset;
	return CURL_SEEKFUNC_OK;
}

static size_t write_reply(char *bytes, size_t size, size_t count, void *context)
{
	struct http_line *line = context;
	size_t len = size * count;
	if (len > HTTP_REPLY_MAX - line->reply->body.len) {
		fault(line, HTTP_TOO_LONG, "the response is longer than 65536 bytes");
		return 0;
	}
	str_append(&line->reply->body, bytes, len);
	return len;
}

/* libcurl's own sockets would be inherited by the commands that other threads run. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_line *line = context;
	(void)purpose;
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	if (fd < 0)
		line->socket_code = errno;
	return fd;
}

static void set_manners(struct http_line *line)
{
	SET(line, CURLOPT_NOSIGNAL, 1L);
	SET(line, CURLOPT_QUICK_EXIT, 1L); /* a name that is not resolved is not waited for */
	SET(line, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(line, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(line, CURLOPT_PROXY, "");
	SET(line, CURLOPT_FOLLOWLOCATION, 0L);
	SET(line, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(line, CURLOPT_SSL_VERIFYPEER, 1L);
	SET(line, CURLOPT_SSL_VERIFYHOST, 2L);
	SET(line, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS);
	SET(line, CURLOPT_ERRORBUFFER, line->fault);
	SET(line, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(line, CURLOPT_OPENSOCKETDATA, line);
	SET(line, CURLOPT_WRITEFUNCTION, write_reply);
	SET(line, CURLOPT_WRITEDATA, line);
}

static void add_header(struct http_line *line, const char *header)
{
	struct curl_slist *longer = curl_api.slist_append(line->headers, header);
	must(longer != NULL);
	line->headers = longer;
}

static void set_headers(struct http_line *line, const struct http_line_setup *setup)
{
	curl_api.slist_free_all(line->headers);
	line->headers = NULL;
	add_header(line, "User-Agent: carved/" CARVED_VERSION);
	add_header(line, "Accept: application/json");
	add_header(line, "Expect:"); /* no "100-continue": it is a second lost on most servers */
	if (setup->authorization)
		add_header(line, setup->authorization);
	for (const char *const *at = line->request->headers; at && *at; at++)
		add_header(line, *at);
	SET(line, CURLOPT_HTTPHEADER, line->headers);
}

static void set_body(struct http_line *line)
{
	const struct http_request *request = line->request;
	if (request->head) {
		SET(line, CURLOPT_NOBODY, 1L);
		return;
	}
	SET(line, CURLOPT_POST, 1L);
	if (request->text) {
		SET(line, CURLOPT_POSTFIELDS, request->text);
		SET(line, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(request->text));
		return;
	}
	SET(line, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->size);
	SET(line, CURLOPT_READFUNCTION, read_body);
	SET(line, CURLOPT_READDATA, line);
	SET(line, CURLOPT_SEEKFUNCTION, seek_body);
	SET(line, CURLOPT_SEEKDATA, line);
}

/* A handle is good for one exchange, the connection stays with the multi handle. Before libcurl 8.1
 * a handle that was used before keeps a pointer to the last header of its last answer, which it has
 * freed, and an answer whose first header is a folded line makes it write there (curl issue 11101):
 * the server chooses. */
static void set_up(struct http_line *line, const struct http_line_setup *setup)
{
	line->easy = curl_api.easy_init();
	must(line->easy);
	line->fault[0] = '\0';
	line->sent = 0;
	line->socket_code = 0;
	set_manners(line);
	SET(line, CURLOPT_URL, setup->url);
	if (setup->ca->len) {
		struct curl_blob blob = { .data = setup->ca->data,
					  .len = setup->ca->len,
					  .flags = CURL_BLOB_NOCOPY };
		SET(line, CURLOPT_CAINFO_BLOB, &blob);
		SET(line, CURLOPT_CAPATH, NULL);
	}
	set_headers(line, setup);
	set_body(line);
}

/* Has anything of this request been sent? */
static bool has_begun(const struct http_line *line)
{
	long bytes = 0;
	(void)curl_api.easy_getinfo(line->easy, CURLINFO_REQUEST_SIZE, &bytes);
	return bytes > 0;
}

static void be_late(struct http_line *line)
{
	if (has_begun(line))
		fault(line, HTTP_LATE, "no answer before the deadline");
	else
		fault(line, HTTP_UNREACHED, "no connection before the deadline");
}

/* Waits for the transfer to end; false: it was cancelled, is late, or cannot be waited for. */
static bool wait_for_end(struct http_line *line)
{
	const struct http_request *request = line->request;
	struct curl_waitfd cancel = { .fd = request->cancel_fd, .events = CURL_WAIT_POLLIN };
	unsigned extra = request->cancel_fd >= 0 ? 1 : 0;
	int running = 1;
	for (;;) {
		must(curl_api.multi_perform(line->multi, &running) == CURLM_OK);
		if (!running)
			return true;
		int left = mono_ms_until(request->deadline);
		if (left == 0) {
			be_late(line);
			return false;
		}
		cancel.revents = 0;
		int wait = left < POLL_MAX_MS ? left : POLL_MAX_MS;
		if (curl_api.multi_poll(line->multi, &cancel, extra, wait, NULL) != CURLM_OK) {
			fault(line, HTTP_UNABLE, "poll failed");
			line->reply->code = ENOMEM;
			return false;
		}
		if (cancel.revents) {
			fault(line, HTTP_CANCELLED, "cancelled");
			return false;
		}
	}
}

static CURLcode result_of(struct http_line *line)
{
	int left = 0;
	CURLMsg *message = curl_api.multi_info_read(line->multi, &left);
	assert(message && message->msg == CURLMSG_DONE);
	return message->data.result;
}

/* What we ourselves lacked; 0: nothing. */
static int want_of(const struct http_line *line, CURLcode result)
{
	switch (line->socket_code) {
	case EMFILE:
	case ENFILE:
		return line->socket_code;
	case ENOMEM:
	case ENOBUFS:
		return ENOMEM;
	default:
		return result == CURLE_OUT_OF_MEMORY ? ENOMEM : 0;
	}
}

static void read_failure(struct http_line *line, CURLcode result)
{
	const char *words = line->fault[0] ? line->fault : curl_api.easy_strerror(result);
	if (line->reply->words[0])
		return; /* one of our own functions has said why */
	line->reply->code = want_of(line, result);
	if (line->reply->code)
		fault(line, HTTP_UNABLE, words);
	else
		fault(line, has_begun(line) ? HTTP_BROKEN : HTTP_UNREACHED, words);
}

/* What was sent is the whole file only if it ends where it was said to end. */
static bool has_grown(const struct http_request *request)
{
	char more;
	return !request->head && !request->text && pread(request->fd, &more, 1, request->size) > 0;
}

static void read_end(struct http_line *line, CURLcode result)
{
	curl_off_t after = 0;
	(void)curl_api.easy_getinfo(line->easy, CURLINFO_RESPONSE_CODE, &line->reply->status);
	(void)curl_api.easy_getinfo(line->easy, CURLINFO_RETRY_AFTER, &after);
	/* below 0: a date that has passed */
	line->reply->retry_after_s = after > 0 ? after : 0;
	if (result != CURLE_OK)
		read_failure(line, result);
	else if (line->reply->status < STATUS_LEAST || line->reply->status > STATUS_MOST)
		fault(line, HTTP_BROKEN, "what came has no HTTP status");
	else if (has_grown(line->request))
		fault(line, HTTP_BODY, "the file became longer while it was sent");
	else
		line->reply->end = HTTP_ANSWERED;
}

void http_line_run(struct http_line *line, const struct http_line_setup *setup,
		   const struct http_request *request, struct http_reply *reply)
{
	line->request = request;
	line->reply = reply;
	set_up(line, setup);
	must(curl_api.multi_add_handle(line->multi, line->easy) == CURLM_OK);
	if (wait_for_end(line))
		read_end(line, result_of(line));
	must(curl_api.multi_remove_handle(line->multi, line->easy) == CURLM_OK);
	curl_api.easy_cleanup(line->easy);
	line->easy = NULL;
	line->request = NULL;
	line->reply = NULL;
}
