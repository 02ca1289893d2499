/*
 * check_eicar: see check_eicar.h.
 *
 * The test file is put together here, in two parts, so that neither this source nor the program is
 * taken for it.
 */
#include "core/cli/check_eicar.h"

#include <sys/signalfd.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/str.h"
#include "core/cli/check_report.h"
#include "core/config/api.h"
#include "core/detect/detect.h"
#include "core/detect/hasher.h"
#include "core/entry/scheme.h"

#define EICAR_SIZE 68

struct eicar {
	struct config config; /* a shallow copy, with other api_logs */
	char *directory;
	char *logs;
	int cancel_fd;
	sigset_t old_mask;
	bool masked;
	unsigned tried;
	unsigned found;
};

/* Types that EICAR may well have, the best first. */
static const struct {
	const char *mime, *extension;
} plausible[] = {
	{ "application/x-dosexec", "exe" },
	{ "application/octet-stream", "bin" },
	{ "text/plain", "txt" },
};

#define PLAUSIBLE (sizeof plausible / sizeof *plausible)

/* What one character of a glob may stand for; *at moves to the last of it. '\0': not readable. */
static char stand_in(const char **at)
{
	const char *glob = *at;
	if (*glob == '*' || *glob == '?')
		return 'x';
	if (*glob != '[')
		return *glob;
	const char *end = glob[1] ? strchr(glob + 2, ']') : NULL;
	if (!end)
		return '\0';
	*at = end;
	return (char)(glob[1] == '!' || glob[1] == '^' ? 'x' : glob[1]);
}

/* A letter for each wildcard of fnmatch(3); classes give their first member. */
static bool fill_glob(const char *glob, char out[ENTRY_MIME_MAX + 1])
{
	size_t len = 0;
	for (const char *at = glob; *at && len < ENTRY_MIME_MAX; at++) {
		out[len] = stand_in(&at);
		if (!out[len])
			return false;
		len++;
	}
	out[len] = '\0';
	return true;
}

bool eicar_mime(char *const *globs, char out[ENTRY_MIME_MAX + 1])
{
	for (size_t i = 0; i < PLAUSIBLE; i++) {
		if (!config_mime_matches(globs, plausible[i].mime))
			continue;
		(void)snprintf(out, ENTRY_MIME_MAX + 1, "%s", plausible[i].mime);
		return true;
	}
	for (char *const *glob = globs; *glob; glob++) {
		if (fill_glob(*glob, out) && strchr(out, '/') && config_mime_matches(globs, out))
			return true;
	}
	return false;
}

/* A file in a root would be scanned by a daemon that runs. */
static int avoid_roots(const struct config *config, const char *directory, struct error *err)
{
	AUTO_FREE char *real = realpath(directory, NULL);
	for (size_t i = 0; real && i < config->root_count; i++) {
		AUTO_FREE char *root = realpath(config->roots[i].path, NULL);
		size_t len = root ? strlen(root) : 0;
		if (len && strncmp(real, root, len) == 0 &&
		    (real[len] == '/' || !real[len] || root[len - 1] == '/'))
			return error_set(
				err, EINVAL,
				"%s lies below the root %s: set TMPDIR to another directory",
				directory, config->roots[i].path);
	}
	return 0;
}

static int make_directory(struct eicar *eicar, struct error *err)
{
	const char *above = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe): one thread */
	if (!above || *above != '/')
		above = "/tmp";
	int result = avoid_roots(&eicar->config, above, err);
	if (result < 0)
		return result;
	AUTO_STR path = STR_INIT;
	str_printf(&path, "%s/carved-check-XXXXXX", above);
	AUTO_FREE char *made = str_take(&path);
	if (!mkdtemp(made)) /* mode 0700 */
		return error_set(err, errno, "no directory can be made in %s (%s): set TMPDIR",
				 above, error_text(errno));
	eicar->directory = TAKE(made);
	str_printf(&path, "%s/logs/", eicar->directory);
	eicar->logs = str_take(&path);
	eicar->config.api_logs = eicar->logs;
	return 0;
}

static int hold_signals(struct eicar *eicar, struct error *err)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)pthread_sigmask(SIG_BLOCK, &set, &eicar->old_mask);
	eicar->masked = true;
	eicar->cancel_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return eicar->cancel_fd < 0 ? error_set(err, errno, "%s", error_text(errno)) : 0;
}

