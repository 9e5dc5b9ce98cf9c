-- Sign-ups: by kind and network, each form taken once, and what they wish kept
-- apart from what its owner has until they confirm.

-- +goose Up

ALTER TABLE signups ADD COLUMN kind text COLLATE "C" NOT NULL DEFAULT 'signup'; -- each has limits of its own
ALTER TABLE signups ADD COLUMN network text COLLATE "C" NOT NULL DEFAULT ''; -- keyed hash; '' if it is not known
ALTER TABLE signups ADD COLUMN form text COLLATE "C"; -- the token of the form, which is taken once
CREATE UNIQUE INDEX signups_form ON signups (form) WHERE form IS NOT NULL;

-- What a sign-up asked for, newsletter by newsletter: exactly this is what its
-- mail names and its link confirms.
CREATE TABLE wishes (
    signup_id     bigint NOT NULL, -- of signups, whose row goes before
    newsletter_id bigint NOT NULL REFERENCES newsletters (id),
    subscriber_id bigint NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE,
    categories    text COLLATE "C" NOT NULL,
    tags          text COLLATE "C" NOT NULL,
    frequency     text COLLATE "C" NOT NULL,
    hour          text COLLATE "C" NOT NULL,
    personal      smallint NOT NULL CHECK (personal IN (0, 1)), -- 1: language, timezone and format are to be the person's
    language      text COLLATE "C" NOT NULL,
    timezone      text COLLATE "C" NOT NULL,
    format        text COLLATE "C" NOT NULL,
    asked_at      bigint NOT NULL,
    confirmed_at  bigint,
    PRIMARY KEY (signup_id, newsletter_id)
);
CREATE INDEX wishes_subscriber ON wishes (subscriber_id);
CREATE INDEX wishes_asked ON wishes (asked_at);

-- The sign-up whose wishes a mail asks to confirm. NULL: what is pending.
ALTER TABLE notices ADD COLUMN signup_id bigint;

-- When the next address was asked for, and since when links are good that were
-- sent to the person: those before are void.
ALTER TABLE subscribers ADD COLUMN next_at bigint;
ALTER TABLE subscribers ADD COLUMN links_since bigint;
CREATE INDEX subscribers_next ON subscribers (next_key) WHERE next_key <> '';
