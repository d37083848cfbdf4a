package ingest

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/watch"
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
func (in *Ingest) Detail(ctx context.Context, home string) (status watch.Status, devices []watch.Device, err error) {
	found := false
	err = in.ask(ctx, func(g *group) {
		if h := in.byHome[home]; h != nil {
			found, status, devices = true, h.watcher.Status(g.now), h.watcher.Devices()
		}
	})
	if err == nil && !found {
		err = ErrNoHome
	}
	return status, devices, err
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
