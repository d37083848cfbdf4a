package media

import (
	"testing"
	"time"
)

// live steps a keeper five times a second, and counts how often the picture is stopped.
func live(k *keeper, now *time.Time, d time.Duration, m measured) (stops int) {
	for end := now.Add(d); now.Before(end); *now = now.Add(stepEvery) {
		if line, _, changed := k.step(*now, m); changed && line.VideoPaused {
			stops++
		}
	}
	return stops
}

var (
	goodLine  = measured{estimate: 1_000_000}
	lossyLine = measured{estimate: 1_000_000, loss: 0.3, steady: 0.3}
	slowLine  = measured{estimate: 60_000}
)

func TestPictureIsHeldBack(t *testing.T) {
	for name, c := range map[string]struct {
		m      measured
		d      time.Duration
		paused bool
	}{
		"good":                     {goodLine, time.Minute, false},
		"a moment of loss":         {lossyLine, time.Second, false},
		"loss":                     {lossyLine, 3 * time.Second, true},
		"slow":                     {slowLine, 3 * time.Second, true},
		"loss of what is too much": {measured{estimate: 1_000_000, loss: 0.5}, time.Minute, false},
		"10 % loss":                {measured{estimate: 1_000_000, loss: 0.10, steady: 0.10}, time.Minute, false},
		"slow, but fast enough":    {measured{estimate: 110_000}, time.Minute, false},
		"loss of what one sends":   {measured{estimate: 1_000_000, lossUp: 0.5}, time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			k, now := &keeper{}, time.Unix(1_800_000_000, 0)
			if live(k, &now, c.d, c.m); k.paused != c.paused {
				t.Errorf("paused: %v", k.paused)
			}
		})
	}
}

func TestPictureDoesNotFlap(t *testing.T) {
	k, now := &keeper{}, time.Unix(1_800_000_000, 0)
	live(k, &now, 3*time.Second, slowLine)
	if live(k, &now, 3*time.Second, goodLine); !k.paused {
		t.Fatal("it came back within 3 s")
	}
	if live(k, &now, 3*time.Second, goodLine); k.paused {
		t.Fatal("it did not come back in 6 s")
	}
	// A line that is good without pictures and slow with them, for ten minutes.
	stops := 0
	for end := now.Add(10 * time.Minute); now.Before(end); {
		m := goodLine
		if !k.paused {
			m = slowLine
		}
		stops += live(k, &now, stepEvery, m)
	}
	if stops > 15 {
		t.Errorf("it was stopped %d times in ten minutes", stops)
	}
	live(k, &now, 20*time.Minute, goodLine)
	live(k, &now, 3*time.Second, lossyLine)
	if live(k, &now, 8*time.Second, goodLine); k.paused {
		t.Error("what was long ago still keeps the picture away")
	}
}

// Before a picture comes back to a slow line, sound that is repeated more has
// shown that it takes so much: what does not go through costs no word.
func TestPictureComesBackWhereSoundHasShownThatItCan(t *testing.T) {
	k, now := &keeper{}, time.Unix(1_800_000_000, 0)
	live(k, &now, 3*time.Second, slowLine)
	proofs, resumed := 0, 0
	for end := now.Add(5 * time.Minute); now.Before(end); now = now.Add(stepEvery) {
		m := measured{estimate: 150_000} // which is a guess
		if k.repeats(now, m) > 1 || !k.paused {
			proofs++
			m = slowLine
		}
		if _, _, changed := k.step(now, m); changed && !k.paused {
			resumed++
		}
	}
	if proofs == 0 || proofs > 20 || resumed > 0 {
		t.Errorf("%d times more was sent, and the picture came back %d times", proofs, resumed)
	}
	if live(k, &now, 2*resumeAtMost, measured{estimate: 150_000}); k.paused {
		t.Error("the line takes it, and the picture has not come back")
	}
}

func TestLineIsToldSparingly(t *testing.T) {
	k, now := &keeper{}, time.Unix(1_800_000_000, 0)
	news := 0
	for i := range 300 { // a minute of figures that change a little
		m := goodLine
		m.estimate += i * 1000
		if _, n, _ := k.step(now, m); n {
			news++
		}
		now = now.Add(stepEvery)
	}
	if news < 20 || news > 32 {
		t.Errorf("%d events in a minute", news)
	}
	live(k, &now, time.Minute, goodLine)
	for range 20 {
		line, n, _ := k.step(now, lossyLine)
		if now = now.Add(stepEvery); line.VideoPaused {
			if !n {
				t.Error("that the picture is held back was not news")
			}
			return
		}
	}
	t.Error("the picture was not held back")
}

func TestRepeatsFitTheLine(t *testing.T) {
	for _, c := range []struct {
		loss     float64
		estimate int
		slow     bool
		want     int32
	}{
		{0, 1_000_000, false, 1}, {0.05, 1_000_000, false, 2}, {0.3, 200_000, false, 3}, {0.3, 60_000, false, 0}, {0, 90_000, false, 0},
		{0, 150_000, true, 0}, {0.05, 150_000, true, 2},
	} {
		k := keeper{paused: c.slow, slow: c.slow}
		if got := k.repeats(time.Unix(1_800_000_000, 0), measured{loss: c.loss, estimate: c.estimate}); got != c.want {
			t.Errorf("loss %v at %d bit/s, slow %v: %d, want %d", c.loss, c.estimate, c.slow, got, c.want)
		}
	}
}

func TestRepeatsComeBackWhereTheyHelp(t *testing.T) {
	k, now := &keeper{}, time.Unix(1_800_000_000, 0)
	for _, c := range []struct {
		m    measured
		want int32 // after 4 s of it
	}{
		{measured{estimate: 60_000, loss: 0.3}, 3}, // it is lost though little is sent
		{measured{estimate: 60_000}, 0},
		{measured{estimate: 60_000, loss: 0.05}, 0},
		{measured{estimate: 300_000, loss: 0.05}, 2},
	} {
		var got int32
		for range 20 {
			now = now.Add(stepEvery)
			got = k.repeats(now, c.m)
		}
		if got != c.want {
			t.Errorf("%+v: %d, want %d", c.m, got, c.want)
		}
	}
}

// Where they fill the line further they are left off again, and not tried at
// every moment.
func TestRepeatsThatMakeItWorseAreLeftOff(t *testing.T) {
	k, now := &keeper{}, time.Unix(1_800_000_000, 0)
	const steps = int(time.Minute / stepEvery)
	with, got := 0, int32(0)
	for range steps {
		now = now.Add(stepEvery)
		m := measured{estimate: 55_000, loss: 0.12}
		if got > 0 {
			m.loss = 0.5
			with++
		}
		got = k.repeats(now, m)
	}
	if with == 0 || with > steps/5 {
		t.Errorf("for %d of %d looks sound was repeated", with, steps)
	}
}
