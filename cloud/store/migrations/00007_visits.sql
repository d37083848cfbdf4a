-- Versions of visits, when notes were written, and what the staff's screens
-- are told has changed.

-- +goose Up

ALTER TABLE visits ADD COLUMN rev BIGINT NOT NULL DEFAULT 1; -- grows with each change

ALTER TABLE notes ADD COLUMN written BIGINT NOT NULL DEFAULT 0;
UPDATE notes SET written = at;
DROP INDEX notes_of_home;
CREATE INDEX notes_of_home ON notes (home, written);
CREATE INDEX notes_written ON notes (written);

-- The latest change of each kind in each home.
CREATE TABLE changes (
    home TEXT   NOT NULL,
    kind TEXT   NOT NULL,
    id   BIGINT NOT NULL, -- grows with each change of any
    what TEXT   NOT NULL, -- the id of the visit, note or message
    PRIMARY KEY (home, kind)
);
CREATE INDEX changes_by_id ON changes (id);
INSERT INTO counters (name, value) VALUES ('change', 0);
