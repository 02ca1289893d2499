/*
 * server_row: what the types that ask a server (remote, api) say of it: "url" or "server", "ca",
 * "token_file".
 *
 * A URL is checked as far as a slip of the pen goes; what libcurl makes of it shows when the
 * detector is opened. User names and passwords in it are refused, because URLs are shown: that is
 * what token_file is for. BroAPT names its server by SERVER_NAME_HOST and SERVER_NAME_PORT; source:
 * its documentation of the App framework.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/str.h"
#include "core/config/loading.h"

#define HOST_DEFAULT "localhost"
#define PORT_DEFAULT "5000"
#define PORT_MAX     65535

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

const char *loading_url_fault(const char *url, bool takes_query)
{
	if (!begins(url, "http://") && !begins(url, "https://"))
		return "expected http:// or https:// and a host";
	for (const char *c = url; *c; c++) {
		if (*c <= ' ' || *c > '~')
			return "expected printable ASCII characters without blanks";
	}
	const char *host = strstr(url, "://") + 3;
	size_t len = strcspn(host, "/?#");
	if (len == 0 || host[0] == ':')
		return "there is no host in it";
	if (memchr(host, '@', len))
		return "expected no user or password in it: use token_file";
	if (strchr(host, '#'))
		return "expected no \"#\" in it";
	if (!takes_query && strchr(host, '?'))
		return "expected no \"?\" in it: /api/v1.0/scan is put behind it";
	return NULL;
}

static const char *row_fault(const struct config_detector *row)
{
	const char *fault = loading_url_fault(row->url, strcmp(row->type, "remote") == 0);
	if (!fault && row->ca && !begins(row->url, "https://"))
		fault = "ca is for https:// only";
	return fault;
}

int loading_server(const struct loading *loading, const struct node *item,
		   struct config_detector *row, struct error *err)
{
	bool remote = strcmp(row->type, "remote") == 0;
	if (remote && !row->url)
		return document_error(
			loading->document, item->at, err,
			"a detector of type remote needs the key \"url\": the server that is asked");
	const char *fault = row->url ? row_fault(row) : NULL;
	const char *key = remote ? "url" : "server";
	if (fault)
		return document_error(loading->document, loading_value_of(item, key)->at, err,
				      "%s: %s, found \"%.200s\"", key, fault, row->url);
	return 0;
}

/* What BroAPT's variables say, or its default; owned. */
static char *broapt_url(const char *host, const char *port)
{
	AUTO_STR url = STR_INIT;
	host = host ? host : HOST_DEFAULT;
	bool bare_ipv6 = strchr(host, ':') && host[0] != '[';
	str_printf(&url, "http://%s%s%s:%s", bare_ipv6 ? "[" : "", host, bare_ipv6 ? "]" : "",
		   port ? port : PORT_DEFAULT);
	return str_take(&url);
}

static bool is_port(const char *text)
{
	char *end;
	long number = strtol(text, &end, 10);
	return text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= PORT_MAX;
}

int loading_server_finish(const struct loading *loading, struct config_detector *row,
			  const struct origin *place, struct error *err)
{
	const char *host = environment_get("SERVER_NAME_HOST");
	const char *port = environment_get("SERVER_NAME_PORT");
	const char *ours = environment_get("CARVED_SERVER");
	struct origin origin = *place;
	if (ours)
		origin.name = "CARVED_SERVER";
	else if (host || port)
		origin.name = host ? "SERVER_NAME_HOST" : "SERVER_NAME_PORT";
	if (!ours && port && !is_port(port))
		return error_set(
			err, EINVAL,
			"SERVER_NAME_PORT: expected a number from 1 to %d, found \"%.80s\"",
			PORT_MAX, port);
	if (!ours && (host || port || !row->url)) {
		free(row->url);
		row->url = broapt_url(host, port);
	}
	const char *fault = row_fault(row);
	if (fault)
		return loading_error(loading, &origin, err, "server: %s, found \"%.200s\"", fault,
				     row->url);
	return 0;
}
