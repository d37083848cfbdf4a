-- One text for SQLite and PostgreSQL. Times are microseconds since 1970 UTC,
-- 0 is none. BYTEA has no meaning to SQLite and leaves bytes as they are.

-- +goose Up

-- Numbers that grow without end. A row stays locked until its transaction
-- commits, so that numbers are given in the order of the commits.
CREATE TABLE counters (
    name  TEXT   NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('event', 0), ('command', 0), ('refused', 0), ('audit', 0);

CREATE TABLE homes (
    id        TEXT   NOT NULL PRIMARY KEY,
    gateway   TEXT   NOT NULL UNIQUE,
    name      TEXT   NOT NULL,
    zone      TEXT   NOT NULL,
    check_ins TEXT   NOT NULL,
    created   BIGINT NOT NULL
);

-- What comes from the homes has no foreign keys: nothing that a gateway sends
-- may make a commit fail for good.
CREATE TABLE marks (
    gateway   TEXT   NOT NULL,
    lane      TEXT   NOT NULL,
    epoch     TEXT   NOT NULL,
    evaluated BIGINT NOT NULL,
    stored    BIGINT NOT NULL,
    heard     BIGINT NOT NULL,
    PRIMARY KEY (gateway, lane, epoch)
);

CREATE TABLE boots (
    gateway TEXT   NOT NULL,
    boot    TEXT   NOT NULL,
    shift   BIGINT NOT NULL, -- microseconds
    PRIMARY KEY (gateway, boot)
);

CREATE TABLE states (
    home  TEXT  NOT NULL PRIMARY KEY,
    state BYTEA NOT NULL
);

CREATE TABLE alarm_records (
    gateway  TEXT   NOT NULL,
    epoch    TEXT   NOT NULL,
    seq      BIGINT NOT NULL,
    home     TEXT   NOT NULL,
    received BIGINT NOT NULL,
    record   TEXT   NOT NULL, -- as on the wire
    copied   BIGINT NOT NULL DEFAULT 0, -- 1 when the time series has it
    PRIMARY KEY (gateway, epoch, seq)
);
CREATE INDEX alarm_records_uncopied ON alarm_records (received, gateway, epoch, seq) WHERE copied = 0;

CREATE TABLE refused (
    id       BIGINT NOT NULL PRIMARY KEY,
    gateway  TEXT   NOT NULL,
    topic    TEXT   NOT NULL,
    seq      BIGINT NOT NULL,
    error_id TEXT   NOT NULL,
    error    TEXT   NOT NULL,
    payload  BYTEA  NOT NULL,
    received BIGINT NOT NULL
);
CREATE INDEX refused_of_gateway ON refused (gateway, id);

CREATE TABLE alerts (
    id              TEXT   NOT NULL PRIMARY KEY,
    home            TEXT   NOT NULL,
    kind            TEXT   NOT NULL,
    severity        TEXT   NOT NULL,
    state           TEXT   NOT NULL,
    device          TEXT   NOT NULL,
    room            TEXT   NOT NULL,
    cause_epoch     TEXT   NOT NULL,
    cause_seq       BIGINT NOT NULL,
    observed        BIGINT NOT NULL,
    raised          BIGINT NOT NULL,
    acknowledged_by TEXT   NOT NULL,
    acknowledged_at BIGINT NOT NULL,
    resolved_by     TEXT   NOT NULL,
    resolved_at     BIGINT NOT NULL,
    outcome         TEXT   NOT NULL,
    note            TEXT   NOT NULL,
    recovered       BIGINT NOT NULL
);
CREATE INDEX alerts_active ON alerts (home, kind, device) WHERE state <> 'resolved';
CREATE INDEX alerts_by_state ON alerts (state, raised);
CREATE INDEX alerts_of_home ON alerts (home, raised);

CREATE TABLE events (
    id    BIGINT NOT NULL PRIMARY KEY,
    at    BIGINT NOT NULL,
    home  TEXT   NOT NULL,
    alert TEXT   NOT NULL REFERENCES alerts (id)
);

-- Deeds that have been done, by their idempotency keys.
CREATE TABLE deeds (
    actor  TEXT   NOT NULL,
    action TEXT   NOT NULL,
    alert  TEXT   NOT NULL REFERENCES alerts (id),
    key    TEXT   NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (actor, action, alert, key)
);
CREATE INDEX deeds_by_time ON deeds (at);

CREATE TABLE commands (
    gateway  TEXT   NOT NULL,
    id       TEXT   NOT NULL,
    place    BIGINT NOT NULL, -- in the order of all commands
    type     TEXT   NOT NULL,
    args     BYTEA  NOT NULL,
    expires  BIGINT NOT NULL,
    put      BIGINT NOT NULL,
    answered BIGINT NOT NULL DEFAULT 0,
    reply    BYTEA,
    PRIMARY KEY (gateway, id)
);
CREATE INDEX commands_pending ON commands (place) WHERE answered = 0;

CREATE TABLE credentials (
    hash    TEXT   NOT NULL PRIMARY KEY,
    kind    TEXT   NOT NULL,
    name    TEXT   NOT NULL,
    role    TEXT   NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL
);

CREATE TABLE audit (
    id     BIGINT NOT NULL PRIMARY KEY,
    at     BIGINT NOT NULL,
    actor  TEXT   NOT NULL,
    role   TEXT   NOT NULL,
    action TEXT   NOT NULL,
    home   TEXT   NOT NULL,
    detail TEXT   NOT NULL
);
CREATE INDEX audit_of_home ON audit (home, id);
