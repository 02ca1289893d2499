-- The history: what has been seen, and what was said of it. See DESIGN.md, "History".
--
-- Queries and scripts rely on the views at the end (file, scan, history, ...) and on gap; the other
-- tables are ours to change. Times are nanoseconds since the epoch (UTC). path and name are TEXT that
-- holds the raw bytes of the file's name, whatever they are.

CREATE TABLE meta (
	key TEXT PRIMARY KEY,
	value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A directory on a file system. The path of "/" is '', so that path || '/' || name is always right. Rows
-- are never deleted: connections remember their ids.
CREATE TABLE dir (
	id INTEGER PRIMARY KEY,
	path TEXT NOT NULL,
	fsid INTEGER NOT NULL,
	UNIQUE (path, fsid)
) STRICT;

-- Checks are written with OR: for "x IN (a, b, c)" SQLite builds a temporary table for each row.
CREATE TABLE version (
	id INTEGER PRIMARY KEY,
	dir_id INTEGER NOT NULL,
	name TEXT NOT NULL,
	inode INTEGER NOT NULL,
	btime_ns INTEGER NOT NULL,
	size INTEGER NOT NULL,
	mtime_ns INTEGER NOT NULL,
	-- Which of several contents that the file had under this size and time: 0, then as they came.
	content INTEGER NOT NULL DEFAULT 0,
	state TEXT NOT NULL CHECK (state = 'done' OR state = 'queued' OR state = 'unscanned'),
	reason TEXT CHECK (reason IS NULL OR reason = 'vanished' OR reason = 'unreadable'
		OR reason = 'not-regular' OR reason = 'oversize' OR reason = 'unmatched'
		OR reason = 'no-detector' OR reason = 'failed' OR reason = 'shed'),
	verdict TEXT CHECK (verdict IS NULL OR verdict = 'clean' OR verdict = 'unknown'
		OR verdict = 'malicious' OR verdict = 'suspicious' OR verdict = 'error'
		OR verdict = 'timeout' OR verdict = 'skipped'),
	wait TEXT CHECK (wait IS NULL OR wait = 'writer' OR wait = 'settle' OR wait = 'retry'),
	due_ns INTEGER NOT NULL DEFAULT 0,
	attempt INTEGER NOT NULL DEFAULT 0, -- how often its detectors were asked, ever
	tries INTEGER NOT NULL DEFAULT 0, -- of them, those since it was queued, or queued again
	first_seen_ns INTEGER NOT NULL,
	checked_ns INTEGER NOT NULL DEFAULT 0,
	finished_ns INTEGER,
	sha256 TEXT,
	scheme TEXT,
	protocol TEXT,
	fuid TEXT,
	pcap TEXT,
	media_type TEXT,
	subtype TEXT,
	extension TEXT,
	mime TEXT,
	conn_uid TEXT,
	ts TEXT,
	orig_h TEXT,
	resp_h TEXT,
	name_hash TEXT,
	real_mime TEXT,
	incomplete INTEGER NOT NULL DEFAULT 0,
	note TEXT,
	day INTEGER GENERATED ALWAYS AS (first_seen_ns / 86400000000000) VIRTUAL,
	CHECK ((state = 'unscanned') = (reason IS NOT NULL)),
	CHECK (state <> 'done' OR verdict IS NOT NULL)
) STRICT;

-- Inode first: new files have new inodes, near each other, where names are random; and the prefix
-- (inode, btime_ns) finds a file under whatever name it has now.
CREATE UNIQUE INDEX version_key ON version (inode, btime_ns, size, mtime_ns, dir_id, name, content);
CREATE INDEX version_seen ON version (first_seen_ns);
-- Random keys, led by the day: only today's part of the index is written to, and stays in the cache.
CREATE INDEX version_fuid ON version (day, fuid) WHERE fuid IS NOT NULL;
CREATE INDEX version_sha256 ON version (day, sha256) WHERE sha256 IS NOT NULL;
-- The queue, in its order: (due_ns, id).
CREATE INDEX version_queue ON version (due_ns) WHERE state = 'queued';
CREATE INDEX version_bad ON version (finished_ns) WHERE verdict IN ('malicious', 'suspicious');
CREATE INDEX version_unscanned ON version (first_seen_ns) WHERE state = 'unscanned';

CREATE TABLE detector (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL,
	digest TEXT NOT NULL,
	UNIQUE (name, digest)
) STRICT;

-- What one detector said in one attempt. Kept beside the other answers of its version (one tree, no
-- further index); nr counts a version's answers from 1 and is at most 65535.
CREATE TABLE result (
	version_id INTEGER NOT NULL,
	nr INTEGER NOT NULL,
	detector_id INTEGER NOT NULL,
	outcome TEXT NOT NULL CHECK (outcome = 'clean' OR outcome = 'unknown' OR outcome = 'malicious'
		OR outcome = 'suspicious' OR outcome = 'error' OR outcome = 'timeout'
		OR outcome = 'skipped'),
	attempt INTEGER NOT NULL,
	cached INTEGER NOT NULL,
	started_ns INTEGER NOT NULL,
	finished_ns INTEGER NOT NULL,
	key BLOB NOT NULL,
	signature TEXT,
	detail TEXT,
	PRIMARY KEY (version_id, nr)
) STRICT, WITHOUT ROWID;

-- A span in which events may have been lost. root is NULL for all roots.
CREATE TABLE gap (
	id INTEGER PRIMARY KEY,
	root TEXT,
	cause TEXT NOT NULL CHECK (cause IN ('down', 'overflow', 'mount', 'limit', 'root', 'unreadable')),
	opened_ns INTEGER NOT NULL,
	closed_ns INTEGER,
	found INTEGER NOT NULL DEFAULT 0
) STRICT;

-- How many terminal versions there are of each kind, kept by everyone who writes version, in the same
-- transaction: counting ten million rows takes seconds. '' stands for NULL.
CREATE TABLE tally (
	day INTEGER NOT NULL,
	mime TEXT NOT NULL,
	state TEXT NOT NULL,
	reason TEXT NOT NULL,
	verdict TEXT NOT NULL,
	files INTEGER NOT NULL,
	PRIMARY KEY (day, mime, state, reason, verdict)
) STRICT, WITHOUT ROWID;

-- The planner's numbers, written by hand, as they are in a history of ten million: few days, many
-- fuids and hashes a day. With them "fuid = ?" without a day skips from day to day in the index.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
	('version', 'version_key', '10000000 1 1 1 1 1 1 1'),
	('version', 'version_seen', '10000000 1'),
	('version', 'version_fuid', '10000000 100000 1'),
	('version', 'version_sha256', '10000000 100000 2'),
	('version', 'version_queue', '10000 100'),
	('version', 'version_bad', '10000 1'),
	('version', 'version_unscanned', '100000 1'),
	('result', 'result', '20000000 2 1'),
	('dir', 'sqlite_autoindex_dir_1', '1000 1 1'),
	('detector', 'sqlite_autoindex_detector_1', '20 2 1');

-- A path is put together only when it is asked for: a subquery, so that counting pays no join.
CREATE VIEW file AS SELECT
	v.id,
	(SELECT d.path FROM dir d WHERE d.id = v.dir_id) || '/' || v.name AS path,
	v.name, v.scheme, v.protocol, v.fuid, v.pcap, v.media_type, v.subtype, v.extension, v.mime,
	v.conn_uid, v.ts, v.orig_h, v.resp_h, v.name_hash, v.real_mime, v.incomplete,
	v.size, v.mtime_ns, v.inode, v.sha256, v.first_seen_ns, v.finished_ns, v.state, v.reason, v.verdict,
	v.wait, v.due_ns, v.attempt, v.note, v.btime_ns, v.checked_ns, v.day,
	(SELECT d.fsid FROM dir d WHERE d.id = v.dir_id) AS fsid
FROM version v;

CREATE VIEW scan AS SELECT
	(r.version_id << 16) + r.nr AS id,
	r.version_id AS file_id,
	d.name AS detector,
	d.digest AS detector_digest,
	r.outcome, r.signature, r.detail, r.attempt, r.cached, r.started_ns, r.finished_ns
FROM result r JOIN detector d ON d.id = r.detector_id;

CREATE VIEW history AS SELECT
	strftime('%Y-%m-%dT%H:%M:%SZ', f.first_seen_ns / 1000000000, 'unixepoch') AS first_seen,
	f.verdict,
	(SELECT group_concat(signature, ', ') FROM (SELECT DISTINCT s.signature FROM scan s
		WHERE s.file_id = f.id AND s.outcome IN ('malicious', 'suspicious'))) AS signatures,
	(SELECT group_concat(s.detector || '=' || s.outcome, ', ') FROM scan s WHERE s.file_id = f.id)
		AS detectors,
	f.*
FROM file f;

CREATE VIEW detections AS SELECT
	f.id AS file_id,
	strftime('%Y-%m-%dT%H:%M:%SZ', f.finished_ns / 1000000000, 'unixepoch') AS found,
	f.verdict, s.detector, s.outcome, s.signature, f.path, f.name, f.mime, f.size, f.sha256,
	f.protocol, f.fuid, f.conn_uid, f.orig_h, f.resp_h, s.detail, s.attempt, s.cached,
	f.first_seen_ns, f.finished_ns
FROM file f JOIN scan s ON s.file_id = f.id
WHERE f.verdict IN ('malicious', 'suspicious') AND s.outcome IN ('malicious', 'suspicious');

CREATE VIEW pending AS SELECT
	id, path, mime, size, coalesce(wait, 'worker') AS waits_for, due_ns, attempt, note, first_seen_ns
FROM file WHERE state = 'queued';

CREATE VIEW unscanned AS SELECT
	id, reason, note, path, mime, size, attempt, first_seen_ns, finished_ns
FROM file WHERE state = 'unscanned';

CREATE VIEW daily AS
SELECT date(day * 86400, 'unixepoch') AS day, nullif(mime, '') AS mime, state,
	nullif(reason, '') AS reason, nullif(verdict, '') AS verdict, files
FROM tally WHERE files <> 0
UNION ALL
SELECT date(day * 86400, 'unixepoch'), mime, state, NULL, verdict, count(*)
FROM version WHERE state = 'queued' GROUP BY day, mime, verdict;

-- The days on which something was seen, newest first: one look-up a day.
CREATE VIEW days AS
WITH RECURSIVE d(day) AS (
	SELECT max(first_seen_ns) / 86400000000000 FROM version
	UNION ALL
	SELECT (SELECT max(v.first_seen_ns) / 86400000000000 FROM version v
		WHERE v.first_seen_ns < d.day * 86400000000000)
	FROM d WHERE d.day IS NOT NULL
)
SELECT day FROM d WHERE day IS NOT NULL;

CREATE VIEW detector_stats AS SELECT
	d.name AS detector, r.outcome, count(*) AS scans, sum(r.cached) AS cached,
	avg(CASE WHEN r.cached = 0 THEN (r.finished_ns - r.started_ns) / 1e6 END) AS mean_ms,
	max(CASE WHEN r.cached = 0 THEN (r.finished_ns - r.started_ns) / 1e6 END) AS max_ms
FROM result r JOIN detector d ON d.id = r.detector_id
GROUP BY d.name, r.outcome;
