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
			title, text, url := compose(a, care.Person{Language: language}, care.ChannelSMS)
			if title == "" || text == "" || url != "https://lykta.example.se/#a1" {
				t.Errorf("%s in %q: %q, %q, %q", kind, language, title, text, url)
			}
			for _, secret := range []string{a.Home, a.Room, a.Device, a.Note, string(kind)} {
				if strings.Contains(title+text, secret) {
					t.Errorf("%s in %q tells %q", kind, language, secret)
				}
			}
		}
	}
	_, push, _ := compose(a, care.Person{Language: "sv"}, care.ChannelPush)
	if strings.Contains(push, "Svara") {
		t.Errorf("a push cannot be answered: %q", push)
	}
}
