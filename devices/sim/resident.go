package sim

import (
	"maps"
	"slices"
	"time"
)

// resident is whoever lives there. What they will do is put into the home's
// queue piece by piece, up to planned.
type resident struct {
	home    *Home
	room    string
	planned time.Time
	steps   []step
}

// step is something to do, not before a time of day.
type step struct {
	from time.Time
	do   func(t time.Time) time.Time
}

// live plans the next piece of life.
func (r *resident) live() {
	if len(r.steps) == 0 {
		r.planDay(r.planned)
	}
	next := r.steps[0]
	r.steps = r.steps[1:]
	if next.from.After(r.planned) {
		r.planned = r.linger(r.planned, next.from)
	}
	r.planned = next.do(r.planned)
}

// clock returns a time on t's day, give or take spread.
func (r *resident) clock(t time.Time, hour, minute int, spread time.Duration) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, hour, minute, 0, 0, t.Location()).Add(r.home.between(-spread, spread))
}

// planDay plans from t until the resident gets up the next morning, leaving
// out what is past. Before six they are still in bed.
func (r *resident) planDay(t time.Time) {
	h := r.home
	if t.Hour() < 6 {
		r.steps = []step{{t, func(t time.Time) time.Time { return r.lie(t, r.clock(t, 7, 0, 25*time.Minute)) }}}
		return
	}
	steps := []step{
		{r.clock(t, 7, 45, 10*time.Minute), r.breakfast},
		{r.clock(t, 8, 30, 15*time.Minute), r.checkIn},
		{r.clock(t, 9, 0, 15*time.Minute), func(t time.Time) time.Time { return r.watch(t, h.about(50*time.Minute)) }},
		{r.clock(t, 12, 0, 20*time.Minute), r.lunch},
		{r.clock(t, 13, 15, 15*time.Minute), func(t time.Time) time.Time { return r.lie(t, t.Add(h.about(45*time.Minute))) }},
		{r.clock(t, 14, 45, 15*time.Minute), r.coffee},
		{r.clock(t, 17, 30, 25*time.Minute), r.dinner},
		{r.clock(t, 19, 0, 20*time.Minute), func(t time.Time) time.Time { return r.watch(t, h.about(140*time.Minute)) }},
	}
	if h.chance.Float64() < 0.6 {
		steps = append(steps, step{r.clock(t, 10, 15, 20*time.Minute), func(t time.Time) time.Time {
			return r.goOut(t, h.between(35*time.Minute, 100*time.Minute))
		}})
	}
	if h.chance.Float64() < 0.4 {
		steps = append(steps, step{r.clock(t, 8, 5, 5*time.Minute), r.shower})
	}
	if h.chance.Float64() < h.opts.FallsPerWeek/7 {
		steps = append(steps, step{r.clock(t, 9, 0, 0).Add(h.between(0, 12*time.Hour)), r.fall})
	}
	steps = slices.DeleteFunc(steps, func(s step) bool { return s.from.Before(t) })
	slices.SortStableFunc(steps, func(a, b step) int { return a.from.Compare(b.from) })
	if t.Hour() < 8 {
		steps = append([]step{{t, r.morning}}, steps...)
	}
	r.steps = append(steps, step{r.clock(t, 22, 0, 25*time.Minute), r.evening})
}

// walk goes to a room through the hall and returns when they are there.
func (r *resident) walk(t time.Time, to string) time.Time {
	h := r.home
	if r.room == to {
		return t
	}
	if r.room == bathroom {
		h.at(t, func() { h.say("bathroom/door", map[string]any{"contact": false}) })
		h.at(t.Add(25*time.Second), func() { h.say("bathroom/radar", map[string]any{"presence": false}) })
	}
	if r.room != hall && to != hall {
		t = t.Add(h.between(4*time.Second, 12*time.Second))
		h.at(t, func() { h.move(hall) })
	}
	t = t.Add(h.between(5*time.Second, 15*time.Second))
	if to == bathroom {
		h.at(t, func() {
			h.say("bathroom/door", map[string]any{"contact": true})
			h.say("bathroom/radar", map[string]any{"presence": true, "illuminance": h.light(bathroom)})
		})
	}
	h.at(t, func() { h.move(to) })
	r.room = to
	return t
}

// stay is in the room for a while, moving about every so often.
func (r *resident) stay(t time.Time, d, every time.Duration) time.Time {
	h, end := r.home, t.Add(d)
	room := r.room
	for t = t.Add(h.about(every)); t.Before(end); t = t.Add(max(time.Minute, time.Duration(h.chance.ExpFloat64()*float64(every)))) {
		h.at(t, func() { h.move(room) })
	}
	return end
}

