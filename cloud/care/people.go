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
	ChannelPush    Channel = "push"    // web push to an app; Address.To is the browser's subscription
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

// Person is somebody who can be told of an alert.
type Person struct {
	ID       string
	Name     string
	Language string // BCP 47: sv, en
	// Addresses are tried in their order: the next when one has failed.
	Addresses []Address
	// Away is set while the person is not to be told of anything.
	Away bool
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

// Shift is a time for which somebody is on duty in an area. Of shifts that
// overlap all count, unless one of them is an override: then the overrides alone.
type Shift struct {
	ID       string
	Area     string
	Person   string
	From, To time.Time // From <= t < To
	Override bool
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
