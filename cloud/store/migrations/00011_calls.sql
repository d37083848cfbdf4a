-- Calls by video: who rang, who answered, who was in it, and how it went. What
-- is said in one is never kept.

-- +goose Up

CREATE TABLE calls (
    id        TEXT   NOT NULL PRIMARY KEY,
    home      TEXT   NOT NULL REFERENCES homes (id),
    visit     TEXT   NOT NULL, -- the planned visit that it is, '' for none
    alert     TEXT   NOT NULL, -- what it was begun for, '' for none
    state     TEXT   NOT NULL, -- ringing, answered, ended
    author    TEXT   NOT NULL, -- the id of who calls; a name and a role as they were then
    name      TEXT   NOT NULL,
    role      TEXT   NOT NULL,
    started   BIGINT NOT NULL,
    countdown BIGINT NOT NULL, -- seconds until the screen answers by itself, 0 is never
    rung      BIGINT NOT NULL, -- when the home said that it rings, 0 when it never did
    answered  BIGINT NOT NULL,
    how       TEXT   NOT NULL,
    ended     BIGINT NOT NULL,
    why       TEXT   NOT NULL,
    outcome   TEXT   NOT NULL,
    note      TEXT   NOT NULL,
    saved     BIGINT NOT NULL  -- minutes of travel
);
CREATE INDEX calls_of_home ON calls (home, started);
CREATE INDEX calls_by_time ON calls (started);
CREATE INDEX calls_of_visit ON calls (visit, started) WHERE visit <> '';
-- One at a time in a home.
CREATE UNIQUE INDEX calls_live ON calls (home) WHERE state <> 'ended';

CREATE TABLE call_people (
    call   TEXT   NOT NULL REFERENCES calls (id),
    person TEXT   NOT NULL, -- home, person:ID or guest:ID
    place  BIGINT NOT NULL, -- in the order in which they came, from 0
    name   TEXT   NOT NULL,
    role   TEXT   NOT NULL,
    joined BIGINT NOT NULL, -- first
    gone   BIGINT NOT NULL, -- last; 0 while they are there
    PRIMARY KEY (call, person)
);

-- Who was invited to one call, by a link of which the hash of the secret is kept.
CREATE TABLE call_guests (
    id      TEXT   NOT NULL PRIMARY KEY,
    call    TEXT   NOT NULL REFERENCES calls (id),
    name    TEXT   NOT NULL,
    role    TEXT   NOT NULL,
    hash    TEXT   NOT NULL UNIQUE,
    invited TEXT   NOT NULL, -- who invited them
    expires BIGINT NOT NULL
);
CREATE INDEX call_guests_of_call ON call_guests (call);
CREATE INDEX call_guests_by_end ON call_guests (expires);
