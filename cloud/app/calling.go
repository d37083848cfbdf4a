package app

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lykta/lykta/cloud/alarm"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/ingest"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/cloud/visit"
	"github.com/lykta/lykta/cloud/web"
	"github.com/lykta/lykta/devices/wire"
)

// carriesCalls is the service of calls by video, or what stands in its place.
type carriesCalls interface {
	callHearer
	Run(ctx context.Context) error
}

// calling makes the service of calls by video; where there is no video, what ends
// the calls of the time when there was.
func (o Options) calling(v *video, db *store.Store, source ingest.Source, live *web.Live, machine *alarm.Machine, registry prometheus.Registerer) carriesCalls {
	options := visit.Options{
		Store: db, Homes: commanding{source}, Changed: live.CallChanged, Log: o.Log,
		Called: func(ctx context.Context, home string) string {
			r, err := db.Resident(ctx, home)
			if err != nil {
				return "" // then it is the home's name
			}
			return r.Called
		},
		Raised: screens{live, machine}.AlertsChanged,
	}
	if v == nil {
		return visit.NewOff(options)
	}
	options.Media, options.ICE = v.media, v.ice
	s := visit.New(options)
	registry.MustRegister(gauge("lykta_calls", "Calls by video that are not over.", func() float64 { return float64(s.Calls()) }))
	return s
}

// onWeb is the service as the web side uses it; nil where there is no video.
func onWeb(c carriesCalls) web.Calls {
	if s, ok := c.(*visit.Service); ok {
		return calls{s}
	}
	return nil
}

// ice are the ways to the media for one participant.
func (v *video) ice(call, person string) []visit.ICEServer {
	if v.turn == nil || len(v.urls) == 0 {
		return []visit.ICEServer{}
	}
	user, password := v.turn.Credentials(call, person, time.Now().Add(visit.ICELife))
	return []visit.ICEServer{{URLs: v.urls, Username: user, Credential: password}}
}

// commanding sends commands of calls to the homes; none is stored.
type commanding struct{ source ingest.Source }

// Command sends one command.
func (c commanding) Command(ctx context.Context, gateway string, command wire.Command) error {
	payload, err := json.Marshal(command)
	if err != nil {
		return fmt.Errorf("command of a call: %w", err)
	}
	return c.source.Publish(ctx, wire.Topic(gateway, wire.LeafCommand), payload)
}

// calls is the service that carries calls, as the web side uses it.
type calls struct{ service *visit.Service }

func who(a web.Attendee) visit.Who { return visit.Who(a) }

func (c calls) Start(ctx context.Context, s web.CallStart) (care.Call, error) {
	return c.service.Start(ctx, visit.Start{
		ID: s.ID, Home: s.Home, Visit: s.Visit, Alert: s.Alert, By: who(s.By), Role: s.By.As, Picture: s.Picture,
		Countdown: int(s.AnswersItself / time.Second),
	})
}

func (c calls) Attend(ctx context.Context, call string, a web.Attendee, may func(context.Context) error, conn web.CallConn) error {
	return c.service.Attend(ctx, call, who(a), may, conn)
}

func (c calls) HangUp(ctx context.Context, call string, a web.Attendee) (care.Call, error) {
	return c.service.HangUp(ctx, call, who(a))
}
