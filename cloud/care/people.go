package care

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Channel is a way in which somebody can be told of an alert.
type Channel string

// The channels.
const (
	ChannelPush    Channel = "push"    // web push to a person's browsers; Address.To is the person's id
	ChannelSMS     Channel = "sms"     // Address.To is an E.164 number
	ChannelVoice   Channel = "voice"   // Address.To is an E.164 number
	ChannelEmail   Channel = "email"   // Address.To is an e-mail address
	ChannelWebhook Channel = "webhook" // Address.To is a URL
)

// Address is where somebody is reached.
type Address struct {
	Channel Channel `json:"channel"`
	To      string  `json:"to"`
}

// Browser is where a person is told by web push.
type Browser struct {
	ID           string // a hash of the push service's address for it
	Person       string
	Subscription string // as the browser gave it, JSON; not for logs
	Session      string // hash of the credential with which it was stored last
}

// Person is somebody who can be told of an alert.
type Person struct {
	ID       string
	Name     string
	Language string // BCP 47: sv, en
	// Addresses are tried in their order: the next when one has failed.
	Addresses []Address
	// Away is set while the person is not to be told of anything.
	Away bool
	// Role is what they may do when they sign in; "" is that they cannot.
	Role Role
	// Areas are those whose homes they see; empty is every area. Relatives see
	// the homes of which they are contacts, whatever the area.
	Areas []string
}

// Nth is the place of an address among the person's addresses of the same
// channel, from 0.
func (p Person) Nth(i int) (n int) {
	for _, before := range p.Addresses[:i] {
		if before.Channel == p.Addresses[i].Channel {
			n++
		}
	}
	return n
}

var (
	personID = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)
	e164     = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`) // ITU-T E.164
)

// ErrPerson is wrapped by what Person.Check finds wrong.
var ErrPerson = errors.New("the person cannot be stored")

// Check says what is wrong with a person's entry. What only a channel can
// tell, such as whether a subscription is still good, it leaves to the channel.
func (p Person) Check() error {
	switch {
	case !personID.MatchString(p.ID):
		return fmt.Errorf("%w: an id is 1–64 lower-case letters, digits, '.', '_' or '-'", ErrPerson)
	case p.Name == "" || len(p.Name) > 200:
		return fmt.Errorf("%w: a name is 1–200 bytes", ErrPerson)
	case len(p.Addresses) > 16:
		return fmt.Errorf("%w: more than 16 addresses", ErrPerson)
	}
	for _, a := range p.Addresses {
		switch a.Channel {
		case ChannelSMS, ChannelVoice:
			if !e164.MatchString(a.To) {
				return fmt.Errorf("%w: a telephone number is written +46701234567", ErrPerson)
			}
		case ChannelPush, ChannelEmail, ChannelWebhook:
			if a.To == "" || len(a.To) > 4096 {
				return fmt.Errorf("%w: an address of channel %s is 1–4,096 bytes", ErrPerson, a.Channel)
			}
		default:
			return fmt.Errorf("%w: there is no channel %q", ErrPerson, a.Channel)
		}
	}
	return nil
}

// Errors of groups and shifts.
var (
	ErrMember = errors.New("the person cannot be put into the group")
	ErrShift  = errors.New("a shift begins before it ends, and lasts 31 days at most")
	// ErrLastResort is returned for a change after which nobody would be left to
	// be told when nobody else answers.
	ErrLastResort = errors.New("somebody must be left as the last resort of every area, who can be reached and is not away")
)

// Check says what is wrong with who is put into a group.
func (m Member) Check() error {
	switch m.Group {
	case GroupAllStaff, GroupLastResort:
	case GroupContacts, GroupResponders:
		if m.Scope == "" {
			return fmt.Errorf("%w: relatives and neighbours belong to a home", ErrMember)
		}
	default:
		return fmt.Errorf("%w: nobody is put into group %q", ErrMember, m.Group)
	}
	for _, k := range m.Alerts {
		if !k.Known() {
			return fmt.Errorf("%w: there is no alert of kind %q", ErrMember, k)
		}
	}
	if m.Group == GroupLastResort && m.Scope == "" && len(m.Alerts) > 0 {
		return fmt.Errorf("%w: the last resort of every area is told of every kind of alert", ErrMember)
	}
	return nil
}

// HasLastResort reports whether somebody is there to be told when nobody else
// answers, whatever the area.
func HasLastResort(people []Person, members []Member) bool {
	for _, m := range members {
		if m.Group != GroupLastResort || m.Scope != "" {
			continue
		}
		for _, p := range people {
			if p.ID == m.Person && !p.Away && len(p.Addresses) > 0 {
				return true
			}
		}
	}
	return false
}

// Shift is a time for which somebody is on duty in an area. Of shifts that
// overlap all count, unless one of them is an override: then the overrides alone.
type Shift struct {
	ID       string
	Area     string
	Person   string
	From, To time.Time // From <= t < To
	Override bool
}

// Check returns ErrShift for a shift of no time, or of too much.
func (h Shift) Check() error {
	if !h.From.Before(h.To) || h.To.Sub(h.From) > 31*24*time.Hour {
		return ErrShift
	}
	return nil
}

// OnDuty returns who is on duty in an area at a time, by id and each once.
func OnDuty(shifts []Shift, area string, at time.Time) []string {
	var regular, override []string
	for _, s := range shifts {
		if s.Area != area || at.Before(s.From) || !at.Before(s.To) {
			continue
		}
		if s.Override {
			override = append(override, s.Person)
		} else {
			regular = append(regular, s.Person)
		}
	}
	if len(override) > 0 {
		regular = override
	}
	slices.Sort(regular)
	return slices.Compact(regular)
}
