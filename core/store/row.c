/* row: see row.h. */
#include "core/store/row.h"

#include <pthread.h>
#include <string.h>

#include "core/store/db.h"
#include "core/store/version.h"

enum {
	ROW_PARAMETERS = 36,
	ROW_FINDING_PARAMETERS = 11,
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

void row_hex(const uint8_t sha256[32], char out[64])
{
	for (size_t i = 0; i < 32; i++) {
		out[2 * i] = hex_digits[sha256[i] >> 4];
		out[2 * i + 1] = hex_digits[sha256[i] & 15];
	}
}

static struct row_value integer(int64_t value)
{
	return (struct row_value){ .kind = ROW_INTEGER, .integer = value };
}

static struct row_value bytes(const void *at, size_t len)
{
	return (struct row_value){ .kind = at ? ROW_TEXT : ROW_NULL, .bytes = at, .len = len };
}

static struct row_value text(const char *value)
{
	return bytes(value, value ? strlen(value) : 0);
}

static struct row_value hash_value(const struct version *version, struct row_scratch *scratch)
{
	if (!version->has_sha256)
		return (struct row_value){ .kind = ROW_NULL };
	row_hex(version->sha256, scratch->sha256);
	return bytes(scratch->sha256, sizeof scratch->sha256);
}

static struct row_value name_value(const struct version *version)
{
	size_t len = 0;
	const char *name = version_name(version, &len);
	return bytes(name, len);
}

static struct row_value field_value(const struct entry *entry, int parameter)
{
	const struct slice *slice = &entry->field[fields[parameter - FIRST_FIELD_PARAMETER]];
	return bytes(slice->at, slice->len);
}

/* The key, 2 to 7. */
static struct row_value key_value(const struct version *version, int64_t dir_id, int parameter)
{
	switch (parameter) {
	case 2:
		return integer(dir_id);
	case 3:
		return name_value(version);
	case 4:
		return integer((int64_t)version->identity.inode);
	case 5:
		return integer(version->identity.btime_ns);
	case 6:
		return integer(version->identity.size);
	default:
		return integer(version->identity.mtime_ns);
	}
}

/* How it stands with the version, 8 to 15. */
static struct row_value state_value(const struct version *version, int parameter)
{
	switch (parameter) {
	case 8:
		return text(version_state_name(version->state));
	case 9:
		return text(version_reason_name(version->reason));
	case 10:
		return text(version->verdict < OUTCOMES ? outcome_name(version->verdict) : NULL);
	case 11:
		return text(version_wait_name(version->wait));
	case 12:
		return integer(version->due_ns);
	case 13:
		return integer(version->attempt);
	case 14:
		return integer(version->checked_ns);
	default:
		return version->finished_ns ? integer(version->finished_ns) : text(NULL);
	}
}

/* 31 to 36. */
static struct row_value late_value(const struct version *version, int parameter)
{
	switch (parameter) {
	case 31:
		return integer(version->first_seen_ns);
	case 32:
		return integer(version->tries);
	case 33:
		return integer(version->content);
	case 34:
		return integer(version->away_since_ns);
	case 35:
		return text(version->real_mime);
	default:
		return integer(version->incomplete);
	}
}

struct row_value row_value(const struct version *version, int64_t dir_id, int parameter,
			   struct row_scratch *scratch)
{
	if (parameter == 1)
		return integer(version->id);
	if (parameter < 8)
		return key_value(version, dir_id, parameter);
	if (parameter < 16)
		return state_value(version, parameter);
	if (parameter >= FIRST_FIELD_PARAMETER && parameter < FIRST_FIELD_PARAMETER + ENTRY_FIELDS)
		return field_value(&version->entry, parameter);
	switch (parameter) {
	case 16:
		return hash_value(version, scratch);
	case 17:
		return text(version->note);
	case 18:
		return text(*version->entry.mime ? version->entry.mime : NULL);
	case 19:
		return text(version->entry.scheme);
	default:
		return late_value(version, parameter);
	}
}

static void bind_value(sqlite3_stmt *statement, int at, const struct row_value *value)
{
	if (value->kind == ROW_INTEGER)
		db_bind(statement, at, value->integer);
	else if (value->kind == ROW_BLOB)
		(void)sqlite3_bind_blob64(statement, at, value->bytes, value->len, SQLITE_STATIC);
	else
		db_bind_bytes(statement, at, value->bytes, value->len);
}

void row_bind_key(sqlite3_stmt *statement, const struct version *version, int64_t dir_id)
{
	for (int i = 2; i <= 7; i++) {
		struct row_value value = key_value(version, dir_id, i);
		bind_value(statement, i, &value);
	}
	db_bind(statement, 33, version->content);
}

void row_bind_sha256(sqlite3_stmt *statement, int at, const struct version *version,
		     struct row_scratch *scratch)
{
	struct row_value value = hash_value(version, scratch);
	bind_value(statement, at, &value);
}

void row_bind(sqlite3_stmt *statement, const struct version *version, int64_t dir_id,
	      struct row_scratch *scratch)
{
	for (int i = 1; i <= ROW_PARAMETERS; i++) {
		struct row_value value = row_value(version, dir_id, i, scratch);
		bind_value(statement, i, &value);
	}
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

/* One more than the digit's value, lower case as they are written; 0: none. A table, since a start
 * may read millions. */
static const uint8_t hex_values[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

static unsigned hex_value(char c)
{
	return hex_values[(unsigned char)c];
}

int row_sha256(sqlite3_stmt *statement, int column, uint8_t out[32])
{
	const char *text = column_text(statement, column);
	if (!text || sqlite3_column_bytes(statement, column) != 64)
		return 0;
	for (size_t i = 0; i < 32; i++) {
		unsigned high = hex_value(text[2 * i]);
		unsigned low = hex_value(text[2 * i + 1]);
		if (high == 0 || low == 0)
			return 0;
		out[i] = (uint8_t)((high - 1) << 4 | (low - 1));
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

struct row_value row_finding_value(const struct finding *finding, int parameter)
{
	switch (parameter) {
	case 4:
		return text(outcome_name(finding->outcome));
	case 5:
		return integer(finding->attempt);
	case 6:
		return integer(finding->cached);
	case 7:
		return integer(finding->started_ns);
	case 8:
		return integer(finding->finished_ns);
	case 9:
		return (struct row_value){ .kind = ROW_BLOB,
					   .bytes = finding->key,
					   .len = sizeof finding->key };
	case 10:
		return text(finding->signature);
	default:
		return text(finding->detail);
	}
}

void row_bind_finding(sqlite3_stmt *statement, const struct finding *finding)
{
	for (int i = ROW_FINDING_DETECTOR + 1; i <= ROW_FINDING_PARAMETERS; i++) {
		struct row_value value = row_finding_value(finding, i);
		bind_value(statement, i, &value);
	}
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

int row_read_findings(sqlite3_stmt *statement, struct version *version)
{
	db_bind(statement, 1, version->id);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		struct finding finding = row_read_finding(statement, 0);
		version_add_finding(version, &finding);
	}
	return sqlite3_reset(statement);
}
