-- A reader's own feed: the number of its address, which becomes another one when
-- the reader wants a new one; negative while it is off, so that no number comes twice.

-- +goose Up

ALTER TABLE subscribers ADD COLUMN feed INTEGER NOT NULL DEFAULT 0;
