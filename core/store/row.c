/* row: see row.h. */
#include "core/store/row.h"

#include <pthread.h>
#include <string.h>

#include "core/store/db.h"
#include "core/store/version.h"

enum {
	FIRST_FIELD_PARAMETER = 20,
	TRIES_COLUMN = 32, /* of ROW_SELECT */
	AWAY_COLUMN,
	INCOMPLETE_COLUMN,
	REAL_MIME_COLUMN,
};

/* The fields in the order of the statements: fuid first, as it is indexed. */
static const enum entry_field fields[] = {
	ENTRY_FUID,    ENTRY_PROTOCOL,	ENTRY_PCAP,	ENTRY_MEDIA_TYPE,
	ENTRY_SUBTYPE, ENTRY_EXTENSION, ENTRY_CONN_UID, ENTRY_TS,
	ENTRY_ORIG_H,  ENTRY_RESP_H,	ENTRY_HASH,
};

_Static_assert(sizeof fields / sizeof *fields == ENTRY_FIELDS, "each field has a column");

static const char hex_digits[] = "0123456789abcdef";

void row_bind_key(sqlite3_stmt *statement, const struct version *version, int64_t dir_id)
{
	size_t name_len = 0;
	const char *name = version_name(version, &name_len);
	db_bind(statement, 2, dir_id);
	db_bind_bytes(statement, 3, name, name_len);
	db_bind(statement, 4, (int64_t)version->identity.inode);
	db_bind(statement, 5, version->identity.btime_ns);
	db_bind(statement, 6, version->identity.size);
	db_bind(statement, 7, version->identity.mtime_ns);
	db_bind(statement, 33, version->content);
}

static void bind_nonzero(sqlite3_stmt *statement, int at, int64_t value)
{
	if (value)
		db_bind(statement, at, value);
	else
		(void)sqlite3_bind_null(statement, at);
}

void row_bind_sha256(sqlite3_stmt *statement, int at, const struct version *version,
		     struct row_scratch *scratch)
{
	if (!version->has_sha256) {
		(void)sqlite3_bind_null(statement, at);
		return;
	}
	for (size_t i = 0; i < sizeof version->sha256; i++) {
		scratch->sha256[2 * i] = hex_digits[version->sha256[i] >> 4];
		scratch->sha256[2 * i + 1] = hex_digits[version->sha256[i] & 15];
	}
	db_bind_bytes(statement, at, scratch->sha256, sizeof scratch->sha256);
}

static void bind_entry(sqlite3_stmt *statement, const struct entry *entry)
{
	db_bind_text(statement, 18, *entry->mime ? entry->mime : NULL);
	db_bind_text(statement, 19, entry->scheme);
	for (int i = 0; i < ENTRY_FIELDS; i++) {
		const struct slice *slice = &entry->field[fields[i]];
		db_bind_bytes(statement, FIRST_FIELD_PARAMETER + i, slice->at, slice->len);
	}
}

void row_bind(sqlite3_stmt *statement, const struct version *version, int64_t dir_id,
	      struct row_scratch *scratch)
{
	db_bind(statement, 1, version->id);
	row_bind_key(statement, version, dir_id);
	db_bind_text(statement, 8, version_state_name(version->state));
	db_bind_text(statement, 9, version_reason_name(version->reason));
	db_bind_text(statement, 10,
		     version->verdict < OUTCOMES ? outcome_name(version->verdict) : NULL);
	db_bind_text(statement, 11, version_wait_name(version->wait));
	db_bind(statement, 12, version->due_ns);
	db_bind(statement, 13, version->attempt);
	db_bind(statement, 14, version->checked_ns);
	bind_nonzero(statement, 15, version->finished_ns);
	row_bind_sha256(statement, 16, version, scratch);
	db_bind_text(statement, 17, version->note);
	bind_entry(statement, &version->entry);
	db_bind(statement, 31, version->first_seen_ns);
	db_bind(statement, 32, version->tries);
	db_bind(statement, 34, version->away_since_ns);
	db_bind(statement, 36, version->incomplete);
	db_bind_text(statement, 35, version->real_mime);
}

static const char *column_text(sqlite3_stmt *statement, int column)
{
	return (const char *)sqlite3_column_text(statement, column);
}

static char *column_copy(sqlite3_stmt *statement, int column)
{
	const char *text = column_text(statement, column);
	return text ? xmemdup(text, (size_t)sqlite3_column_bytes(statement, column)) : NULL;
}

static int hex_value(char c)
{
	const char *at = c ? strchr(hex_digits, c) : NULL;
	return at ? (int)(at - hex_digits) : -1;
}

