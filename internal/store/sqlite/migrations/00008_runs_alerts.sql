-- When each run was due, and what the maintainer should know.

-- +goose Up

ALTER TABLE editions ADD COLUMN due_at INTEGER; -- NULL: by hand
ALTER TABLE editions ADD COLUMN late TEXT NOT NULL DEFAULT '';
ALTER TABLE editions ADD COLUMN missed INTEGER NOT NULL DEFAULT 0;

CREATE TABLE alerts (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    key     TEXT NOT NULL,
    kind    TEXT NOT NULL,
    subject TEXT NOT NULL,
    text    TEXT NOT NULL,
    passing INTEGER NOT NULL CHECK (passing IN (0, 1)),
    since   INTEGER,
    raised  INTEGER NOT NULL,
    cleared INTEGER, -- NULL while it is open
    told    INTEGER, -- when a mail told of it
    over    INTEGER, -- when a mail told that it was over
    next_at INTEGER  -- when it is to be told; NULL: nothing is left to tell
) STRICT;
CREATE UNIQUE INDEX alerts_open ON alerts (key) WHERE cleared IS NULL;
CREATE INDEX alerts_due ON alerts (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX alerts_key ON alerts (key, raised);
