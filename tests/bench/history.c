/*
 * history: fills a history of carved with versions as sensors leave them behind, to ask and to
 * write to at sizes that take months to come about.
 *
 *	history DATABASE COUNT [SEED]
 *
 * DATABASE was made by carved and is empty. The versions end now and go back 333,333 a day: day and
 * night differ, fuids are random, inodes are used again, some contents are met again and again, and
 * what they were said to be is taken over. Detectors get other rules every week. Some versions are
 * unscanned, for all reasons, and the last 500 are queued. tally and timing are kept as
 *the daemon keeps them. The same seed gives the same history, but for the time at which it ends.
 *
 * Rows are written without a journal, in one transaction: whoever interrupts it has nothing.
 */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000000)
#define DAY    (86400 * SECOND)

enum {
	PER_DAY = 333333,
	QUEUED = 500,
	DIRECTORIES = 24,
	INODES = 3000000, /* after so many files they are used again */
	POPULAR = 500,	  /* contents that are met for ever */
	RECENT = 1 << 16, /* contents that may be met again soon */
	TALLY_SLOTS = 1 << 16,
	TIMING_SLOTS = 1 << 13,
	RULE_DAYS = 7,
	EPOCHS = 4096,
	FIRST_PARAMETER = 1,
};

struct random {
	uint64_t state;
};

static uint64_t mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* splitmix64: https://prng.di.unimi.it/splitmix64.c */
static uint64_t draw(struct random *random)
{
	return mix(random->state += UINT64_C(0x9e3779b97f4a7c15));
}

static uint64_t below(struct random *random, uint64_t limit)
{
	return draw(random) % limit;
}

static bool chance(struct random *random, unsigned in_100000)
{
	return below(random, 100000) < in_100000;
}

struct type {
	const char *media_type;
	const char *subtype;
	const char *extension;
	unsigned weight;
};

/* What Zeek sees of a network that browses and mails. */
static const struct type types[] = {
	{ "text", "plain", "txt", 1900 },
	{ "text", "html", "html", 2300 },
	{ "image", "png", "png", 1100 },
	{ "image", "jpeg", "jpg", 1000 },
	{ "image", "gif", "gif", 500 },
	{ "text", "json", "json", 900 },
	{ "application", "javascript", "js", 600 },
	{ "application", "xml", "xml", 350 },
	{ "application", "octet-stream", "bin", 300 },
	{ "application", "x-x509-user-cert", "cer", 260 },
	{ "application", "ocsp-response", "ocsp", 200 },
	{ "application", "zip", "zip", 120 },
	{ "application", "pdf", "pdf", 110 },
	{ "application", "x-gzip", "gz", 80 },
	{ "video", "mp4", "mp4", 70 },
	{ "application", "x-dosexec", "exe", 60 },
	{ "application", "vnd.ms-cab-compressed", "cab", 40 },
	{ "application", "msword", "doc", 20 },
	{ "application", "vnd.ms-excel", "xls", 20 },
	{ "application", "vnd.openxmlformats-officedocument.wordprocessingml.document", "docx",
	  18 },
	{ "audio", "mpeg", "mp3", 16 },
	{ "application", "x-rar", "rar", 8 },
	{ "application", "x-7z-compressed", "7z", 6 },
	{ "application", "java-archive", "jar", 4 },
	{ "application", "x-shockwave-flash", "swf", 3 },
	{ "application", "x-executable", "elf", 2 },
	{ "application", "vnd.android.package-archive", "apk", 1 },
};

enum {
	TYPES = sizeof types / sizeof *types,
};

static const char *const protocols[] = { "HTTP", "HTTP", "HTTP", "HTTP",
					 "SSL",	 "SMTP", "SMB",	 "FTP_DATA" };

static const char *const reasons[] = { "vanished",    "vanished",   "vanished", "unmatched",
				       "unmatched",   "oversize",   "failed",	"unreadable",
				       "no-detector", "not-regular" };

struct detector {
	const char *name;
	unsigned scans_in_100; /* of the versions */
	unsigned slowness_us;
	unsigned rule_days; /* 0: its rules stay */
};

static const struct detector detectors[] = {
	{ "hashlist", 100, 2, 1 },
	{ "magic", 60, 150, 0 },
	{ "yara", 30, 2500, RULE_DAYS },
};

enum {
	DETECTORS = sizeof detectors / sizeof *detectors,
	ANSWERS_MAX = DETECTORS,
};

struct content {
	uint64_t number; /* 0: nothing yet */
	int64_t answered_ns;
	int64_t size;
	unsigned type;
};

