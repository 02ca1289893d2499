-- Detectors may be away: a scanning daemon that is down, a server that does not answer. Their files wait.

-- Since when a queued version waits for one; 0: it does not.
ALTER TABLE version ADD COLUMN away_since_ns INTEGER NOT NULL DEFAULT 0;

DROP VIEW pending;
CREATE VIEW pending AS SELECT
	f.id, f.path, f.mime, f.size,
	CASE WHEN v.away_since_ns > 0 THEN 'detector' ELSE coalesce(f.wait, 'worker') END AS waits_for,
	f.due_ns, f.attempt, f.note, f.first_seen_ns
FROM file f JOIN version v ON v.id = f.id WHERE f.state = 'queued';
