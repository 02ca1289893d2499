/*
 * status: what the running daemon is doing, asked through its control socket.
 *
 * The daemon answers with one JSON object. For people it is laid out as "name: value" lines. The
 * layout knows no names, so that the daemon can grow fields, and decodes the JSON itself: names of
 * directories arrive as lone surrogates where they are not UTF-8 (str_json), which JSON libraries
 * refuse.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/app/control_client.h"
#include "core/base/error.h"
#include "core/base/str.h"
#include "core/cli/cli.h"

/* Deeper nesting than any answer has; a bound for the recursion. */
#define DEPTH_MAX 16

/* Where a value stands decides how it is laid out. */
enum place {
	TOP,	/* each member has a line */
	IN_LINE /* name=value, separated by spaces */
};

struct layout {
	const char *at;
	struct str *out;
	unsigned depth;
};

static bool put_value(struct layout *layout, enum place place, unsigned indent);

static void skip_space(struct layout *layout)
{
	layout->at += strspn(layout->at, " \t\r\n");
}

/* Goes over c, if it comes next. */
static bool take(struct layout *layout, char c)
{
	skip_space(layout);
	if (*layout->at != c)
		return false;
	layout->at++;
	return true;
}

static bool take_hex4(struct layout *layout, unsigned *out)
{
	unsigned value = 0;
	for (int i = 0; i < 4; i++, layout->at++) {
		unsigned char c = (unsigned char)*layout->at;
		if (!isxdigit(c))
			return false;
		value = value * 16 + (unsigned)(isdigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	*out = value;
	return true;
}

static void put_point(struct str *bytes, unsigned point)
{
	static const unsigned char marks[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	char encoded[4];
	for (size_t i = len - 1; i > 0; i--, point >>= 6)
		encoded[i] = (char)(0x80 | (point & 0x3f));
	encoded[0] = (char)(marks[len] | point);
	str_append(bytes, encoded, len);
}

/* What follows "\u". A lone U+DC80 to U+DCFF is a raw byte. */
static bool take_unicode(struct layout *layout, struct str *bytes)
{
	unsigned point = 0, low = 0;
	if (!take_hex4(layout, &point))
		return false;
	if (point >= 0xdc80 && point <= 0xdcff) {
		str_putc(bytes, (char)(point & 0xff));
		return true;
	}
	if (point >= 0xd800 && point < 0xdc00 && strncmp(layout->at, "\\u", 2) == 0) {
		layout->at += 2;
		if (!take_hex4(layout, &low) || low < 0xdc00 || low > 0xdfff)
			return false;
		point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
	}
	put_point(bytes, point);
	return true;
}

static bool take_escape(struct layout *layout, struct str *bytes)
{
	static const char pairs[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
	char c = *layout->at;
	if (c == '\0')
		return false;
	layout->at++;
	if (c == 'u')
		return take_unicode(layout, bytes);
	for (size_t i = 0; i + 1 < sizeof pairs; i += 2) {
		if (pairs[i] == c) {
			str_putc(bytes, pairs[i + 1]);
			return true;
		}
	}
	return false;
}

/* A JSON string, its opening quote taken already, as bytes. */
static bool take_string(struct layout *layout, struct str *bytes)
{
	while (*layout->at && *layout->at != '"') {
		char c = *layout->at++;
		if (c != '\\')
			str_putc(bytes, c);
		else if (!take_escape(layout, bytes))
			return false;
	}
	return take(layout, '"');
}

static bool put_string(struct layout *layout)
{
	AUTO_STR bytes = STR_INIT;
	if (!take_string(layout, &bytes))
		return false;
	str_escape(layout->out, str_text(&bytes), bytes.len);
	return true;
}

/* The name of a member, its colon taken; underscores read as spaces. */
static bool put_name(struct layout *layout)
{
	AUTO_STR name = STR_INIT;
	if (!take(layout, '"') || !take_string(layout, &name) || !take(layout, ':'))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if (name.data[i] == '_')
			name.data[i] = ' ';
	}
	str_escape(layout->out, str_text(&name), name.len);
	return true;
}

static void put_indent(struct layout *layout, unsigned indent)
{
	str_printf(layout->out, "%*s", (int)indent, "");
}

static bool put_member(struct layout *layout, enum place place, unsigned indent, bool first)
{
	if (place == IN_LINE && !first)
		str_putc(layout->out, ' ');
	if (place == TOP)
		put_indent(layout, indent);
	if (!put_name(layout))
		return false;
	str_putc(layout->out, place == TOP ? ':' : '=');
	skip_space(layout);
	if (place == TOP && *layout->at != '{' && *layout->at != '[')
		str_putc(layout->out, ' ');
	return put_value(layout, place, indent + 2);
}

static bool put_element(struct layout *layout, enum place place, unsigned indent, bool first)
{
	if (place == IN_LINE) {
		if (!first)
			str_putc(layout->out, ',');
		return put_value(layout, IN_LINE, 0);
	}
	put_indent(layout, indent);
	str_puts(layout->out, "- ");
	bool good = put_value(layout, IN_LINE, 0);
	str_putc(layout->out, '\n');
	return good;
}

/* The members of an object or the elements of an array, up to the closing bracket. */
static bool put_all(struct layout *layout, char close, enum place place, unsigned indent)
{
	if (place == TOP && layout->depth > 1)
		str_putc(layout->out, '\n');
	if (take(layout, close))
		return true;
	for (bool first = true; first || take(layout, ','); first = false) {
		bool good = close == '}' ? put_member(layout, place, indent, first)
					 : put_element(layout, place, indent, first);
		if (!good)
			return false;
	}
	return take(layout, close);
}

static bool put_scalar(struct layout *layout, enum place place)
{
	bool good = false;
	if (take(layout, '"')) {
		good = put_string(layout);
	} else {
		size_t len = strcspn(layout->at, ",]} \t\r\n");
		str_escape(layout->out, layout->at, len);
		layout->at += len;
		good = len > 0;
	}
	if (place == TOP)
		str_putc(layout->out, '\n');
	return good;
}

static bool put_value(struct layout *layout, enum place place, unsigned indent)
{
	bool good = false;
	if (layout->depth >= DEPTH_MAX)
		return false;
	layout->depth++;
	if (take(layout, '{'))
		good = put_all(layout, '}', place, indent);
	else if (take(layout, '['))
		good = put_all(layout, ']', place, indent);
	else
		good = put_scalar(layout, place);
	layout->depth--;
	return good;
}

static bool lay_out(const char *json, struct str *out)
{
	struct layout layout = { .at = json, .out = out };
	if (!put_value(&layout, TOP, 0))
		return false;
	skip_space(&layout);
	return *layout.at == '\0';
}

static int show(const struct str *answer, bool json)
{
	AUTO_STR text = STR_INIT;
	if (json) {
		size_t len = strcspn(str_text(answer), "\n");
		(void)fwrite(str_text(answer), 1, len, stdout);
		(void)putchar('\n');
		return CLI_OK;
	}
	if (!lay_out(str_text(answer), &text)) {
		cli_complain("the daemon's answer is not understood: %s", str_text(answer));
		return CLI_FAILED;
	}
	(void)fwrite(str_text(&text), 1, text.len, stdout);
	return CLI_OK;
}

/* For probes of containers: what is wrong is said where they look for it. */
static int tell_health(const char *history)
{
	AUTO_STR words = STR_INIT;
	struct error err = { 0 };
	enum control_end end = CONTROL_FAILED;
	if (control_order(history, "health", &end, &words, &err) < 0) {
		str_escape(&words, err.text, strlen(err.text));
		end = CONTROL_FAILED;
	}
	(void)printf("%s\n", str_text(&words));
	return end == CONTROL_OK ? CLI_OK : CLI_FOUND;
}

static int tell_status(const char *history, bool json)
{
	AUTO_STR answer = STR_INIT;
	struct error err = { 0 };
	if (control_request(history, "status", &answer, &err) < 0) {
		cli_complain("%s", err.text);
		return CLI_FAILED;
	}
	return show(&answer, json);
}

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "health", no_argument, NULL, 'h' },
		{ "history", required_argument, NULL, 'H' },
		{ 0 },
	};
	bool json = false, health = false;
	const char *given = NULL;
	int got;
	while ((got = cli_next_option(argc, argv, ":", longs)) != -1) {
		if (got == 'j')
			json = true;
		else if (got == 'h')
			health = true;
		else if (got == 'H')
			given = optarg;
		else
			return cli_bad_option(&cli_status, got, argv);
	}
	if (json && health)
		return cli_usage_error(&cli_status, "it is either --json or --health");
	if (optind < argc)
		return cli_usage_error(&cli_status, "%s is one word too many", argv[optind]);
	AUTO_FREE char *history = NULL;
	int code = cli_history_path(given, &history);
	if (code != CLI_OK)
		return code;
	return health ? tell_health(history) : tell_status(history, json);
}

const struct cli_command cli_status = {
	.name = "status",
	.usage = "[--json | --health] [--history DB]",
	.summary = "Tell what the running daemon is doing",
	.help = "  --json        the daemon's answer as it came, one JSON object\n"
		"  --health      only whether it is healthy, for probes of containers: exit 0, or 1 and\n"
		"                why not: no daemon answers within 5 s, the history cannot be written,\n"
		"                nothing gets on that has work, a detector that is required is away, a\n"
		"                root is missing\n"
		"  --history DB  ask the daemon of this history\n\n"
		"\"last minute\" are rates, \"answers\" how each detector answered since the start (those\n"
		"taken over do not count), \"oldest file\" is the one that has been known longest of those\n"
		"that have no end yet.\n"
		"Exit codes: 0 done, 2 usage or configuration, 3 no daemon runs for this history.\n",
	.run = run,
	.prints = true,
};
