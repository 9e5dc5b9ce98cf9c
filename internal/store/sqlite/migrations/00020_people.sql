-- Sign-ups: by kind and network, each form taken once, and what they wish kept
-- apart from what its owner has until they confirm.

-- +goose Up

ALTER TABLE signups ADD COLUMN kind TEXT NOT NULL DEFAULT 'signup'; -- each has limits of its own
ALTER TABLE signups ADD COLUMN network TEXT NOT NULL DEFAULT ''; -- keyed hash; '' if it is not known
ALTER TABLE signups ADD COLUMN form TEXT; -- the token of the form, which is taken once
CREATE UNIQUE INDEX signups_form ON signups (form) WHERE form IS NOT NULL;

-- What a sign-up asked for, newsletter by newsletter: exactly this is what its
-- mail names and its link confirms.
CREATE TABLE wishes (
    signup_id     INTEGER NOT NULL, -- of signups, whose row goes before
    newsletter_id INTEGER NOT NULL REFERENCES newsletters (id),
    subscriber_id INTEGER NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE,
    categories    TEXT NOT NULL,
    tags          TEXT NOT NULL,
    frequency     TEXT NOT NULL,
    hour          TEXT NOT NULL,
    personal      INTEGER NOT NULL CHECK (personal IN (0, 1)), -- 1: language, timezone and format are to be the person's
    language      TEXT NOT NULL,
    timezone      TEXT NOT NULL,
    format        TEXT NOT NULL,
    asked_at      INTEGER NOT NULL,
    confirmed_at  INTEGER,
    PRIMARY KEY (signup_id, newsletter_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX wishes_subscriber ON wishes (subscriber_id);
CREATE INDEX wishes_asked ON wishes (asked_at);

-- The sign-up whose wishes a mail asks to confirm. NULL: what is pending.
ALTER TABLE notices ADD COLUMN signup_id INTEGER;

-- When the next address was asked for, and since when links are good that were
-- sent to the person: those before are void.
ALTER TABLE subscribers ADD COLUMN next_at INTEGER;
ALTER TABLE subscribers ADD COLUMN links_since INTEGER;
CREATE INDEX subscribers_next ON subscribers (next_key) WHERE next_key <> '';
