-- What people choose for themselves, beside their topics.

-- +goose Up

ALTER TABLE subscribers ADD COLUMN format TEXT NOT NULL DEFAULT 'html' CHECK (format IN ('html', 'text'));
ALTER TABLE subscribers ADD COLUMN quiet_hours TEXT NOT NULL DEFAULT ''; -- '22-7', local

ALTER TABLE subscriptions ADD COLUMN hour TEXT NOT NULL DEFAULT ''; -- '' or '0' to '23', local
ALTER TABLE subscriptions ADD COLUMN paused_until INTEGER;
