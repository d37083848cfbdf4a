package alarm_test

import (
	"strings"
	"testing"

	"github.com/lykta/lykta/cloud/alarm"
	"github.com/lykta/lykta/cloud/care"
)

// A telephone lies on a table where others can read it.
func TestALockedTelephoneTellsNobodysName(t *testing.T) {
	compose := alarm.Compose("https://lykta.example.se/")
	a := sos()
	a.Home, a.Room, a.Device, a.Note = "karin-lund", "badrum", "halsband", "diabetes"
	for _, kind := range []care.AlertKind{care.AlertSOS, care.AlertCheckInMissed, care.AlertBatteryLow} {
		for _, language := range []string{"sv", "en", "sv-SE", "so", ""} {
			a.Kind, a.Severity = kind, kind.Severity()
			sms := care.Telling{About: care.AboutAlarm, Address: care.Address{Channel: care.ChannelSMS}}
			title, text, url := compose(sms, a, care.Person{Language: language})
			if title == "" || text == "" || url != "https://lykta.example.se/alert/a1" {
				t.Errorf("%s in %q: %q, %q, %q", kind, language, title, text, url)
			}
			for _, secret := range []string{a.Home, a.Room, a.Device, a.Note, string(kind)} {
				if strings.Contains(title+text, secret) {
					t.Errorf("%s in %q tells %q", kind, language, secret)
				}
			}
		}
	}
	_, push, _ := compose(care.Telling{About: care.AboutAlarm, Address: care.Address{Channel: care.ChannelPush}}, a, care.Person{Language: "sv"})
	if strings.Contains(push, "Svara") {
		t.Errorf("a push cannot be answered: %q", push)
	}
}

// Nobody is asked for an answer that cannot reach the service.
func TestAnAnswerIsAskedForWhereItCanBeHeard(t *testing.T) {
	sms := care.Telling{About: care.AboutAlarm, Address: care.Address{Channel: care.ChannelSMS}}
	for app, want := range map[string]bool{"https://lykta.example.se": true, "": false} {
		if _, text, _ := alarm.Compose(app)(sms, sos(), care.Person{}); strings.Contains(text, "Svara") != want {
			t.Errorf("at %q: %q", app, text)
		}
	}
}

// Who answers learns what came of it; relatives learn that somebody came, and
// that it is over.
func TestWordsAfterTheAlarm(t *testing.T) {
	compose := alarm.Compose("https://lykta.example.se")
	held, err := sos().Acknowledge("Anna", pressedAt)
	if err != nil {
		t.Fatal(err)
	}
	over, err := held.Resolve("Anna", care.OutcomeHelped, "", pressedAt)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		about care.About
		alert care.Alert
		want  string
	}{
		{care.AboutAnswer, held, "Du har tagit larmet."},
		{care.AboutAnswer, func() care.Alert { a := held; a.Hand.By = "Björn"; return a }(), "Någon annan har redan tagit larmet."},
		{care.AboutAnswer, over, "Larmet är redan avslutat."},
		{care.AboutTaken, held, "Någon har tagit larmet."},
		{care.AboutClosed, over, "Larmet är avslutat."},
		{care.AboutAlarm, func() care.Alert { a := held; a.Overdue = true; return a }(), "Ett larm som någon har tagit är inte avslutat."},
	} {
		if _, text, _ := compose(care.Telling{About: test.about}, test.alert, care.Person{Name: "Anna"}); text != test.want {
			t.Errorf("%s: %q, want %q", test.about, text, test.want)
		}
	}
	a := sos()
	a.Test = true
	if title, _, _ := compose(care.Telling{About: care.AboutAlarm}, a, care.Person{}); title != "Provlarm" {
		t.Errorf("a test is called %q", title)
	}
}
