-- What came back of mails, and what was refused at sending.

-- +goose Up

CREATE TABLE bounces (
    edition_id    INTEGER NOT NULL, -- 0: of a notice
    seq           INTEGER NOT NULL, -- of the delivery, or the notice's id
    class         TEXT NOT NULL CHECK (class IN ('hard', 'soft', 'block', 'content', 'relay', 'complaint')),
    subscriber_id INTEGER NOT NULL, -- outlives the subscriber
    domain        TEXT NOT NULL, -- '' once the subscriber is erased, and so is note
    status        TEXT NOT NULL,
    note          TEXT NOT NULL,
    lifted        INTEGER NOT NULL DEFAULT 0, -- 1: the suppression was lifted since; it counts no more
    at            INTEGER,
    PRIMARY KEY (edition_id, seq, class)
) STRICT, WITHOUT ROWID;
CREATE INDEX bounces_subscriber ON bounces (subscriber_id, at);

CREATE TABLE edition_bounces (
    edition_id INTEGER PRIMARY KEY REFERENCES editions (id),
    bounced    INTEGER NOT NULL,
    complained INTEGER NOT NULL,
    hard        INTEGER NOT NULL, -- since hard_since
    hard_before INTEGER NOT NULL, -- in the same time before that
    hard_since  INTEGER,
    held_since INTEGER -- since when hard bounces suppress nobody
) STRICT;
