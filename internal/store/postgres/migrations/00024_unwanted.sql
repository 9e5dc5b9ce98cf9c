-- Mails that are being sent while their reader changes what they want.

-- +goose Up

-- Why a claimed delivery is not to be tried again; NULL: it is wanted.
ALTER TABLE deliveries ADD COLUMN unwanted text COLLATE "C";
