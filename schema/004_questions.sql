-- What makes the usual questions quick in a history of ten million versions.

-- How long detectors take, kept as tally is: looking at the answers of ten million versions takes seconds.
-- For each day (of the answer's end), detector with its rules, and outcome.
CREATE TABLE timing (
	day INTEGER NOT NULL,
	detector_id INTEGER NOT NULL,
	outcome TEXT NOT NULL,
	scans INTEGER NOT NULL,
	cached INTEGER NOT NULL, -- of them, those that were taken over; they have no part in the times
	spent_ns INTEGER NOT NULL,
	longest_ns INTEGER NOT NULL, -- when answers of that day are deleted it stays until all of them are
	PRIMARY KEY (day, detector_id, outcome)
) STRICT, WITHOUT ROWID;

-- Row by row: grouping would sort all answers in temporary files. Times that are more than a day apart are those of a
-- clock that was set between them; the sum of a few would be more than an integer.
INSERT INTO timing (day, detector_id, outcome, scans, cached, spent_ns, longest_ns)
SELECT finished_ns / 86400000000000, detector_id, outcome, 1, cached <> 0, took_ns, took_ns
FROM (SELECT *, iif(cached OR finished_ns - started_ns NOT BETWEEN 0 AND 86400000000000, 0, finished_ns - started_ns)
	AS took_ns FROM result) WHERE true
ON CONFLICT DO UPDATE SET scans = scans + 1, cached = cached + excluded.cached,
	spent_ns = spent_ns + excluded.spent_ns, longest_ns = max(longest_ns, excluded.longest_ns);

CREATE VIEW detector_days AS SELECT
	date(t.day * 86400, 'unixepoch') AS day, d.name AS detector, t.outcome,
	sum(t.scans) AS scans, sum(t.cached) AS cached,
	sum(t.spent_ns) / 1e6 / nullif(sum(t.scans - t.cached), 0) AS mean_ms,
	iif(sum(t.scans) > sum(t.cached), max(t.longest_ns) / 1e6, NULL) AS max_ms
FROM timing t JOIN detector d ON d.id = t.detector_id
GROUP BY t.day, d.name, t.outcome;

DROP VIEW detector_stats;
CREATE VIEW detector_stats AS SELECT
	d.name AS detector, t.outcome, sum(t.scans) AS scans, sum(t.cached) AS cached,
	sum(t.spent_ns) / 1e6 / nullif(sum(t.scans - t.cached), 0) AS mean_ms,
	iif(sum(t.scans) > sum(t.cached), max(t.longest_ns) / 1e6, NULL) AS max_ms
FROM timing t JOIN detector d ON d.id = t.detector_id
GROUP BY d.name, t.outcome;

-- Verdicts other than the usual one, newest first. Who asks says "verdict <> 'clean'" as well.
CREATE INDEX version_verdict ON version (verdict, first_seen_ns) WHERE verdict <> 'clean';
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('version', 'version_verdict', '100000 20000 1');
ANALYZE sqlite_schema; -- reads what was inserted

-- As before, but for the order in which it looks: only detectors of which the history knows other rules, one after
-- the other, each through the versions as they lie. (Left to itself SQLite makes an index of all of them first.)
DROP VIEW stale;
CREATE VIEW stale AS SELECT
	v.id AS file_id, x.detector, x.since_ns AS rules_since_ns, v.verdict,
	(SELECT d.path FROM dir d WHERE d.id = v.dir_id) || '/' || v.name AS path, v.mime,
	v.first_seen_ns, v.finished_ns
FROM rules x CROSS JOIN version v
WHERE EXISTS (SELECT 1 FROM detector o WHERE o.name = x.detector AND o.digest <> x.digest)
AND +v.state = 'done' AND x.digest <> (
	SELECT iif(r.outcome = 'skipped' AND r.key = zeroblob(16), NULL, d.digest) FROM result r JOIN detector d ON d.id = r.detector_id
	WHERE r.version_id = v.id AND d.name = x.detector
	AND r.outcome <> 'error' AND r.outcome <> 'timeout'
	ORDER BY r.nr DESC LIMIT 1);