int row_sha256(sqlite3_stmt *statement, int column, uint8_t out[32])
{
	const char *text = column_text(statement, column);
	if (!text || sqlite3_column_bytes(statement, column) != 64)
		return 0;
	for (size_t i = 0; i < 32; i++) {
		int high = hex_value(text[2 * i]);
		int low = hex_value(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return 0;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return 1;
}

/* Schemes are static strings of another room; those read back live here, for ever. They are few. */
static const char *intern_scheme(const char *name)
{
	enum {
		KNOWN_MAX = 64
	};

	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static char *known[KNOWN_MAX]; /* guarded by lock */
	const char *found = NULL;
	if (!name)
		return NULL;
	(void)pthread_mutex_lock(&lock);
	for (size_t i = 0; i < KNOWN_MAX && !found; i++) {
		if (!known[i])
			known[i] = xstrdup(name);
		if (strcmp(known[i], name) == 0)
			found = known[i];
	}
	(void)pthread_mutex_unlock(&lock);
	return found;
}

/* A field is a piece of the path; which of several equal pieces does not matter. */
static struct slice find_slice(const struct version *version, const char *text, size_t len)
{
	size_t name_len = 0;
	const char *name = version_name(version, &name_len);
	const char *at = memmem(name, name_len, text, len);
	if (!at)
		at = memmem(version->path, version->path_len, text, len);
	return (struct slice){ .at = at, .len = at ? len : 0 };
}

static void read_entry(sqlite3_stmt *statement, int at, struct version *version)
{
	struct entry *entry = &version->entry;
	const char *mime = column_text(statement, at);
	size_t mime_len = (size_t)sqlite3_column_bytes(statement, at);
	if (mime && mime_len < sizeof entry->mime)
		memcpy(entry->mime, mime, mime_len);
	entry->scheme = intern_scheme(column_text(statement, at + 1));
	for (int i = 0; i < ENTRY_FIELDS; i++) {
		const char *text = column_text(statement, at + 2 + i);
		size_t len = (size_t)sqlite3_column_bytes(statement, at + 2 + i);
		if (text)
			entry->field[fields[i]] = find_slice(version, text, len);
	}
}

char *row_path(sqlite3_stmt *statement, int dir, int name, size_t *len)
{
	const char *dir_text = column_text(statement, dir);
	size_t dir_len = (size_t)sqlite3_column_bytes(statement, dir);
	const char *name_text = column_text(statement, name);
	size_t name_len = (size_t)sqlite3_column_bytes(statement, name);
	char *path = xcalloc(1, dir_len + name_len + 2);
	memcpy(path, dir_text ? dir_text : "", dir_len);
	path[dir_len] = '/';
	memcpy(path + dir_len + 1, name_text ? name_text : "", name_len);
	*len = dir_len + 1 + name_len;
	return path;
}

static struct version *read_path(sqlite3_stmt *statement, int dir, int name)
{
	size_t len = 0;
	AUTO_FREE char *path = row_path(statement, dir, name, &len);
	struct version *version = version_new(path, len);
	version->dir_len = (size_t)sqlite3_column_bytes(statement, dir);
	return version;
}

static enum version_reason read_reason(const char *name)
{
	return name ? version_reason_by_name(name) : REASON_NONE;
}

static enum version_wait read_wait(const char *name)
{
	return name ? version_wait_by_name(name) : WAIT_NOTHING;
}

struct version *row_read(sqlite3_stmt *statement)
{
	struct version *version = read_path(statement, 1, 2);
	version->id = sqlite3_column_int64(statement, 0);
	version->identity = (struct identity){
		.fsid = (uint64_t)sqlite3_column_int64(statement, 3),
		.inode = (uint64_t)sqlite3_column_int64(statement, 4),
		.btime_ns = sqlite3_column_int64(statement, 5),
		.size = sqlite3_column_int64(statement, 6),
		.mtime_ns = sqlite3_column_int64(statement, 7),
	};
	const char *verdict = column_text(statement, 10);
	version->state = version_state_by_name(column_text(statement, 8));
	version->reason = read_reason(column_text(statement, 9));
	version->verdict = verdict ? outcome_by_name(verdict) : OUTCOMES;
	version->wait = read_wait(column_text(statement, 11));
	version->due_ns = sqlite3_column_int64(statement, 12);
	version->attempt = (unsigned)sqlite3_column_int64(statement, 13);
	version->first_seen_ns = sqlite3_column_int64(statement, 14);
	version->checked_ns = sqlite3_column_int64(statement, 15);
	version->finished_ns = sqlite3_column_int64(statement, 16);
	version->has_sha256 = row_sha256(statement, 17, version->sha256) != 0;
	version->note = column_copy(statement, 18);
	read_entry(statement, 19, version);
	version->tries = (unsigned)sqlite3_column_int64(statement, TRIES_COLUMN);
	version->away_since_ns = sqlite3_column_int64(statement, AWAY_COLUMN);
	version->incomplete = sqlite3_column_int(statement, INCOMPLETE_COLUMN) != 0;
	version->real_mime = column_copy(statement, REAL_MIME_COLUMN);
	return version;
}

void row_bind_finding(sqlite3_stmt *statement, const struct finding *finding)
{
	db_bind_text(statement, 4, outcome_name(finding->outcome));
	db_bind(statement, 5, finding->attempt);
	db_bind(statement, 6, finding->cached);
	db_bind(statement, 7, finding->started_ns);
	db_bind(statement, 8, finding->finished_ns);
	(void)sqlite3_bind_blob(statement, 9, finding->key, sizeof finding->key, SQLITE_STATIC);
	db_bind_text(statement, 10, finding->signature);
	db_bind_text(statement, 11, finding->detail);
}

struct finding row_read_finding(sqlite3_stmt *statement, int at)
{
	struct finding finding = { .detector = column_copy(statement, at) };
	const char *digest = column_text(statement, at + 1);
	if (digest)
		memcpy(finding.digest, digest, strnlen(digest, sizeof finding.digest - 1));
	const char *outcome = column_text(statement, at + 2);
	finding.outcome = outcome ? outcome_by_name(outcome) : OUTCOMES;
	finding.attempt = (unsigned)sqlite3_column_int64(statement, at + 3);
	finding.cached = sqlite3_column_int(statement, at + 4) != 0;
	finding.started_ns = sqlite3_column_int64(statement, at + 5);
	finding.finished_ns = sqlite3_column_int64(statement, at + 6);
	const void *key = sqlite3_column_blob(statement, at + 7);
	if (key && sqlite3_column_bytes(statement, at + 7) == sizeof finding.key)
		memcpy(finding.key, key, sizeof finding.key);
	finding.signature = column_copy(statement, at + 8);
	finding.detail = column_copy(statement, at + 9);
	return finding;
}