int eicar_new(struct eicar **out, const struct config *config, struct error *err)
{
	AUTO(eicar) struct eicar *eicar = xcalloc(1, sizeof *eicar);
	eicar->config = *config;
	eicar->cancel_fd = -1;
	int result = hold_signals(eicar, err);
	if (result == 0)
		result = make_directory(eicar, err);
	if (result == 0)
		*out = TAKE(eicar);
	return result;
}

static void remove_tree(char *directory)
{
	char *const paths[] = { directory, NULL };
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
	if (!tree)
		return;
	for (FTSENT *entry; (entry = fts_read(tree));) {
		if (entry->fts_info == FTS_DP)
			(void)rmdir(entry->fts_accpath);
		else if (entry->fts_info != FTS_D)
			(void)unlink(entry->fts_accpath);
	}
	(void)fts_close(tree);
}

void eicar_free(struct eicar *eicar)
{
	if (!eicar)
		return;
	if (eicar->directory)
		remove_tree(eicar->directory);
	free(eicar->directory);
	free(eicar->logs);
	if (eicar->cancel_fd >= 0)
		fd_close(eicar->cancel_fd);
	sigset_t mask = eicar->old_mask;
	bool masked = eicar->masked;
	free(eicar);
	(void)fflush(stdout);
	if (masked) /* a signal that was held back counts now */
		(void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

const struct config *eicar_config(const struct eicar *eicar)
{
	return &eicar->config;
}

static int write_file(const char *path, struct error *err)
{
	AUTO_STR text = STR_INIT;
	str_puts(&text, "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-");
	str_puts(&text, "ANTIVIRUS-TEST-FILE!$H+H*");
	int fd AUTO_CLOSE = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || write(fd, str_text(&text), text.len) != (ssize_t)text.len)
		return error_set(err, errno, "%s cannot be written: %s", path, error_text(errno));
	return 0;
}

/* As BroAPT would have called it: the name tells the type. */
static char *sample_path(const struct eicar *eicar, const char *mime)
{
	const char *extension = "bin";
	for (size_t i = 0; i < PLAUSIBLE; i++) {
		if (strcmp(plausible[i].mime, mime) == 0)
			extension = plausible[i].extension;
	}
	AUTO_STR path = STR_INIT;
	str_printf(&path,
		   "%s/HTTP-FcArVeDcHeCk000001.check-00000000-0000-4000-8000-000000000000.%s.%s",
		   eicar->directory, mime, extension);
	char *slash = strrchr(path.data, '/'); /* that of the type */
	*slash = '.';
	return str_take(&path);
}

static void read_name(const char *path, const char *mime, struct entry *entry)
{
	AUTO(scheme_set) struct scheme_set *set = NULL;
	struct error err = { 0 };
	if (scheme_set_new(&set, "broapt", &err) < 0 ||
	    scheme_parse(set, path, strlen(path), entry) != SCHEME_FILE)
		*entry = (struct entry){ 0 };
	(void)snprintf(entry->mime, sizeof entry->mime, "%s", mime);
}

/* What was asked about, for the line: the type, and which entry of an api.yml serves it. */
static void put_way(struct str *out, const struct config_detector *row, const char *mime)
{
	str_printf(out, "as %s", mime);
	if (!row->api)
		return;
	const struct api_entry *entry = api_find(row->api, mime);
	str_printf(out, " by %s (line %u)", entry->pattern, entry->line);
}

static const char *or_nothing(const char *text)
{
	return text ? text : "no reason given";
}

static void report(struct eicar *eicar, struct check *check, const struct config_detector *row,
		   const struct answer *answer, const char *way)
{
	const char *name = row->name;
	if (answer->away) {
		check_warn(check, "detector %s: is away, EICAR %s: %s", name, way, answer->away);
		return;
	}
	switch (answer->outcome) {
	case OUTCOME_MALICIOUS:
	case OUTCOME_SUSPICIOUS:
		eicar->found++;
		check_ok("detector %s: finds EICAR %s: %s", name, way,
			 answer->signature ? answer->signature : outcome_name(answer->outcome));
		return;
	case OUTCOME_CLEAN:
	case OUTCOME_UNKNOWN:
		check_warn(check, "detector %s: MISSES EICAR %s: said %s", name, way,
			   outcome_name(answer->outcome));
		return;
	case OUTCOME_SKIPPED:
		check_warn(check, "detector %s: skips EICAR %s: %.300s", name, way,
			   or_nothing(answer->detail));
		return;
	case OUTCOME_ERROR:
	case OUTCOME_TIMEOUT:
	case OUTCOMES:
		break;
	}
	static const char format[] = "detector %s: %s on EICAR %s: %.300s";
	const char *what = answer->outcome == OUTCOME_TIMEOUT ? "ran into its timeout" : "failed";
	if (row->required)
		check_fail(check, format, name, what, way, or_nothing(answer->detail));
	else
		check_warn(check, format, name, what, way, or_nothing(answer->detail));
}

/* The hashes that a worker would have for it. */
static int hash_file(int fd, const struct detector *detector, struct hashes *out)
{
	unsigned needs = detector_needs(detector);
	AUTO(hasher) struct hasher *hasher = hasher_new();
	out->have = HASH_BIT(HASH_SHA256);
	if (needs & DETECT_NEEDS_SHA1)
		out->have |= HASH_BIT(HASH_SHA1);
	if (needs & DETECT_NEEDS_MD5)
		out->have |= HASH_BIT(HASH_MD5);
	return hasher_fd(hasher, fd, EICAR_SIZE, out, NULL);
}

static const uint8_t *sum_of(const struct eicar *eicar, const struct hashes *hashes,
			     enum hash_kind kind)
{
	bool there = eicar->config.hash && (hashes->have & HASH_BIT(kind));
	return there ? hashes->sum[kind] : NULL;
}

/* An open file of that path; -errno. */
static int open_sample(const char *path, const struct detector *detector, struct hashes *hashes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int result = fd < 0 ? -errno : hash_file(fd, detector, hashes);
	if (result == 0)
		return fd;
	if (fd >= 0)
		fd_close(fd);
	return result;
}

static int ask(const struct eicar *eicar, const struct detector *detector, const char *mime,
	       struct answer *answer, struct error *err)
{
	int64_t timeout_ms = detector_row(detector)->timeout_ms;
	AUTO_FREE char *path = sample_path(eicar, mime);
	struct hashes hashes = { 0 };
	struct entry entry = { 0 };
	int result = write_file(path, err);
	if (result < 0)
		return result;
	int fd AUTO_CLOSE = open_sample(path, detector, &hashes);
	if (fd < 0) /* another scanner on this machine may be in the way */
		return error_set(err, -fd, "%s: %s", path, error_text(-fd));
	read_name(path, mime, &entry);
	const struct scan_request request = {
		.path = path,
		.name_offset = strlen(eicar->directory) + 1,
		.entry = &entry,
		.fd = fd,
		.size = EICAR_SIZE,
		.sha256 = sum_of(eicar, &hashes, HASH_SHA256),
		.sha1 = sum_of(eicar, &hashes, HASH_SHA1),
		.md5 = sum_of(eicar, &hashes, HASH_MD5),
		.attempt = 1,
		.deadline = mono_add_ms(
			mono_now(), timeout_ms < EICAR_TIMEOUT_MS ? timeout_ms : EICAR_TIMEOUT_MS),
		.cancel_fd = eicar->cancel_fd,
	};
	detector_scan(detector, &request, answer);
	(void)unlink(path);
	if (answer->unable)
		return error_set(err, answer->unable, "%s", error_text(answer->unable));
	return 0;
}

bool eicar_try(struct eicar *eicar, struct check *check, const struct detector *detector)
{
	const struct config_detector *row = detector_row(detector);
	char mime[ENTRY_MIME_MAX + 1];
	if (!detector_seeks_malware(detector)) {
		check_ok("detector %s: does not look for malware, EICAR is not tried", row->name);
		return true;
	}
	if (!eicar_mime(row->mime, mime)) {
		check_warn(check,
			   "detector %s: EICAR is not tried: no type could be made that its globs "
			   "match",
			   row->name);
		return true;
	}
	struct answer answer = { .outcome = OUTCOMES };
	struct error err = { 0 };
	struct mono began = mono_now();
	int result = ask(eicar, detector, mime, &answer, &err);
	AUTO_STR way = STR_INIT;
	put_way(&way, row, mime);
	str_printf(&way, " after %lld ms",
		   (long long)((mono_now().ns - began.ns) / CLOCK_NS_PER_MS));
	bool go_on = !answer.cancelled;
	if (result < 0)
		check_warn(check, "detector %s: EICAR could not be tried: %s", row->name, err.text);
	else if (go_on)
		report(eicar, check, row, &answer, str_text(&way));
	eicar->tried += result == 0;
	answer_done(&answer);
	return go_on;
}

void eicar_conclude(const struct eicar *eicar, struct check *check)
{
	if (eicar->tried && !eicar->found)
		check_fail(check,
			   "none of the detectors finds EICAR: as it stands, malware would pass: "
			   "configure one that does, or mend what is said above");
}