struct tally_cell {
	int64_t day;
	const char *mime, *state, *reason, *verdict;
	int64_t files;
};

struct timing_cell {
	int64_t day, detector_id;
	const char *outcome;
	int64_t scans, cached, spent_ns, longest_ns;
};

struct answer {
	int64_t detector_id;
	const char *outcome;
	const char *signature;
	bool cached;
	int64_t started_ns, finished_ns;
};

struct version {
	int64_t id, dir_id, inode, size, mtime_ns, seen_ns, finished_ns;
	const char *state, *reason, *verdict;
	const struct type *type; /* NULL: the name does not say */
	const char *mime;
	const char *protocol;
	uint64_t content;
	char fuid[20], name[200], pcap[16], ts[24], sha256[65];
	struct answer answers[ANSWERS_MAX];
	unsigned answer_count;
};

static sqlite3 *db;
static sqlite3_stmt *insert_version, *insert_result, *insert_detector;
static struct content popular[POPULAR], recent[RECENT];
static struct tally_cell tally[TALLY_SLOTS];
static struct timing_cell timing[TIMING_SLOTS];
static int64_t detector_ids[DETECTORS][EPOCHS];
static char mimes[TYPES][96];
static unsigned weights;

_Noreturn static void fail(const char *what)
{
	fprintf(stderr, "history: %s: %s\n", what, db ? sqlite3_errmsg(db) : "");
	exit(1);
}

static void run(const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail(sql);
}

static sqlite3_stmt *prepare(const char *sql)
{
	sqlite3_stmt *statement = NULL;
	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		fail(sql);
	return statement;
}

/* Binds in order: i an int64_t, t a text or NULL, b sixteen bytes; then steps. */
static void put(sqlite3_stmt *statement, const char *kinds, ...)
{
	va_list values;
	va_start(values, kinds);
	for (int at = FIRST_PARAMETER; *kinds; at++, kinds++) {
		if (*kinds == 'i')
			sqlite3_bind_int64(statement, at, va_arg(values, int64_t));
		else if (*kinds == 't')
			sqlite3_bind_text(statement, at, va_arg(values, const char *), -1,
					  SQLITE_STATIC);
		else
			sqlite3_bind_blob(statement, at, va_arg(values, const void *), 16,
					  SQLITE_STATIC);
	}
	va_end(values);
	if (sqlite3_step(statement) != SQLITE_DONE || sqlite3_reset(statement) != SQLITE_OK)
		fail(sqlite3_sql(statement));
}

/* ---- what is counted ---- */

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* Texts are of this program, each there once, so that their addresses tell them apart. */
static void count_version(const struct version *version)
{
	struct tally_cell wanted = {
		version->seen_ns / DAY,	   or_empty(version->mime),    version->state,
		or_empty(version->reason), or_empty(version->verdict), 0
	};
	uint64_t at =
		mix((uint64_t)wanted.day ^ (uintptr_t)wanted.mime ^ (uintptr_t)wanted.reason << 1 ^
		    (uintptr_t)wanted.verdict << 2 ^ (uintptr_t)wanted.state << 3);
	for (;; at++) {
		struct tally_cell *cell = &tally[at % TALLY_SLOTS];
		if (!cell->files)
			*cell = wanted;
		if (cell->day == wanted.day && cell->mime == wanted.mime &&
		    cell->state == wanted.state && cell->reason == wanted.reason &&
		    cell->verdict == wanted.verdict) {
			cell->files++;
			return;
		}
	}
}

static void count_answer(const struct answer *answer)
{
	int64_t day = answer->finished_ns / DAY;
	uint64_t at = mix((uint64_t)day ^ (uint64_t)answer->detector_id << 32 ^
			  (uintptr_t)answer->outcome);
	struct timing_cell *cell = &timing[at % TIMING_SLOTS];
	while (cell->scans && (cell->day != day || cell->detector_id != answer->detector_id ||
			       cell->outcome != answer->outcome))
		cell = &timing[++at % TIMING_SLOTS];
	cell->day = day;
	cell->detector_id = answer->detector_id;
	cell->outcome = answer->outcome;
	cell->scans++;
	cell->cached += answer->cached;
	int64_t took_ns = answer->finished_ns - answer->started_ns;
	if (answer->cached)
		return;
	cell->spent_ns += took_ns;
	if (took_ns > cell->longest_ns)
		cell->longest_ns = took_ns;
}

