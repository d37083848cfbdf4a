package peer

import (
	"fmt"
	"time"

	"github.com/lykta/lykta/cloud/notify"
)

// words are what is told, in one language. Nobody's language is known here, so
// every message has both: the Swedish first.
type words struct {
	clock                   string // a time of day
	day                     string // a day and a time of day, when it was not today
	seconds, minutes, hours [2]string
	kinds                   map[Kind]string
	parts                   map[string]string

	silent, still, mild, back, test     string // titles
	since, never, consequence, harmless string
	returned, testing, andAlso, several string
}

var (
	swedish = words{
		clock: "kl. 15.04", day: "2/1 kl. 15.04",
		seconds: [2]string{"sekund", "sekunder"}, minutes: [2]string{"minut", "minuter"}, hours: [2]string{"timme", "timmar"}, andAlso: " och ", several: "flera delar är ur funktion",
		kinds: map[Kind]string{
			Refused: "ingen tar emot anslutningen", Slow: "inget svar i tid", Nameless: "namnet går inte att slå upp",
			Untrusted: "ingen säker anslutning, kontrollera certifikatet", Unreachable: "går inte att nå", Failing: "svarar med fel %d",
			Redirecting: "hänvisar till en annan adress", Stranger: "något annat än Lykta svarar", NotReady: "ur funktion: ",
		},
		parts:  map[string]string{"broker": "kontakten med hemmen", "database": "databasen", "time-series": "mätvärdena", "ingest": "mottagningen av larm", "telling": "utskicken av larm"},
		silent: "Lykta fungerar inte", still: "Lykta fungerar fortfarande inte", mild: "Lykta sparar inga mätvärden", back: "Lykta fungerar igen", test: "Prov av bevakningen",
		since:       "Lykta på %s har inte svarat som den ska sedan %s: %s.",
		never:       "Lykta på %s har inte svarat som den ska sedan bevakningen började %s: %s.",
		consequence: "Larm kan utebli. Kontrollera tjänsten.",
		harmless:    "Larm går fram. Hemmen behåller sina mätvärden så länge.",
		returned:    "Lykta på %s är tillbaka efter %s.",
		testing:     "Detta är ett prov. Så här får du veta om Lykta på %s slutar svara.",
	}
	english = words{
		clock: "15:04", day: "2 January, 15:04",
		seconds: [2]string{"second", "seconds"}, minutes: [2]string{"minute", "minutes"}, hours: [2]string{"hour", "hours"}, andAlso: " and ", several: "several parts are not working",
		kinds: map[Kind]string{
			Refused: "nothing takes the connection", Slow: "no answer in time", Nameless: "the name cannot be looked up",
			Untrusted: "no secure connection, check the certificate", Unreachable: "cannot be reached", Failing: "answers with error %d",
			Redirecting: "refers to another address", Stranger: "something else than Lykta answers", NotReady: "not working: ",
		},
		parts:  map[string]string{"broker": "contact with the homes", "database": "the database", "time-series": "the readings", "ingest": "the intake of alarms", "telling": "the sending of alarms"},
		silent: "Lykta is not working", still: "Lykta is still not working", mild: "Lykta stores no readings", back: "Lykta works again", test: "Test of the watch",
		since:       "No good answer from Lykta at %s since %s: %s.",
		never:       "No good answer from Lykta at %s since the watch began, %s: %s.",
		consequence: "Alarms may not get through.",
		harmless:    "Alarms get through. The homes keep their readings meanwhile.",
		returned:    "Lykta at %s is back after %s.",
		testing:     "This is a test. This is how you are told should Lykta at %s stop answering.",
	}
)

// trouble is what is wrong, as the end of a sentence.
func (w words) trouble(t *Trouble) string {
	text := w.kinds[t.Kind]
	switch t.Kind {
	case Failing:
		return fmt.Sprintf(text, t.Status)
	case NotReady:
		if len(t.Parts) > 1 {
			return w.several // their names would not fit into an SMS; /readyz and the log have them
		}
		if name, ok := w.parts[t.Parts[0]]; ok {
			return text + name
		}
		return text + t.Parts[0]
	}
	return text
}

// span is a duration as one says it: seconds up to 120, minutes up to 90, then
// hours and minutes.
func (w words) span(d time.Duration) string {
	count := func(n int, forms [2]string) string {
		if n == 1 {
			return "1 " + forms[0]
		}
		return fmt.Sprintf("%d %s", n, forms[1])
	}
	minutes := int(d.Round(time.Minute) / time.Minute)
	switch {
	case d < 2*time.Minute:
		return count(int(d.Round(time.Second)/time.Second), w.seconds)
	case minutes < 90:
		return count(minutes, w.minutes)
	case minutes%60 == 0:
		return count(minutes/60, w.hours)
	}
	return count(minutes/60, w.hours) + w.andAlso + count(minutes%60, w.minutes)
}

// at is a time in the past, as one says it.
func (w words) at(t time.Time, ago time.Duration, zone *time.Location) string {
	if ago > 12*time.Hour {
		return t.In(zone).Format(w.day)
	}
	return t.In(zone).Format(w.clock)
}

// news is what there is to tell.
type news struct {
	peer       string
	now, since time.Time // since is the last good answer, or the start
	zone       *time.Location
	ever       bool      // since is an answer
	trouble    *Trouble  // nil when it is back
	again      bool      // this was told before
	back       time.Time // when it came back
}

// message puts the news into words: Swedish, and English after it. It holds
// the peer's host and nothing else that is not in words above.
func (n news) message() notify.Message {
	sv, titleSV := n.in(swedish)
	en, titleEN := n.in(english)
	return notify.Message{Title: titleSV + " / " + titleEN, Text: sv + "\n\n" + en, Emergency: n.trouble != nil && n.trouble.grave()}
}

func (n news) in(w words) (text, title string) {
	if n.trouble == nil {
		return fmt.Sprintf(w.returned, n.peer, w.span(n.back.Sub(n.since))), w.back
	}
	form, end := w.since, w.consequence
	if !n.ever {
		form = w.never
	}
	switch {
	case !n.trouble.grave():
		title, end = w.mild, w.harmless
	case n.again:
		title = w.still
	default:
		title = w.silent
	}
	ago := n.now.Sub(n.since) // by the monotonic clock; In would leave that out
	return fmt.Sprintf(form, n.peer, w.at(n.since, ago, n.zone), w.trouble(n.trouble)) + " " + end, title
}

// rehearsal is a message that tells of nothing.
func rehearsal(peer string) notify.Message {
	return notify.Message{
		Title: swedish.test + " / " + english.test,
		Text:  fmt.Sprintf(swedish.testing, peer) + "\n\n" + fmt.Sprintf(english.testing, peer),
	}
}
