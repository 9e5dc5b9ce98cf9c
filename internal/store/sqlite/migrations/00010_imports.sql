-- Imports of many people: their rows are kept here until all of them are, and
-- are then applied in short transactions.

-- +goose Up

CREATE TABLE imports (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    touched_at  INTEGER NOT NULL, -- when something was last done with it
    decided_at  INTEGER, -- NULL: its rows do nothing yet
    finished_at INTEGER, -- NULL: rows are left
    chunks      INTEGER NOT NULL DEFAULT 0,
    applied     INTEGER NOT NULL DEFAULT 0, -- chunks of which nothing is left
    staged      INTEGER NOT NULL DEFAULT 0, -- rows
    added       INTEGER NOT NULL DEFAULT 0,
    updated     INTEGER NOT NULL DEFAULT 0,
    unchanged   INTEGER NOT NULL DEFAULT 0,
    suppressed  INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE import_chunks (
    import_id  INTEGER NOT NULL REFERENCES imports (id),
    number     INTEGER NOT NULL, -- from 1
    people     BLOB, -- NULL once applied
    suppressed BLOB, -- lines of rows whose people are not to be mailed
    PRIMARY KEY (import_id, number)
) STRICT;