/* Histories of an older carved are filled as well, to compare. */
static bool is_there(const char *table)
{
	sqlite3_stmt *find = prepare("SELECT 1 FROM sqlite_schema WHERE name = ?1");
	sqlite3_bind_text(find, FIRST_PARAMETER, table, -1, SQLITE_STATIC);
	bool found = sqlite3_step(find) == SQLITE_ROW;
	sqlite3_finalize(find);
	return found;
}

static void write_tally(void)
{
	sqlite3_stmt *put_tally =
		prepare("INSERT INTO tally (day, mime, state, reason, verdict, files)"
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
	for (size_t i = 0; i < TALLY_SLOTS; i++) {
		const struct tally_cell *cell = &tally[i];
		if (cell->files)
			put(put_tally, "itttti", cell->day, cell->mime, cell->state, cell->reason,
			    cell->verdict, cell->files);
	}
	sqlite3_finalize(put_tally);
}

static void write_timing(void)
{
	sqlite3_stmt *put_timing =
		prepare("INSERT INTO timing (day, detector_id, outcome, scans, cached,"
			" spent_ns, longest_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
	for (size_t i = 0; i < TIMING_SLOTS; i++) {
		const struct timing_cell *cell = &timing[i];
		if (cell->scans)
			put(put_timing, "iitiiii", cell->day, cell->detector_id, cell->outcome,
			    cell->scans, cell->cached, cell->spent_ns, cell->longest_ns);
	}
	sqlite3_finalize(put_timing);
}

/* ---- one version ---- */

static void hex(char *out, uint64_t value)
{
	for (int i = 15; i >= 0; i--, value >>= 4)
		out[i] = "0123456789abcdef"[value & 15];
}

static void sha256_of(uint64_t content, char *out)
{
	for (uint64_t i = 0; i < 4; i++)
		hex(out + 16 * i, mix(content * 4 + i + UINT64_C(0x5ca1ab1e)));
	out[64] = '\0';
}

/* "F" and 17 digits to base 62, as Zeek writes 96 random bits. */
static void make_fuid(struct random *random, char *out)
{
	static const char digits[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	uint64_t bits = draw(random);
	*out++ = 'F';
	for (int i = 0; i < 17; i++, bits /= 62) {
		if (i == 9)
			bits = draw(random);
		*out++ = digits[bits % 62];
	}
	*out = '\0';
}

static unsigned draw_type(struct random *random)
{
	unsigned at = 0;
	unsigned weight = (unsigned)below(random, weights);
	while (weight >= types[at].weight)
		weight -= types[at++].weight;
	return at;
}

/* From some bytes to some MiB, most small. */
static int64_t draw_size(struct random *random)
{
	unsigned bits = (unsigned)(5 + below(random, 6) + below(random, 6) + below(random, 6));
	return (int64_t)(1 + (draw(random) & ((UINT64_C(1) << bits) - 1)));
}

/* The content of the next file; *known: it was met before. */
static struct content *draw_content(struct random *random, int64_t number, bool *known)
{
	struct content *content;
	if (chance(random, 15000)) {
		/* few of the popular ones are most of what is met */
		uint64_t rank = below(random, POPULAR);
		content = &popular[rank * below(random, POPULAR) / POPULAR];
	} else if (chance(random, 15000)) {
		content = &recent[below(random, RECENT)];
	} else {
		content = &recent[(uint64_t)number % RECENT];
		content->number = 0;
	}
	*known = content->number != 0;
	if (!*known)
		*content = (struct content){ .number = (uint64_t)number,
					     .size = draw_size(random),
					     .type = draw_type(random) };
	return content;
}

static void make_name(struct random *random, struct version *version)
{
	const struct type *type = version->type;
	if (version->reason && strcmp(version->reason, "unmatched") == 0) {
		snprintf(version->name, sizeof version->name, "upload-%016" PRIx64 ".part",
			 draw(random));
		version->type = NULL;
		version->mime = version->protocol = NULL;
		*version->fuid = '\0';
	} else if (type) {
		snprintf(version->pcap, sizeof version->pcap, "eth%u-%05u",
			 (unsigned)below(random, 2),
			 (unsigned)(version->seen_ns / (300 * SECOND) % 100000));
		snprintf(version->name, sizeof version->name, "%s-%s.%s.%s.%s.%s",
			 version->protocol, version->fuid, version->pcap, type->media_type,
			 type->subtype, type->extension);
	} else {
		snprintf(version->ts, sizeof version->ts, "%" PRId64 ".%06u",
			 version->seen_ns / SECOND - 1, (unsigned)below(random, 1000000));
		snprintf(version->name, sizeof version->name, "extract-%s-%s-%s", version->ts,
			 version->protocol, version->fuid);
	}
}

/* The id under which the answers of a detector's present rules stand. */
static int64_t detector_now(unsigned which, int64_t seen_ns, bool force)
{
	unsigned days = detectors[which].rule_days;
	int64_t epoch = days ? seen_ns / DAY / days % EPOCHS : 0;
	int64_t *id = &detector_ids[which][epoch];
	if (!*id && force) {
		char digest[65];
		sha256_of(((uint64_t)epoch << 8) + which, digest);
		put(insert_detector, "tt", detectors[which].name, digest);
		*id = sqlite3_last_insert_rowid(db);
	}
	return *id;
}

static const char *outcome_of(const char *verdict, unsigned which)
{
	if (strcmp(verdict, "malicious") == 0)
		return which == 0 || which == 2 ? "malicious" : "clean";
	if (strcmp(verdict, "suspicious") == 0)
		return which == 1 ? "suspicious" : "clean";
	return verdict;
}

static void answer(struct random *random, struct version *version, struct content *content,
		   bool known)
{
	static const char *const signatures[] = { "EICAR-Test-File", "Win.Trojan.Agent-1234",
						  "Doc.Dropper.Macro", "Js.Downloader",
						  "suspicious_packer" };
	bool bad = version->verdict[0] == 'm' || version->verdict[0] == 's';
	int64_t at_ns = version->seen_ns + 300000;
	for (unsigned i = 0; i < DETECTORS; i++) {
		if (!bad && content->number % 100 >= detectors[i].scans_in_100)
			continue;
		struct answer *answer = &version->answers[version->answer_count++];
		*answer = (struct answer){ .detector_id = detector_now(i, version->seen_ns, true),
					   .outcome = outcome_of(version->verdict, i) };
		bool is_bad = answer->outcome[0] == 'm' || answer->outcome[0] == 's';
		answer->signature = is_bad ? signatures[content->number % 5] : NULL;
		answer->cached =
			content->answered_ns && known &&
			detector_now(i, content->answered_ns, false) == answer->detector_id;
		int64_t took_ns = (int64_t)(detectors[i].slowness_us * (300 + below(random, 1400)));
		if (chance(random, 100))
			took_ns *= 200;
		answer->started_ns = answer->cached ? content->answered_ns : at_ns;
		answer->finished_ns = answer->started_ns + took_ns;
		if (!answer->cached)
			at_ns += took_ns;
	}
	version->finished_ns = at_ns + 20000;
	if (!content->answered_ns)
		content->answered_ns = version->seen_ns;
}

static void decide(struct random *random, struct version *version, struct content *content,
		   bool known, bool queued)
{
	static const char *const verdicts[] = { "malicious", "suspicious", "unknown", "clean" };
	version->state = queued ? "queued" : "done";
	if (queued)
		return;
	if (chance(random, 1500)) {
		version->state = "unscanned";
		version->reason = reasons[below(random, sizeof reasons / sizeof *reasons)];
		version->finished_ns = version->seen_ns + 2000000;
		return;
	}
	uint64_t kind = mix(content->number) % 10000;
	version->verdict = verdicts[kind < 5 ? 0 : kind < 20 ? 1 : kind < 120 ? 2 : 3];
	version->content = content->number;
	answer(random, version, content, known);
}

static void write_version(struct version *version)
{
	const struct type *type = version->type;
	bool hashed = version->content != 0;
	if (hashed)
		sha256_of(version->content, version->sha256);
	put(insert_version, "iitiiiitttitiititttttttttti", version->id, version->dir_id,
	    version->name, version->inode, version->mtime_ns - 50000, version->size,
	    version->mtime_ns, version->state, version->reason, version->verdict, version->seen_ns,
	    NULL, (int64_t)(hashed ? 1 : 0), version->seen_ns + 200000, NULL, version->finished_ns,
	    hashed ? version->sha256 : NULL,
	    !version->protocol ? NULL
	    : type	       ? "broapt"
			       : "zeek-2.4",
	    version->protocol, *version->fuid ? version->fuid : NULL, type ? version->pcap : NULL,
	    type ? type->media_type : NULL, type ? type->subtype : NULL,
	    type ? type->extension : NULL, version->mime, *version->ts ? version->ts : NULL,
	    INT64_C(0));
	for (unsigned i = 0; i < version->answer_count; i++) {
		const struct answer *answer = &version->answers[i];
		uint64_t key[2] = { mix(version->content + i), (uint64_t)answer->detector_id };
		bool is_magic = answer->detector_id == detector_ids[1][0];
		put(insert_result, "iiitiiiibtt", version->id, (int64_t)i + 1, answer->detector_id,
		    answer->outcome, INT64_C(1), (int64_t)answer->cached, answer->started_ns,
		    answer->finished_ns, key, answer->signature,
		    is_magic ? "{\"mime\":\"text/plain\",\"description\":\"ASCII text\"}" : NULL);
		count_answer(answer);
	}
	if (strcmp(version->state, "queued") != 0)
		count_version(version);
}

static void make_version(struct random *random, int64_t id, int64_t seen_ns, bool queued)
{
	struct version version = { .id = id, .seen_ns = seen_ns };
	bool known = false;
	struct content *content = draw_content(random, id, &known);
	version.dir_id = (int64_t)below(random, DIRECTORIES) + 1;
	version.inode = 100000 + id % INODES;
	version.mtime_ns = seen_ns - 40000 - (int64_t)below(random, 100000);
	version.size = content->size;
	version.protocol = protocols[below(random, sizeof protocols / sizeof *protocols)];
	if (!chance(random, 5000)) {
		version.type = &types[content->type];
		version.mime = mimes[content->type];
	}
	make_fuid(random, version.fuid);
	decide(random, &version, content, known, queued);
	make_name(random, &version);
	write_version(&version);
}

static void make_directories(void)
{
	sqlite3_stmt *insert = prepare("INSERT INTO dir (id, path, fsid) VALUES (?1, ?2, ?3)");
	for (int64_t i = 0; i < DIRECTORIES; i++) {
		char path[64];
		snprintf(path, sizeof path, "/srv/sensor%u/extract_files/%02u",
			 (unsigned)(i / 8 + 1), (unsigned)(i % 8));
		put(insert, "iti", i + 1, path, 70000 + i / 8);
	}
	sqlite3_finalize(insert);
}

static void begin(const char *path)
{
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		fail(path);
	run("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;"
	    "PRAGMA cache_size = -262144; BEGIN EXCLUSIVE");
	insert_version = prepare(
		"INSERT INTO version (id, dir_id, name, inode, btime_ns, size, mtime_ns, state, reason, verdict,"
		" first_seen_ns, wait, attempt, checked_ns, note, finished_ns, sha256, scheme, protocol, fuid, pcap,"
		" media_type, subtype, extension, mime, ts, incomplete) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
		" ?10, ?11, ?12, ?13, ?14, ?15, nullif(?16, 0), ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27)");
	insert_result = prepare(
		"INSERT INTO result (version_id, nr, detector_id, outcome, attempt, cached, started_ns,"
		" finished_ns, key, signature, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
		" ?11)");
	insert_detector = prepare("INSERT INTO detector (name, digest) VALUES (?1, ?2)");
	for (unsigned i = 0; i < TYPES; i++) {
		snprintf(mimes[i], sizeof mimes[i], "%s/%s", types[i].media_type, types[i].subtype);
		weights += types[i].weight;
	}
}

static void end(void)
{
	sqlite3_finalize(insert_version);
	sqlite3_finalize(insert_result);
	sqlite3_finalize(insert_detector);
	write_tally();
	if (is_there("timing"))
		write_timing();
	run("INSERT INTO gap (cause, opened_ns, closed_ns, found) SELECT 'down', min(first_seen_ns), min(first_seen_ns)"
	    " + 1000000, 0 FROM version");
	/* those of the newest rules */
	run("INSERT INTO rules (detector, digest, since_ns, asked) SELECT name, digest, 0, digest FROM detector"
	    " WHERE id IN (SELECT max(id) FROM detector GROUP BY name)");
	run("COMMIT; PRAGMA locking_mode = NORMAL; PRAGMA journal_mode = WAL");
	if (sqlite3_close(db) != SQLITE_OK)
		fail("closing");
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "history DATABASE COUNT [SEED]\n");
		return 2;
	}
	int64_t count = strtoll(argv[2], NULL, 10);
	struct random random = { argc > 3 ? strtoull(argv[3], NULL, 10) : 1 };
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t now_ns = now.tv_sec * SECOND;
	begin(argv[1]);
	make_directories();
	for (int64_t id = 1; id <= count; id++) {
		/* twice as much by day as by night */
		int64_t before = count - id;
		int64_t of_day = before % PER_DAY * 3 / 2;
		int64_t ns = of_day < PER_DAY ? of_day * (DAY / 2 / PER_DAY)
					      : DAY / 2 + (of_day - PER_DAY) * (DAY / PER_DAY);
		make_version(&random, id, now_ns - before / PER_DAY * DAY - ns - SECOND,
			     before < QUEUED);
	}
	end();
	return 0;
}
