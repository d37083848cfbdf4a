package app

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/ingest"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/cloud/watch"
)

// homes brings together what the database and ingest know of homes.
type homes struct {
	store  *store.Store
	ingest *ingest.Ingest
	open   bool // gateways that nobody has added get a home
	log    *slog.Logger

	mu        sync.Mutex
	refreshed time.Time
	pause     time.Duration // between refreshes
}

// Known reports whether a gateway may connect: for the broker.
func (h *homes) Known(ctx context.Context, gateway string) (bool, error) {
	_, err := h.HomeByGateway(ctx, gateway)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// HomeByGateway finds the home of a gateway. With open enrolment it makes one
// for a gateway that has none.
func (h *homes) HomeByGateway(ctx context.Context, gateway string) (care.Home, error) {
	home, err := h.store.HomeByGateway(ctx, gateway)
	if err == nil || !h.open || !errors.Is(err, fs.ErrNotExist) {
		return home, err
	}
	home = care.Home{ID: strings.ToLower(gateway), Gateway: gateway, Name: gateway, Zone: DefaultZone, Created: time.Now()}
	if err := home.Check(); err != nil {
		return care.Home{}, err
	}
	if err := h.store.AddHome(ctx, home); err != nil && !errors.Is(err, fs.ErrExist) {
		return care.Home{}, err
	}
	h.log.Info("a home was made for a new gateway", "home", home.ID, "gateway", gateway)
	return h.store.HomeByGateway(ctx, gateway)
}

// DefaultZone is the time zone of a home of which nobody has said another.
const DefaultZone = "Europe/Stockholm"

// Detail returns a home as it is now.
func (h *homes) Detail(ctx context.Context, id string) (watch.Status, []watch.Device, error) {
	status, devices, err := h.ingest.Detail(ctx, id)
	if !errors.Is(err, ingest.ErrNoHome) {
		return status, devices, err
	}
	home, err := h.store.Home(ctx, id)
	if err != nil {
		return status, nil, err
	}
	if err := h.ingest.Define(ctx, home); err != nil {
		return status, nil, err
	}
	return h.ingest.Detail(ctx, id)
}

// Devices returns the devices of many homes, by home.
func (h *homes) Devices(ctx context.Context, ids []string) (map[string][]watch.Device, error) {
	return h.ingest.Devices(ctx, ids)
}

// Signals returns the newest link qualities of many homes' devices, by home and
// device, as far as they are in memory.
func (h *homes) Signals(ctx context.Context, ids []string) (map[string]map[string]float64, error) {
	return h.ingest.Signals(ctx, ids)
}

// Refresh makes homes known to ingest that another process added. It looks at
// most as often as takes a hundredth of the time.
func (h *homes) Refresh(ctx context.Context) error {
	h.mu.Lock()
	now := time.Now()
	early := now.Sub(h.refreshed) < h.pause
	if !early {
		h.refreshed = now
	}
	h.mu.Unlock()
	if early {
		return nil
	}
	all, err := h.store.Homes(ctx)
	if err != nil {
		return err
	}
	if err := h.ingest.Define(ctx, all...); err != nil {
		return err
	}
	h.mu.Lock()
	h.pause = max(500*time.Millisecond, 100*time.Since(now))
	h.mu.Unlock()
	return nil
}

// seriesWithLast is the time series with the newest readings from memory.
type seriesWithLast struct {
	history.Store
	ingest *ingest.Ingest
}

// Last returns the newest reading of every series of a home.
func (s seriesWithLast) Last(ctx context.Context, home string) ([]history.Point, error) {
	return s.ingest.Last(ctx, home, s.Store)
}

// Change replaces the definition of a home.
func (h *homes) Change(ctx context.Context, home care.Home) error {
	if err := h.store.UpdateHome(ctx, home); err != nil {
		return err
	}
	if err := h.ingest.Define(ctx, home); err != nil {
		return err
	}
	h.ingest.Collect(home.Gateway) // another box is given the home's configuration
	return nil
}

// Add stores a new home.
func (h *homes) Add(ctx context.Context, home care.Home) error {
	if err := home.Check(); err != nil {
		return err
	}
	if err := h.store.AddHome(ctx, home); err != nil {
		return err
	}
	return h.ingest.Define(ctx, home)
}
