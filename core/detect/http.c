/* http: see http.h. What a client holds, and the lines at rest; the exchange itself is
 * http_line.c. */
#include "core/detect/http.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/lock.h"
#include "core/detect/curl_api.h"
#include "core/detect/http_line.h"

struct http_client {
	char *url;
	char *place;
	struct str ca;
	char *authorization; /* a header, wiped when it is freed; NULL: none */
	struct lock lock;
	/* guarded by lock */
	struct http_line *resting;
};

void http_reply_done(struct http_reply *reply)
{
	str_done(&reply->body);
	*reply = (struct http_reply){ 0 };
}

static char *url_part(CURLU *url, CURLUPart part, unsigned flags)
{
	char *text = NULL;
	if (curl_api.url_get(url, part, &text, flags) != CURLUE_OK)
		return NULL;
	char *own = xstrdup(text);
	curl_api.free(text);
	return own;
}

size_t http_url_shown(const char *url)
{
	const char *host = strstr(url, "://");
	size_t before = host ? (size_t)(host + 3 - url) : 0;
	return before + strcspn(url + before, "/?#");
}

static int read_url(struct http_client *client, CURLU *url, struct error *err)
{
	CURLUcode fault = curl_api.url_set(url, CURLUPART_URL, client->url, CURLU_DISALLOW_USER);
	if (fault != CURLUE_OK)
		return error_set(err, EINVAL, "%.*s: no usable URL: %s",
				 (int)http_url_shown(client->url), client->url,
				 curl_api.url_strerror(fault));
	AUTO_FREE char *scheme = url_part(url, CURLUPART_SCHEME, 0);
	AUTO_FREE char *host = url_part(url, CURLUPART_HOST, 0);
	AUTO_FREE char *port = url_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	if (!scheme || !host || !port ||
	    (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
		return error_set(err, EINVAL, "%.*s: expected http:// or https:// and a host",
				 (int)http_url_shown(client->url), client->url);
	AUTO_STR place = STR_INIT;
	str_printf(&place, "%s://%s:%s", scheme, host, port);
	client->place = str_take(&place);
	return 0;
}

/* A file that libcurl cannot use would show only at the first connection. */
static int check_ca(const struct str *ca, struct error *err)
{
	if (ca->len == 0)
		return 0;
	BIO *bio = BIO_new_mem_buf(ca->data, (int)ca->len);
	if (!bio)
		return error_set(err, ENOMEM, "%s", error_text(ENOMEM));
	X509 *first = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	ERR_clear_error();
	if (!first)
		return error_set(err, EINVAL, "there is no certificate in it (PEM is expected)");
	X509_free(first);
	return 0;
}

static void set_token(struct http_client *client, const char *token)
{
	static const char format[] = "Authorization: Bearer %s";
	if (!token)
		return;
	size_t size = sizeof format + strlen(token);
	client->authorization = xcalloc(1, size);
	(void)snprintf(client->authorization, size, format, token);
}

int http_client_new(struct http_client **out, const struct http_setup *setup, struct error *err)
{
	int result = curl_api_load(err);
	if (result < 0)
		return result;
	AUTO(http_client) struct http_client *client = xcalloc(1, sizeof *client);
	lock_init(&client->lock);
	client->url = xstrdup(setup->url);
	CURLU *url = curl_api.url();
	result =
		url ? read_url(client, url, err) : error_set(err, ENOMEM, "%s", error_text(ENOMEM));
	curl_api.url_cleanup(url);
	if (result == 0 && setup->ca)
		result = check_ca(setup->ca, err);
	if (result < 0)
		return result;
	if (setup->ca)
		str_append(&client->ca, setup->ca->data, setup->ca->len);
	set_token(client, setup->token);
	*out = TAKE(client);
	return 0;
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	while (client->resting) {
		struct http_line *next = client->resting->next;
		http_line_free(client->resting);
		client->resting = next;
	}
	lock_done(&client->lock);
	if (client->authorization)
		explicit_bzero(client->authorization, strlen(client->authorization));
	free(client->authorization);
	str_done(&client->ca);
	free(client->place);
	free(client->url);
	free(client);
}

const char *http_client_place(const struct http_client *client)
{
	return client->place;
}

static struct http_line *take_line(struct http_client *client)
{
	lock_take(&client->lock);
	struct http_line *line = client->resting;
	if (line)
		client->resting = line->next;
	lock_drop(&client->lock);
	return line ? line : http_line_new();
}

static void put_line(struct http_client *client, struct http_line *line)
{
	lock_take(&client->lock);
	line->next = client->resting;
	client->resting = line;
	lock_drop(&client->lock);
}

void http_exchange(struct http_client *client, const struct http_request *request,
		   struct http_reply *reply)
{
	const struct http_line_setup setup = {
		.url = client->url,
		.ca = &client->ca,
		.authorization = client->authorization,
	};
	struct http_line *line = take_line(client);
	http_line_run(line, &setup, request, reply);
	put_line(client, line);
}
