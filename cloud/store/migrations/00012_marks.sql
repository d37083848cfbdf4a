-- How far logs have been read, as each commit says it: one row for all that it
-- brings. They are folded into marks now and then; until then what is highest of
-- both is true.

-- +goose Up

CREATE TABLE marks_journal (
    id    BIGINT NOT NULL PRIMARY KEY,
    marks TEXT   NOT NULL -- a JSON array
);
