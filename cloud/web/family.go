package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/watch"
)

func (s *server) registerFamily(api huma.API) {
	huma.Register(api, op("list-family", http.MethodGet, "/family", "The homes of which the one who asks is a contact, as the residents let them see", "family", http.StatusOK), s.listFamily)
	huma.Register(api, op("get-family-home", http.MethodGet, "/family/homes/{home}", "One of these homes", "family", http.StatusOK), s.getFamilyHome)
}

// light says how the lantern of a home stands.
type light string

const (
	lightLit     light = "lit"     // the resident has checked in today, or need not and all is calm
	lightWaiting light = "waiting" // the time to check in is not over
	lightOut     light = "out"     // it is over, and they have not
	lightUnknown light = "unknown" // the home is not heard
	lightHidden  light = "hidden"  // not for this relative to see
)

// FamilyHome is a home as one relative may see it; exported because the event
// stream carries it, too.
type FamilyHome struct {
	Home      string          `json:"home"`
	Name      string          `json:"name" doc:"What the resident is called."`
	Zone      string          `json:"zone" doc:"The time zone of the home, IANA: a relative may be in another."`
	Allowed   []care.Field    `json:"allowed" nullable:"false" doc:"What this relative may see, or do."`
	Refused   []care.Field    `json:"refused" nullable:"false" doc:"What relatives can be allowed, and this one is not."`
	Light     light           `json:"light" enum:"lit,waiting,out,unknown,hidden" doc:"unknown: the home is not heard; hidden: not allowed."`
	CheckedIn *time.Time      `json:"checked_in" doc:"When the resident last said that all is well."`
	CheckInBy *time.Time      `json:"check_in_by" doc:"By when they are going to, while it is waited for."`
	Calm      *bool           `json:"calm" doc:"Nothing needs anybody; null is not allowed."`
	Alerts    []alertView     `json:"alerts" nullable:"false" doc:"Those that are open, and of the last 7 days; without technical ones and tests."`
	Visits    []visitView     `json:"visits" nullable:"false" doc:"From today, for 14 days; those that one has asked for are there whatever is allowed."`
	Activity  *familyActivity `json:"activity" doc:"null is not allowed."`
	Health    []readingView   `json:"health" nullable:"false" doc:"The newest of each kind."`
	Climate   []readingView   `json:"climate" nullable:"false" doc:"The newest of each kind in each room."`
	Card      *familyCard     `json:"card" doc:"null is not allowed."`
}

// familyCard is what relatives may be allowed of the resident's card: not how
// one gets in, nor what helpers must know.
type familyCard struct {
	Address  string   `json:"address"`
	Phone    string   `json:"phone"`
	Contacts []string `json:"contacts" nullable:"false" doc:"The names of who was named to know of alarms."`
}

type familyActivity struct {
	Today string     `json:"today" enum:"usual,less,none" doc:"none: no sign of life today; less: none for some hours of the day; usual: else."`
	Last  *time.Time `json:"last" doc:"The latest sign of life."`
}

type familyView struct {
	Homes []FamilyHome `json:"homes" nullable:"false"`
}

// relative returns the actor when they are a relative, of the home where one
// is named: all that is here is made of what relatives may see.
func (s *server) relative(ctx context.Context, home string) (access.Actor, error) {
	actor, ok := actorOf(ctx)
	switch {
	case !ok:
		return actor, problemOf(errNotSignedIn)
	case actor.Role != care.Relative || actor.Person == "":
		return actor, problemOf(errNotAllowed)
	case home != "" && !slices.Contains(actor.Homes, home):
		return actor, problemOf(errNoHome)
	}
	return actor, nil
}

func (s *server) listFamily(ctx context.Context, _ *struct{}) (*body[familyView], error) {
	actor, err := s.relative(ctx, "")
	if err != nil {
		return nil, err
	}
	v, err := s.sight(ctx, actor)
	if err != nil {
		return nil, s.failed("list family", err)
	}
	out := familyView{Homes: []FamilyHome{}}
	for _, id := range actor.Homes {
		home, err := v.family(id)
		if err != nil {
			return nil, s.failed("list family", err)
		}
		out.Homes = append(out.Homes, home)
	}
	return &body[familyView]{out}, nil
}

