/*
 * row: a struct version as a row of the table version, in both directions. Private to this room.
 *
 * One order of parameters serves insert and update; one list of columns serves every query that
 * gives whole versions.
 */
#ifndef CARVED_CORE_STORE_ROW_H
#define CARVED_CORE_STORE_ROW_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

struct finding;
struct version;

/* The columns of version in the order of their parameters, ?1 to ?36. */
#define ROW_INSERT_COLUMNS                                                                 \
	"id, dir_id, name, inode, btime_ns, size, mtime_ns, state, reason, verdict, wait," \
	" due_ns, attempt, checked_ns, finished_ns, sha256, note, mime, scheme, fuid,"     \
	" protocol, pcap, media_type, subtype, extension, conn_uid, ts, orig_h, resp_h,"   \
	" name_hash, first_seen_ns, tries, content, away_since_ns, real_mime, incomplete"
#define ROW_INSERT                                                                         \
	"INSERT INTO version (" ROW_INSERT_COLUMNS                                         \
	") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16," \
	" ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32," \
	" ?33, ?34, ?35, ?36) ON CONFLICT DO NOTHING"

#define ROW_TYPE "CASE WHEN max(attempt, ?13) = 0 THEN ?35 ELSE coalesce(?35, real_mime) END"
#define ROW_HASH "CASE WHEN max(attempt, ?13) = 0 THEN ?16 ELSE coalesce(?16, sha256) END"
/* What may change without touching the indexes on the key and on fuid. A version that ends without
 * having been read leaves the hash that the row's outcomes belong to; a row without outcomes has
 * none to keep. */
#define ROW_SET_REST                                                                           \
	"state = ?8, reason = ?9, verdict = ?10, wait = ?11, due_ns = ?12, attempt = ?13,"     \
	" checked_ns = ?14, finished_ns = ?15, sha256 = " ROW_HASH ", note = ?17, mime = ?18," \
	" scheme = ?19, protocol = ?21, pcap = ?22, media_type = ?23, subtype = ?24,"          \
	" tries = ?32, away_since_ns = ?34, real_mime = " ROW_TYPE                             \
	", incomplete = max(incomplete, ?36), extension = ?25, conn_uid = ?26, ts = ?27, orig_h = ?28, resp_h = ?29, name_hash = ?30"
#define ROW_SET_KEY "dir_id = ?2, name = ?3, inode = ?4, btime_ns = ?5, size = ?6, mtime_ns = ?7"
/* Of any content. */
#define ROW_KEY_IS                                                                 \
	"dir_id = ?2 AND name = ?3 AND inode = ?4 AND btime_ns = ?5 AND size = ?6" \
	" AND mtime_ns = ?7"

/* Room for what is bound and does not lie in the version itself; lives until the statement ran. */
struct row_scratch {
	char sha256[64];
};

/* What a column gets. */
struct row_value {
	enum {
		ROW_NULL,
		ROW_INTEGER,
		ROW_TEXT,
		ROW_BLOB
	} kind;

	size_t len;	   /* of bytes */
	const void *bytes; /* borrowed from the version, or the scratch */
	int64_t integer;
};

/** The value of a parameter, 1 to 36. */
struct row_value row_value(const struct version *version, int64_t dir_id, int parameter,
			   struct row_scratch *scratch);
/** Binds them all. */
void row_bind(sqlite3_stmt *statement, const struct version *version, int64_t dir_id,
	      struct row_scratch *scratch);
/** The hash alone, as hex or NULL. */
void row_bind_sha256(sqlite3_stmt *statement, int at, const struct version *version,
		     struct row_scratch *scratch);
/** Binds the key alone (?2 to ?7, ?33). */
void row_bind_key(sqlite3_stmt *statement, const struct version *version, int64_t dir_id);

/* The columns that row_read() expects, from version v and dir d. */
#define ROW_COLUMNS                                                                         \
	" v.id, d.path, v.name, d.fsid, v.inode, v.btime_ns, v.size, v.mtime_ns, v.state,"  \
	" v.reason, v.verdict, v.wait, v.due_ns, v.attempt, v.first_seen_ns, v.checked_ns," \
	" v.finished_ns, v.sha256, v.note, v.mime, v.scheme, v.fuid, v.protocol, v.pcap,"   \
	" v.media_type, v.subtype, v.extension, v.conn_uid, v.ts, v.orig_h, v.resp_h,"      \
	" v.name_hash, v.tries, v.away_since_ns, v.incomplete, v.real_mime"
#define ROW_SELECT "SELECT" ROW_COLUMNS " FROM version v CROSS JOIN dir d ON d.id = v.dir_id "

/** The statement's current row as a version; owned. */
struct version *row_read(sqlite3_stmt *statement);

/* Parameters of ROW_INSERT_FINDING that are not the finding's own. */
enum {
	ROW_FINDING_VERSION = 1,
	ROW_FINDING_NR,
	ROW_FINDING_DETECTOR,
};

#define ROW_FINDING_COLUMNS                                                                    \
	"version_id, nr, detector_id, outcome, attempt, cached, started_ns, finished_ns, key," \
	" signature, detail"
#define ROW_INSERT_FINDING                         \
	"INSERT INTO result (" ROW_FINDING_COLUMNS \
	") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"

/** The value of one of the further parameters, 4 to 11. */
struct row_value row_finding_value(const struct finding *finding, int parameter);
/** Binds those. */
void row_bind_finding(sqlite3_stmt *statement, const struct finding *finding);

/* The columns that row_read_finding() expects, from result r and detector d. */
#define ROW_FINDING_REST                                                                    \
	" r.outcome, r.attempt, r.cached, r.started_ns, r.finished_ns, r.key, r.signature," \
	" r.detail "
#define ROW_FINDING " d.name, d.digest," ROW_FINDING_REST

/* Those of version ?1, in the order in which they were made. */
#define ROW_SELECT_FINDINGS                                                          \
	"SELECT" ROW_FINDING "FROM result r JOIN detector d ON d.id = r.detector_id" \
	" WHERE r.version_id = ?1 ORDER BY r.nr"

/** Runs that statement for the version's id and adds what it gives. SQLITE_OK, or the failure's
 * code. */
int row_read_findings(sqlite3_stmt *statement, struct version *version);

/** The current row, whose finding begins at column at. */
struct finding row_read_finding(sqlite3_stmt *statement, int at);

/** A hash as it stands in the history: 64 lower-case digits, no terminator. */
void row_hex(const uint8_t sha256[32], char out[64]);

/** The path that the columns with its directory and its name make; owned. */
char *row_path(sqlite3_stmt *statement, int dir, int name, size_t *len);
/** Decodes 64 hex digits; false when there are none. */
int row_sha256(sqlite3_stmt *statement, int column, uint8_t out[32]);

#endif
