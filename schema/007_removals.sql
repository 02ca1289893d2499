-- What was removed from the sensors' directories, or is about to be, and why. See DESIGN.md, "Disposal". A row is
-- committed, and synced, before the file is touched. Whoever removed a file by hand has no row here.

-- state gone: it was not there any more. replaced: something else stood there, and was left alone. left: it was left
-- alone for what note says. restored: taken out of the quarantine to where it had been. expired: deleted there.
CREATE TABLE removal (
	id INTEGER PRIMARY KEY AUTOINCREMENT, -- names what lies in the quarantine: none is used again
	version_id INTEGER NOT NULL,
	action TEXT NOT NULL CHECK (action = 'delete' OR action = 'quarantine'),
	cause TEXT NOT NULL CHECK (cause = 'rule' OR cause = 'age' OR cause = 'count' OR cause = 'bytes'
		OR cause = 'disk' OR cause = 'shed'),
	state TEXT NOT NULL DEFAULT 'intended' CHECK (state = 'intended' OR state = 'removed' OR state = 'quarantined'
		OR state = 'gone' OR state = 'replaced' OR state = 'left' OR state = 'restored' OR state = 'expired'),
	tries INTEGER NOT NULL DEFAULT 0, -- in vain, since the last start or reload; note says why
	due_ns INTEGER NOT NULL DEFAULT 0,
	intended_ns INTEGER NOT NULL,
	ended_ns INTEGER,
	place TEXT, -- of a quarantined file: its path there
	note TEXT,
	CHECK ((state = 'intended') = (ended_ns IS NULL))
) STRICT;

CREATE INDEX removal_intended ON removal (due_ns, id) WHERE state = 'intended';
CREATE INDEX removal_version ON removal (version_id);
CREATE INDEX removal_quarantined ON removal (id) WHERE state = 'quarantined';
CREATE INDEX removal_restored ON removal (version_id) WHERE state = 'restored';
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
	('removal', 'removal_intended', '1000 10 1'),
	('removal', 'removal_version', '5000000 1'),
	('removal', 'removal_quarantined', '10000 1'),
	('removal', 'removal_restored', '100 1');
ANALYZE sqlite_schema; -- reads what was inserted

-- What may still be undone, or is not done yet, outlives the row that it is about.
CREATE TRIGGER removal_forgotten AFTER DELETE ON version BEGIN
	DELETE FROM removal WHERE version_id = OLD.id AND state <> 'intended' AND state <> 'quarantined';
END;

CREATE VIEW disposal AS SELECT
	r.id, r.version_id AS file_id, r.action, r.cause, r.state, r.note, r.tries, r.due_ns, r.intended_ns, r.ended_ns,
	r.place, f.path, f.mime, f.real_mime, f.size, f.sha256, f.verdict, f.first_seen_ns, f.finished_ns
FROM removal r LEFT JOIN file f ON f.id = r.version_id;

CREATE VIEW quarantine AS SELECT
	r.id, r.file_id, strftime('%Y-%m-%dT%H:%M:%SZ', r.ended_ns / 1000000000, 'unixepoch') AS quarantined,
	r.verdict, (SELECT group_concat(signature, ', ') FROM (SELECT DISTINCT s.signature FROM scan s
		WHERE s.file_id = r.file_id AND s.outcome IN ('malicious', 'suspicious'))) AS signatures,
	r.size, r.mime, r.path, r.sha256, r.cause, r.place, r.ended_ns AS quarantined_ns
FROM disposal r WHERE r.state = 'quarantined';
