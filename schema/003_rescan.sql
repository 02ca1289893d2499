-- Retro-scan: what is done is looked at again when a detector has got other rules. See DESIGN.md, "Rescans".

-- A second queue, behind that of new files. The version stays done, with the verdict of the rules of its
-- time, until there is a newer answer; its row here goes in the same transaction. What could not be looked
-- at again stays here and says why, until it is asked for once more.
CREATE TABLE rescan_queue (
	version_id INTEGER PRIMARY KEY,
	detector TEXT, -- the one that is asked; NULL: each whose rules differ
	state TEXT NOT NULL DEFAULT 'waiting' CHECK (state = 'waiting' OR state = 'gone'
		OR state = 'replaced' OR state = 'failed'),
	asked_ns INTEGER NOT NULL, -- when it was asked for last; an answer to an older question leaves the row
	due_ns INTEGER NOT NULL DEFAULT 0,
	tries INTEGER NOT NULL DEFAULT 0, -- attempts since then
	away_since_ns INTEGER NOT NULL DEFAULT 0, -- since when it waits for a detector that is away
	ended_ns INTEGER,
	note TEXT,
	CHECK ((state = 'waiting') = (ended_ns IS NULL))
) STRICT;

-- Its order: newest version first. Copies of one content then find the answer that the newest has got, as
-- the verdict cache looks back by days.
CREATE INDEX rescan_due ON rescan_queue (due_ns, version_id DESC) WHERE state = 'waiting';

CREATE TRIGGER version_deleted AFTER DELETE ON version BEGIN
	DELETE FROM rescan_queue WHERE version_id = OLD.id;
END;

-- What each configured detector goes by: the digest that the daemon had in force last.
CREATE TABLE rules (
	detector TEXT PRIMARY KEY,
	digest TEXT NOT NULL,
	since_ns INTEGER NOT NULL,
	asked TEXT NOT NULL -- the digest for which "rescan: auto" has asked for all that it concerns
) STRICT, WITHOUT ROWID;

CREATE VIEW rescan AS SELECT
	q.version_id AS file_id, q.state, q.note, q.detector, q.tries, q.due_ns, q.asked_ns, q.ended_ns,
	f.verdict, f.path, f.mime, f.size, f.sha256, f.first_seen_ns, f.finished_ns
FROM rescan_queue q JOIN file f ON f.id = q.version_id;

-- Answers that were given by other rules than those in force: a row for each version and detector. A
-- detector that was spared by a list of known good files (its result has no key) gave none.
CREATE VIEW stale AS SELECT
	v.id AS file_id, x.detector, x.since_ns AS rules_since_ns, v.verdict,
	(SELECT d.path FROM dir d WHERE d.id = v.dir_id) || '/' || v.name AS path, v.mime,
	v.first_seen_ns, v.finished_ns
FROM version v JOIN rules x
WHERE v.state = 'done' AND x.digest <> (
	SELECT iif(r.outcome = 'skipped' AND r.key = zeroblob(16), NULL, d.digest) FROM result r JOIN detector d ON d.id = r.detector_id
	WHERE r.version_id = v.id AND d.name = x.detector
	AND r.outcome <> 'error' AND r.outcome <> 'timeout'
	ORDER BY r.nr DESC LIMIT 1);
