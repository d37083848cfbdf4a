package media

import (
	"fmt"
	"testing"
	"time"
)

func TestLostPartsAreAskedForUntilTheyCome(t *testing.T) {
	const rtt = 80 * time.Millisecond
	begin := time.Unix(1_800_000_000, 0)
	var r recent
	for _, c := range []struct {
		at    int // ms
		seq   uint16
		fresh bool
		ask   string
	}{
		{0, 65534, true, "[]"},
		{1, 65534, false, "[]"}, // twice on the way
		{2, 2, true, "[]"},      // 65535, 0 and 1 are missing, or only late
		{3, 0, true, "[]"},
		{10, 3, true, "[65535 1]"},
		{40, 4, true, "[]"}, // the answer cannot be there yet
		{95, 1, true, "[]"},
		{96, 1, false, "[]"},
		{120, 5, true, "[65535]"},
		{130, 65535, true, "[]"},
		{400, 6, true, "[]"},
		{410, 200, true, "[]"}, // an outage
		{420, 201, true, "[]"},
		{430, 203, true, "[]"},
		{440, 204, true, "[202]"},
		{600, 205, true, "[202]"},
		{760, 206, true, "[202]"},
		{920, 207, true, "[202]"},
		{1080, 208, true, "[202]"},
		{1240, 209, true, "[]"}, // it does not come any more
		{1300, 30_000, true, "[]"},
		{1310, 30_001, true, "[]"},
		{1320, 209, true, "[]"}, // the sender begins anew
	} {
		now := begin.Add(time.Duration(c.at) * time.Millisecond)
		fresh := r.note(c.seq, now)
		ask := fmt.Sprint(r.due(now, rtt))
		if fresh != c.fresh || ask != c.ask {
			t.Errorf("%d ms, packet %d: fresh %v, asks for %s; want %v, %s", c.at, c.seq, fresh, ask, c.fresh, c.ask)
		}
	}
}
