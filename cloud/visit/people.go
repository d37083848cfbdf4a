package visit

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/visit/media"
)

// person is one participant, of a room's goroutine alone. The home is one whose
// messages go by way of its gateway.
type person struct {
	who    Who
	room   *room
	link   *link     // nil for the home, and while they are away
	away   time.Time // since when the connection is broken; zero is not
	renew  time.Time // when new credentials are due
	here   bool      // of the home: sound and picture can pass, as far as is known
	mic    bool
	camera bool
	paused bool      // their page sends no picture until their line is better
	held   *saying   // a wish to join that waits for the answer
	may    May       // nil is always
	look   time.Time // when it is asked next whether they may; zero is not, or it is being asked
	entry  int       // how often they came in
	gen    int       // of the media session
	slots  []media.Slot
}

// send tells them something. Who takes it too slowly is let go, and may come back.
func (p *person) send(message []byte) {
	switch {
	case p.who.ID == care.HomeInCall:
		p.room.signal(message)
	case p.link == nil:
	case !p.link.send(message):
		p.link.hangUp(errTooSlow)
	}
}

func (p *person) problem(id, text string) { p.send(encode(problem{"problem", id, text})) }

// hangUp ends their connection; what they were told before still arrives.
func (p *person) hangUp(why error) {
	if p.link != nil {
		p.link.hangUp(why)
	}
}

// Why a connection is ended by the room.
var (
	errLeft    = errors.New("they left")
	errTooSlow = errors.New(ErrIDTooMuch + ": what is told is not taken")
	errTooMuch = errors.New(ErrIDTooMuch + ": too much is said")
)

// link is the connection of one participant as the room has it.
type link struct {
	out  chan []byte
	once sync.Once
	why  error         // not changed once gone is closed
	gone chan struct{} // closed when the room has let go
}

func newLink() *link { return &link{out: make(chan []byte, 64), gone: make(chan struct{})} }

// send reports whether there was room.
func (l *link) send(message []byte) bool {
	select {
	case l.out <- message:
		return true
	default:
		return false
	}
}

func (l *link) hangUp(why error) {
	l.once.Do(func() {
		l.why = why
		close(l.gone)
	})
}

// write carries messages until the room lets go, and then what is left, or conn
// takes no more.
func (l *link) write(ctx context.Context, conn Conn) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case message := <-l.out:
			if err := conn.Write(ctx, message); err != nil {
				return err
			}
		case <-l.gone:
			for {
				select {
				case message := <-l.out:
					if err := conn.Write(ctx, message); err != nil {
						return err
					}
				default:
					return nil
				}
			}
		}
	}
}

// attend is Service.Attend in the room of the call.
func (r *room) attend(ctx context.Context, who Who, may May, conn Conn) error {
	l := newLink()
	var refused error
	err := r.do(ctx, func() { refused = r.enters(who, may, l) })
	if err != nil {
		r.post(func() { r.loses(who.ID, l, true) }) // after it has come in all the same
		return err
	}
	if refused != nil {
		return refused
	}
	both, cancel := context.WithCancel(ctx)
	defer cancel()
	var writing sync.WaitGroup
	writing.Go(func() {
		defer cancel() // ends reading
		_ = l.write(both, conn)
	})
	err = r.listens(both, who, l, conn)
	select {
	case <-l.gone:
	default:
		cut := ctx.Err() != nil
		r.post(func() { r.loses(who.ID, l, cut) })
		l.hangUp(err)
	}
	writing.Wait()
	if errors.Is(l.why, errLeft) {
		return nil
	}
	return l.why
}

// How much somebody may say: a join, and a word each time a button is pressed.
const (
	saysPerSecond = 10
	saysAtOnce    = 50
	mostMistakes  = 10
)

// listens takes in what somebody says until the connection ends.
func (r *room) listens(ctx context.Context, who Who, l *link, conn Conn) error {
	much, mistakes := newBucket(saysPerSecond, saysAtOnce), 0
	for {
		data, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		if !much.take(time.Now()) {
			l.send(encode(problem{"problem", ErrIDTooMuch, "Too much is said at a time"}))
			return errTooMuch
		}
		m, err := parse(data)
		if err != nil {
			l.send(encode(problem{"problem", ErrIDNotUnderstood, "The message was not understood"}))
			if mistakes++; mistakes > mostMistakes {
				return err
			}
			continue
		}
		// The next is read when this one is done: who says much waits.
		if err := r.do(ctx, func() {
			if p := r.people[who.ID]; p != nil && p.link == l {
				r.says(p, m)
			}
		}); err != nil {
			return err
		}
	}
}

