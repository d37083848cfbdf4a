package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// CredentialsOf returns a person's credentials, expired or not, the newest first.
func (s *Store) CredentialsOf(ctx context.Context, person string) ([]care.Credential, error) {
	found, err := list(ctx, s.read, scanCredential, `SELECT `+credentialColumns+` FROM credentials
		WHERE person = $1 AND person <> '' ORDER BY created DESC, hash`, person)
	if err != nil {
		return nil, fmt.Errorf("read credentials of %s: %w", person, err)
	}
	return found, nil
}

// DeleteCredentialsOf deletes a person's credentials of a kind, except the one
// with a hash. With sessions go the browsers that show alarms, but those that were
// stored in the session that stays: a session may be over of which one remains.
func (s *Store) DeleteCredentialsOf(ctx context.Context, person string, kind care.CredentialKind, except string) error {
	err := s.update(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `DELETE FROM credentials WHERE person = $1 AND person <> '' AND kind = $2 AND hash <> $3`, person, string(kind), except)
		if err == nil && kind == care.Session {
			_, err = t.exec(ctx, `DELETE FROM browsers WHERE person = $1 AND person <> '' AND (session <> $2 OR session = '')`, person, except)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("delete credentials of %s: %w", person, err)
	}
	return nil
}

// changeSession runs a statement that must find one session.
func (s *Store) changeSession(ctx context.Context, doing, query string, args ...any) error {
	err := s.update(ctx, func(t *tx) error {
		n, err := t.exec(ctx, query, args...)
		if err == nil && n == 0 {
			return ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// OfferSecret notes which secret comes next in a session. It returns
// ErrNotFound when the session is gone or its secret is another by now.
func (s *Store) OfferSecret(ctx context.Context, hash, secret, next string) error {
	return s.changeSession(ctx, "offer a session's next secret",
		`UPDATE credentials SET upcoming = $3 WHERE hash = $1 AND secret = $2 AND kind = 'session'`, hash, secret, next)
}

// TurnSecret makes the next secret of a session the one that is good. It
// returns ErrNotFound when the session is gone or its next is another.
func (s *Store) TurnSecret(ctx context.Context, hash, next string, at time.Time) error {
	return s.changeSession(ctx, "turn a session's secret", `UPDATE credentials SET secret = upcoming, upcoming = '', turns = turns + 1, turned = $3
		WHERE hash = $1 AND upcoming = $2 AND upcoming <> '' AND kind = 'session'`, hash, next, at)
}

// UseSession notes when a session was last used; the latest counts. It returns
// ErrNotFound when it is gone.
func (s *Store) UseSession(ctx context.Context, hash string, at time.Time) error {
	return s.changeSession(ctx, "note the use of a session",
		`UPDATE credentials SET used = CASE WHEN used < $2 THEN $2 ELSE used END WHERE hash = $1 AND kind = 'session'`, hash, at)
}

// ProveSession notes when in a session its person last proved who they are. It
// returns ErrNotFound when it is gone.
func (s *Store) ProveSession(ctx context.Context, hash string, at time.Time) error {
	return s.changeSession(ctx, "note who is in a session", `UPDATE credentials SET proved = $2 WHERE hash = $1 AND kind = 'session'`, hash, at)
}

// HomesOf returns the homes of which a person is a contact, by id.
func (s *Store) HomesOf(ctx context.Context, person string) ([]string, error) {
	homes, err := list(ctx, s.read, scanText, `SELECT scope FROM members WHERE kind = 'contacts' AND person = $1 ORDER BY scope`, person)
	if err != nil {
		return nil, fmt.Errorf("read homes of %s: %w", person, err)
	}
	return homes, nil
}

const selectPasskey = `SELECT id, person, name, credential, added, used FROM passkeys `

func scanPasskey(row scanner) (p care.Passkey, err error) {
	err = row.Scan(&p.ID, &p.Person, &p.Name, &p.Credential, (*when)(&p.Added), (*when)(&p.Used))
	return p, err
}

// mostPasskeys is how many passkeys one person has.
const mostPasskeys = 20

var errPasskeys = fmt.Errorf("%w: a person has %d passkeys at most", ErrExists, mostPasskeys)

// PutPasskey stores a new passkey. It returns ErrExists for an id that is taken
// and for one too many, and ErrNotFound when there is no such person.
func (s *Store) PutPasskey(ctx context.Context, p care.Passkey) error {
	err := s.update(ctx, func(t *tx) error {
		if _, err := one(ctx, t, scanText, `SELECT id FROM people WHERE id = $1`, p.Person); err != nil {
			return err
		}
		have, err := list(ctx, t, scanText, `SELECT id FROM passkeys WHERE person = $1`, p.Person)
		if err != nil {
			return err
		}
		if len(have) >= mostPasskeys {
			return errPasskeys
		}
		n, err := t.exec(ctx, `INSERT INTO passkeys (id, person, name, credential, added, used) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (id) DO NOTHING`, p.ID, p.Person, p.Name, p.Credential, p.Added, p.Used)
		if err == nil && n == 0 {
			return ErrExists
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store a passkey of %s: %w", p.Person, err)
	}
	return nil
}

// Passkey returns the passkey with an id, or ErrNotFound.
func (s *Store) Passkey(ctx context.Context, id string) (care.Passkey, error) {
	p, err := one(ctx, s.read, scanPasskey, selectPasskey+`WHERE id = $1`, id)
	if err != nil {
		return care.Passkey{}, fmt.Errorf("read a passkey: %w", err)
	}
	return p, nil
}

// Passkeys returns a person's passkeys, the oldest first.
func (s *Store) Passkeys(ctx context.Context, person string) ([]care.Passkey, error) {
	found, err := list(ctx, s.read, scanPasskey, selectPasskey+`WHERE person = $1 ORDER BY added, id`, person)
	if err != nil {
		return nil, fmt.Errorf("read passkeys of %s: %w", person, err)
	}
	return found, nil
}

// UsePasskey notes the use of a passkey, with what its check changed. It
// returns ErrNotFound when it is gone.
func (s *Store) UsePasskey(ctx context.Context, id, credential string, at time.Time) error {
	err := s.update(ctx, func(t *tx) error {
		n, err := t.exec(ctx, `UPDATE passkeys SET credential = $2, used = $3 WHERE id = $1`, id, credential, at)
		if err == nil && n == 0 {
			return ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("note the use of a passkey: %w", err)
	}
	return nil
}

// DeletePasskey deletes a passkey of a person; ErrNotFound when they have none
// with the id.
func (s *Store) DeletePasskey(ctx context.Context, person, id string) error {
	err := s.update(ctx, func(t *tx) error {
		n, err := t.exec(ctx, `DELETE FROM passkeys WHERE person = $1 AND id = $2`, person, id)
		if err == nil && n == 0 {
			return ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("delete a passkey of %s: %w", person, err)
	}
	return nil
}

// DeleteSignIns takes away all by which a person can sign in: sessions, links,
// invitations, passkeys, and who they are at identity providers. Tokens stay,
// which programs use.
func (s *Store) DeleteSignIns(ctx context.Context, person string) error {
	err := s.update(ctx, func(t *tx) error {
		_, err := t.exec(ctx, `DELETE FROM credentials WHERE person = $1 AND person <> '' AND kind <> 'token'`, person)
		_, err2 := t.exec(ctx, `DELETE FROM passkeys WHERE person = $1`, person)
		_, err3 := t.exec(ctx, `DELETE FROM identities WHERE person = $1`, person)
		_, err4 := t.exec(ctx, `DELETE FROM browsers WHERE person = $1`, person)
		return errors.Join(err, err2, err3, err4)
	})
	if err != nil {
		return fmt.Errorf("delete sign-ins of %s: %w", person, err)
	}
	return nil
}

// SignIns returns how people can sign in, by person; who cannot is not in it.
func (s *Store) SignIns(ctx context.Context) (map[string]care.SignInState, error) {
	out := map[string]care.SignInState{}
	type count struct {
		person string
		n      int
	}
	passkeys, err := list(ctx, s.read, func(row scanner) (c count, err error) {
		return c, row.Scan(&c.person, &c.n)
	}, `SELECT person, COUNT(*) FROM passkeys GROUP BY person`)
	if err != nil {
		return nil, fmt.Errorf("count passkeys: %w", err)
	}
	for _, p := range passkeys {
		out[p.person] = care.SignInState{Passkeys: p.n}
	}
	invitations, err := list(ctx, s.read, scanCredential, `SELECT `+credentialColumns+` FROM credentials WHERE kind = 'invitation'`)
	if err != nil {
		return nil, fmt.Errorf("read invitations: %w", err)
	}
	for _, c := range invitations {
		state := out[c.Person]
		if c.Created.After(state.Invited) {
			state.Invited, state.InvitedUntil = c.Created, c.Expires
		}
		out[c.Person] = state
	}
	return out, nil
}

// Identity returns the person who is known by a subject at an issuer, or
// ErrNotFound.
func (s *Store) Identity(ctx context.Context, issuer, subject string) (person string, err error) {
	person, err = one(ctx, s.read, scanText, `SELECT person FROM identities WHERE issuer = $1 AND subject = $2`, issuer, subject)
	if err != nil {
		return "", fmt.Errorf("read an identity: %w", err)
	}
	return person, nil
}

// Subject returns by which subject a person is known at an issuer, or
// ErrNotFound.
func (s *Store) Subject(ctx context.Context, issuer, person string) (subject string, err error) {
	subject, err = one(ctx, s.read, scanText, `SELECT subject FROM identities WHERE issuer = $1 AND person = $2`, issuer, person)
	if err != nil {
		return "", fmt.Errorf("read an identity: %w", err)
	}
	return subject, nil
}

// PutIdentity binds a subject at an issuer to a person. It returns ErrExists
// when the subject is bound, or the person to another subject there.
func (s *Store) PutIdentity(ctx context.Context, issuer, subject, person string, at time.Time) error {
	err := s.update(ctx, func(t *tx) error {
		n, err := t.exec(ctx, `INSERT INTO identities (issuer, subject, person, added) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			issuer, subject, person, at)
		if err == nil && n == 0 {
			return ErrExists
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("bind an identity to %s: %w", person, err)
	}
	return nil
}
