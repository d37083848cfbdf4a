package history_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/devices"
)

func TestNanosSurviveStorage(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := history.Point{Seq: rapid.Uint64().Draw(rt, "seq")}
		p.Time = devices.Micros(rapid.Int64Range(int64(history.MinTime), int64(history.MaxTime)-1).Draw(rt, "time"))
		var back history.Point
		back.SetNanos(p.Nanos())
		if back.Nanos() != p.Nanos() || back.Time != p.Time || p.Stored().Nanos() != p.Nanos() {
			rt.Fatalf("%d became %d", p.Nanos(), back.Nanos())
		}
	})
}

func TestSiftLeavesTheCallersPointsAlone(t *testing.T) {
	bad := history.Point{}
	good := history.Point{Home: "h", Reading: devices.Reading{Kind: "k"}}
	points := []history.Point{good, bad, good, bad, good}
	before := slices.Clone(points)
	kept, refused := history.Sift(points)
	if len(kept) != 3 || refused == nil || len(refused.Points) != 2 || !errors.Is(refused, history.ErrPoint) {
		t.Errorf("kept %d, refused %v", len(kept), refused)
	}
	if !slices.Equal(points, before) {
		t.Error("the caller's slice was changed")
	}
	if _, refused := history.Sift(kept); refused.OrNil() != nil {
		t.Error("a typed nil became an error")
	}
}

func TestSpanNeverOverflows(t *testing.T) {
	end := int64(history.MaxTime) * 1000
	far := time.Date(400_000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		q        history.Query
		from, to int64
	}{
		{history.Query{}, 0, end},
		{history.Query{From: time.Date(-5000, 1, 1, 0, 0, 0, 0, time.UTC), To: far}, 0, end},
		{history.Query{From: time.Unix(1, 1), To: time.Unix(2, 0)}, 1_000_000_001, 2_000_000_000},
		{history.Query{From: time.Unix(2, 0), To: time.Unix(1, 0)}, 2_000_000_000, 2_000_000_000},
		{history.Query{From: time.Unix(1, 0), To: time.Unix(2, 0), After: 1_500_000_000}, 1_500_000_001, 2_000_000_000},
		{history.Query{From: far}, end, end},
	} {
		if from, to := c.q.Span(); from != c.from || to != c.to {
			t.Errorf("span of %+v: %d–%d, want %d–%d", c.q, from, to, c.from, c.to)
		}
	}
}
