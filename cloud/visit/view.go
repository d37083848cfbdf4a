package visit

import (
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// callView is a call as its participants are told of it; docs/protocol.md.
type callView struct {
	ID       string           `json:"id"`
	Home     string           `json:"home"`
	HomeName string           `json:"home_name"`
	Visit    string           `json:"visit"`
	Alert    string           `json:"alert"`
	State    care.CallState   `json:"state"`
	By       byView           `json:"by"`
	Started  time.Time        `json:"started"`
	Rung     *time.Time       `json:"rung"`
	Answered *time.Time       `json:"answered"`
	How      care.CallAnswer  `json:"how"`
	Ended    *time.Time       `json:"ended"`
	Why      care.CallEnd     `json:"why"`
	Outcome  care.CallOutcome `json:"outcome"`
	Note     string           `json:"note"`
	Saved    int              `json:"saved_minutes"`
	People   []personView     `json:"people"`
	Here     []string         `json:"here"`
}

type byView struct {
	ID   string        `json:"id"`
	Name string        `json:"name"`
	Role care.CallRole `json:"role"`
}

type personView struct {
	ID     string        `json:"id"`
	Name   string        `json:"name"`
	Role   care.CallRole `json:"role"`
	Joined time.Time     `json:"joined"`
	Left   *time.Time    `json:"left"`
}

func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func roleOf(r care.Role) care.CallRole {
	if r.Staff() {
		return care.AsStaff
	}
	return care.AsRelative
}

// viewFor is the call as somebody in a role may know of it. What the staff say
// of it is theirs; before the home has answered, who else waits is, too.
func (r *room) viewFor(role care.CallRole) callView {
	c := r.call
	v := callView{
		ID: c.ID, Home: c.Home, HomeName: r.home.Name, Visit: c.Visit, Alert: c.Alert, State: c.State,
		By:      byView{c.By, c.ByName, roleOf(c.ByRole)},
		Started: c.Started.UTC(), Rung: known(c.Rung), Answered: known(c.Answered), How: c.How, Ended: known(c.Ended), Why: c.Why,
		Outcome: c.Outcome, Note: c.Note, Saved: c.Saved, People: []personView{}, Here: []string{},
	}
	if role != care.AsStaff {
		v.HomeName, v.Alert, v.Outcome, v.Note, v.Saved = r.called, "", "", "", 0
		if c.Answered.IsZero() {
			return v
		}
	}
	for _, p := range c.People {
		v.People = append(v.People, personView{p.ID, p.Name, p.Role, p.Joined.UTC(), known(p.Left)})
	}
	v.Here = c.Here()
	return v
}
