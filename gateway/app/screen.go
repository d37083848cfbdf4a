package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	caregiverapp "github.com/lykta/lykta/caregiver-app"
	"github.com/lykta/lykta/gateway/hub"
	"github.com/lykta/lykta/gateway/kiosk"
	"github.com/lykta/lykta/gateway/spool"
)

// screen opens the port of the resident's screen.
func (opt Options) screen(home *hub.Hub, log *slog.Logger) (*kiosk.Server, error) {
	pages, err := caregiverapp.Files()
	if err != nil {
		return nil, fmt.Errorf("find the resident's screen: %w", err)
	}
	return kiosk.Listen(opt.KioskListen, kiosk.Options{
		Pages: pages, Status: func() any { return home.Page() }, Deeds: deeds{home}, Calls: calls{home}, Log: log,
		Heard: func(ctx context.Context, said kiosk.Heard) error {
			err := home.Heard(ctx, hub.Heard(said))
			if errors.Is(err, spool.ErrNoPress) {
				return kiosk.ErrPast
			}
			return err
		},
	})
}

// deeds is the hub as the screen's port wants it.
type deeds struct{ home *hub.Hub }

func (d deeds) Press(ctx context.Context, p kiosk.Press) error {
	return asKiosk(d.home.Press(ctx, hub.Press(p)))
}

func (d deeds) Consent(ctx context.Context, c kiosk.Consent) error {
	return asKiosk(d.home.Consent(ctx, hub.Consent(c)))
}

func (d deeds) MessageHeard(ctx context.Context, id string, heard kiosk.MessageHeard) error {
	return asKiosk(d.home.MessageHeard(ctx, id, heard.Spoken))
}

func (d deeds) Picture(_ context.Context, id string) ([]byte, error) {
	data, err := d.home.Picture(id)
	return data, asKiosk(err)
}

// asKiosk names the hub's errors as the screen's port does.
func asKiosk(err error) error {
	switch {
	case errors.Is(err, hub.ErrRefused):
		return fmt.Errorf("%w%s", kiosk.ErrRefused, strings.TrimPrefix(err.Error(), hub.ErrRefused.Error()))
	case errors.Is(err, hub.ErrFixed):
		return kiosk.ErrFixed
	case errors.Is(err, hub.ErrUnknown):
		return kiosk.ErrUnknown
	case errors.Is(err, hub.ErrNoCall):
		return kiosk.ErrNoCall
	case errors.Is(err, hub.ErrNoNetwork):
		return kiosk.ErrNoNetwork
	}
	return err
}

// calls is the hub's side of calls as the screen's port wants it.
type calls struct{ home *hub.Hub }

func (c calls) Listen(ctx context.Context) (kiosk.Listener, error) {
	s, err := c.home.Listen(ctx)
	if err != nil {
		return nil, err
	}
	return listener{s}, nil
}

func (c calls) Word(ctx context.Context, w kiosk.CallWord) error {
	return asKiosk(c.home.CallWord(ctx, w.Call, w.Word))
}

func (c calls) Signal(ctx context.Context, s kiosk.CallSignal) error {
	return asKiosk(c.home.CallSignal(ctx, s.Call, s.Message))
}

func (c calls) CallPicture(context.Context) ([]byte, error) {
	data, err := c.home.CallPicture()
	return data, asKiosk(err)
}

type listener struct{ *hub.Screen }

func (l listener) Next(ctx context.Context) (string, []byte, error) {
	select {
	case e, more := <-l.Events():
		if !more {
			return "", nil, io.EOF
		}
		if e.Name == hub.EventReplaced {
			e.Name = kiosk.Replaced
		}
		return e.Name, e.Data, nil
	case <-ctx.Done():
		return "", nil, ctx.Err()
	}
}
