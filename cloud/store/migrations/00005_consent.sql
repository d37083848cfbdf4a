-- What residents have decided about who may see what, and the chain of the log.

-- +goose Up

-- Only ever added to: a withdrawal is a decision, too.
CREATE TABLE consents (
    id      BIGINT NOT NULL PRIMARY KEY, -- in the order of the decisions
    home    TEXT   NOT NULL,
    party   TEXT   NOT NULL, -- staff, relatives, person:ID
    field   TEXT   NOT NULL,
    allowed BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    until   BIGINT NOT NULL,
    purpose TEXT   NOT NULL,
    author  TEXT   NOT NULL, -- who noted it
    how     TEXT   NOT NULL,
    key     TEXT   NOT NULL -- the same decision comes but once; '' is always a new one
);
CREATE INDEX consents_of_home ON consents (home, id);
CREATE UNIQUE INDEX consents_once ON consents (home, key) WHERE key <> '';
INSERT INTO counters (name, value) VALUES ('consent', 0);

-- Each entry of the log holds the hash of the one before it, and its own, both
-- hexadecimal; entries from before have none.
ALTER TABLE audit ADD COLUMN prev TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN hash TEXT NOT NULL DEFAULT '';

-- What people did to one alert is read with it.
CREATE INDEX audit_of_detail ON audit (home, detail);
