-- Who is told of an alert, and how far the telling has come.

-- +goose Up

ALTER TABLE homes ADD COLUMN area TEXT NOT NULL DEFAULT '';

CREATE TABLE people (
    id        TEXT   NOT NULL PRIMARY KEY,
    name      TEXT   NOT NULL,
    language  TEXT   NOT NULL,
    addresses TEXT   NOT NULL, -- JSON, in the order in which they are tried
    away      BIGINT NOT NULL
);

-- Who belongs to a group: of an area ('' is every area) or, relatives and
-- neighbours, of a home.
CREATE TABLE members (
    kind   TEXT NOT NULL, -- the group
    scope  TEXT NOT NULL,
    person TEXT NOT NULL REFERENCES people (id),
    alerts TEXT NOT NULL, -- JSON: the kinds of alert that they are told of; [] is all
    PRIMARY KEY (kind, scope, person)
);

CREATE TABLE shifts (
    id       TEXT   NOT NULL PRIMARY KEY,
    area     TEXT   NOT NULL,
    person   TEXT   NOT NULL REFERENCES people (id),
    starts   BIGINT NOT NULL,
    ends     BIGINT NOT NULL,
    override BIGINT NOT NULL
);
CREATE INDEX shifts_of_area ON shifts (area, ends);

CREATE TABLE policies (
    area     TEXT NOT NULL,
    severity TEXT NOT NULL,
    policy   TEXT NOT NULL, -- JSON
    PRIMARY KEY (area, severity)
);

CREATE TABLE escalations (
    alert   TEXT   NOT NULL PRIMARY KEY REFERENCES alerts (id),
    round   BIGINT NOT NULL,
    step    BIGINT NOT NULL,
    began   BIGINT NOT NULL, -- the round with which telling began
    due     BIGINT NOT NULL, -- 0: nothing is left to do
    unheard BIGINT NOT NULL,
    held    BIGINT NOT NULL
);
CREATE INDEX escalations_due ON escalations (due) WHERE due <> 0;

CREATE TABLE tellings (
    alert    TEXT   NOT NULL REFERENCES alerts (id),
    round    BIGINT NOT NULL,
    step     BIGINT NOT NULL,
    person   TEXT   NOT NULL,
    channel  TEXT   NOT NULL,
    address  TEXT   NOT NULL,
    kind     TEXT   NOT NULL, -- the group for which the person is told
    state    TEXT   NOT NULL,
    provider TEXT   NOT NULL, -- the provider's own id, once it has accepted
    reason   TEXT   NOT NULL, -- why it failed
    tries    BIGINT NOT NULL,
    due      BIGINT NOT NULL, -- when to send, while it waits
    decided  BIGINT NOT NULL,
    changed  BIGINT NOT NULL,
    PRIMARY KEY (alert, round, step, person, channel)
);
CREATE INDEX tellings_waiting ON tellings (channel, due) WHERE state = 'waiting';
CREATE INDEX tellings_of_provider ON tellings (channel, provider) WHERE provider <> '';
