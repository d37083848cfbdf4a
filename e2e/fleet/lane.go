package main

import "time"

// size of a lane's window and batches: those of gateway/uplink.
type size struct {
	batches  int   // sent and not acknowledged
	records  int   // in a batch
	bytes    int   // of a batch's JSON, about
	patience int64 // without progress before the first resend; µs, as the rest
	linger   int64 // how long a batch that is not full waits for more
}

var (
	alarmSize     = size{batches: 16, records: 32, bytes: 64 << 10, patience: (2 * time.Second).Microseconds()}
	telemetrySize = size{
		batches: 8, records: 512, bytes: 64 << 10,
		patience: (5 * time.Second).Microseconds(), linger: time.Second.Microseconds(),
	}
)

const (
	mostPatience   = int64(30e6) // before later resends
	urgentPatience = int64(4e6)  // and while an emergency is among them
	probeLeast     = int64(10e6) // between two questions whether the store is back
	probeMost      = int64(30e6)
	compressFrom   = 1 << 10 // bytes of JSON from which on a gateway compresses
)

// lane is what a home knows of one of its logs: go-back-N over acknowledgements
// that are cumulative, by the rules of gateway/uplink. What that does on a cloud
// that was restored from a backup, or that understands nothing, is left out: the
// fleet counts both as faults.
type lane struct {
	acked uint64 // the cloud has everything up to here
	held  uint64 // and has evaluated up to here; 0 when it is not holding
	sent  uint64 // sent in this pass, up to here
	high  uint64 // there before this pass: sent without waiting for more

	out      [16]uint64 // the ends of the batches that are on their way
	flying   int
	tries    int
	deadline int64
	probe    int64
	// emergency says that help is asked for in what is on its way.
	emergency bool
}

func (l *lane) floor() uint64 { return max(l.acked, l.held) }

// begin is a new connection: everything that is not acknowledged is sent again.
func (l *lane) begin(last uint64) { *l = lane{acked: l.acked, sent: l.acked, high: last} }

// free reports whether another batch may be on its way.
func (l *lane) free(s *size) bool {
	if l.tries > 0 {
		return l.flying == 0
	}
	return l.flying < s.batches
}

// took notes that a batch up to last is on its way.
func (l *lane) took(s *size, last uint64, emergency bool, now int64, jitter func(int64) int64) {
	l.emergency = l.emergency || emergency
	l.out[l.flying] = last
	l.flying++
	l.sent, l.high = last, max(l.high, last)
	if l.deadline == 0 || l.emergency && l.deadline > now+urgentPatience {
		l.deadline = now + l.patience(s, jitter)
	}
}

func (l *lane) patience(s *size, jitter func(int64) int64) int64 {
	most := mostPatience
	if l.emergency {
		most = urgentPatience
	}
	longest := min(most, s.patience<<min(l.tries, 8))
	return s.patience + jitter(longest-s.patience+1)
}

// moved takes an acknowledgement that is not behind what was heard before.
func (l *lane) moved(s *size, now int64, upto, held uint64, jitter func(int64) int64) {
	floor, wasHeld, stored := l.floor(), l.held > 0, upto > l.acked
	l.acked, l.held = upto, 0
	switch {
	case held > upto && !stored:
		l.held = held
		if !wasHeld {
			l.probe = now + probeLeast + jitter(probeMost-probeLeast)
		}
	case wasHeld:
		l.goBack()
	}
	gone := 0
	for gone < l.flying && l.out[gone] <= l.floor() {
		gone++
	}
	copy(l.out[:], l.out[gone:l.flying])
	l.flying -= gone
	l.sent = max(l.sent, l.floor())
	if !stored && l.floor() <= floor {
		return
	}
	l.tries, l.deadline = 0, 0
	l.emergency = l.emergency && l.flying > 0
	if l.flying > 0 {
		l.deadline = now + l.patience(s, jitter)
	}
}

// expired begins a new pass when there was no progress for too long.
func (l *lane) expired(now int64) bool {
	if l.deadline == 0 || now < l.deadline {
		return false
	}
	l.tries++
	l.goBack()
	return true
}

func (l *lane) goBack() { l.sent, l.flying, l.deadline = l.floor(), 0, 0 }

// probing reports whether it is time to ask a holding cloud again.
func (l *lane) probing(now int64, jitter func(int64) int64) bool {
	if l.held == 0 || now < l.probe {
		return false
	}
	l.probe = now + probeLeast + jitter(probeMost-probeLeast)
	return true
}

// wake is the next moment at which something is to be done without being
// asked; 0 is none.
func (l *lane) wake() int64 {
	if l.held > 0 {
		return earliest(l.deadline, l.probe)
	}
	return l.deadline
}

// earliest returns the earlier of two moments, of which 0 is never.
func earliest(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
