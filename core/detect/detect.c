/*
 * detect: see detect.h.
 *
 * What holds for every class is here: the reuse key, and the check that a path still leads to the
 * file that the worker opened. The key of a detector that reads no entry field is made once, so
 * that the cheap detectors cost no hash per file.
 */
#include "core/detect/detect.h"

#include <sys/stat.h>

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/pulse.h"
#include "core/config/config.h"
#include "core/detect/answer.h"
#include "core/detect/detect_state.h"
#include "core/detect/digest.h"
#include "core/detect/plain_extension.h"

#define KEY_SIZE 16

struct detector {
	const struct detector_class *class;
	const struct config_detector *row;
	void *state;
	unsigned reads;
	unsigned needs;
	char digest[DIGEST_HEX];
	uint8_t key[KEY_SIZE]; /* when it reads nothing */
};

static const struct detector_class *const classes[] = {
	&noop_class,  &hashlist_class, &command_class, &api_class, &yara_class,
	&magic_class, &clamd_class,    &remote_class,  NULL,
};

const struct detector_class *detect_class(const char *type)
{
	const struct detector_class *const *at = classes;
	while (*at && strcmp((*at)->type, type) != 0)
		at++;
	return *at;
}

/* A field that is not there differs from an empty one. */
static void add_slice(struct digest *hash, struct slice slice)
{
	digest_number(hash, slice.at ? 1 : 0);
	digest_field(hash, slice.at, slice.at ? slice.len : 0);
}

/* A producer's scheme fixes what may stand where; without one a strange ending may be anything, and
 * the whole name counts. */
static void add_extension(struct digest *hash, const struct entry *entry, struct slice name)
{
	struct slice tail = plain_extension(name);
	add_slice(hash, entry->field[ENTRY_EXTENSION]);
	add_slice(hash, tail);
	if (!tail.at && !entry->scheme)
		add_slice(hash, name);
}

static void make_key(const struct detector *detector, const char *text, const struct entry *entry,
		     struct slice name, uint8_t key[KEY_SIZE])
{
	AUTO(digest) struct digest *hash = digest_new();
	digest_text(hash, detector->class->type);
	digest_text(hash, text);
	digest_number(hash, detector->reads);
	if (detector->reads & DETECT_READS_MIME)
		digest_text(hash, entry->mime);
	if (detector->reads & DETECT_READS_EXTENSION)
		add_extension(hash, entry, name);
	if (detector->reads & DETECT_READS_NAME)
		add_slice(hash, name);
	if (detector->reads & DETECT_READS_PROTOCOL)
		add_slice(hash, entry->field[ENTRY_PROTOCOL]);
	uint8_t full[DIGEST_SIZE];
	digest_end(hash, full);
	memcpy(key, full, KEY_SIZE);
}

static int open_state(struct detector *detector, const struct detect_opening *opening,
		      struct error *err)
{
	const struct detector_class *class = detector->class;
	if (class->open_after)
		return class->open_after(&detector->state, opening, detector->digest, err);
	return class->open(&detector->state, opening->row, opening->config, detector->digest, err);
}

int detector_open_after(struct detector **out, const struct detect_opening *opening,
			const struct detector *earlier, struct error *err)
{
	const struct config_detector *row = opening->row;
	const struct detector_class *class = detect_class(row->type);
	if (!class)
		return error_set(err, EINVAL, "detector %s (line %u): there is no type \"%s\"",
				 row->name, row->line, row->type);
	struct detect_opening own = *opening;
	bool same =
		earlier && earlier->class == class && strcmp(earlier->row->name, row->name) == 0;
	own.earlier = same ? earlier->state : NULL;
	struct detector *detector = xcalloc(1, sizeof *detector);
	detector->class = class;
	detector->row = row;
	int result = open_state(detector, &own, err);
	if (result < 0) {
		free(detector);
		return result;
	}
	detector->reads = class->reads;
	if (class->also_reads)
		detector->reads |= class->also_reads(detector->state);
	detector->needs = class->needs;
	if (class->also_needs)
		detector->needs |= class->also_needs(detector->state);
	if (detector->reads == 0)
		make_key(detector, detector->digest, NULL, (struct slice){ 0 }, detector->key);
	*out = detector;
	return 0;
}

int detector_open(struct detector **out, const struct config_detector *row,
		  const struct config *config, struct error *err)
{
	const struct detect_opening opening = { .row = row, .config = config, .cancel_fd = -1 };
	return detector_open_after(out, &opening, NULL, err);
}

void detector_free(struct detector *detector)
{
	if (!detector)
		return;
	detector->class->close(detector->state);
	free(detector);
}

