-- How often a mail may have arrived without an answer, and how often it failed
-- for what was not its reader's fault; where the links of a frozen mail begin.

-- +goose Up

ALTER TABLE deliveries ADD COLUMN copies INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN setbacks INTEGER NOT NULL DEFAULT 0;
CREATE INDEX bounces_notices ON bounces (at) WHERE edition_id = 0 AND class = 'hard';
CREATE INDEX edition_bounces_held ON edition_bounces (held_since) WHERE held_since IS NOT NULL;
ALTER TABLE edition_groups ADD COLUMN base TEXT NOT NULL DEFAULT '';