func (s *server) getFamilyHome(ctx context.Context, in *struct {
	Home string `path:"home" maxLength:"64"`
}) (*body[FamilyHome], error) {
	actor, err := s.relative(ctx, in.Home)
	if err != nil {
		return nil, err
	}
	v, err := s.sight(ctx, actor)
	if err != nil {
		return nil, s.failed("read family", err)
	}
	home, err := v.family(in.Home)
	if err != nil {
		return nil, s.failed("read family", err)
	}
	return &body[FamilyHome]{home}, nil
}

// How far a relative sees back and ahead.
const (
	familyAlerts = 7 * 24 * time.Hour
	familyVisits = 14 // days from today on
)

// family is a home as the actor, one of its contacts, may see it. That they
// saw it goes to the log.
func (v *sight) family(id string) (FamilyHome, error) {
	home, seen, err := v.familyHome(id)
	if err == nil {
		v.s.looked(v.ctx, v.actor, id, seen)
	}
	return home, err
}

// familyHome is family, and what is to go to the log once it is shown.
func (v *sight) familyHome(id string) (FamilyHome, fieldsSeen, error) {
	status, err := v.s.statusOf(v.ctx, id)
	if err != nil {
		return FamilyHome{}, nil, err
	}
	may := fieldsSeen{}
	out := FamilyHome{
		Home: id, Zone: status.Home.Zone, Allowed: []care.Field{}, Refused: []care.Field{}, Light: lightHidden,
		Alerts: []alertView{}, Visits: []visitView{}, Health: []readingView{}, Climate: []readingView{},
	}
	for _, f := range care.Fields() {
		switch {
		case care.PartyRelatives.Fixed(f):
		case v.can(access.Read, f, id):
			may[f] = true
			out.Allowed = append(out.Allowed, f)
		default:
			out.Refused = append(out.Refused, f)
		}
	}
	card, err := v.s.Records.Resident(v.ctx, id)
	if err != nil {
		return FamilyHome{}, nil, err
	}
	out.Name = cmp.Or(card.Called, status.Home.Name)
	if may[care.FieldAlerts] {
		calm := v.s.Live.calm(id)
		out.Calm = &calm
		if out.Alerts, err = v.familyAlerts(id); err != nil {
			return FamilyHome{}, nil, err
		}
	}
	if may[care.FieldCheckIn] {
		out.CheckedIn = known(status.CheckIn)
		out.Light, out.CheckInBy = lightOf(status, v.s.Live.calm(id), v.now)
		if len(status.Home.CheckIns) == 0 && out.Calm == nil && status.CheckIn.Before(midnight(status.Home, v.now)) {
			out.Light = lightUnknown // whether all is calm is not for them to know
		}
	}
	if out.Visits, err = v.familyVisits(status.Home, may[care.FieldVisits]); err != nil {
		return FamilyHome{}, nil, err
	}
	if may[care.FieldActivity] {
		out.Activity = activityOf(status, v.now)
	}
	if may[care.FieldHealth] || may[care.FieldClimate] {
		health, climate := v.familyReadings(id)
		if may[care.FieldHealth] {
			out.Health = health
		}
		if may[care.FieldClimate] {
			out.Climate = climate
		}
	}
	if may[care.FieldContacts] {
		contacts, err := v.s.Records.Contacts(v.ctx, id)
		if err != nil {
			return FamilyHome{}, nil, err
		}
		out.Card = &familyCard{Address: card.Address, Phone: card.Phone, Contacts: []string{}}
		for _, c := range contacts {
			out.Card.Contacts = append(out.Card.Contacts, c.Person.Name)
		}
	}
	delete(may, care.FieldMessages) // not shown here
	delete(may, care.FieldVideo)
	return out, may, nil
}

// statusOf is how a home is now, from memory where it is there.
func (s *server) statusOf(ctx context.Context, home string) (watch.Status, error) {
	if status, ok := s.Live.status(home); ok {
		return status, nil
	}
	status, _, err := s.Homes.Detail(ctx, home)
	return status, err
}

func (v *sight) familyAlerts(home string) ([]alertView, error) {
	active, err := v.s.Alerts.Alerts(v.ctx, care.AlertFilter{Home: home, States: []care.AlertState{care.Open, care.Acknowledged}})
	if err != nil {
		return nil, err
	}
	over, err := v.s.Alerts.Alerts(v.ctx, care.AlertFilter{Home: home, States: []care.AlertState{care.Resolved}, Since: v.now.Add(-familyAlerts), Limit: 100})
	if err != nil {
		return nil, err
	}
	return v.alerts(slices.DeleteFunc(append(active, over...), func(a care.Alert) bool { return !ofConcern(a) })), nil
}

