package care

import "time"

// Passkey is a passkey of a person.
type Passkey struct {
	ID         string // the credential id, base64url
	Person     string
	Name       string // as the person calls what it is on
	Credential string // JSON, as the check of it needs it: no secret, and not for logs
	Added      time.Time
	Used       time.Time // zero is never
}

// SignInState says how a person can sign in.
type SignInState struct {
	Passkeys int
	Invited  time.Time // zero: no invitation is open
	// InvitedUntil is when the invitation ends, which may be past.
	InvitedUntil time.Time
}

// Open returns when the invitation was made that is open, nil for none.
func (s SignInState) Open(now time.Time) *time.Time {
	if s.Invited.IsZero() || !now.Before(s.InvitedUntil) {
		return nil
	}
	return &s.Invited
}
