/*
 * carved parse: names to entries, one JSON object a line, in the order of the names.
 *
 * "-" reads names from standard input. What has been answered is written before each read, so that
 * the command can also be used through a pair of pipes, name by name.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/str.h"
#include "core/cli/cli.h"
#include "core/entry/entry.h"
#include "core/entry/scheme.h"

/* Far above PATH_MAX; a longer "name" is a stream that is not split as asked. */
#define NAME_LIMIT ((size_t)1024 * 1024)
#define CHUNK	   ((size_t)64 * 1024)

struct options {
	const char *scheme;
	bool null_separated;
};

struct parse {
	struct scheme_set *set;
	char separator;
	bool unmatched; /* some name did not match */
	size_t read;	/* names from standard input so far */
	struct str out;
};

/* Writes what has been answered; a CLI_* code. What could not be written is dropped. */
static int flush(struct parse *p)
{
	int code = CLI_OK;
	for (size_t done = 0; done < p->out.len && code == CLI_OK;) {
		ssize_t n = write(STDOUT_FILENO, p->out.data + done, p->out.len - done);
		if (n >= 0) {
			done += (size_t)n;
		} else if (errno != EINTR) {
			cli_complain("standard output: %s", error_text(errno));
			code = CLI_FAILED;
		}
	}
	str_reset(&p->out);
	return code;
}

static void answer_unmatched(struct str *out, const char *name, size_t len, const char *kind)
{
	str_puts(out, "{\"name\":");
	str_json(out, name, len);
	str_puts(out, ",\"match\":false,\"kind\":");
	str_json_text(out, kind);
	str_putc(out, '}');
}

static int answer(struct parse *p, const char *name, size_t len)
{
	struct entry entry;
	enum scheme_result result = scheme_parse(p->set, name, len, &entry);
	switch (result) {
	case SCHEME_FILE:
		entry_json(&p->out, name, len, &entry);
		break;
	case SCHEME_NO_MATCH:
		entry_json(&p->out, name, len, NULL);
		break;
	case SCHEME_SIDECAR:
		answer_unmatched(&p->out, name, len, "sidecar");
		break;
	case SCHEME_WORK_FILE:
		answer_unmatched(&p->out, name, len, "work-file");
		break;
	}
	p->unmatched |= result != SCHEME_FILE;
	str_putc(&p->out, '\n');
	return p->out.len >= CHUNK ? flush(p) : CLI_OK;
}

/* A name from standard input, which has a limit. */
static int answer_read(struct parse *p, const char *name, size_t len)
{
	p->read++;
	if (len <= NAME_LIMIT)
		return answer(p, name, len);
	cli_complain("name %zu on standard input has more than %zu bytes%s", p->read, NAME_LIMIT,
		     p->separator ? "; are the names separated by NUL? Then say -0" : "");
	return CLI_USAGE;
}

/*
 * Answers the names that end in text, whose first scanned bytes hold no separator. What is left,
 * the beginning of a name, is moved to the front.
 */
static int answer_complete(struct parse *p, struct str *text, size_t scanned)
{
	size_t start = 0;
	const char *end;
	while ((end = memchr(text->data + scanned, p->separator, text->len - scanned))) {
		size_t at = (size_t)(end - text->data);
		int code = answer_read(p, text->data + start, at - start);
		if (code)
			return code;
		start = scanned = at + 1;
	}
	text->len -= start;
	memmove(text->data, text->data + start, text->len);
	return CLI_OK;
}

static ssize_t read_chunk(char *chunk)
{
	ssize_t n;
	do
		n = read(STDIN_FILENO, chunk, CHUNK);
	while (n < 0 && errno == EINTR);
	return n;
}

static int answer_stdin(struct parse *p)
{
	AUTO_STR text = STR_INIT;
	AUTO_FREE char *chunk = xcalloc(1, CHUNK);
	for (;;) {
		int code = flush(p);
		if (code)
			return code;
		ssize_t n = read_chunk(chunk);
		if (n < 0) {
			cli_complain("standard input: %s", error_text(errno));
			return CLI_FAILED;
		}
		if (n == 0)
			return text.len ? answer_read(p, text.data, text.len) : CLI_OK;
		size_t scanned = text.len;
		str_append(&text, chunk, (size_t)n);
		code = answer_complete(p, &text, scanned);
		if (code == CLI_OK && text.len > NAME_LIMIT)
			code = answer_read(p, text.data, text.len);
		if (code)
			return code;
	}
}

/* Takes the options out of argv[1..], which keeps the names: *out_literal is where those behind
 * "--" begin. A CLI_* code. */
static int take_options(int *argc, char **argv, struct options *out, int *out_literal)
{
	static const struct option longs[] = { { "scheme", required_argument, NULL, 's' }, { 0 } };
	int kept = 1, option;
	/* with "-" first, getopt hands out the names in their places, as option 1 */
	while ((option = cli_next_option(*argc, argv, "-:0", longs)) != -1) {
		switch (option) {
		case 1:
			argv[kept++] = optarg;
			break;
		case '0':
			out->null_separated = true;
			break;
		case 's':
			out->scheme = optarg;
			break;
		default:
			return cli_bad_option(&cli_parse, option, argv);
		}
	}
	*out_literal = kept;
	for (int i = optind; i < *argc; i++)
		argv[kept++] = argv[i];
	*argc = kept;
	return CLI_OK;
}

/* The names of argv[1..]; from literal on "-" is a name. */
static int answer_all(struct parse *p, int argc, char **argv, int literal)
{
	for (int i = 1; i < argc; i++) {
		bool from_stdin = i < literal && strcmp(argv[i], "-") == 0;
		int code = from_stdin ? answer_stdin(p) : answer(p, argv[i], strlen(argv[i]));
		if (code)
			return code;
	}
	return flush(p);
}

static int run(int argc, char **argv)
{
	AUTO(scheme_set) struct scheme_set *set = NULL;
	struct options options = { 0 };
	struct error err;
	int literal = 0;
	int code = take_options(&argc, argv, &options, &literal);
	if (code)
		return code;
	if (argc < 2)
		return cli_usage_error(&cli_parse, "no NAME");
	if (scheme_set_new(&set, options.scheme, &err) != 0)
		return cli_usage_error(&cli_parse, "--scheme: %s", err.text);
	struct parse parse = {
		.set = set,
		.separator = options.null_separated ? '\0' : '\n',
	};
	code = answer_all(&parse, argc, argv, literal);
	if (code != CLI_OK)
		(void)flush(&parse);
	str_done(&parse.out);
	if (code == CLI_OK && parse.unmatched)
		return CLI_FOUND;
	return code;
}

const struct cli_command cli_parse = {
	.name = "parse",
	.usage = "[--scheme S] [-0] NAME... | -",
	.summary = "what the names of extracted files say, as JSON, one object a line",
	.help = "  --scheme S  the scheme to read the names by: broapt, broapt-exact, zeek, malcolm,\n"
		"              securityonion, bzar, suricata, strelka, or a PCRE2 pattern with named\n"
		"              groups; without it all but broapt-exact are tried\n"
		"  -0          names on standard input end with NUL instead of newline\n"
		"  -           reads names from standard input, each at most 1 MiB long\n"
		"  --          what follows are names, also if they begin with -\n"
		"\n"
		"Exit code: 0 every name matched, 1 one did not (sidecars and files in the making,\n"
		"marked by \"kind\", count as such), 2 usage, 3 reading or writing failed.\n",
	.run = run,
	.prints = true,
};
