package peer

import (
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/notify"
)

var kinds = []Kind{Refused, Slow, Nameless, Untrusted, Unreachable, Failing, Redirecting, Stranger, NotReady}

func TestEveryTroubleHasWordsInBothLanguages(t *testing.T) {
	troubles := []*Trouble{{Kind: NotReady, Parts: []string{"broker", "ingest"}}, {Kind: NotReady, Parts: []string{"new-part"}}}
	for _, kind := range kinds {
		troubles = append(troubles, &Trouble{Kind: kind, Status: 502, Parts: []string{"broker", "database", "ingest", "new-part"}})
	}
	for _, trouble := range troubles {
		kind := trouble.Kind
		sv, en := swedish.trouble(trouble), english.trouble(trouble)
		if sv == "" || en == "" || sv == en || strings.Contains(sv+en, "%!") {
			t.Errorf("%s: %q, %q", kind, sv, en)
		}
		n := news{
			peer: "lykta.hemtjanst.example-kommun.se", since: time.Date(2026, 11, 21, 13, 3, 0, 0, time.UTC), now: time.Date(2026, 11, 22, 4, 4, 0, 0, time.UTC),
			zone: time.UTC, trouble: trouble, again: true,
		}
		sms := notify.SMS(n.message())
		if notify.Parts(sms) > notify.MaxParts || strings.HasSuffix(sms, "...") {
			t.Errorf("%s does not fit into an SMS: %s", kind, sms)
		}
	}
}

func TestMessagesReadWell(t *testing.T) {
	since := time.Date(2026, 11, 21, 13, 3, 0, 0, time.UTC)
	stockholm, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	told := func(n news) string {
		n.peer, n.since, n.zone = "lykta.example.se", since, stockholm
		if n.now.IsZero() {
			n.now = since.Add(100 * time.Second)
		}
		m := n.message()
		return m.Title + "\n" + m.Text
	}
	for _, c := range []struct{ got, want string }{
		{
			told(news{ever: true, trouble: &Trouble{Kind: Failing, Status: 502}}),
			"Lykta fungerar inte / Lykta is not working\n" +
				"Lykta på lykta.example.se har inte svarat som den ska sedan kl. 14.03: svarar med fel 502. Larm kan utebli. Kontrollera tjänsten.\n\n" +
				"No good answer from Lykta at lykta.example.se since 14:03: answers with error 502. Alarms may not get through.",
		},
		{
			told(news{ever: true, trouble: series, now: since.Add(15 * time.Hour)}),
			"Lykta sparar inga mätvärden / Lykta stores no readings\n" +
				"Lykta på lykta.example.se har inte svarat som den ska sedan 21/11 kl. 14.03: ur funktion: mätvärdena. Larm går fram. Hemmen behåller sina mätvärden så länge.\n\n" +
				"No good answer from Lykta at lykta.example.se since 21 November, 14:03: not working: the readings. Alarms get through. The homes keep their readings meanwhile.",
		},
		{
			told(news{ever: true, back: since.Add(91 * time.Minute)}),
			"Lykta fungerar igen / Lykta works again\n" +
				"Lykta på lykta.example.se är tillbaka efter 1 timme och 31 minuter.\n\n" +
				"Lykta at lykta.example.se is back after 1 hour and 31 minutes.",
		},
	} {
		if c.got != c.want {
			t.Errorf("got\n%s\nwant\n%s", c.got, c.want)
		}
	}
}
