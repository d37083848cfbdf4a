package web

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/watch"
)

type silentHome struct {
	Home  string     `json:"home"`
	Name  string     `json:"name"`
	Since *time.Time `json:"since" doc:"When it was last heard."`
}

type shiftVisits struct {
	Done   int         `json:"done"`
	Missed []visitView `json:"missed" nullable:"false"`
	Open   []visitView `json:"open" nullable:"false" doc:"Neither done nor missed yet, and requests."`
}

type handOverView struct {
	From        time.Time     `json:"from"`
	To          time.Time     `json:"to"`
	Alerts      []alertView   `json:"alerts" nullable:"false" doc:"Raised or closed then, newest first."`
	Open        []alertView   `json:"open" nullable:"false" doc:"Not closed, whenever they were raised."`
	Notes       []noteView    `json:"notes" nullable:"false" doc:"Written or come then; those that hand over come first, then newest first."`
	Visits      shiftVisits   `json:"visits"`
	Silences    []silenceView `json:"silences" nullable:"false"`
	SilentHomes []silentHome  `json:"silent_homes" nullable:"false"`
	Cut         bool          `json:"cut,omitempty" doc:"There was more than one answer holds: ask for an area, or less time."`
}

// Bounds of a hand-over: what somebody reads at the end of a shift.
const (
	longestShift = 7 * 24 * time.Hour
	mostHandOver = 500 // of each part
)

func (s *server) handOverOf(ctx context.Context, in *struct {
	From string `query:"from" doc:"RFC 3339 time or date; default eight hours before to."`
	To   string `query:"to" doc:"RFC 3339 time or date; default now."`
	Area string `query:"area" maxLength:"64" doc:"Empty is all that one may see."`
}) (*body[handOverView], error) {
	actor, err := s.may(ctx, access.Read, care.FieldNotes, "")
	if err != nil {
		return nil, err
	}
	areas, err := areasOf(actor, in.Area)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	to, err := dateOrTime(in.To, s.Zone, now)
	if err != nil {
		return nil, problemOf(err)
	}
	from, err := dateOrTime(in.From, s.Zone, to.Add(-8*time.Hour))
	switch {
	case err != nil:
	case !from.Before(to):
		err = fmt.Errorf("%w: from is before to", errBadQuery)
	case to.Sub(from) > longestShift+time.Hour:
		err = fmt.Errorf("%w: at most seven days at a time", errBadQuery)
	}
	if err != nil {
		return nil, problemOf(err)
	}
	v, err := s.sight(ctx, actor)
	if err != nil {
		return nil, s.failed("hand over", err)
	}
	out := handOverView{From: from.UTC(), To: to.UTC(), Notes: []noteView{}, Silences: []silenceView{}, SilentHomes: []silentHome{}}
	alerts, err := s.Records.AlertsOf(ctx, areas, from, to, mostHandOver)
	if err != nil {
		return nil, s.failed("hand over alerts", err)
	}
	open, err := s.Records.StandingAlerts(ctx, areas, mostHandOver)
	if err != nil {
		return nil, s.failed("hand over alerts", err)
	}
	out.Alerts, out.Open = v.alerts(alerts), v.alerts(open)
	notes, err := s.Records.Notes(ctx, care.NoteFilter{Areas: areas, From: from, To: to, Came: true, Limit: mostHandOver})
	if err != nil {
		return nil, s.failed("hand over notes", err)
	}
	slices.SortStableFunc(notes, func(a, b care.Note) int {
		switch hand := care.NoteHandOver; {
		case a.Kind == hand && b.Kind != hand:
			return -1
		case a.Kind != hand && b.Kind == hand:
			return 1
		}
		return 0
	})
	for _, n := range notes {
		if v.can(access.Read, care.FieldNotes, n.Home) {
			note := s.viewNote(n)
			note.Late = n.Late() && (n.Written.Before(from) || !n.At.Before(to))
			out.Notes = append(out.Notes, note)
		}
	}
	visits, err := s.Records.Visits(ctx, care.VisitFilter{Areas: areas, From: from, To: to, Limit: mostVisits})
	if err != nil {
		return nil, s.failed("hand over visits", err)
	}
	if out.Visits, err = s.shiftVisits(ctx, visits); err != nil {
		return nil, s.failed("hand over visits", err)
	}
	silences, err := s.Calm.Silences(ctx, "", now)
	if err != nil {
		return nil, s.failed("hand over silences", err)
	}
	for _, q := range silences {
		if home, ok := s.Live.home(q.Home); ok && (len(areas) == 0 || slices.Contains(areas, home.Area)) && len(out.Silences) < mostHandOver {
			out.Silences = append(out.Silences, v.silence(q))
		}
	}
	silent := s.Live.statuses(func(h watch.Status) bool {
		return h.Silent && (len(areas) == 0 || slices.Contains(areas, h.Home.Area))
	})
	for _, h := range silent[:min(len(silent), mostHandOver)] {
		out.SilentHomes = append(out.SilentHomes, silentHome{Home: h.Home.ID, Name: h.Home.Name, Since: known(h.Heard)})
	}
	out.Cut = max(len(alerts), len(open), len(notes), len(silent)) >= mostHandOver || len(visits) >= mostVisits
	s.noteHandOver(ctx, actor, out)
	return &body[handOverView]{out}, nil
}

func (s *server) shiftVisits(ctx context.Context, visits []care.Visit) (out shiftVisits, err error) {
	var missed, open []care.Visit
	for _, v := range visits {
		switch v.State {
		case care.VisitDone:
			out.Done++
		case care.VisitMissed:
			missed = append(missed, v)
		case care.VisitPlanned, care.VisitRequested:
			open = append(open, v)
		}
	}
	if out.Missed, err = s.viewVisits(ctx, missed...); err != nil {
		return out, err
	}
	out.Open, err = s.viewVisits(ctx, open...)
	return out, err
}

