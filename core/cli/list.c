/*
 * list: the extracted files below a root, and the new ones among them (BroAPT's listdir and
 * lookup).
 *
 * What counts as an extracted file is the daemon's own rule: a regular file whose name a scheme of
 * the root's producer knows, sidecars and work files left out. For --new each is looked up as the
 * daemon does it, by identity and path, so a renamed or rewritten file is new.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/str.h"
#include "core/cli/cli.h"
#include "core/cli/walk.h"
#include "core/config/config.h"
#include "core/entry/scheme.h"
#include "core/store/reader.h"

struct options {
	bool new_only;
	char separator;
	bool escape; /* for a terminal */
	const char *history;
	const char *scheme;
	const char *root;
};

struct listing {
	const struct options *options;
	struct scheme_set *schemes;
	struct store_reader *reader; /* NULL unless new_only */
	struct str path;	     /* the root as the daemon spells it, a slash, the rest */
	size_t root_len;	     /* slash included */
	unsigned looked_up;	     /* in the current snapshot */
	bool failed;
	struct error err; /* of the look-up that ended the walk */
};

/* Look-ups that share a snapshot of the history; more would keep the WAL from being reset. */
#define SNAPSHOT_LOOKUPS 1000

static int find(struct listing *listing, const struct walk_file *file, struct known *known)
{
	if (listing->looked_up == 0)
		store_reader_begin(listing->reader);
	const char *path = str_text(&listing->path);
	const char *slash = strrchr(path, '/');
	int result = store_find(listing->reader, &file->identity, path, listing->path.len,
				(size_t)(slash - path), known, &listing->err);
	if (++listing->looked_up >= SNAPSHOT_LOOKUPS) {
		store_reader_end(listing->reader);
		listing->looked_up = 0;
	}
	return result;
}

/* Whether the history lacks the file; negative: it cannot be asked. */
static int is_new(struct listing *listing, const struct walk_file *file)
{
	struct known known = { 0 };
	int result = find(listing, file, &known);
	if (result < 0)
		return result;
	bool has = known.as == KNOWN_SAME || known.as == KNOWN_IMPORTED;
	known_done(&known);
	return !has;
}

static void print(const struct options *options, const struct walk_file *file)
{
	AUTO_STR line = STR_INIT;
	if (options->escape)
		str_escape(&line, file->path, file->len);
	else
		str_append(&line, file->path, file->len);
	str_putc(&line, options->separator);
	(void)fwrite(line.data, 1, line.len, stdout);
}

static bool on_file(void *context, const struct walk_file *file)
{
	struct listing *listing = context;
	listing->path.len = listing->root_len;
	str_append(&listing->path, file->path, file->len);
	struct entry entry;
	if (scheme_parse(listing->schemes, str_text(&listing->path), listing->path.len, &entry) !=
	    SCHEME_FILE)
		return true;
	int fresh = listing->reader ? is_new(listing, file) : 1;
	if (fresh < 0) {
		cli_complain("%s", listing->err.text);
		listing->failed = true;
		return false;
	}
	if (fresh)
		print(listing->options, file);
	return !ferror(stdout);
}

static void on_trouble(void *context, const char *path, int code)
{
	struct listing *listing = context;
	listing->failed = true;
	cli_complain("cannot read the directory %s/%s: %s", listing->options->root, path,
		     error_text(code));
}

/* The root as the daemon spells it in its history, when it is a configured root or lies below one
 * by another spelling (relative, through a symlink); else as it was written. Trailing slashes go.
 */
static const struct config_root *spell_root(struct listing *listing, const struct config *config)
{
	const char *written = listing->options->root;
	size_t len = strlen(written);
	while (len > 1 && written[len - 1] == '/')
		len--;
	str_append(&listing->path, written, len);
	AUTO_FREE char *real = realpath(written, NULL);
	for (size_t i = 0; real && config && i < config->root_count; i++) {
		const struct config_root *root = &config->roots[i];
		AUTO_FREE char *real_root = realpath(root->path, NULL);
		size_t real_len = real_root ? strlen(real_root) : 0;
		if (real_len == 0 || strncmp(real, real_root, real_len) != 0 ||
		    (real[real_len] != '\0' && real[real_len] != '/'))
			continue;
		str_reset(&listing->path);
		str_puts(&listing->path, root->path);
		str_puts(&listing->path, real + real_len);
		return root;
	}
	return NULL;
}

