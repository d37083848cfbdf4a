-- What a home has said that it has, where that is newer than what is known
-- here: what is told next goes beyond it.

-- +goose Up

ALTER TABLE configurations ADD COLUMN held BIGINT NOT NULL DEFAULT 0;
