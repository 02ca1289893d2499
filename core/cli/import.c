/*
 * carved import: BroAPT's dump.log, the list of the files that it is done with, one path a line.
 *
 * Paths are those of BroAPT's container (/dump/...); --map says what they are called here. Each is
 * looked up on disk, so that the daemon knows the very file and does not scan it again; one that is
 * not there now is recorded by its path.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/identity.h"
#include "core/base/str.h"
#include "core/cli/cli.h"
#include "core/cli/poke.h"
#include "core/entry/scheme.h"
#include "core/store/maintain.h"
#include "core/store/version.h"

/* Linux's own limit for a path, the NUL included. */
enum {
	LINE_MAX_BYTES = 4096
};

struct mapping {
	const char *from;
	size_t from_len;
	const char *to;
	size_t to_len;
};

struct importing {
	const char *log;
	struct mapping mapping;
	struct store_import *store;
	struct scheme_set *schemes;
	struct str path;
	struct str last_dir; /* the directory whose fsid is known */
	uint64_t last_fsid;
	long long gone;
};

static void map_path(struct importing *importing, const char *line, size_t len)
{
	const struct mapping *mapping = &importing->mapping;
	str_reset(&importing->path);
	bool hit = mapping->from && len >= mapping->from_len &&
		   memcmp(line, mapping->from, mapping->from_len) == 0 &&
		   (len == mapping->from_len || line[mapping->from_len] == '/');
	if (hit) {
		str_append(&importing->path, mapping->to, mapping->to_len);
		line += mapping->from_len;
		len -= mapping->from_len;
	}
	str_append(&importing->path, line, len);
}

static bool find_fsid(struct importing *importing, const struct version *version, uint64_t *out)
{
	struct str *last = &importing->last_dir;
	if (last->len == version->dir_len && last->data &&
	    memcmp(last->data, version->path, last->len) == 0) {
		*out = importing->last_fsid;
		return true;
	}
	str_reset(last);
	str_append(last, version->path, version->dir_len);
	AUTO_CLOSE int fd =
		open(last->len ? str_text(last) : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || identity_fsid(fd, &importing->last_fsid) < 0) {
		str_done(last);
		return false;
	}
	*out = importing->last_fsid;
	return true;
}

static void look_up(struct importing *importing, struct version *version)
{
	struct statx st = { 0 };
	uint64_t fsid = 0;
	if (statx(AT_FDCWD, version->path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME,
		  &st) == 0 &&
	    S_ISREG(st.stx_mode) && find_fsid(importing, version, &fsid))
		version->identity = identity_of(&st, fsid);
	else
		importing->gone++;
}

static int import_line(struct importing *importing, const struct str *line, long number,
		       struct error *err)
{
	map_path(importing, str_text(line), line->len);
	const char *slash = strrchr(str_text(&importing->path), '/');
	if (!slash || !slash[1])
		return error_set(err, EINVAL, "%s:%ld: expected the path of a file, not \"%s\"",
				 importing->log, number, str_text(line));
	struct version *version = version_new(str_text(&importing->path), importing->path.len);
	struct entry entry = { 0 };
	if (scheme_parse(importing->schemes, version->path, version->path_len, &entry) ==
	    SCHEME_FILE)
		version->entry = entry;
	look_up(importing, version);
	return store_import_add(importing->store, version, err);
}

enum line {
	LINE_READ,
	LINE_END,
	LINE_BAD
};

/* The next line without its newline. Bytes, but no NUL, which no path has. */
static enum line read_line(FILE *file, struct str *line)
{
	int c;
	str_reset(line);
	while ((c = getc(file)) != EOF && c != '\n') {
		if (c == '\0' || line->len + 1 >= LINE_MAX_BYTES)
			return LINE_BAD;
		str_putc(line, (char)c);
	}
	return c == EOF && line->len == 0 ? LINE_END : LINE_READ;
}