// linger passes the time until something is to be done.
func (r *resident) linger(t, until time.Time) time.Time {
	h := r.home
	for until.Sub(t) > 25*time.Minute {
		switch h.chance.IntN(10) {
		case 0:
			t = r.toilet(t)
		case 1, 2:
			t = r.stay(r.walk(t, kitchen), h.about(5*time.Minute), 90*time.Second)
		case 3, 4:
			t = r.sit(t, h.about(15*time.Minute))
		default:
			t = r.stay(r.walk(t, livingRoom), h.about(12*time.Minute), 4*time.Minute)
		}
	}
	if until.After(t) {
		t = r.stay(t, until.Sub(t), 5*time.Minute)
	}
	return t
}

func (r *resident) mat(t time.Time, name string, on bool) {
	r.home.at(t, func() { r.home.say(name, map[string]any{"contact": on}) })
}

// lie lies in bed until a time, and gets up in between as the night is long.
func (r *resident) lie(t, until time.Time) time.Time {
	h := r.home
	t = r.walk(t, bedroom).Add(h.between(20*time.Second, 2*time.Minute))
	r.mat(t, "bedroom/bed", true)
	for {
		up := t.Add(h.between(90*time.Minute, 5*time.Hour))
		if !up.Before(until.Add(-20 * time.Minute)) {
			break
		}
		t = r.stay(t, up.Sub(t), 70*time.Minute) // turning over
		r.mat(t, "bedroom/bed", false)
		t = r.walk(r.toilet(t.Add(15*time.Second)), bedroom).Add(20 * time.Second)
		r.mat(t, "bedroom/bed", true)
	}
	if until.After(t) {
		t = r.stay(t, until.Sub(t), 70*time.Minute)
	}
	r.mat(t, "bedroom/bed", false)
	return t.Add(h.between(10*time.Second, 40*time.Second))
}

func (r *resident) sit(t time.Time, d time.Duration) time.Time {
	h := r.home
	t = r.walk(t, livingRoom).Add(15 * time.Second)
	r.mat(t, "living_room/armchair", true)
	t = r.stay(t, d, 11*time.Minute)
	r.mat(t, "living_room/armchair", false)
	return t.Add(h.between(5*time.Second, 20*time.Second))
}

func (r *resident) toilet(t time.Time) time.Time {
	h := r.home
	t = r.stay(r.walk(t, bathroom), h.between(3*time.Minute, 8*time.Minute), 80*time.Second)
	h.at(t, func() { h.water(6) })
	t = t.Add(25 * time.Second)
	h.at(t, func() { h.water(1.5 + 2*h.chance.Float64()) })
	return t.Add(20 * time.Second)
}

func (r *resident) shower(t time.Time) time.Time {
	h := r.home
	t = r.walk(t, bathroom)
	for range 4 {
		t = r.stay(t, 2*time.Minute, time.Minute)
		h.at(t, func() {
			h.water(12 + 6*h.chance.Float64())
			h.heat(bathroom, 0.6, 7)
			h.measure(h.flat.byName["bathroom/climate"])
		})
	}
	return r.stay(t, h.about(8*time.Minute), 2*time.Minute)
}

func (r *resident) fridge(t time.Time) time.Time {
	h := r.home
	h.at(t, func() { h.say("kitchen/fridge", map[string]any{"contact": false}) })
	t = t.Add(h.between(4*time.Second, 25*time.Second))
	h.at(t, func() { h.say("kitchen/fridge", map[string]any{"contact": true}) })
	return t.Add(15 * time.Second)
}

// use runs something on a plug for a while.
func (r *resident) use(t time.Time, plug string, watts float64, d time.Duration) {
	h := r.home
	h.at(t, func() { h.draw(plug, watts) })
	h.at(t.Add(d), func() { h.draw(plug, 0) })
}

func (r *resident) cook(t time.Time, d time.Duration) time.Time {
	h := r.home
	t = r.fridge(r.walk(t, kitchen).Add(20 * time.Second))
	h.at(t, func() { h.water(2 + 2*h.chance.Float64()) })
	r.use(t, "kitchen/stove", 900+700*h.chance.Float64(), d)
	for range int(d / (5 * time.Minute)) {
		t = r.stay(t, 5*time.Minute, 70*time.Second)
		h.at(t, func() { h.heat(kitchen, 0.7, 3) })
	}
	return r.fridge(t)
}

