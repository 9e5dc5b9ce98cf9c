-- What a post's file asks of digests, and since when it is to be mailed again.

-- +goose Up

ALTER TABLE posts ADD COLUMN announce TEXT NOT NULL DEFAULT '';
ALTER TABLE posts ADD COLUMN announced INTEGER;
