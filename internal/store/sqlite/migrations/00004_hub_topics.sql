-- What each WebSub hub was last told of each feed document: the hash of its
-- bytes. A document whose hash is another one is still to be announced.

-- +goose Up

CREATE TABLE hub_topics (
    hub  TEXT NOT NULL,
    path TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (hub, path)
) STRICT, WITHOUT ROWID;
