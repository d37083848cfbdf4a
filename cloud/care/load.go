package care

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Load is what alerts asked of the staff in a while: how many woke whom, and
// how many were real.
type Load struct {
	Kinds  []KindLoad
	People []PersonLoad
}

// KindLoad is of the alerts of one kind. Tests are not among them.
type KindLoad struct {
	Kind     AlertKind
	Raised   int
	Outcomes map[Outcome]int // of those that are closed
	// Taken is the middle of the times until somebody took one; zero when nobody
	// has taken any.
	Taken time.Duration
}

// PersonLoad is what one person was told. Only what reached a provider counts.
type PersonLoad struct {
	Person  string
	Alerts  int // different ones
	Told    int // messages
	ByNight int // of those, between 22 and 6 in the zone
}

// night, in the zone's hours.
const (
	nightBegins = 22
	nightEnds   = 6
)

// LoadOf counts alerts and the tellings of them.
func LoadOf(alerts []Alert, told []Told, zone *time.Location) Load {
	kinds := map[AlertKind]*KindLoad{}
	taken := map[AlertKind][]time.Duration{}
	for _, a := range alerts {
		if a.Test || a.Outcome == OutcomeTest {
			continue
		}
		k := kinds[a.Kind]
		if k == nil {
			k = &KindLoad{Kind: a.Kind, Outcomes: map[Outcome]int{}}
			kinds[a.Kind] = k
		}
		k.Raised++
		if a.State == Resolved {
			k.Outcomes[a.Outcome]++
		}
		if !a.AcknowledgedAt.IsZero() {
			taken[a.Kind] = append(taken[a.Kind], a.AcknowledgedAt.Sub(a.Raised))
		}
	}
	people := map[string]*PersonLoad{}
	of := map[[2]string]bool{}
	for _, t := range told {
		if t.About != AboutAlarm || t.Group == GroupTester || t.State != TellingAccepted && t.State != TellingDelivered {
			continue
		}
		p := people[t.Person]
		if p == nil {
			p = &PersonLoad{Person: t.Person}
			people[t.Person] = p
		}
		p.Told++
		if h := t.Changed.In(zone).Hour(); h >= nightBegins || h < nightEnds {
			p.ByNight++
		}
		if key := [2]string{t.Person, t.Alert}; !of[key] {
			of[key] = true
			p.Alerts++
		}
	}
	var out Load
	for _, k := range kinds {
		if times := taken[k.Kind]; len(times) > 0 {
			slices.Sort(times)
			k.Taken = times[len(times)/2]
		}
		out.Kinds = append(out.Kinds, *k)
	}
	slices.SortFunc(out.Kinds, func(a, b KindLoad) int {
		return cmp.Or(cmp.Compare(rank(a.Kind.Severity()), rank(b.Kind.Severity())), cmp.Compare(b.Raised, a.Raised), cmp.Compare(a.Kind, b.Kind))
	})
	for _, id := range slices.Sorted(maps.Keys(people)) {
		out.People = append(out.People, *people[id])
	}
	slices.SortStableFunc(out.People, func(a, b PersonLoad) int { return cmp.Compare(b.ByNight, a.ByNight) })
	return out
}
