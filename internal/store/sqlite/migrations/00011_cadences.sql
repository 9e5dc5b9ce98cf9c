-- Readers who fall due at an hour of their own: which of them there are, how
-- far their turns are on record, and what became of each.

-- +goose Up

-- A copy of the subscriber's time zone, for the index alone.
ALTER TABLE subscriptions ADD COLUMN zone TEXT NOT NULL DEFAULT '';

UPDATE subscriptions SET zone = (SELECT p.timezone FROM subscribers p WHERE p.id = subscriptions.subscriber_id)
WHERE subscriber_id IN (SELECT id FROM subscribers WHERE timezone <> '');

-- +goose StatementBegin
CREATE TRIGGER subscriptions_zone AFTER INSERT ON subscriptions
WHEN NEW.zone <> (SELECT timezone FROM subscribers WHERE id = NEW.subscriber_id)
BEGIN
    UPDATE subscriptions SET zone = (SELECT timezone FROM subscribers WHERE id = NEW.subscriber_id)
    WHERE newsletter_id = NEW.newsletter_id AND subscriber_id = NEW.subscriber_id;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER subscribers_zone AFTER UPDATE OF timezone ON subscribers
WHEN NEW.timezone <> OLD.timezone
BEGIN
    UPDATE subscriptions SET zone = NEW.timezone WHERE subscriber_id = NEW.id;
END;
-- +goose StatementEnd

CREATE INDEX subscriptions_due ON subscriptions (newsletter_id, frequency, zone, hour, subscriber_id) WHERE status = 'active';

-- The readers of an edition in one zone, at one hour: they fall due together.
CREATE TABLE edition_waves (
    edition_id INTEGER NOT NULL REFERENCES editions (id) ON DELETE CASCADE,
    zone       TEXT NOT NULL, -- '': the newsletter's
    hour       TEXT NOT NULL, -- '': the newsletter's, or of a cadence without
    at         INTEGER,
    status     TEXT NOT NULL CHECK (status IN ('made', 'skipped', 'failed')),
    reason     TEXT NOT NULL,
    late       TEXT NOT NULL,
    missed     INTEGER NOT NULL CHECK (missed IN (0, 1)),
    readers    INTEGER NOT NULL,
    due        INTEGER NOT NULL, -- those of them to whom something is mailed
    created_at INTEGER,
    PRIMARY KEY (edition_id, zone, hour)
) STRICT, WITHOUT ROWID;

-- Until when the waves of a cadence are on record.
CREATE TABLE cadences (
    newsletter_id INTEGER NOT NULL REFERENCES newsletters (id),
    cadence       TEXT NOT NULL,
    until         INTEGER,
    PRIMARY KEY (newsletter_id, cadence)
) STRICT, WITHOUT ROWID;

-- The zones and hours that a cadence has readers in, and since when.
CREATE TABLE cadence_bands (
    newsletter_id INTEGER NOT NULL REFERENCES newsletters (id),
    cadence       TEXT NOT NULL,
    zone          TEXT NOT NULL,
    hour          TEXT NOT NULL,
    since         INTEGER,
    PRIMARY KEY (newsletter_id, cadence, zone, hour)
) STRICT, WITHOUT ROWID;

-- The runs made so far went to the readers of every zone.
INSERT INTO cadences (newsletter_id, cadence, until)
SELECT newsletter_id, 'schedule', max(COALESCE(due_at, created_at)) FROM editions
WHERE manual = 0 AND cadence = 'schedule' GROUP BY newsletter_id;