// enters lets somebody in, or in again: the connection that they had is told.
func (r *room) enters(who Who, may May, l *link) error {
	if r.call.State == care.CallEnded {
		return care.ErrCallOver
	}
	if r.call.State == care.CallAnswered && !r.mayMeet(who) {
		l.send(encode(problem{"problem", ErrIDRight, "You may not be in this call"}))
		l.hangUp(errLeft)
		return nil
	}
	p := r.people[who.ID]
	if p == nil {
		now := time.Now()
		var entries []care.AuditEntry
		if r.call.State == care.CallAnswered {
			entries = append(entries, r.entry(who, "join call", ""))
		}
		join := func(c care.Call) (care.Call, error) {
			return c.Join(care.CallPerson{ID: who.ID, Name: who.Name, Role: who.Role}, now)
		}
		if err := r.become(join, entries...); err != nil {
			return err
		}
		p = &person{room: r}
		r.people[who.ID] = p
		r.seats = true
	}
	if p.link != nil {
		p.problem(ErrIDElsewhere, "You joined this call elsewhere")
		p.link.hangUp(care.ErrCallElsewhere)
	}
	p.who, p.link, p.away = who, l, time.Time{}
	p.may, p.look = may, time.Time{}
	p.entry++
	if may != nil {
		p.look = time.Now().Add(lookEvery)
	}
	r.welcome(p)
	if !r.seats {
		r.tellPeople(p)
	}
	return nil
}

// loses notes that somebody's connection is broken; gone is that they are not
// to come back.
func (r *room) loses(id string, l *link, gone bool) {
	p := r.people[id]
	if p == nil || p.link != l {
		return
	}
	p.link, p.away = nil, time.Now()
	if gone {
		r.remove(id)
	}
}

// leaves has somebody leave of their own accord, or because they must. A call
// in which only the home and guests are left is over.
func (r *room) leaves(id string) {
	if r.people[id] == nil {
		return
	}
	who := r.people[id].who
	r.remove(id)
	if id == care.HomeInCall {
		return // who hangs up says so; a page that is gone comes back
	}
	if !r.attended() {
		r.end(care.CallDone, who)
	}
}

// remove takes somebody out of the call.
func (r *room) remove(id string) {
	p := r.people[id]
	if p == nil || r.call.State == care.CallEnded {
		return
	}
	delete(r.people, id)
	r.s.o.Media.Leave(r.id, id)
	p.gen++
	p.hangUp(errLeft)
	r.seats = true
	now := time.Now()
	var entries []care.AuditEntry
	if r.call.State == care.CallAnswered {
		entries = append(entries, r.entry(p.who, "leave call", ""))
	}
	_ = r.become(func(c care.Call) (care.Call, error) { return c.Leave(id, now), nil }, entries...)
}

// welcome tells somebody what they come to, with fresh credentials.
func (r *room) welcome(p *person) {
	ice := []ICEServer{}
	if r.s.o.ICE != nil {
		ice = append(ice, r.s.o.ICE(r.id, p.who.ID)...)
	}
	p.renew = time.Now().Add(ICELife / 2)
	p.send(encode(welcome{"welcome", p.who.ID, r.viewFor(p.who.Role), ice, media.MaxSlots}))
}

// says does what somebody says.
func (r *room) says(p *person, m saying) {
	switch m.Type {
	case sayPing:
		p.send(encode(bare{"pong"}))
	case sayLeave:
		r.leaves(p.who.ID)
	case sayState:
		p.mic, p.camera, p.paused = m.Mic, m.Camera, m.Paused
		r.seats = true
	case sayJoin:
		p.mic, p.camera, p.paused = m.Mic, m.Camera, m.Paused
		if !r.mayMeet(p.who) {
			p.held = &m
			return
		}
		r.joins(p, m)
	case sayRestart:
		if !r.mayMeet(p.who) {
			return
		}
		sdp, err := r.s.o.Media.Restart(r.s.life, r.id, p.who.ID, m.SDP)
		switch {
		case errors.Is(err, media.ErrGone):
			p.send(encode(bare{"gone"}))
		case err != nil:
			r.refused(p, err)
		default:
			p.send(encode(answer{"answer", sdp, m.Offer}))
		}
	}
}

