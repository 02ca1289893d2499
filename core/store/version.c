/* version: see version.h. */
#include "core/store/version.h"

#include <assert.h>
#include <string.h>

#include "core/base/str.h"

static const char *const states[] = {
	[VERSION_QUEUED] = "queued",
	[VERSION_DONE] = "done",
	[VERSION_UNSCANNED] = "unscanned",
};
static const char *const reasons[] = {
	[REASON_NONE] = NULL,
	[REASON_VANISHED] = "vanished",
	[REASON_UNREADABLE] = "unreadable",
	[REASON_NOT_REGULAR] = "not-regular",
	[REASON_OVERSIZE] = "oversize",
	[REASON_UNMATCHED] = "unmatched",
	[REASON_NO_DETECTOR] = "no-detector",
	[REASON_FAILED] = "failed",
	[REASON_SHED] = "shed",
};
static const char *const waits[] = {
	[WAIT_NOTHING] = NULL,
	[WAIT_WRITER] = "writer",
	[WAIT_SETTLE] = "settle",
	[WAIT_RETRY] = "retry",
};

static_assert(sizeof states / sizeof *states == VERSION_STATES, "each state has a name");
static_assert(sizeof reasons / sizeof *reasons == REASONS, "each reason has a name");
static_assert(sizeof waits / sizeof *waits == WAITS, "each wait has a name");

static unsigned name_index(const char *const *names, unsigned count, const char *name)
{
	for (unsigned i = 0; name && i < count; i++) {
		if (names[i] && strcmp(names[i], name) == 0)
			return i;
	}
	return count;
}

const char *version_state_name(enum version_state state)
{
	assert(state < VERSION_STATES);
	return states[state];
}

const char *version_reason_name(enum version_reason reason)
{
	assert(reason < REASONS);
	return reasons[reason];
}

const char *version_wait_name(enum version_wait wait)
{
	assert(wait < WAITS);
	return waits[wait];
}

enum version_state version_state_by_name(const char *name)
{
	return (enum version_state)name_index(states, VERSION_STATES, name);
}

enum version_reason version_reason_by_name(const char *name)
{
	return (enum version_reason)name_index(reasons, REASONS, name);
}

enum version_wait version_wait_by_name(const char *name)
{
	return (enum version_wait)name_index(waits, WAITS, name);
}

static void set_path(struct version *version, const char *path, size_t path_len)
{
	const char *slash = memrchr(path, '/', path_len);
	version->path = xmemdup(path, path_len);
	version->path_len = path_len;
	version->dir_len = slash ? (size_t)(slash - path) : 0;
}

struct version *version_new(const char *path, size_t path_len)
{
	struct version *version = xcalloc(1, sizeof *version);
	version->verdict = OUTCOMES;
	set_path(version, path, path_len);
	return version;
}

void version_free(struct version *version)
{
	if (!version)
		return;
	for (size_t i = 0; i < version->finding_count; i++)
		finding_done(&version->findings[i]);
	free(version->findings);
	free(version->note);
	free(version->real_mime);
	free(version->path);
	free(version);
}

void version_set_path(struct version *version, const char *path, size_t path_len)
{
	char *old = version->path;
	set_path(version, path, path_len); /* path may lie within the old one */
	free(old);
	version->entry = (struct entry){ 0 };
}

struct version *version_clone(const struct version *version)
{
	struct version *copy = xcalloc(1, sizeof *copy);
	*copy = *version;
	copy->findings = NULL;
	copy->finding_count = 0;
	copy->note = xstrdup(version->note);
	copy->real_mime = xstrdup(version->real_mime);
	copy->path = xmemdup(version->path, version->path_len);
	for (unsigned i = 0; i < ENTRY_FIELDS; i++) {
		const char *at = version->entry.field[i].at;
		if (at)
			copy->entry.field[i].at = copy->path + (at - version->path);
	}
	return copy;
}

void version_add_finding(struct version *version, struct finding *finding)
{
	version->findings =
		xrealloc(version->findings, version->finding_count + 1, sizeof *version->findings);
	version->findings[version->finding_count++] = *finding;
	*finding = (struct finding){ .outcome = OUTCOMES };
}

void version_set_incomplete(struct version *version, const char *words)
{
	version->incomplete = true;
	if (version->note && strstr(version->note, words))
		return;
	AUTO_STR note = STR_INIT;
	if (version->note)
		str_printf(&note, "%s; ", version->note);
	str_puts(&note, words);
	free(version->note);
	version->note = str_take(&note);
}

const char *version_name(const struct version *version, size_t *len)
{
	bool slash = version->dir_len < version->path_len && version->path[version->dir_len] == '/';
	size_t at = version->dir_len + slash;
	*len = version->path_len - at;
	return version->path + at;
}
