package main

// wheel calls homes at the times that they have set. Setting one that is set
// already for earlier costs nothing, which is the common case: deadlines move on.
type wheel struct {
	slots [][]int32 // homes, by the time modulo the wheel's turn
	at    int64     // the slot that is next
}

// A slot is a step long; what is further away than a turn is looked at once a turn.
const (
	step  = int64(4000) // µs
	turns = int64(1 << 14)
)

func newWheel(now int64) *wheel { return &wheel{slots: make([][]int32, turns), at: now / step} }

// set has the home called at the time, as the first of the times that it set,
// at most two steps late; 0 is no time.
func (w *wheel) set(h *home, due int64) {
	if due == 0 {
		return
	}
	h.due = due
	slot := min(max(due/step+1, w.at), w.at+turns-1)
	if h.armed != 0 && h.armed <= slot {
		return
	}
	h.armed = slot
	w.slots[slot%turns] = append(w.slots[slot%turns], h.place)
}

// advance calls who is due by now.
func (w *wheel) advance(now int64, homes []*home, call func(*home)) {
	for w.at <= now/step {
		at := w.at
		w.at++ // what is set from now on is for later slots
		slot := &w.slots[at%turns]
		waiting := *slot
		*slot = nil
		for _, place := range waiting {
			h := homes[place]
			if h.armed != at {
				continue // it had set an earlier time after this one
			}
			h.armed = 0
			if h.due > now {
				w.set(h, h.due)
				continue
			}
			call(h)
		}
		if *slot == nil {
			*slot = waiting[:0]
		}
	}
}

// wait returns how long nobody is due for, at most a tenth of a second, in µs.
func (w *wheel) wait(now int64) int64 {
	for ahead := range int64(25) {
		if len(w.slots[(w.at+ahead)%turns]) > 0 {
			return max(0, (w.at+ahead)*step-now)
		}
	}
	return 25 * step
}
