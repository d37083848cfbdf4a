package care

import (
	"time"

	"github.com/lykta/lykta/devices/wire"
)

// Commit is what a group of messages does to the database: all of it or
// nothing, before any of the messages is acknowledged.
type Commit struct {
	Marks   []Mark
	Boots   []Boot
	Records []AlarmRecord
	Raise   []Alert    // stored unless an alert with the id exists
	Recover []Recovery // applied to the active alerts that they match
	States  []HomeState
	Refused []RefusedMessage
	// Consents are decisions made on the screens in the homes; each has a Key.
	Consents []Consent
}

// Empty reports whether there is nothing to commit.
func (c Commit) Empty() bool {
	return len(c.Marks)+len(c.Boots)+len(c.Records)+len(c.Raise)+len(c.Recover)+len(c.States)+len(c.Refused)+len(c.Consents) == 0
}

// Mark is how far the cloud has come in one log of one gateway.
type Mark struct {
	Gateway string
	Lane    wire.Lane
	Epoch   string
	// Evaluated is the highest sequence number up to which every record has
	// been seen and its effects committed.
	Evaluated uint64
	// Stored is the highest up to which the time series store has them too:
	// what is acknowledged. In the alarm lane, whose truth is the database, it
	// equals Evaluated.
	Stored uint64
	// Heard is when anything last arrived, by the cloud's clock.
	Heard time.Time
}

// Boot is the correction of one boot of a gateway whose clock was not right:
// what to add to its records' times. The first that is committed stays.
type Boot struct {
	Gateway string
	Boot    string
	Offset  time.Duration
}

// AlarmRecord is one record of the alarm lane, whose source of truth is here.
// Record.Time is already corrected.
type AlarmRecord struct {
	Gateway  string
	Epoch    string
	Seq      uint64
	Home     string
	Received time.Time
	Record   wire.Record
}

// Recovery says that the cause of alerts of one kind and device went away.
type Recovery struct {
	Home   string
	Kind   AlertKind
	Device string
	At     time.Time
}

// HomeState is a watcher's own state, opaque to the database.
type HomeState struct {
	Home  string
	State []byte
}

// RefusedMessage is what could not be understood, kept for the operator. Seq
// is 0 when the message as a whole was not understood.
type RefusedMessage struct {
	Gateway  string
	Topic    string
	Seq      uint64
	ID       string // LYK error id
	Error    string
	Payload  []byte // at most the first 4 KiB
	Received time.Time
}

// Event is one change that screens and notifiers must hear of, in the order
// in which it was committed. IDs grow without end and have no meaning else.
type Event struct {
	ID    int64
	At    time.Time
	Home  string
	Alert string // the alert that changed
}

// Change is who changed an alert and how, and what is stored beside it in the
// same transaction.
type Change struct {
	Actor  string
	Role   Role
	Action string
	// Key is the client's idempotency key: the same deed with the same key is
	// done once. Empty is always a new deed.
	Key string
	// Commands are sent to homes until they are answered.
	Commands []PendingCommand
}

// PendingCommand is a command that its gateway has not answered yet.
type PendingCommand struct {
	Gateway string
	Command wire.Command
}

// CommandLine is the actor of what was changed on the service's command line.
const CommandLine = "command line"

// Credential lets somebody in: an API token, a sign-in link, or a session.
// Only the SHA-256 of the secret is kept.
type Credential struct {
	Hash    string // hex SHA-256 of the secret
	Kind    CredentialKind
	Name    string // whose it is, as shown beside what they do
	Role    Role
	Person  string // the id of whom it makes known as one who is told of alerts; "" is nobody
	Created time.Time
	Expires time.Time // zero is never

	// What follows is of sessions alone. Their secret changes while they are
	// used; Hash is of the part of it that stays.
	From   CredentialKind // what it was made of: a token, a link, an invitation, a passkey, or OIDC
	Device string         // the browser and its device, as people call them
	Secret string         // hex SHA-256 of the secret that is good now
	Next   string         // of the one that was offered and not presented yet; "" for none
	Seed   string         // with the secret it makes the next
	Turns  int            // how often the secret has changed
	Turned time.Time      // when it last did, or was first given out
	Used   time.Time      // to the minute
	// Proved is when the person last proved who they are, rather than that they
	// have the cookie; zero is never.
	Proved time.Time
}

// CredentialKind says how a credential is used.
type CredentialKind string

// The kinds of credential.
const (
	Token       CredentialKind = "token"      // Authorization: Bearer
	SignInLink  CredentialKind = "link"       // exchanged for a session
	Session     CredentialKind = "session"    // a browser's cookie
	Invitation  CredentialKind = "invitation" // a person's first session, from which they add a passkey
	FromPasskey CredentialKind = "passkey"    // of Credential.From alone
	FromOIDC    CredentialKind = "oidc"       // of Credential.From alone: the identity provider of a municipality
)

// AuditEntry is one look or deed, for the log that the resident can read.
type AuditEntry struct {
	At     time.Time
	Actor  string
	Role   Role
	Action string
	Home   string
	Detail string
}
