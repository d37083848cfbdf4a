-- When somebody last proved, in a session, who they are; and in which session
-- a browser was told to show alarms.

-- +goose Up

ALTER TABLE credentials ADD COLUMN proved BIGINT NOT NULL DEFAULT 0;
ALTER TABLE browsers ADD COLUMN session TEXT NOT NULL DEFAULT ''; -- hash of the credential
CREATE INDEX browsers_of_session ON browsers (session) WHERE session <> '';

-- Of which alerts that are not closed somebody was told is found from those
-- alerts, of which there are few, never from all that was ever told.
CREATE INDEX tellings_of_alert ON tellings (alert, person);
