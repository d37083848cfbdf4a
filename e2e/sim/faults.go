package sim

import (
	"math"
	"math/rand/v2"
	"time"
)

// fault is one kind of misfortune. It begins and, unless it is over at once,
// ends after a while.
type fault struct {
	name  string
	begin func(w *world, r *rand.Rand)
	end   func(w *world) // nil when it is over at once
	needs func(w *world) bool
	// harmless says that presses are as quick as ever.
	harmless bool
}

// faults is all that can go wrong.
func faults() []fault {
	weatherly := func(name string, begin func(*weather, *rand.Rand), end func(*weather)) fault {
		return fault{
			name:  name,
			begin: func(w *world, r *rand.Rand) { w.air.set(func(s *weather) { begin(s, r) }) },
			end:   func(w *world) { w.air.set(end) },
		}
	}
	tells := func(w *world) bool { return w.site.tells }
	remote := func(w *world) bool { return w.site.remote != nil }
	return []fault{
		weatherly("messages lost", func(w *weather, r *rand.Rand) { w.loss = pick(r, 0.05, 0.3, 0.7) }, func(w *weather) { w.loss = 0 }),
		weatherly("messages twice", func(w *weather, r *rand.Rand) { w.twice = pick(r, 0.1, 0.5) }, func(w *weather) { w.twice = 0 }),
		weatherly("messages overtaken", func(w *weather, r *rand.Rand) {
			w.late, w.lateness = pick(r, 0.1, 0.5), pick(r, time.Second, 10*time.Second, time.Minute)
		}, func(w *weather) { w.late = 0 }),
		weatherly("messages slow", func(w *weather, r *rand.Rand) { w.delay = pick(r, 300*time.Millisecond, 2*time.Second, 8*time.Second) },
			func(w *weather) { w.delay = 0 }),
		weatherly("cut one way, up", func(w *weather, _ *rand.Rand) { w.deafUp = true }, func(w *weather) { w.deafUp = false }),
		weatherly("cut one way, down", func(w *weather, _ *rand.Rand) { w.deafDown = true }, func(w *weather) { w.deafDown = false }),
		weatherly("cut both ways", func(w *weather, _ *rand.Rand) { w.deafUp, w.deafDown = true, true }, func(w *weather) { w.deafUp, w.deafDown = false, false }),
		{name: "connection broken", begin: func(w *world, _ *rand.Rand) { w.air.hangUp() }},
		{
			name:  "broker away",
			needs: func(w *world) bool { return w.site.apart },
			begin: func(w *world, _ *rand.Rand) { w.air.set(func(s *weather) { s.closed = true }) },
			end:   func(w *world) { w.air.set(func(s *weather) { s.closed = false }) },
		},
		{name: "gateway killed", begin: func(w *world, r *rand.Rand) { w.box.crash(false); w.startBoxIn(pause(r)) }},
		{name: "gateway power cut", begin: func(w *world, r *rand.Rand) { w.box.crash(true); w.startBoxIn(pause(r)) }},
		{name: "gateway dies in a write", begin: func(w *world, r *rand.Rand) { w.boxDiesAfter(1+r.IntN(60), r.IntN(2) == 0) }},
		{name: "cloud killed", begin: func(w *world, r *rand.Rand) { w.site.crash(false); w.startSiteIn(pause(r)) }},
		{name: "cloud power cut", begin: func(w *world, r *rand.Rand) { w.site.crash(true); w.startSiteIn(pause(r)) }},
		{name: "cloud dies in a write", begin: func(w *world, r *rand.Rand) { w.siteDiesAfter(1+r.IntN(60), r.IntN(2) == 0, r.IntN(2) == 0) }},
		{
			name: "clock stepped", // by somebody, or by a time server that lies
			begin: func(w *world, r *rand.Rand) {
				const year = 365 * 24 * time.Hour
				by := pick(r, -time.Hour, time.Hour, -10*year, 10*year, -20*time.Second)
				w.journal.note("the clock of the gateway steps by %v", by)
				w.box.off.Store(int64(by))
				w.box.synced.Store(by.Abs() <= time.Hour && r.IntN(2) == 0)
			},
			end: func(w *world) { w.box.off.Store(0); w.box.synced.Store(true) },
		},
		{
			name: "power cut, and no clock", // a box without a battery-backed clock, before NTP
			begin: func(w *world, r *rand.Rand) {
				w.box.off.Store(-time.Now().UnixNano() + int64(time.Duration(r.IntN(60))*time.Second))
				w.box.synced.Store(false)
				w.box.crash(true)
				w.startBoxIn(pause(r))
			},
			end: func(w *world) { w.box.off.Store(0); w.box.synced.Store(true) },
		},
		{
			name:  "gateway disk full",
			begin: func(w *world, r *rand.Rand) { w.box.disk.Limit(int64(r.IntN(200_000)), w.box.reserveFile()) },
			end:   func(w *world) { w.box.disk.Limit(-1, "") },
		},
		{
			name:  "gateway I/O errors",
			begin: func(w *world, r *rand.Rand) { w.box.disk.Fail(pick(r, 0.02, 0.3, 1)) },
			end:   func(w *world) { w.box.disk.Fail(0) },
		},
		{
			name:  "cloud disk full",
			begin: func(w *world, r *rand.Rand) { w.unwell(true); w.site.disk.Limit(int64(r.IntN(200_000)), "") },
			end:   func(w *world) { w.site.disk.Limit(-1, ""); w.unwell(false) },
		},
		{
			name:  "cloud I/O errors",
			begin: func(w *world, r *rand.Rand) { w.unwell(true); w.site.disk.Fail(pick(r, 0.02, 0.3, 1)) },
			end:   func(w *world) { w.site.disk.Fail(0); w.unwell(false) },
		},
		{name: "time series away", needs: remote, harmless: true, begin: func(w *world, _ *rand.Rand) { w.site.remote.set(func(s *series) { s.away = true }) },
			end: func(w *world) { w.site.remote.set(func(s *series) { s.away = false }) }},
		{name: "time series slow", needs: remote, harmless: true, begin: func(w *world, r *rand.Rand) {
			slow := pick(r, time.Second, 5*time.Second, 15*time.Second)
			w.site.remote.set(func(s *series) { s.slow = slow })
		}, end: func(w *world) { w.site.remote.set(func(s *series) { s.slow = 0 }) }},
		{name: "time series takes half", needs: remote, harmless: true, begin: func(w *world, r *rand.Rand) {
			half := pick(r, 0.2, 0.8)
			w.site.remote.set(func(s *series) { s.half = half })
		}, end: func(w *world) { w.site.remote.set(func(s *series) { s.half = 0 }) }},
		{name: "SMS provider away", needs: tells, harmless: true, begin: func(w *world, _ *rand.Rand) { w.site.phone.set(func(p *phone) { p.away = true }) },
			end: func(w *world) { w.site.phone.set(func(p *phone) { p.away = false }) }},
		{name: "SMS provider hangs", needs: tells, harmless: true, begin: func(w *world, _ *rand.Rand) { w.site.phone.set(func(p *phone) { p.hangs = true }) },
			end: func(w *world) { w.site.phone.set(func(p *phone) { p.hangs = false }) }},
	}
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// between draws from the logarithmic span between two durations: short ones
// are as likely as long ones.
func between(r *rand.Rand, least, most time.Duration) time.Duration {
	return time.Duration(float64(least) * math.Pow(float64(most)/float64(least), r.Float64()))
}

// pause is how long something that died stays dead.
func pause(r *rand.Rand) time.Duration { return between(r, 100*time.Millisecond, 20*time.Minute) }
