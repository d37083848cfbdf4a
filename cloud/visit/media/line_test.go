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
	goodLine  = measured{packets: 200, estimate: 1_000_000}
	lossyLine = measured{packets: 200, estimate: 1_000_000, loss: 0.3}
	slowLine  = measured{packets: 200, estimate: 60_000}
)

func TestPictureIsHeldBack(t *testing.T) {
	for name, c := range map[string]struct {
		m      measured
		d      time.Duration
		paused bool
	}{
		"good":                   {goodLine, time.Minute, false},
		"a moment of loss":       {lossyLine, time.Second, false},
		"loss":                   {lossyLine, 3 * time.Second, true},
		"slow":                   {slowLine, 3 * time.Second, true},
		"loss of few packets":    {measured{packets: 5, estimate: 1_000_000, loss: 0.5}, time.Minute, false},
		"10 % loss":              {measured{packets: 200, estimate: 1_000_000, loss: 0.10}, time.Minute, false},
		"slow, but fast enough":  {measured{packets: 200, estimate: 110_000}, time.Minute, false},
		"loss of what one sends": {measured{packets: 200, estimate: 1_000_000, lossUp: 0.5}, time.Minute, false},
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
		want     int32
	}{{0, 1_000_000, 1}, {0.05, 1_000_000, 2}, {0.3, 200_000, 3}, {0.3, 60_000, 0}, {0, 90_000, 0}} {
		if got := repeats(measured{loss: c.loss, estimate: c.estimate}); got != c.want {
			t.Errorf("loss %v at %d bit/s: %d, want %d", c.loss, c.estimate, got, c.want)
		}
	}
}
