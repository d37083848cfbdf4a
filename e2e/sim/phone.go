package sim

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/notify"
)

// anna is told when nobody else is there: of the staff of every area, and the
// last resort.
var anna = care.Person{ID: "anna", Name: "Anna", Language: "sv", Addresses: []care.Address{{Channel: care.ChannelSMS, To: "+46701740605"}}}

// phone is Anna's, with the provider that carries messages to it: another
// machine, which does not die with the cloud.
type phone struct {
	journal *journal

	mu    sync.Mutex
	away  bool // takes nothing
	hangs bool // takes it, and does not answer
}

func (p *phone) set(f func(*phone)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(p)
}

// lineOut is the cloud's line to the provider, as long as the process lives.
type lineOut struct {
	phone *phone
	dead  func() bool
}

func (l lineOut) Name() string { return "phone" }

func (l lineOut) Send(ctx context.Context, m notify.Message) (string, error) {
	l.phone.mu.Lock()
	away, hangs := l.phone.away, l.phone.hangs
	l.phone.mu.Unlock()
	if away || l.dead() {
		return "", notify.Fail(notify.ErrTemporary, "phone", "away")
	}
	alert, _, _ := strings.Cut(m.Key, "/")
	j := l.phone.journal
	j.with(func() {
		if about := strings.Split(m.Key, "/"); about[1] == string(care.AboutAlarm) {
			j.rang = append(j.rang, ring{alert, time.Now()})
		}
	})
	if hangs {
		<-ctx.Done()
		return "", notify.Fail(notify.ErrUnsure, "phone", "no answer")
	}
	return m.Key, nil
}

// ring is one message about an alarm that the provider took.
type ring struct {
	alert string
	at    time.Time
}

// checkTold: nobody is left alone with an emergency that is not taken, and
// nobody is called to one that is over (P2).
func (w *world) checkTold(f found) {
	if !w.site.tells {
		return
	}
	rang := map[string][]time.Time{}
	for _, r := range w.journal.rang {
		rang[r.alert] = append(rang[r.alert], r.at)
	}
	for _, a := range f.alerts {
		told := rang[a.ID]
		if a.Severity == care.Emergency && a.State == care.Open && time.Since(a.Raised) > time.Minute && len(told) == 0 && !a.Unheard {
			w.violated("P2", "%s %s stands since %v, and nobody was told", a.Kind, a.Room, a.Raised.Sub(w.journal.began))
		}
		if i := slices.IndexFunc(told, func(at time.Time) bool { return a.State == care.Resolved && at.After(a.ResolvedAt.Add(time.Second)) }); i >= 0 {
			w.violated("P2", "%s %s was over at %v, and somebody is called to it at %v", a.Kind, a.Room, a.ResolvedAt.Sub(w.journal.began), told[i].Sub(w.journal.began))
		}
	}
}