/* Makes the listing's schemes and, for --new, opens the history. Returns an exit code. */
static int prepare(struct listing *listing, const struct config *config)
{
	const struct options *options = listing->options;
	const struct config_root *root = spell_root(listing, config);
	if (str_text(&listing->path)[listing->path.len - 1] != '/')
		str_putc(&listing->path, '/');
	listing->root_len = listing->path.len;
	struct error err = { 0 };
	const char *spec = options->scheme ? options->scheme : root ? root->producer : NULL;
	if (scheme_set_new(&listing->schemes, spec, &err) < 0) {
		cli_complain("%s", err.text);
		return CLI_USAGE;
	}
	const char *history = options->history ? options->history : config ? config->history : NULL;
	if (options->new_only && store_reader_open(&listing->reader, history, &err) < 0) {
		cli_complain("%s", err.text);
		return CLI_FAILED;
	}
	return CLI_OK;
}

static int walk_root(struct listing *listing)
{
	AUTO_CLOSE int fd = open(listing->options->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		cli_complain("cannot open the directory %s: %s", listing->options->root,
			     error_text(errno));
		return CLI_FAILED;
	}
	struct walk_options walk = { .identities = listing->options->new_only,
				     .file = on_file,
				     .trouble = on_trouble,
				     .context = listing };
	walk_sorted(fd, &walk);
	if (listing->looked_up > 0)
		store_reader_end(listing->reader);
	return listing->failed ? CLI_FAILED : CLI_OK;
}

static int list(const struct options *options)
{
	struct config *config = NULL;
	struct config_overrides overrides = { .history = options->history };
	struct error err = { 0 };
	/* with both said, what the configuration would add is only the spelling of its roots */
	bool needed = !options->scheme || (options->new_only && !options->history);
	if (config_load(&config, &overrides, &err) < 0 && needed) {
		cli_complain("%s", err.text);
		return CLI_USAGE;
	}
	struct listing listing = { .options = options, .path = STR_INIT };
	int code = prepare(&listing, config);
	if (code == CLI_OK)
		code = walk_root(&listing);
	store_reader_free(listing.reader);
	scheme_set_free(listing.schemes);
	str_done(&listing.path);
	if (config)
		config_unref(config);
	return code;
}

static int run(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "new", no_argument, NULL, 'n' },
		{ "history", required_argument, NULL, 'H' },
		{ "scheme", required_argument, NULL, 's' },
		{ 0 },
	};
	struct options options = { .separator = '\n' };
	int got;
	while ((got = cli_next_option(argc, argv, ":0", longs)) != -1) {
		switch (got) {
		case 'n':
			options.new_only = true;
			break;
		case '0':
			options.separator = '\0';
			break;
		case 'H':
			options.history = optarg;
			break;
		case 's':
			options.scheme = optarg;
			break;
		default:
			return cli_bad_option(&cli_list, got, argv);
		}
	}
	if (argc - optind != 1 || !*argv[optind])
		return cli_usage_error(&cli_list, "one ROOT is needed");
	options.root = argv[optind];
	options.escape = options.separator == '\n' && isatty(STDOUT_FILENO);
	return list(&options);
}

const struct cli_command cli_list = {
	.name = "list",
	.usage = "[--new] [-0] [--history DB] [--scheme S] ROOT",
	.summary = "List the extracted files below ROOT, sorted",
	.help = "Regular files whose names a naming scheme knows, relative to ROOT, in bytewise order,\n"
		"one a line. Symlinks are not followed.\n\n"
		"  --new         only those that the history does not have yet; ROOT should be spelled\n"
		"                as the daemon was given it, or be one of its configured roots\n"
		"  -0            end names with a NUL byte instead of a newline\n"
		"  --history DB  the history to ask\n"
		"  --scheme S    a scheme's word or a pattern, as \"producer\" in carved.yml takes it\n\n"
		"Exit codes: 0 done, 2 usage or configuration, 3 something could not be read.\n",
	.run = run,
	.prints = true,
};
