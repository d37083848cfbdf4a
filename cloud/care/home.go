// Package care is the domain: homes, the people in them, and what needs a
// human. It is pure: no I/O, no goroutines, and the time is an argument.
package care

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/lykta/lykta/devices/wire"
)

// Home is a home with one gateway in it.
type Home struct {
	ID string
	// Gateway is the id of the home's gateway.
	Gateway string
	// Name is what staff call the home, usually the resident's name.
	Name string
	// Area is the part of the municipality whose staff look after the home.
	Area string
	// Zone is the IANA time zone in which schedules are kept.
	Zone string
	// CheckIns are the times of day by which the resident says "I am OK".
	CheckIns []CheckIn
	Created  time.Time
	// Fault is the LYK id of what is stored of the home and cannot be read; "" is
	// nothing. It comes from the store, and is not stored.
	Fault string
}

// Equal reports whether two definitions are the same.
func (h Home) Equal(o Home) bool {
	return h.ID == o.ID && h.Gateway == o.Gateway && h.Name == o.Name && h.Zone == o.Zone && h.Area == o.Area && h.Fault == o.Fault && slices.Equal(h.CheckIns, o.CheckIns)
}

// CheckIn is a window of the day, in the home's zone, in which a check-in is
// expected. From and By are minutes after midnight, 0 <= From < By <= 1440.
type CheckIn struct {
	From int `json:"from"`
	By   int `json:"by"`
}

var homeID = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// ErrHome is wrapped by what Home.Check finds wrong.
var ErrHome = errors.New("the home cannot be stored")

// Check says what is wrong with a home's definition.
func (h Home) Check() error {
	if !homeID.MatchString(h.ID) {
		return fmt.Errorf("%w: an id is 1–64 lower-case letters, digits, '.', '_' or '-'", ErrHome)
	}
	if err := wire.CheckGatewayID(h.Gateway); err != nil {
		return fmt.Errorf("%w: %w", ErrHome, err)
	}
	if h.Name == "" || len(h.Name) > 200 {
		return fmt.Errorf("%w: a name is 1–200 bytes", ErrHome)
	}
	if h.Zone == "" || h.Zone == "Local" {
		return fmt.Errorf("%w: a time zone has a name such as Europe/Stockholm", ErrHome) // to package time "" is UTC, and Local the server's own
	}
	if _, err := time.LoadLocation(h.Zone); err != nil {
		return fmt.Errorf("%w: time zone: %w", ErrHome, err)
	}
	for _, c := range h.CheckIns {
		if c.From < 0 || c.From >= c.By || c.By > 24*60 {
			return fmt.Errorf("%w: a check-in window is from before by, within a day", ErrHome)
		}
	}
	return nil
}

// Role is what somebody may do.
type Role string

// The roles of staff, who sign in.
const (
	Caregiver   Role = "caregiver"
	Coordinator Role = "coordinator"
	Operator    Role = "operator"
)

// The roles of others: relatives sign in and answer messages, responders only
// answer, and the resident decides on the screen in the home.
const (
	Relative  Role = "relative"
	Responder Role = "responder"
	AtHome    Role = "resident"
)

// Staff reports whether the role is one of staff.
func (r Role) Staff() bool { return r == Caregiver || r == Coordinator || r == Operator }

// SignsIn reports whether somebody of the role can sign in.
func (r Role) SignsIn() bool { return r.Staff() || r == Relative }
