-- Who has an alert now, what relatives are told, silences, tests, and the
-- browsers that are told by push.

-- +goose Up

ALTER TABLE alerts ADD COLUMN held_by  TEXT   NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN held_at  BIGINT NOT NULL DEFAULT 0;
ALTER TABLE alerts ADD COLUMN left_at  BIGINT NOT NULL DEFAULT 0;
ALTER TABLE alerts ADD COLUMN expected BIGINT NOT NULL DEFAULT 0;
ALTER TABLE alerts ADD COLUMN test     BIGINT NOT NULL DEFAULT 0;
ALTER TABLE alerts ADD COLUMN overdue  BIGINT NOT NULL DEFAULT 0;
ALTER TABLE alerts ADD COLUMN unheard  BIGINT NOT NULL DEFAULT 0;
ALTER TABLE alerts ADD COLUMN reached  BIGINT NOT NULL DEFAULT 0;
ALTER TABLE alerts ADD COLUMN heard    BIGINT NOT NULL DEFAULT 0;
UPDATE alerts SET held_by = acknowledged_by, held_at = acknowledged_at;

ALTER TABLE escalations DROP COLUMN unheard;
ALTER TABLE escalations ADD COLUMN place BIGINT NOT NULL DEFAULT 1; -- 0: of an emergency, which is looked at first

-- Alerts from before anybody was told of them.
INSERT INTO escalations (alert, round, step, began, due, held)
    SELECT id, 0, 0, 0, CASE state WHEN 'resolved' THEN 0 ELSE raised END, 0 FROM alerts
    WHERE id NOT IN (SELECT alert FROM escalations);
UPDATE escalations SET place = 0 WHERE alert IN (SELECT id FROM alerts WHERE severity = 'emergency');
CREATE INDEX escalations_place ON escalations (place, due) WHERE due <> 0;

CREATE INDEX members_of_scope ON members (scope);

DROP INDEX tellings_waiting;
DROP INDEX tellings_of_provider;
ALTER TABLE tellings RENAME TO tellings_before;
CREATE TABLE tellings (
    alert    TEXT   NOT NULL REFERENCES alerts (id),
    about    TEXT   NOT NULL,
    round    BIGINT NOT NULL,
    step     BIGINT NOT NULL,
    person   TEXT   NOT NULL,
    channel  TEXT   NOT NULL,
    nth      BIGINT NOT NULL, -- of the person's addresses of the channel, from 0
    address  TEXT   NOT NULL,
    kind     TEXT   NOT NULL, -- the group for which the person is told
    state    TEXT   NOT NULL,
    provider TEXT   NOT NULL, -- the provider's own id, once it has accepted
    reason   TEXT   NOT NULL, -- why it failed
    tries    BIGINT NOT NULL,
    due      BIGINT NOT NULL, -- when to send, while it waits
    decided  BIGINT NOT NULL,
    changed  BIGINT NOT NULL,
    place    BIGINT NOT NULL, -- 0: an alarm of an emergency, 1: another alarm, 2: news
    PRIMARY KEY (alert, about, round, step, person, channel, nth)
);
INSERT INTO tellings SELECT t.alert, 'alarm', t.round, t.step, t.person, t.channel, 0, t.address, t.kind, t.state, t.provider, t.reason, t.tries, t.due,
    t.decided, t.changed, CASE a.severity WHEN 'emergency' THEN 0 ELSE 1 END FROM tellings_before t JOIN alerts a ON a.id = t.alert;
DROP TABLE tellings_before;
CREATE INDEX tellings_waiting ON tellings (channel, place, due) WHERE state = 'waiting';
CREATE INDEX tellings_of_provider ON tellings (channel, provider) WHERE provider <> '';
CREATE INDEX tellings_of_person ON tellings (person, channel, changed);
CREATE INDEX tellings_by_time ON tellings (decided);

CREATE TABLE silences (
    id       TEXT   NOT NULL PRIMARY KEY,
    home     TEXT   NOT NULL,
    device   TEXT   NOT NULL,
    kinds    TEXT   NOT NULL, -- JSON; [] is all that may be silenced
    starts   BIGINT NOT NULL,
    ends     BIGINT NOT NULL,
    author   TEXT   NOT NULL,
    reason   TEXT   NOT NULL,
    ended    BIGINT NOT NULL DEFAULT 0,
    ended_by TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX silences_of_home ON silences (home, ends);

CREATE TABLE test_alarms (
    id     TEXT   NOT NULL PRIMARY KEY,
    home   TEXT   NOT NULL,
    person TEXT   NOT NULL,
    author TEXT   NOT NULL,
    starts BIGINT NOT NULL,
    ends   BIGINT NOT NULL,
    alert  TEXT   NOT NULL DEFAULT '',
    passed BIGINT NOT NULL DEFAULT 0,
    ended  BIGINT NOT NULL DEFAULT 0,
    failed TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX test_alarms_of_home ON test_alarms (home, starts);
CREATE INDEX test_alarms_passed ON test_alarms (passed) WHERE passed <> 0;
CREATE INDEX test_alarms_of_alert ON test_alarms (alert) WHERE alert <> '';

-- The latest test that each gateway made by itself.
CREATE TABLE own_tests (
    home     TEXT   NOT NULL PRIMARY KEY,
    received BIGINT NOT NULL
);
CREATE INDEX own_tests_received ON own_tests (received);

-- Web Push subscriptions of people's browsers.
CREATE TABLE browsers (
    id           TEXT   NOT NULL PRIMARY KEY, -- a hash of the endpoint
    person       TEXT   NOT NULL REFERENCES people (id),
    subscription TEXT   NOT NULL,
    added        BIGINT NOT NULL
);
CREATE INDEX browsers_of_person ON browsers (person);

ALTER TABLE credentials ADD COLUMN person TEXT NOT NULL DEFAULT '';

-- What has been made once and is kept, such as the keys of Web Push.
CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
