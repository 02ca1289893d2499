-- Fuids and hashes are random keys: a commit writes about as many pages of an index on them as it has rows,
-- unless the part of the index that it falls into is small. A day's is not, where a day brings a million files.
-- So they are led by the segment: rows as they were inserted, 16384 each. A question without a segment skips from
-- one to the next, 610 of them in a history of ten million.
ALTER TABLE version ADD COLUMN segment INTEGER GENERATED ALWAYS AS (id >> 14) VIRTUAL;

DROP INDEX version_fuid;
DROP INDEX version_sha256;
CREATE INDEX version_fuid ON version (segment, fuid) WHERE fuid IS NOT NULL;
CREATE INDEX version_sha256 ON version (segment, sha256) WHERE sha256 IS NOT NULL;

DELETE FROM sqlite_stat1 WHERE idx = 'version_fuid' OR idx = 'version_sha256';
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
	('version', 'version_fuid', '10000000 16384 1'),
	('version', 'version_sha256', '10000000 16384 2');
ANALYZE sqlite_schema; -- reads what was inserted
