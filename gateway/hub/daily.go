package hub

import (
	"context"
	"hash/fnv"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/spool"
)

// TestStore remembers when the daily test was made last.
type TestStore interface {
	// Import stores entries and, in the same transaction, source's line.
	Import(ctx context.Context, source string, line int64, entries []spool.Entry) ([]spool.Position, error)
	Imported(ctx context.Context, source string) (line int64, err error)
	// Waits reports whether an alarm of that kind and device waits for the cloud.
	Waits(ctx context.Context, kind devices.Kind, device string) (bool, error)
}

// idNoTest is logged when the daily test cannot be made.
const idNoTest = "LYK-0424"

// testSource is the name under which the store remembers the daily test; its
// line is when the last one was made, by the right time, in microseconds.
const testSource = "daily test"

// daily is the state of the daily test.
type daily struct {
	known bool
	began devices.Micros // when this process first knew the right time
	last  devices.Micros // when the last test was made, or was not needed
	ill   bool           // the last try failed, and that is in the log
}

const (
	day  = devices.Micros(24 * 60 * 60 * 1e6)
	hour = devices.Micros(60 * 60 * 1e6)
)

// test makes the home's daily automatic test when it is due: a record of kind
// test that goes the way of a press, so that a chain that is broken is noticed
// before somebody needs it, in the manner of EN 50134-5's periodic test calls.
// Without the right time there is none; a gateway that hears the cloud has it.
func (h *Hub) test(ctx context.Context) {
	now, known := h.opt.Clock.Right()
	if !known {
		return
	}
	err := h.testAt(ctx, now)
	if err != nil && ctx.Err() == nil && !h.daily.ill {
		h.log.Error("the daily test could not be stored; tried again every half minute", "id", idNoTest, "err", err)
	}
	h.daily.ill = err != nil
}

func (h *Hub) testAt(ctx context.Context, now devices.Micros) error {
	d := &h.daily
	if !d.known {
		line, err := h.opt.Store.Imported(ctx, testSource)
		if err != nil {
			return err
		}
		if line == 0 { // a new gateway: its first test is at its time of day
			line = int64(now)
			if _, err := h.opt.Store.Import(ctx, testSource, line, nil); err != nil {
				return err
			}
		}
		d.known, d.began, d.last = true, now, devices.Micros(line)
	}
	moment := testMoment(h.opt.Gateway)
	due := now - (now-moment+day)%day // the last moment at which one was due
	missed := due < d.began           // while the gateway was off
	switch {
	case d.last >= due && d.last <= now+day: // a time beyond that was not the right one
		return nil
	case missed && now < d.began+moment%hour: // others were off, too, and are back at the same time
		return nil
	}
	waits, err := h.opt.Store.Waits(ctx, devices.Test, h.opt.Gateway)
	if err != nil {
		return err
	}
	var entries []spool.Entry
	if !waits { // one that waits says as much as two
		stamp := h.opt.Clock.Now()
		entries = []spool.Entry{{ClockOK: stamp.OK, Record: wire.Record{
			Reading: devices.Reading{Time: stamp.T, Device: h.opt.Gateway, Kind: devices.Test, Value: devices.Number(1)},
		}}}
	}
	if _, err := h.opt.Store.Import(ctx, testSource, int64(now), entries); err != nil {
		return err
	}
	d.last = now
	return nil
}

// testMoment is the time of day, UTC, at which a gateway tests itself. It is
// the same every day, and spread over the day so that a country's homes do
// not all speak at once.
func testMoment(gateway string) devices.Micros {
	f := fnv.New64a()
	f.Write([]byte(gateway))
	return devices.Micros(f.Sum64()%(24*60*60)) * 1e6
}