// mayMeet reports whether somebody may be given the others' sound and picture.
// Before the home has answered only those may who wait together: staff, where
// staff call, and who calls.
func (r *room) mayMeet(who Who) bool { return mayMeet(r.call, who) }

// mayMeet is room.mayMeet. That a screen answers by itself is allowed to who
// calls: it shows the resident to no other relative.
func mayMeet(c care.Call, who Who) bool {
	switch c.State {
	case care.CallAnswered:
		return c.How != care.ByItself || who.Role != care.AsRelative || who.ID == c.By || isGuest(who.ID)
	case care.CallRinging:
		return who.ID == c.By || who.Role == care.AsStaff && c.ByRole.Staff()
	}
	return false
}

// shutOut has somebody leave who may not be in the call.
func (r *room) shutOut(p *person) {
	p.problem(ErrIDRight, "You may not be in this call")
	r.remove(p.who.ID)
}

// joins gives somebody a media session, in place of the one that they had.
func (r *room) joins(p *person, m saying) {
	p.held = nil
	p.gen++
	id, gen := p.who.ID, p.gen
	p.slots = nil
	sdp, err := r.s.o.Media.Join(r.s.life, media.Joining{Room: r.id, Peer: id, Offer: m.SDP, Tell: func(e media.Event) {
		r.post(func() {
			if p := r.people[id]; p != nil && p.gen == gen {
				r.happens(p, e)
			}
		})
	}})
	if err != nil {
		r.refused(p, err)
		return
	}
	if id == care.HomeInCall {
		r.homeHere(p, true)
	}
	p.send(encode(answer{"answer", sdp, m.Offer}))
	r.seats = true
}

// refused tells somebody that there is no media session for them.
func (r *room) refused(p *person, err error) {
	switch {
	case errors.Is(err, media.ErrFull):
		p.problem("LYK-0903", "The call is full")
	case errors.Is(err, media.ErrOffer):
		p.problem(media.ErrIDOffer, "The offer cannot be answered")
	default:
		r.s.o.Log.Warn("somebody cannot be given sound and picture", "id", media.ErrIDLost, "call", r.id, "person", p.who.ID, "err", err)
		p.problem(media.ErrIDLost, "Sound and picture cannot be set up; try again")
	}
}

// happens takes what media says of somebody's session.
func (r *room) happens(p *person, e media.Event) {
	switch e.Kind {
	case media.Connected:
		if p.who.ID == care.HomeInCall {
			r.homeHere(p, true)
		}
	case media.Failed:
		if p.who.ID == care.HomeInCall {
			r.homeHere(p, false)
		}
		p.send(encode(bare{"gone"}))
	case media.SlotsChanged:
		p.slots = e.Slots
		r.tellPeople(p)
	case media.LineChanged:
		loss := e.Line.Loss
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			loss = 1
		}
		p.send(encode(lineNow{"line", e.Line.VideoPaused, string(e.Line.Quality), loss, e.Line.Kbps, e.Line.Watched}))
	}
}

// homeHere notes whether the home is reached.
func (r *room) homeHere(p *person, here bool) {
	p.here = here
	now := time.Now()
	_ = r.become(func(c care.Call) (care.Call, error) {
		if !here {
			return c.Leave(care.HomeInCall, now), nil
		}
		return c.Join(care.CallPerson{ID: care.HomeInCall, Name: r.called, Role: care.InHome}, now)
	})
}

// tellPeople tells somebody who the others are, and where they receive them.
func (r *room) tellPeople(p *person) {
	list := people{"people", []other{}}
	if !r.call.Answered.IsZero() || p.who.Role == care.AsStaff {
		for _, cp := range r.call.People {
			o := r.people[cp.ID]
			if o == nil || o == p {
				continue
			}
			v := other{byView: byView{cp.ID, cp.Name, cp.Role}, Mic: o.mic, Camera: o.camera, Paused: o.paused}
			for _, s := range p.slots {
				if s.Peer == cp.ID {
					v.Audio, v.Video = s.Audio, s.Video
				}
			}
			list.People = append(list.People, v)
		}
	}
	p.send(encode(list))
}
