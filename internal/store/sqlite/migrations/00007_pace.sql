-- What the senders of all processes must agree on: which of the relay,
-- newsletters and recipients' domains are left alone for now, and how far the
-- turns of what is limited in speed are given out.

-- +goose Up

CREATE TABLE circuits (
    name   TEXT NOT NULL PRIMARY KEY,
    state  TEXT NOT NULL CHECK (state IN ('open', 'half_open')), -- a closed one has no row
    streak INTEGER NOT NULL, -- openings since it was last closed
    since  INTEGER NOT NULL,
    until  INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE turns (
    name TEXT NOT NULL PRIMARY KEY, -- of a limit
    next INTEGER NOT NULL -- the first turn that nobody has, in Unix milliseconds
) STRICT, WITHOUT ROWID;
