-- Which term an address of the kind "/tags/SLUG/" belongs to.

-- +goose Up

CREATE TABLE term_slugs (
    kind     TEXT NOT NULL, -- category, tag, author, section
    slug     TEXT NOT NULL,
    term_key TEXT NOT NULL, -- the last term that had the slug
    present  INTEGER NOT NULL, -- 1: it has it now; 0: it has another one
    PRIMARY KEY (kind, slug)
) STRICT, WITHOUT ROWID;

CREATE INDEX term_slugs_term ON term_slugs (kind, term_key);
