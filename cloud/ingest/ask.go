package ingest

import (
	"context"
	"fmt"
	"io/fs"
	"slices"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/watch"
	"github.com/lykta/lykta/devices"
)

// ErrNoHome is returned for a home that ingest has not heard of. It matches
// fs.ErrNotExist.
var ErrNoHome = fmt.Errorf("no such home is being watched: %w", fs.ErrNotExist)

// ask runs f on the goroutine that owns the homes, and returns when the
// screens know what came of it.
func (in *Ingest) ask(ctx context.Context, f func(g *group)) error {
	done := make(chan struct{})
	select {
	case in.asks <- func(g *group) { f(g); g.after(func() { close(done) }) }:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Detail returns how a home is now, with its devices.
func (in *Ingest) Detail(ctx context.Context, home string) (status watch.Status, found []watch.Device, err error) {
	known := false
	err = in.ask(ctx, func(g *group) {
		if h := in.byHome[home]; h != nil {
			known, status, found = true, h.watcher.Status(g.now), h.watcher.Devices()
		}
	})
	if err == nil && !known {
		err = ErrNoHome
	}
	return status, found, err
}

// homesAtOnce is of how many homes is answered in one turn of their owner.
const homesAtOnce = 250

// each asks for many homes in a few turns; those that are not known are left out.
func (in *Ingest) each(ctx context.Context, homes []string, f func(id string, h *house)) error {
	for some := range slices.Chunk(homes, homesAtOnce) {
		if err := in.ask(ctx, func(*group) {
			for _, id := range some {
				if h := in.byHome[id]; h != nil {
					f(id, h)
				}
			}
		}); err != nil {
			return err
		}
	}
	return nil
}

// Devices returns the devices of homes, by home.
func (in *Ingest) Devices(ctx context.Context, homes []string) (map[string][]watch.Device, error) {
	out := make(map[string][]watch.Device, len(homes))
	err := in.each(ctx, homes, func(id string, h *house) { out[id] = h.watcher.Devices() })
	return out, err
}

// Signals returns the newest link qualities of homes' devices, by home and
// device, as far as they came since the service started or were asked for
// since. A home of which none is known, and more may be stored, is left out.
func (in *Ingest) Signals(ctx context.Context, homes []string) (map[string]map[string]float64, error) {
	out := make(map[string]map[string]float64, len(homes))
	err := in.each(ctx, homes, func(id string, h *house) {
		signals, at := map[string]float64{}, map[string]int64{}
		for _, n := range h.last.series {
			if n.kind.Value() == devices.LinkQuality && n.number && n.at >= at[n.device] {
				signals[n.device], at[n.device] = n.value, n.at
			}
		}
		if len(signals) > 0 || h.last.whole {
			out[id] = signals
		}
	})
	return out, err
}

// Define tells ingest of homes that were added or changed; those that it
// knows as they are cost it nothing.
func (in *Ingest) Define(ctx context.Context, homes ...care.Home) error {
	return in.ask(ctx, func(g *group) {
		for _, home := range homes {
			in.define(g, home)
		}
	})
}

func (in *Ingest) define(g *group, home care.Home) {
	h := in.byHome[home.ID]
	switch {
	case h == nil:
		h = in.admit(home, g.now)
	case h.home.Equal(home):
		return
	default:
		if in.homes[h.home.Gateway] == h { // else another home has it by now
			delete(in.homes, h.home.Gateway)
		}
		h.home, h.lanes = home, in.logsOf(home.Gateway)
		in.homes[home.Gateway] = h
		h.watcher.Redefine(home)
	}
	delete(in.unknown, home.Gateway)
	g.touch(h)
}

// Collect sends a gateway the commands that wait for it.
func (in *Ingest) Collect(gateway string) { in.post.collect(gateway) }

// Ready returns why messages are not taken in: whoever owns the homes has not
// finished a turn, with its commit, before ctx ended.
func (in *Ingest) Ready(ctx context.Context) error {
	if err := in.ask(ctx, func(*group) {}); err != nil {
		return fmt.Errorf("the intake has not finished a turn: %w", err)
	}
	return nil
}
