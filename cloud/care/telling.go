package care

import (
	"slices"
	"time"
)

// Escalation is how far the telling of one alert has come. It is stored with
// the alert, in the same transaction, so that there is no alert that nothing
// is going to be done about.
type Escalation struct {
	Alert string
	// Round and Step are those that come next, from 0.
	Round, Step int
	// From is the round with which telling began, or began anew.
	From int
	// Due is when; zero when there is nothing left to do.
	Due time.Time
	// Unheard says that the latest round found nobody to tell, or that all rounds
	// are over: screens show it in place of silence.
	Unheard bool
	// Held is the hold that has run out already: who took the alert then is not
	// waited for twice.
	Held time.Time
}

// Telling is one person being told of one alert, over one channel, in one
// step of one round. These five together are its key: told once for each.
type Telling struct {
	Alert       string
	Round, Step int
	Person      string
	Address     Address
	// Group is why this person is told.
	Group Group
}

// Instead is what follows when a telling has failed for good: the same person
// by the next address; false when there is none.
func (t Telling) Instead(p Person) (Telling, bool) {
	i := slices.Index(p.Addresses, t.Address)
	if p.Away || i+1 >= len(p.Addresses) {
		return Telling{}, false
	}
	t.Address = p.Addresses[i+1]
	return t, true
}
