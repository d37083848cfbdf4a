-- Who signs in, and how.

-- +goose Up

ALTER TABLE people ADD COLUMN role TEXT NOT NULL DEFAULT '';
ALTER TABLE people ADD COLUMN areas TEXT NOT NULL DEFAULT '[]'; -- JSON; [] is every area

-- Who had a token had its role; of several the highest, which also comes last
-- in the alphabet.
UPDATE people SET role = COALESCE((SELECT MAX(c.role) FROM credentials c WHERE c.kind = 'token' AND c.person = people.id), '');

-- Sessions are kept in another way from now on: everybody signs in once more.
DELETE FROM credentials WHERE kind = 'session';
ALTER TABLE credentials ADD COLUMN origin TEXT NOT NULL DEFAULT '';  -- what a session was made of
ALTER TABLE credentials ADD COLUMN device TEXT NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN secret TEXT NOT NULL DEFAULT '';  -- a hash, as is the next
ALTER TABLE credentials ADD COLUMN upcoming TEXT NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN seed TEXT NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN turns BIGINT NOT NULL DEFAULT 0;
ALTER TABLE credentials ADD COLUMN turned BIGINT NOT NULL DEFAULT 0;
ALTER TABLE credentials ADD COLUMN used BIGINT NOT NULL DEFAULT 0;
CREATE INDEX credentials_of_person ON credentials (person) WHERE person <> '';

CREATE TABLE passkeys (
    id         TEXT   NOT NULL PRIMARY KEY, -- the credential id, base64url
    person     TEXT   NOT NULL REFERENCES people (id),
    name       TEXT   NOT NULL,
    credential TEXT   NOT NULL, -- JSON: the public key and what else a check needs
    added      BIGINT NOT NULL,
    used       BIGINT NOT NULL
);
CREATE INDEX passkeys_of_person ON passkeys (person);

-- Who is who at an identity provider.
CREATE TABLE identities (
    issuer  TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    person  TEXT   NOT NULL REFERENCES people (id),
    added   BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
-- A second subject of one issuer is another human: an address was given on.
CREATE UNIQUE INDEX identities_of_person ON identities (person, issuer);

CREATE INDEX members_of_person ON members (person);
