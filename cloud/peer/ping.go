package peer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/lykta/lykta/cloud/notify"
)

// Bounds of a ping.
const (
	pingEvery = time.Minute
	pingTime  = 10 * time.Second
)

// Ping shows a watcher elsewhere that this service lives: it calls an address
// every minute, as healthchecks.io and others take it, while the service is
// ready, and never while it is not. The watcher tells people when the calls
// stop.
type Ping struct {
	url    *url.URL
	ready  func(ctx context.Context) error
	log    *slog.Logger
	client *http.Client
}

// NewPing checks the address: https, or http on loopback. It is a secret, for
// who knows it can feign life; logs show its host alone. Ready returns why the
// service cannot do its work; it is given ten seconds. Redirects are not
// followed: whoever pings the wrong address should hear of it.
func NewPing(address string, ready func(ctx context.Context) error, log *slog.Logger) (*Ping, error) {
	u, err := notify.CheckURL(address, true)
	if err != nil {
		return nil, fmt.Errorf("LYK-0840: --ping-url: %w", err)
	}
	return &Ping{url: u, ready: ready, log: log, client: notify.NewClient(false)}, nil
}

// Run pings until ctx ends; it returns ctx.Err(). What goes wrong is logged
// once, and once more when it is over or something else goes wrong.
func (p *Ping) Run(ctx context.Context) error {
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	said := ""
	for {
		err := p.once(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		now := ""
		if err != nil {
			now = err.Error()
		}
		switch {
		case now == said:
		case err != nil:
			p.log.Warn("the watcher elsewhere is not pinged", "id", "LYK-0844", "host", p.url.Host, "err", err)
		default:
			p.log.Info("the watcher elsewhere is pinged again", "host", p.url.Host)
		}
		said = now
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

var errNotReady = errors.New("the service is not ready")

// once asks whether the service is ready and pings. Its error does not change
// while the reason is the same, and holds no secret.
func (p *Ping) once(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pingTime)
	defer cancel()
	if err := p.ready(ctx); err != nil {
		return errNotReady // why is said by the part itself, and by /readyz
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url.String(), nil)
	if err != nil {
		return errors.New("the address cannot be used")
	}
	req.Header.Set("User-Agent", "lykta")
	resp, err := p.client.Do(req)
	if err != nil {
		return unreached(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return &Trouble{Kind: Failing, Status: resp.StatusCode}
	}
	return nil
}
