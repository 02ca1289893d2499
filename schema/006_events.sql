-- What others are told (sinks: a file of events) is noted in the transaction in which it happens, and its note goes
-- once every sink has told it. See DESIGN.md, "Events". The daemon notes nothing while it has no sink.

CREATE TABLE event (
	seq INTEGER PRIMARY KEY AUTOINCREMENT, -- in the order in which it happened; none is used again
	version_id INTEGER NOT NULL,
	kind TEXT NOT NULL CHECK (kind = 'end' OR kind = 'incomplete' OR kind = 'rescan'),
	was TEXT -- rescan: the verdict before
) STRICT;

CREATE TABLE sink (
	name TEXT PRIMARY KEY,
	seq INTEGER NOT NULL -- of the last event that it has told
) STRICT, WITHOUT ROWID;
