package alarm

import (
	"strings"

	"github.com/lykta/lykta/cloud/care"
)

// words are what a person reads on a locked telephone: that somebody is
// needed, and nothing of who or why.
type words struct {
	title                        string
	emergency, attention, repair string
	again                        string // it was taken, and is not closed
	reply                        string // how to take it, where one can answer
}

// Swedish is what is meant; the others are translations.
var languages = map[string]words{
	"sv": {
		title:     "Larm",
		emergency: "Någon behöver hjälp nu.",
		attention: "Någon behöver ses till.",
		repair:    "Något i ett hem behöver lagas.",
		again:     "Ett larm som någon har tagit är inte avslutat.",
		reply:     "Svara 1 om du tar det.",
	},
	"en": {
		title:     "Alarm",
		emergency: "Somebody needs help now.",
		attention: "Somebody should be looked in on.",
		repair:    "Something in a home needs mending.",
		again:     "An alarm that somebody has taken is not closed.",
		reply:     "Answer 1 if you take it.",
	},
}

// Compose returns the function that puts an alert into words, with addresses
// beneath the app's own: https://host.
func Compose(app string) func(care.Alert, care.Person, care.Channel) (title, text, url string) {
	app = strings.TrimSuffix(app, "/")
	return func(a care.Alert, p care.Person, c care.Channel) (title, text, url string) {
		language, _, _ := strings.Cut(p.Language, "-")
		w, ok := languages[language]
		if !ok {
			w = languages["sv"]
		}
		text = w.repair
		switch {
		case a.State == care.Acknowledged:
			text = w.again
		case a.Severity == care.Emergency:
			text = w.emergency
		case a.Severity == care.Attention:
			text = w.attention
		}
		if c == care.ChannelSMS {
			text += " " + w.reply
		}
		if app != "" {
			url = app + "/#" + a.ID // the screen of what needs a human now
		}
		return w.title, text, url
	}
}
