-- What people agreed to, changed and ended, and what leaving left behind.

-- +goose Up

-- The words that stood on the forms, once each.
CREATE TABLE wordings (
    hash TEXT PRIMARY KEY, -- SHA-256, in hex
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Only ever added to; it goes with the person.
CREATE TABLE consents (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    subscriber_id INTEGER NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE,
    newsletter_id INTEGER REFERENCES newsletters (id), -- NULL: of the person as such
    event         TEXT NOT NULL,
    categories    TEXT NOT NULL, -- as they were from then on
    tags          TEXT NOT NULL,
    frequency     TEXT NOT NULL,
    source        TEXT NOT NULL, -- page, file or command
    wording       TEXT, -- a hash
    network       TEXT NOT NULL, -- of the visitor: 192.0.2.0/24; '' if there was none
    at            INTEGER NOT NULL
) STRICT;
CREATE INDEX consents_subscriber ON consents (subscriber_id, id);

-- 1: it was active when its owner ended it, who may take that back.
ALTER TABLE subscriptions ADD COLUMN was_active INTEGER NOT NULL DEFAULT 0 CHECK (was_active IN (0, 1));
ALTER TABLE subscriptions ADD COLUMN left_because TEXT NOT NULL DEFAULT '';

-- Where an import comes from: the consent of its people is on record with that.
ALTER TABLE imports ADD COLUMN source TEXT NOT NULL DEFAULT '';

-- An address that is to take the place of the present one once it is confirmed.
ALTER TABLE subscribers ADD COLUMN next_email TEXT NOT NULL DEFAULT '';
ALTER TABLE subscribers ADD COLUMN next_key TEXT NOT NULL DEFAULT '';
