-- What is written about residents, the messages to their screens, and what
-- the screens have been told.

-- +goose Up

-- Words are in lower case, to be searched: SQLite's own lower() knows ASCII only.
ALTER TABLE homes ADD COLUMN words TEXT NOT NULL DEFAULT '';
UPDATE homes SET words = replace(replace(replace(replace(lower(name), 'Å', 'å'), 'Ä', 'ä'), 'Ö', 'ö'), 'É', 'é');
CREATE INDEX homes_of_area ON homes (area);

CREATE TABLE residents (
    home       TEXT   NOT NULL PRIMARY KEY REFERENCES homes (id),
    name       TEXT   NOT NULL,
    called     TEXT   NOT NULL,
    born       TEXT   NOT NULL,
    phone      TEXT   NOT NULL,
    address    TEXT   NOT NULL,
    entry      TEXT   NOT NULL,
    language   TEXT   NOT NULL,
    important  TEXT   NOT NULL,
    wishes     TEXT   NOT NULL,
    ask        BIGINT NOT NULL, -- minutes after midnight, 0 is never
    changed    BIGINT NOT NULL,
    changed_by TEXT   NOT NULL,
    words      TEXT   NOT NULL
);

CREATE TABLE notes (
    id       TEXT   NOT NULL PRIMARY KEY,
    home     TEXT   NOT NULL REFERENCES homes (id),
    at       BIGINT NOT NULL,
    author   TEXT   NOT NULL,
    person   TEXT   NOT NULL,
    kind     TEXT   NOT NULL,
    text     TEXT   NOT NULL,
    corrects TEXT   NOT NULL,
    alert    TEXT   NOT NULL,
    words    TEXT   NOT NULL
);
CREATE INDEX notes_of_home ON notes (home, at);
CREATE INDEX notes_by_time ON notes (at);

CREATE TABLE visits (
    id      TEXT   NOT NULL PRIMARY KEY,
    home    TEXT   NOT NULL REFERENCES homes (id),
    starts  BIGINT NOT NULL,
    ends    BIGINT NOT NULL,
    person  TEXT   NOT NULL,
    what    TEXT   NOT NULL,
    video   BIGINT NOT NULL,
    state   TEXT   NOT NULL,
    asked   TEXT   NOT NULL,
    note    TEXT   NOT NULL,
    changed BIGINT NOT NULL,
    author  TEXT   NOT NULL -- who changed it last
);
CREATE INDEX visits_of_home ON visits (home, starts);
CREATE INDEX visits_by_time ON visits (starts);
CREATE INDEX visits_of_person ON visits (person, starts);
CREATE INDEX visits_planned ON visits (ends) WHERE state = 'planned';

CREATE TABLE reminders (
    home       TEXT   NOT NULL REFERENCES homes (id),
    id         TEXT   NOT NULL,
    text       TEXT   NOT NULL,
    minute     BIGINT NOT NULL, -- after midnight
    days       TEXT   NOT NULL, -- JSON: ISO 8601 days of the week; [] is every day
    medication BIGINT NOT NULL,
    ended      BIGINT NOT NULL,
    PRIMARY KEY (home, id)
);

CREATE TABLE messages (
    id       TEXT   NOT NULL PRIMARY KEY,
    home     TEXT   NOT NULL REFERENCES homes (id),
    sender   TEXT   NOT NULL, -- the name that is shown
    person   TEXT   NOT NULL,
    family   BIGINT NOT NULL,
    text     TEXT   NOT NULL,
    pictured BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    until    BIGINT NOT NULL,
    reached  BIGINT NOT NULL DEFAULT 0,
    heard    BIGINT NOT NULL DEFAULT 0,
    ended    BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX messages_of_home ON messages (home, at);
CREATE INDEX messages_by_time ON messages (at);
CREATE INDEX messages_pictured ON messages (until) WHERE pictured = 1;

CREATE TABLE pictures (
    message TEXT  NOT NULL PRIMARY KEY REFERENCES messages (id),
    picture BYTEA NOT NULL
);

-- The gateways' configurations: which device is in which room, and what its
-- presses mean.
CREATE TABLE configurations (
    home    TEXT   NOT NULL PRIMARY KEY REFERENCES homes (id),
    version BIGINT NOT NULL,
    rooms   TEXT   NOT NULL, -- JSON
    actions TEXT   NOT NULL  -- JSON
);

-- What the home's screen was told last, and when it may have to be told anew.
CREATE TABLE screens (
    home    TEXT   NOT NULL PRIMARY KEY,
    due     BIGINT NOT NULL, -- 0: nothing has changed
    turn    BIGINT NOT NULL, -- grows with each change
    gateway TEXT   NOT NULL DEFAULT '',
    version BIGINT NOT NULL DEFAULT 0,
    hash    TEXT   NOT NULL DEFAULT '',
    refused BIGINT NOT NULL DEFAULT 0 -- until when the gateway is not asked, as it does not know how
);
CREATE INDEX screens_due ON screens (due) WHERE due <> 0;
CREATE INDEX screens_of_gateway ON screens (gateway);
INSERT INTO screens (home, due, turn) SELECT id, 1, 1 FROM homes;

-- Up to which entry the audit log has been shown on the screens.
INSERT INTO counters (name, value) SELECT 'looked', value FROM counters WHERE name = 'audit';

CREATE INDEX alerts_by_time ON alerts (raised);
CREATE INDEX alerts_by_end ON alerts (resolved_at);
