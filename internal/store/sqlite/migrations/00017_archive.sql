-- What the web shows of an edition: the mail that holds all of its posts.

-- +goose Up

-- 0: only the readers of the group see it; 1: the web shows it, once anybody
-- has got the edition; 2: once the edition is approved, too.
ALTER TABLE edition_groups ADD COLUMN web INTEGER NOT NULL DEFAULT 0 CHECK (web BETWEEN 0 AND 2);

-- The posts as they were then, as JSON, in the order of the mail; '' unless
-- the web shows them.
ALTER TABLE edition_groups ADD COLUMN contents TEXT NOT NULL DEFAULT '';