// noteHandOver notes what was shown of which homes.
func (s *server) noteHandOver(ctx context.Context, actor access.Actor, shown handOverView) {
	seen := looksAtHomes{}
	for _, a := range slices.Concat(shown.Alerts, shown.Open) {
		seen.add(a.Home, care.FieldAlerts)
	}
	for _, n := range shown.Notes {
		seen.add(n.Home, care.FieldNotes)
	}
	for _, v := range slices.Concat(shown.Visits.Missed, shown.Visits.Open) {
		seen.add(v.Home, care.FieldVisits)
	}
	s.audit.looksAt(ctx, s.Log, actor, seen)
}

// looksAtHomes are fields of which a list of many homes holds something.
type looksAtHomes map[string]fieldsSeen

func (l looksAtHomes) add(home string, field care.Field) {
	if l[home] == nil {
		l[home] = fieldsSeen{}
	}
	l[home][field] = true
}

// looksAt is looks of many homes: they are written at once.
func (a *auditor) looksAt(ctx context.Context, log *slog.Logger, actor access.Actor, seen looksAtHomes) {
	looks := map[string][]string{}
	for home, fields := range seen {
		for _, f := range care.Fields() {
			if fields[f] {
				looks[home] = append(looks[home], look(f))
			}
		}
	}
	a.write(ctx, log, actor, looks)
}

type foundView struct {
	Type     care.FoundType `json:"type" enum:"home,note,person"`
	Home     string         `json:"home" doc:"Empty for a person."`
	HomeName string         `json:"home_name"`
	Title    string         `json:"title" doc:"The name of the home or the person, the author of the note."`
	Text     string         `json:"text" doc:"The address, what is around the words in the note, the id of the person."`
	At       *time.Time     `json:"at" doc:"Of a note."`
}

type foundList struct {
	Results []foundView `json:"results" nullable:"false"`
}

// Bounds of a search. Notes are searched a year back.
const (
	mostFound   = 30
	foundOfEach = 15
	around      = 60 // characters before and after the words
)

func (s *server) search(ctx context.Context, in *struct {
	Q string `query:"q" required:"true" minLength:"2" maxLength:"100"`
}) (*body[foundList], error) {
	actor, err := s.may(ctx, access.Read, care.FieldHome, "")
	if err != nil {
		return nil, err
	}
	q := strings.Join(strings.Fields(in.Q), " ")
	if utf8.RuneCountInString(q) < 2 {
		return nil, problemOf(fmt.Errorf("%w: two letters at least", errBadQuery))
	}
	v, err := s.sight(ctx, actor)
	if err != nil {
		return nil, s.failed("search", err)
	}
	found, err := s.Records.Search(ctx, q, care.SearchIn{
		Areas: actor.Areas, Limit: foundOfEach, Since: time.Now().AddDate(-1, 0, 0),
		Cards: v.can(access.Read, care.FieldContacts, ""), Notes: v.can(access.Read, care.FieldNotes, ""), Names: v.can(access.ReadRota, "", ""),
	})
	if err != nil {
		return nil, s.failed("search", err)
	}
	out, seen := foundList{Results: []foundView{}}, looksAtHomes{}
	for _, f := range found {
		if len(out.Results) == mostFound {
			break
		}
		r := foundView{Type: f.Type, Home: f.Home, Title: f.Title, Text: f.Text, At: known(f.At)}
		switch f.Type {
		case care.FoundHome:
			if !v.can(access.Read, care.FieldHome, f.Home) {
				continue
			}
			if f.Text != "" {
				seen.add(f.Home, care.FieldContacts)
			}
		case care.FoundNote:
			if !v.can(access.Read, care.FieldNotes, f.Home) {
				continue
			}
			r.Text = excerpt(f.Text, q)
			seen.add(f.Home, care.FieldNotes)
		case care.FoundPerson:
			known, err := s.knows(ctx, v, f.Text)
			if err != nil {
				return nil, s.failed("search", err)
			}
			if !known {
				continue
			}
		}
		if f.Home != "" {
			r.HomeName = s.Live.name(f.Home)
		}
		out.Results = append(out.Results, r)
	}
	s.audit.looksAt(ctx, s.Log, actor, seen)
	return &body[foundList]{out}, nil
}

// knows reports whether the actor may learn of a person. Who is a contact only
// of homes that the actor does not see is nobody whom they know.
func (s *server) knows(ctx context.Context, v *sight, person string) (bool, error) {
	if len(v.actor.Areas) == 0 {
		return true, nil
	}
	p, err := s.SignIns.Person(ctx, person)
	if err != nil || p.Role.Staff() {
		return err == nil, err
	}
	homes, err := s.SignIns.HomesOf(ctx, person)
	return err == nil && (len(homes) == 0 || slices.ContainsFunc(homes, func(home string) bool { return v.can(access.Read, care.FieldHome, home) })), err
}

// excerpt is what is around the first occurrence of words in a text.
func excerpt(text, words string) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	lower := []rune(strings.ToLower(string(runes)))
	at := 0
	if len(lower) == len(runes) {
		if i := strings.Index(string(lower), strings.ToLower(words)); i > 0 {
			at = utf8.RuneCountInString(string(lower)[:i])
		}
	}
	from, to := max(0, at-around), min(len(runes), at+utf8.RuneCountInString(words)+around)
	out := string(runes[from:to])
	if from > 0 {
		out = "…" + out
	}
	if to < len(runes) {
		out += "…"
	}
	return out
}
