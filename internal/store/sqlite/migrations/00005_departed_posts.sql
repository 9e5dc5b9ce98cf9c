-- When readers ceased to see a post, for whatever reason, and the date that its
-- file gives, which need not be that of its first publication.

-- +goose Up

ALTER TABLE posts ADD COLUMN departed INTEGER;
ALTER TABLE posts ADD COLUMN dated INTEGER;