func (r *resident) eat(t time.Time) time.Time {
	return r.stay(r.walk(t, kitchen), r.home.about(20*time.Minute), 2*time.Minute)
}

func (r *resident) kettle(t time.Time) time.Time {
	h := r.home
	t = r.walk(t, kitchen).Add(30 * time.Second)
	h.at(t, func() { h.water(0.8) })
	r.use(t, "kitchen/kettle", 2000, 3*time.Minute)
	t = r.stay(t, 4*time.Minute, time.Minute)
	h.at(t, func() { h.heat(kitchen, 0.2, 2) })
	return r.fridge(t)
}

func (r *resident) watch(t time.Time, d time.Duration) time.Time {
	h := r.home
	t = r.walk(t, livingRoom).Add(10 * time.Second)
	r.use(t, "living_room/tv", 75+30*h.chance.Float64(), d+time.Minute)
	h.at(t, func() { h.heat(livingRoom, 0.2, 0) })
	end := t.Add(d)
	for end.Sub(t) > 50*time.Minute {
		t = r.sit(t, h.between(30*time.Minute, 45*time.Minute))
		t = r.toilet(t)
	}
	if end.After(t) {
		t = r.sit(t, end.Sub(t))
	}
	return t
}

func (r *resident) morning(t time.Time) time.Time {
	h := r.home
	t = r.toilet(r.stay(r.walk(t, bedroom), 2*time.Minute, time.Minute))
	h.at(t, func() { h.water(4) })
	return r.stay(r.walk(t, bedroom), h.about(10*time.Minute), 2*time.Minute) // dressing
}

func (r *resident) breakfast(t time.Time) time.Time { return r.eat(r.kettle(t)) }
func (r *resident) lunch(t time.Time) time.Time {
	return r.eat(r.cook(t, r.home.about(15*time.Minute)))
}
func (r *resident) coffee(t time.Time) time.Time {
	return r.sit(r.kettle(t), r.home.about(30*time.Minute))
}
func (r *resident) dinner(t time.Time) time.Time {
	return r.eat(r.cook(t, r.home.about(30*time.Minute)))
}

func (r *resident) checkIn(t time.Time) time.Time {
	h := r.home
	t = r.walk(t, kitchen).Add(20 * time.Second)
	if !h.opts.MissCheckIns {
		h.at(t, func() { h.press(checkInButton, "single") })
	}
	return t.Add(time.Minute)
}

func (r *resident) evening(t time.Time) time.Time {
	tomorrow := t.Add(6 * time.Hour) // whether it is before midnight or after
	return r.lie(r.toilet(t), r.clock(tomorrow, 7, 0, 25*time.Minute))
}

func (r *resident) goOut(t time.Time, d time.Duration) time.Time {
	t = r.stay(r.walk(t, hall), 3*time.Minute, time.Minute)
	t = r.frontDoor(t)
	t = r.frontDoor(t.Add(d))
	r.home.at(t, func() { r.home.move(hall) })
	return r.stay(t, 2*time.Minute, time.Minute)
}

func (r *resident) frontDoor(t time.Time) time.Time {
	h := r.home
	h.at(t, func() { h.say("hall/front_door", map[string]any{"contact": false}) })
	t = t.Add(h.between(5*time.Second, 30*time.Second))
	h.at(t, func() { h.say("hall/front_door", map[string]any{"contact": true}) })
	return t.Add(5 * time.Second)
}

// fall falls in the bathroom. The radar is sure after a minute; mostly the
// resident presses the pendant; somebody comes.
func (r *resident) fall(t time.Time) time.Time {
	h := r.home
	t = r.stay(r.walk(t, bathroom), 2*time.Minute, time.Minute)
	radar := func(t time.Time, status string) {
		h.at(t, func() { h.say("bathroom/radar", map[string]any{"fall_down_status": status}) })
	}
	radar(t, "maybe_fall")
	radar(t.Add(time.Minute), "fall")
	if h.chance.Float64() < 0.7 {
		h.at(t.Add(h.between(90*time.Second, 6*time.Minute)), func() { h.press("pendant", "emergency") })
	}
	t = r.frontDoor(t.Add(h.between(20*time.Minute, 40*time.Minute)))
	h.at(t, func() { h.move(hall) })
	t = t.Add(30 * time.Second)
	h.at(t, func() { h.move(bathroom) })
	t = r.stay(t, h.about(15*time.Minute), time.Minute)
	radar(t, "none")
	t = r.stay(r.walk(t, livingRoom), h.about(20*time.Minute), time.Minute)
	at := r.walk(t, hall)
	return r.walk(r.frontDoor(at), livingRoom)
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
