-- Which commands wait, and which are over, is found without those of all homes.

-- +goose Up

DROP INDEX commands_pending;
CREATE INDEX commands_waiting ON commands (gateway, answered) WHERE answered = 0;
CREATE INDEX commands_answered ON commands (answered) WHERE answered <> 0;
CREATE INDEX commands_expiring ON commands (expires) WHERE expires <> 0;