static int import_file(struct importing *importing, FILE *file, struct error *err)
{
	AUTO_STR line = STR_INIT;
	enum line got;
	for (long number = 1; (got = read_line(file, &line)) != LINE_END; number++) {
		if (got == LINE_BAD)
			return error_set(
				err, E2BIG,
				"%s:%ld: the line is longer than a path can be (%d bytes), "
				"or holds a NUL byte",
				importing->log, number, LINE_MAX_BYTES - 1);
		int result = line.len ? import_line(importing, &line, number, err) : 0;
		if (result < 0)
			return result;
	}
	if (ferror(file))
		return error_set(err, EIO, "%s: cannot be read", importing->log);
	return 0;
}

static int import_log(struct importing *importing, const char *history, FILE *file)
{
	struct error err = { 0 };
	struct error end_err = { 0 };
	struct store_imported total = { 0 };
	if (scheme_set_new(&importing->schemes, NULL, &err) < 0 ||
	    store_import_begin(&importing->store, history, &err) < 0) {
		cli_complain("%s", err.text);
		return CLI_FAILED;
	}
	int result = import_file(importing, file, &err);
	int end = store_import_end(importing->store, &total, &end_err);
	if (result < 0)
		cli_complain("%s", err.text);
	if (end < 0)
		cli_complain("%s", end_err.text);
	else
		(void)printf("imported: %lld\nalready known: %lld\nnot there now: %lld\n",
			     (long long)total.fresh, (long long)total.known, importing->gone);
	if (total.fresh)
		poke_daemon(history);
	return result < 0 || end < 0 ? CLI_FAILED : CLI_OK;
}

static int open_and_import(struct importing *importing, const char *given)
{
	AUTO_FREE char *history = NULL;
	int code = cli_history_path(given, &history);
	if (code != CLI_OK)
		return code;
	FILE *file = fopen(importing->log, "re");
	if (!file) {
		cli_complain("%s: cannot be opened: %s", importing->log, error_text(errno));
		return CLI_FAILED;
	}
	code = import_log(importing, history, file);
	(void)fclose(file);
	scheme_set_free(importing->schemes);
	str_done(&importing->path);
	str_done(&importing->last_dir);
	return code;
}

/* Of a directory's path, so that the slash and the rest can be put behind as the daemon does. */
static size_t without_slashes(const char *path, size_t len)
{
	while (len > 0 && path[len - 1] == '/')
		len--;
	return len;
}

static int parse_mapping(struct mapping *out, const char *text)
{
	const char *equals = strchr(text, '=');
	if (!equals || equals == text)
		return cli_usage_error(&cli_import, "--map takes OLD=NEW, as /dump=/srv/extract");
	*out = (struct mapping){
		.from = text,
		.from_len = without_slashes(text, (size_t)(equals - text)),
		.to = equals + 1,
		.to_len = without_slashes(equals + 1, strlen(equals + 1)),
	};
	return CLI_OK;
}

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "map", required_argument, NULL, 'm' },
		{ "history", required_argument, NULL, 'H' },
		{ 0 },
	};
	struct importing importing = { 0 };
	const char *history = NULL;
	int got;
	while ((got = cli_next_option(argc, argv, ":", longs)) != -1) {
		switch (got) {
		case 'm':
			if (parse_mapping(&importing.mapping, optarg) != CLI_OK)
				return CLI_USAGE;
			break;
		case 'H':
			history = optarg;
			break;
		default:
			return cli_bad_option(&cli_import, got, argv);
		}
	}
	if (argc - optind != 1)
		return cli_usage_error(&cli_import, "one DUMP.log is needed");
	importing.log = argv[optind];
	return open_and_import(&importing, history);
}

const struct cli_command cli_import = {
	.name = "import",
	.usage = "[--history DB] [--map OLD=NEW] DUMP.log",
	.summary = "Take over what BroAPT has scanned",
	.help = "DUMP.log is BroAPT's list of done files, one path a line. They become versions that are\n"
		"done with verdict unknown, so that they are not scanned again. What the history knows\n"
		"already stays as it is.\n\n"
		"  --map OLD=NEW  paths below OLD lie below NEW here, as /dump=/srv/extract; they\n"
		"                 must be spelled as the daemon's roots are\n"
		"  --history DB   the history; it is made when there is none\n\n"
		"Exit codes: 0 done, 2 usage or configuration, 3 a line is no path (what stands before\n"
		"it is imported), or a file cannot be read or written.\n",
	.run = run,
};
