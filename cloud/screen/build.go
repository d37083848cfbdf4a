// Package screen tells the residents' screens what they show besides alarms:
// who comes, what to remember, who may see what and who looked. What a home's
// screen is made of is written down elsewhere, in transactions that say that it
// has changed; Builder makes the screen anew then, and sends it when it is
// another than the home has.
package screen

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// ahead is how many days' visits a screen has, with today.
const ahead = 3

// Build returns what a home's screen shows at a time, without a version, and
// when that changes by itself; zero is never. The features are what the service
// can do.
func Build(c care.ScreenContent, now time.Time, features ...care.Feature) (wire.Screen, time.Time) {
	zone, err := time.LoadLocation(c.Home.Zone)
	if err != nil { // checked when it was stored: another machine's zones
		zone = time.UTC
	}
	s := wire.Screen{Name: clean(c.Resident.Called), Language: c.Resident.Language, Ask: c.Resident.Ask}
	s.Visits = visits(c, now, zone, slices.Contains(features, care.FeatureVideo))
	s.Prompts = prompts(c.Reminders)
	s.Grants = grants(c, now)
	s.Looks = looks(c.Looks)
	return s, next(c, now, zone)
}

// clean is text as a gateway takes it: one that it refused would hold up all
// that the screen is told.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	for len(s) > wire.MaxText {
		_, last := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-last]
	}
	return s
}

// visits are those planned for today and the next two days.
func visits(c care.ScreenContent, now time.Time, zone *time.Location, video bool) (out []wire.Visit) {
	from, to := today(now, zone, 0), today(now, zone, ahead)
	for _, v := range c.Visits {
		if v.State != care.VisitPlanned || !v.To.After(from) || !v.From.Before(to) || len(out) == wire.MaxVisits {
			continue
		}
		if v.Video && !video {
			// Nobody can call on the screen, so it does not say that somebody will.
			v.Video, v.What = false, strings.TrimPrefix(v.What+", video", ", ")
		}
		out = append(out, wire.Visit{
			ID: v.ID, From: devices.MicrosOf(v.From), To: devices.MicrosOf(v.To), Who: clean(c.Names[v.Person]), What: clean(v.What), Video: v.Video,
		})
	}
	return out
}

// today is when the day begins in the zone, or one some days later.
func today(now time.Time, zone *time.Location, later int) time.Time {
	y, m, d := now.In(zone).Date()
	return time.Date(y, m, d+later, 0, 0, 0, 0, zone)
}

func prompts(reminders []care.Reminder) (out []wire.Prompt) {
	for _, r := range reminders {
		if len(out) < wire.MaxPrompts {
			out = append(out, wire.Prompt{ID: r.ID, Text: clean(r.Text), At: r.At, Days: r.Days, Medication: r.Medication})
		}
	}
	return out
}

// grants say who may see what. What is never for relatives is not said. Where
// there is no room for all, it is said of everybody first whether they know of
// alarms.
func grants(c care.ScreenContent, now time.Time) (out []wire.Grant) {
	of := func(p care.Party, name string, fields ...care.Field) (of []wire.Grant) {
		for _, f := range fields {
			g := wire.Grant{Party: string(p), Name: name, Field: string(f), Allowed: c.Consents.Allow(p, f, now), Fixed: p.Fixed(f)}
			if g.Allowed || !g.Fixed {
				of = append(of, g)
			}
		}
		return of
	}
	out = append(of(care.PartyStaff, "", care.Grantable()...), of(care.PartyRelatives, "", care.Grantable()...)...)
	people := c.Contacts[:min(len(c.Contacts), wire.MaxGrants-len(out))]
	room := wire.MaxGrants - len(out) - len(people)
	for _, p := range people {
		party, name := care.PartyPerson(p.ID), clean(p.Name)
		all := of(party, name, p.DecidedFields()...)
		if more := len(all) - 1; more <= room {
			room -= more
		} else {
			all = of(party, name, care.FieldAlerts)
		}
		out = append(out, all...)
	}
	return out
}

// looks are what other people than the resident saw and did. The same again
// and again, as when a week is planned, is said once, with the latest time.
func looks(entries []care.AuditEntry) (out []wire.Look) {
	var last care.AuditEntry
	for _, e := range entries {
		if e.Actor == "" || !isSomebody(e.Role) || ends(e.Action) || len(out) == wire.MaxLooks {
			continue
		}
		if e.Actor == last.Actor && e.Role == last.Role && e.Action == last.Action && last.At.Sub(e.At) < sameFor {
			continue
		}
		last = e
		out = append(out, wire.Look{At: devices.MicrosOf(e.At), Who: clean(e.Actor), Role: string(e.Role), What: clean(e.Action)})
	}
	return out
}

// isSomebody reports whether an entry is of somebody whom the resident can know:
// who signs in, and who was let in to a call.
func isSomebody(r care.Role) bool {
	return r.SignsIn() || r == care.Role(care.AsInterpreter) || r == care.Role(care.AsGuest)
}

// ends reports whether an entry is of the end of something of whose beginning
// there is another.
func ends(action string) bool { return action == "leave call" || action == "end call" }

// sameFor is how far back a deed is the same as one that is said already.
const sameFor = time.Hour

// spread is over how long after midnight screens are made anew: each has the
// next days' visits already, and a country's homes need not all change at once.
const spread = 3 * time.Hour

// next is when the screen changes though nobody changes anything: when a day
// begins, as long as there are visits, and when a decision ends.
func next(c care.ScreenContent, now time.Time, zone *time.Location) (at time.Time) {
	earlier := func(t time.Time) {
		if t.After(now) && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	if len(c.Visits) > 0 {
		h := fnv.New32a()
		_, _ = h.Write([]byte(c.Home.ID))
		earlier(today(now, zone, 1).Add(time.Duration(h.Sum32()%uint32(spread/time.Second)) * time.Second))
	}
	for _, d := range c.Consents {
		earlier(d.Until)
		earlier(d.At)
	}
	return at
}

// word is what comes of a turn: a command when the screen is another than the
// home's gateway has, or may have.
func word(turn care.ScreenTurn, c care.ScreenContent, now time.Time, features []care.Feature) (care.ScreenWord, error) {
	w := care.ScreenWord{ScreenTurn: turn}
	if w.Gateway != c.Home.Gateway { // another box, which knows nothing
		w.Gateway, w.Hash, w.Refused = c.Home.Gateway, "", time.Time{}
	}
	if now.Before(w.Refused) {
		w.Next = w.Refused
		return w, nil
	}
	w.Refused = time.Time{}
	s, next := Build(c, now, features...)
	w.Next = next
	if err := s.Check(); err != nil {
		return w, err
	}
	plain, err := json.Marshal(s)
	if err != nil {
		return w, err
	}
	sum := sha256.Sum256(plain)
	hash := hex.EncodeToString(sum[:])
	if hash == w.Hash {
		return w, nil
	}
	// Beyond the clock's own number, so that a database that was put back to an
	// earlier day does not give out versions that the home has had.
	w.Hash, w.Version = hash, max(w.Version+1, now.UnixMilli())
	s.Version = w.Version
	args, err := json.Marshal(s)
	if err != nil {
		return w, err
	}
	w.Command = &care.PendingCommand{Gateway: w.Gateway, Command: wire.Command{
		ID: care.ScreenCommand + strconv.FormatInt(w.Version, 10), Type: wire.CommandScreen, Args: args,
	}}
	return w, nil
}
