package alarm

import (
	"strings"

	"github.com/lykta/lykta/cloud/care"
)

// words are what a person reads on a locked telephone: that somebody is
// needed, and nothing of who or why.
type words struct {
	title                        string
	test                         string // the title of a press that was announced as a test
	emergency, attention, repair string
	again                        string // it was taken, and is not closed
	reply                        string // how to take it, where one can answer
	news                         string // the title of what relatives are told
	taken, closed                string
	yours, others, over          string // what came of an answer
}

// wordsIn returns the words of a language. Swedish is what is meant; the others
// are translations.
func wordsIn(language string) words {
	switch base, _, _ := strings.Cut(language, "-"); base {
	case "en":
		return words{
			title:     "Alarm",
			test:      "Test alarm",
			emergency: "Somebody needs help now.",
			attention: "Somebody should be looked in on.",
			repair:    "Something in a home needs mending.",
			again:     "An alarm that somebody has taken is not closed.",
			reply:     "Answer 1 if you take it.",
			news:      "Home care",
			taken:     "Somebody has taken the alarm.",
			closed:    "The alarm is over.",
			yours:     "You have taken the alarm.",
			others:    "Somebody else has taken the alarm already.",
			over:      "The alarm is over already.",
		}
	}
	return words{
		title:     "Larm",
		test:      "Provlarm",
		emergency: "Någon behöver hjälp nu.",
		attention: "Någon behöver ses till.",
		repair:    "Något i ett hem behöver lagas.",
		again:     "Ett larm som någon har tagit är inte avslutat.",
		reply:     "Svara 1 om du tar det.",
		news:      "Hemtjänsten",
		taken:     "Någon har tagit larmet.",
		closed:    "Larmet är avslutat.",
		yours:     "Du har tagit larmet.",
		others:    "Någon annan har redan tagit larmet.",
		over:      "Larmet är redan avslutat.",
	}
}

// Compose returns the function that puts what is told of an alert into words,
// with addresses beneath the app's own: https://host.
func Compose(app string) func(care.Telling, care.Alert, care.Person) (title, text, url string) {
	app = strings.TrimSuffix(app, "/")
	return func(t care.Telling, a care.Alert, p care.Person) (title, text, url string) {
		w := wordsIn(p.Language)
		switch t.About {
		case care.AboutTaken:
			return w.news, w.taken, ""
		case care.AboutClosed:
			return w.news, w.closed, ""
		case care.AboutAnswer:
			return w.title, w.answer(a, p), link(app, a)
		}
		text = w.repair
		switch {
		case a.Overdue:
			text = w.again
		case a.Severity == care.Emergency:
			text = w.emergency
		case a.Severity == care.Attention:
			text = w.attention
		}
		if t.Address.Channel == care.ChannelSMS && app != "" { // without an address providers cannot hand in what is answered
			text += " " + w.reply
		}
		title = w.title
		if a.Test {
			title = w.test
		}
		return title, text, link(app, a)
	}
}

// answer is what came of somebody's answer.
func (w words) answer(a care.Alert, p care.Person) string {
	switch {
	case a.State == care.Resolved:
		return w.over
	case a.Hand.By == p.Name:
		return w.yours
	}
	return w.others
}

func link(app string, a care.Alert) string {
	if app == "" {
		return ""
	}
	return app + "/alert/" + a.ID
}
