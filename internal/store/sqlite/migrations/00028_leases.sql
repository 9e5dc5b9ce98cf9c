-- Leases of those who hold claims. SQLite's senders see each other's journals and
-- need none; the tables are those of PostgreSQL.

-- +goose Up

-- Who holds claims, until when by this database's clock. One whose time ran out
-- may be fenced: then others see to its claims, and it gets no more.
CREATE TABLE holders (
    name       TEXT PRIMARY KEY,
    expires_at INTEGER NOT NULL,
    fenced     INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- Claims that were taken over from a holder who may yet tell what became of them,
-- as they were. One that is claimed anew is no more here.
CREATE TABLE inherited (
    edition_id INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    holder     TEXT NOT NULL,
    claimed_at INTEGER,
    attempts   INTEGER NOT NULL,
    copies     INTEGER NOT NULL,
    setbacks   INTEGER NOT NULL,
    resent     INTEGER NOT NULL,
    PRIMARY KEY (edition_id, seq)
) WITHOUT ROWID;
CREATE INDEX inherited_holder ON inherited (holder);
