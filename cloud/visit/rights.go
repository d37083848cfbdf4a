package visit

import (
	"context"
	"errors"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// May says whether somebody may still be in a call: nil while they may, and while
// that cannot be found out, else why not, which Attend then returns. It is asked
// for as long as they are in the call, whether or not their connection stands, from
// goroutines of the call's, and ends with ctx. A nil May is always.
type May func(ctx context.Context) error

const (
	// lookEvery is how often it is asked whether somebody may still be there: who
	// may not is out within three seconds.
	lookEvery = 2 * time.Second
	// lookFor is for how long an answer is waited for; who cannot be looked up stays.
	lookFor = 5 * time.Second
)

// looks asks whether somebody may still be there.
func (r *room) looks(p *person, now time.Time) {
	id, entry, may := p.who.ID, p.entry, p.may
	p.look = time.Time{}
	r.s.wg.Go(func() {
		ctx, cancel := context.WithTimeout(r.s.life, lookFor)
		defer cancel()
		err := may(ctx)
		r.post(func() {
			p := r.people[id]
			switch {
			case p == nil || p.entry != entry: // they have come in anew since, and were let in
			case err != nil:
				r.drops(p, err)
			default:
				p.look = now.Add(lookEvery)
			}
		})
	})
}

// drops has somebody leave at once who may be there no longer: their sound and
// picture, their place, and their connection if there is one. When nobody is left
// to speak with the resident, who has taken it back, the call itself is over, and
// both screens are told why.
func (r *room) drops(p *person, why error) {
	if errors.Is(why, care.ErrCallWithdrawn) && !r.attendedBut(p.who.ID) {
		r.end(care.CallWithdrawn, Who{})
		return
	}
	p.problem(ErrIDRight, "You may not be in this call any more")
	p.hangUp(why)
	r.remove(p.who.ID)
	if !r.attended() {
		r.end(care.CallDone, Who{})
	}
}
