-- What was asked for by forms, until it is attended to; afterwards what the
-- limits of forms need to count.

-- +goose Up

CREATE TABLE signups (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    mailbox TEXT NOT NULL, -- keyed hash: the same for all spellings of an address that reach one mailbox
    request TEXT           -- JSON; NULL once it is attended to
) STRICT;
CREATE INDEX signups_at ON signups (at);
CREATE INDEX signups_mailbox ON signups (mailbox, at);
CREATE INDEX signups_queued ON signups (id) WHERE request IS NOT NULL;

-- When a subscription that is pending was last asked for. NULL for one that was
-- imported, until somebody looks for those that nobody confirms.
ALTER TABLE subscriptions ADD COLUMN asked_at INTEGER;
CREATE INDEX subscriptions_pending ON subscriptions (asked_at) WHERE status = 'pending';