// ofConcern reports whether an alert is one that a relative worries about.
func ofConcern(a care.Alert) bool { return !a.Test && a.Severity != care.Technical }

func (v *sight) familyVisits(home care.Home, all bool) ([]visitView, error) {
	from := midnight(home, v.now)
	visits, err := v.s.Records.Visits(v.ctx, care.VisitFilter{Home: home.ID, From: from, To: from.AddDate(0, 0, familyVisits+1)})
	if err != nil {
		return nil, err
	}
	out, err := v.s.viewVisits(v.ctx, slices.DeleteFunc(visits, func(visit care.Visit) bool {
		asked := visit.State == care.VisitRequested || visit.State == care.VisitDeclined
		return visit.Asked != v.actor.Person && (!all || asked)
	})...)
	for i := range out {
		if out[i].Asked != v.actor.Person {
			out[i].Note = "" // for the staff, and for who asked
		}
	}
	return out, err
}

// familyReadings are the newest measurements: of the body one of each kind, of
// the home one of each kind and room. There are none where the time series
// store does not answer.
func (v *sight) familyReadings(home string) (health, climate []readingView) {
	ctx, cancel := context.WithTimeout(v.ctx, lastTimeout)
	defer cancel()
	last, err := v.s.History.Last(ctx, home)
	if err != nil {
		v.s.Log.Warn("newest readings are not to be had", "id", "LYK-0506", "home", home, "err", err)
	}
	ofBody, ofHome := map[string]readingView{}, map[string]readingView{}
	for _, p := range last {
		r, of, key := viewReading(p.Reading), ofBody, string(p.Kind)
		switch care.FieldOf(p.Kind) {
		case care.FieldHealth:
		case care.FieldClimate:
			of, key = ofHome, r.Room+"\x00"+key
		default:
			continue
		}
		if r.T.After(of[key].T) {
			of[key] = r
		}
	}
	inOrder := func(of map[string]readingView) []readingView {
		out := []readingView{}
		for _, key := range sortedKeys(of) {
			out = append(out, of[key])
		}
		return out
	}
	return inOrder(ofBody), inOrder(ofHome)
}

// midnight is when the day of now began in the home.
func midnight(home care.Home, now time.Time) time.Time {
	zone, err := time.LoadLocation(home.Zone)
	if err != nil {
		zone = time.UTC // a home is checked before it is stored
	}
	y, m, d := now.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone)
}

// lightOf is how the lantern stands, and by when the resident is waited for.
// The latest window that has begun today decides; before the first one there
// is all of its time.
func lightOf(s watch.Status, calm bool, now time.Time) (light, *time.Time) {
	day := midnight(s.Home, now)
	at := func(minutes int) time.Time {
		y, m, d := day.Date()
		return time.Date(y, m, d, 0, minutes, 0, 0, day.Location())
	}
	heard := !s.Heard.IsZero() && !s.Silent
	if len(s.Home.CheckIns) == 0 {
		switch {
		case !s.CheckIn.Before(day) || (heard && calm):
			return lightLit, nil
		case !heard:
			return lightUnknown, nil
		}
		return lightOut, nil
	}
	windows := slices.SortedFunc(slices.Values(s.Home.CheckIns), func(a, b care.CheckIn) int { return a.From - b.From })
	window, since := windows[0], day
	for _, w := range windows {
		if !now.Before(at(w.From)) {
			window, since = w, at(w.From)
		}
	}
	by := at(window.By)
	switch {
	case !s.CheckIn.Before(since):
		return lightLit, nil
	case !heard:
		return lightUnknown, nil
	case now.Before(by):
		return lightWaiting, &by
	}
	return lightOut, nil
}

// What counts as a usual day. It is coarse on purpose: from the latest sign of
// life alone nobody can tell how somebody is.
const (
	usualWithin  = 4 * time.Hour  // by day
	usualAtNight = 12 * time.Hour // between 22 and 8
)

func activityOf(s watch.Status, now time.Time) *familyActivity {
	if s.Activity == nil {
		return &familyActivity{Today: "none"}
	}
	last := s.Activity.Time.Time().UTC()
	out := &familyActivity{Today: "none", Last: &last}
	day := midnight(s.Home, now)
	within := usualWithin
	if hour := now.In(day.Location()).Hour(); hour >= 22 || hour < 8 {
		within = usualAtNight
	}
	switch {
	case now.Sub(last) < within:
		out.Today = "usual"
	case !last.Before(day):
		out.Today = "less"
	}
	return out
}
