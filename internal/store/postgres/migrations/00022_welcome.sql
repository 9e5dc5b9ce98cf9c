-- New readers, who may be sent the latest edition.

-- +goose Up

-- When its owner made it active, until they are welcomed; NULL: there is no
-- need.
ALTER TABLE subscriptions ADD COLUMN joined_at bigint;
CREATE INDEX subscriptions_joined ON subscriptions (newsletter_id, joined_at) WHERE joined_at IS NOT NULL;
