-- Times are Unix milliseconds, NULL where there is none. Flags are 0 or 1.
-- Lists of terms are JSON arrays of term keys, '' when empty.

-- +goose Up

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE posts (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    guid       TEXT NOT NULL UNIQUE,
    file       TEXT NOT NULL,
    file_hash  TEXT NOT NULL,
    body_hash  TEXT NOT NULL,
    title      TEXT NOT NULL,
    path       TEXT NOT NULL,
    published  INTEGER,
    first_seen INTEGER,
    changed    INTEGER,
    gone       INTEGER,
    size       INTEGER NOT NULL,
    mod_time   INTEGER
) STRICT;

-- Apart from posts, so that reading all posts does not walk over their text.
CREATE TABLE post_sources (
    post_id INTEGER PRIMARY KEY REFERENCES posts (id),
    source  BLOB NOT NULL
) STRICT;

CREATE TABLE post_paths (
    path    TEXT PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts (id)
) STRICT, WITHOUT ROWID;

CREATE INDEX post_paths_post ON post_paths (post_id);

CREATE TABLE documents (
    path     TEXT PRIMARY KEY,
    hash     TEXT NOT NULL,
    modified INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE newsletters (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    first_seen INTEGER -- NULL: known from a subscription only
) STRICT;

-- AUTOINCREMENT: the number of an erased person is never given to another,
-- who would inherit their deliveries.
CREATE TABLE subscribers (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    email      TEXT NOT NULL,
    key_hash   TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    language   TEXT NOT NULL,
    timezone   TEXT NOT NULL,
    created_at INTEGER
) STRICT;
CREATE UNIQUE INDEX subscribers_email ON subscribers (lower(email));

CREATE TABLE subscriptions (
    newsletter_id INTEGER NOT NULL REFERENCES newsletters (id),
    subscriber_id INTEGER NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE,
    status        TEXT NOT NULL CHECK (status IN ('pending', 'active', 'unsubscribed')),
    categories    TEXT NOT NULL,
    tags          TEXT NOT NULL,
    frequency     TEXT NOT NULL,
    created_at    INTEGER,
    confirmed_at  INTEGER,
    ended_at      INTEGER, -- set on a pending one: left before and has not confirmed again
    PRIMARY KEY (newsletter_id, subscriber_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX subscriptions_subscriber ON subscriptions (subscriber_id);

CREATE TABLE suppressions (
    key_hash TEXT PRIMARY KEY,
    email    TEXT NOT NULL,
    reason   TEXT NOT NULL,
    note     TEXT NOT NULL,
    at       INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE editions (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    newsletter_id   INTEGER NOT NULL REFERENCES newsletters (id),
    cadence         TEXT NOT NULL,
    slot            TEXT NOT NULL,
    manual          INTEGER NOT NULL CHECK (manual IN (0, 1)),
    status          TEXT NOT NULL CHECK (status IN
                    ('planned', 'sending', 'paused', 'finished', 'cancelled', 'skipped', 'failed')),
    reason          TEXT NOT NULL,
    since           INTEGER,
    in_doubt_policy TEXT NOT NULL,
    posts           INTEGER NOT NULL,
    created_at      INTEGER,
    expires_at      INTEGER,
    finished_at     INTEGER,
    eligible        INTEGER NOT NULL,
    sent            INTEGER NOT NULL,
    failed          INTEGER NOT NULL,
    suppressed      INTEGER NOT NULL,
    empty           INTEGER NOT NULL,
    in_doubt        INTEGER NOT NULL,
    pending         INTEGER NOT NULL,
    resent_in_doubt INTEGER NOT NULL,
    UNIQUE (newsletter_id, cadence, slot)
) STRICT;
CREATE INDEX editions_sending ON editions (id) WHERE status = 'sending';
CREATE INDEX editions_pending ON editions (id) WHERE pending > 0;

CREATE TABLE edition_groups (
    edition_id INTEGER NOT NULL REFERENCES editions (id),
    number     INTEGER NOT NULL,
    zone       TEXT NOT NULL,
    not_before INTEGER,
    date       INTEGER,
    sender     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    template   BLOB,
    PRIMARY KEY (edition_id, number)
) STRICT;

CREATE TABLE group_posts (
    edition_id   INTEGER NOT NULL,
    group_number INTEGER NOT NULL,
    position     INTEGER NOT NULL,
    post_id      INTEGER NOT NULL REFERENCES posts (id),
    PRIMARY KEY (edition_id, group_number, position),
    FOREIGN KEY (edition_id, group_number) REFERENCES edition_groups (edition_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_posts_post ON group_posts (post_id, edition_id, group_number);

-- One row for each recipient of each edition, millions of them: states are
-- 0 pending, 1 claimed, 2 sent, 3 failed, 4 suppressed, 5 empty, 6 in doubt.
CREATE TABLE deliveries (
    edition_id    INTEGER NOT NULL REFERENCES editions (id),
    seq           INTEGER NOT NULL,
    subscriber_id INTEGER NOT NULL, -- outlives the subscriber
    group_number  INTEGER NOT NULL, -- -1: none
    state         INTEGER NOT NULL CHECK (state BETWEEN 0 AND 6),
    attempts      INTEGER NOT NULL DEFAULT 0,
    resent        INTEGER NOT NULL DEFAULT 0, -- 1: may have arrived before; 2: and was sent again
    next_at       INTEGER, -- while pending
    code          INTEGER NOT NULL DEFAULT 0,
    reason        TEXT,
    holder        TEXT, -- while claimed
    updated_at    INTEGER,
    CHECK ((state = 0) = (next_at IS NOT NULL)),
    CHECK ((state = 1) = (holder IS NOT NULL)),
    PRIMARY KEY (edition_id, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX deliveries_subscriber ON deliveries (edition_id, subscriber_id);
CREATE INDEX deliveries_due ON deliveries (edition_id, next_at) WHERE state = 0;
CREATE INDEX deliveries_held ON deliveries (edition_id, holder) WHERE state = 1;

CREATE TABLE notices (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    kind          TEXT NOT NULL,
    subscriber_id INTEGER NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE,
    newsletter_id INTEGER NOT NULL REFERENCES newsletters (id),
    state         TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'failed')),
    created_at    INTEGER NOT NULL,
    next_at       INTEGER NOT NULL,
    attempts      INTEGER NOT NULL,
    reason        TEXT NOT NULL
) STRICT;
CREATE INDEX notices_due ON notices (next_at) WHERE state = 'queued';
CREATE INDEX notices_subscriber ON notices (subscriber_id, kind, created_at);