const char *detector_name(const struct detector *detector)
{
	return detector->row->name;
}

/* Nobody has stalled who waits for an answer: not longer than the timeout, or twice that, as a file
 * may be asked about again, by another clamd say. */
static void be_patient(const struct detector *detector)
{
	int64_t timeout_ms = detector->row->timeout_ms;
	pulse_silent(timeout_ms > INT64_MAX / 2 ? INT64_MAX : 2 * timeout_ms);
}

bool detector_digest(const struct detector *detector, char digest[65], struct error *why)
{
	if (detector->class->digest) {
		be_patient(detector);
		bool known = detector->class->digest(detector->state, digest, why);
		pulse_silent(0);
		return known;
	}
	memcpy(digest, detector->digest, DIGEST_HEX);
	return true;
}

bool detector_away(const struct detector *detector, struct error *why, int64_t *out_since_ns)
{
	const struct detector_class *class = detector->class;
	return class->away && class->away(detector->state, why, out_since_ns);
}

void detector_describe(const struct detector *detector, struct str *out)
{
	if (detector->class->describe)
		detector->class->describe(detector->state, out);
}

bool detector_in_vain(const struct detector *detector, const struct entry *entry, struct error *why)
{
	const struct detector_class *class = detector->class;
	return class->in_vain && class->in_vain(detector->state, entry, why);
}

int detector_probe(const struct detector *detector, struct error *err)
{
	const struct detector_class *class = detector->class;
	return class->probe ? class->probe(detector->state, err) : 0;
}

const struct detector_class *detector_class(const struct detector *detector)
{
	return detector->class;
}

const struct config_detector *detector_row(const struct detector *detector)
{
	return detector->row;
}

unsigned detector_needs(const struct detector *detector)
{
	return detector->needs;
}

void detector_doubts(const struct detector *detector, struct str *out)
{
	if (detector->class->doubts)
		detector->class->doubts(detector->state, out);
}

bool detector_seeks_malware(const struct detector *detector)
{
	return !detector->class->seeks_malware || detector->class->seeks_malware(detector->state);
}

struct detect_report detector_report(const struct detector *detector)
{
	struct detect_report report = { 0 };
	if (detector->class->report)
		detector->class->report(detector->state, &report);
	return report;
}

bool detector_wants(const struct detector *detector, const struct entry *entry,
		    const char *real_mime)
{
	const struct config_detector *row = detector->row;
	const char *real = real_mime ? real_mime : "";
	/* a name that declares nothing is routed by what the file is */
	const char *declared = *entry->mime ? entry->mime : real;
	switch (row->match) {
	case CONFIG_MATCH_DECLARED:
		return config_mime_matches(row->mime, declared);
	/* what a file is may be unknown, say because magic failed on it: then nobody is left out */
	case CONFIG_MATCH_REAL:
		return !*real || config_mime_matches(row->mime, real);
	case CONFIG_MATCH_BOTH:
		return !*real || config_mime_matches(row->mime, declared) ||
		       config_mime_matches(row->mime, real);
	}
	return false;
}

void detector_key(const struct detector *detector, const char *digest, const struct entry *entry,
		  struct slice name, uint8_t key[16])
{
	if (detector->reads == 0 && !detector->class->digest)
		memcpy(key, detector->key, KEY_SIZE);
	else
		make_key(detector, digest, entry, name, key);
}

/* True while the path leads to the file that fd holds; else why not, in words. lstat: what was
 * opened is no symlink, so neither may its path be one now. */
static bool path_holds(const struct scan_request *request, const char **out_words)
{
	struct stat held, named;
	if (fstat(request->fd, &held) < 0 || lstat(request->path, &named) < 0) {
		*out_words = error_text(errno);
		return false;
	}
	*out_words = "another file is there";
	return held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

static void path_lost(struct answer *answer, const char *words)
{
	answer_fail(answer, OUTCOME_ERROR,
		    "the path no longer leads to the file that was opened: %s", words);
}

void detector_scan(const struct detector *detector, const struct scan_request *request,
		   struct answer *answer)
{
	const struct detector_class *class = detector->class;
	assert(request->fd >= 0 || !(detector->needs & DETECT_NEEDS_FD));
	const char *words = NULL;
	bool by_path = detector->needs & DETECT_NEEDS_PATH;
	if (by_path && !path_holds(request, &words)) {
		path_lost(answer, words);
		return;
	}
	be_patient(detector);
	class->scan(detector->state, request, answer);
	pulse_silent(0);
	if (by_path && !answer->cancelled && !answer->unable && !answer->away &&
	    !path_holds(request, &words))
		path_lost(answer, words);
}
