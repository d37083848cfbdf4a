package media

import "slices"

// room is who is in one visit. It is guarded by Media.mu; what it is asked to do
// it answers with what is to be done after the lock.
type room struct {
	peers   map[string]*peer
	speaker speaker
}

// peerChange is what follows of somebody coming or going.
type peerChange struct {
	gone *peer // whose session is to be closed
	then []func()
}

func (r *room) people() []*peer {
	all := make([]*peer, 0, len(r.peers))
	for _, p := range r.peers {
		all = append(all, p)
	}
	return all
}

// enter gives everybody a slot for the new one, and the new one slots for all.
func (r *room) enter(p *peer) *peerChange {
	c := &peerChange{}
	for _, other := range r.peers {
		other.receive(p)
		p.receive(other)
		c.then = append(c.then, other.tellSlots(), other.wakeSlots)
	}
	r.peers[p.id] = p
	c.then = append(c.then, p.tellSlots(), p.wakeSlots)
	return c
}

// leave empties the slots that carry somebody; nil when they are not here.
func (r *room) leave(id string) *peerChange {
	gone := r.peers[id]
	if gone == nil {
		return nil
	}
	delete(r.peers, id)
	c := &peerChange{gone: gone}
	for _, other := range r.peers {
		other.release(gone)
		gone.release(other)
		c.then = append(c.then, other.tellSlots())
	}
	return c
}

// receive takes somebody into the first empty slot.
func (p *peer) receive(from *peer) {
	for _, s := range p.slots {
		if s.from == nil {
			s.from = from
			s.sound.tune(from)
			s.picture.tune(from)
			from.add(s)
			return
		}
	}
}

// release empties the slot that carries somebody.
func (p *peer) release(from *peer) {
	for _, s := range p.slots {
		if s.from == from {
			s.from = nil
			s.sound.tune(nil)
			s.picture.tune(nil)
			from.remove(s)
		}
	}
}

// add makes a slot of somebody else's one of those that this one's sound and
// picture are sent to. Senders read the list without a lock.
func (p *peer) add(s *slot) {
	all := append(slices.Clone(p.listeners()), s)
	p.to.Store(&all)
}

func (p *peer) remove(s *slot) {
	all := slices.DeleteFunc(slices.Clone(p.listeners()), func(o *slot) bool { return o == s })
	p.to.Store(&all)
}

func (p *peer) listeners() []*slot {
	if all := p.to.Load(); all != nil {
		return *all
	}
	return nil
}

// tellSlots notes who is where now, and returns what tells it.
func (p *peer) tellSlots() func() {
	now := make([]Slot, len(p.slots))
	for i, s := range p.slots {
		now[i] = Slot{Audio: s.sound.mid, Video: s.picture.mid}
		if s.from != nil {
			now[i].Peer = s.from.id
		}
	}
	return func() { p.mail.post(Event{Kind: SlotsChanged, Slots: now}) }
}
