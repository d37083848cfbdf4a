package web

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// Installs keeps how the homes' gateways are configured, and what they are
// asked to do. The gateway that a method names is to collect its command.
type Installs interface {
	Configuration(ctx context.Context, home string) (wire.Configure, error)
	Configure(ctx context.Context, home string, c wire.Configure, now time.Time, entry care.AuditEntry) (gateway string, err error)
	Command(ctx context.Context, home string, c wire.Command, entry care.AuditEntry) (gateway string, err error)
}

func (s *server) registerInstall(api huma.API) {
	huma.Register(api, op("pair-devices", http.MethodPost, "/homes/{id}/pair", "Let new devices into a home for a while", "install", http.StatusAccepted), s.pair)
	huma.Register(api, op("locate-gateway", http.MethodPost, "/homes/{id}/locate", "Have the box in a home show where it is", "install", http.StatusAccepted), s.locateGateway)
	huma.Register(api, op("get-rooms", http.MethodGet, "/homes/{id}/rooms", "Which device is in which room, and what its presses mean", "install", http.StatusOK), s.getRooms)
	huma.Register(api, op("put-rooms", http.MethodPut, "/homes/{id}/rooms", "Place devices in rooms, and say what their presses mean", "install", http.StatusNoContent), s.putRooms)
}

// commandFor is how long a gateway that is away may come back to be asked what
// only makes sense while somebody stands there.
const commandFor = 2 * time.Minute

func (s *server) ask(ctx context.Context, home, key string, kind wire.CommandType, args any) error {
	actor, err := s.may(ctx, access.SendCommands, "", home)
	if err != nil {
		return err
	}
	now := time.Now()
	c := wire.Command{ID: string(kind) + "-" + deedID(actor, string(kind), home, key), Type: kind, Expires: devices.MicrosOf(now.Add(commandFor))}
	if args != nil {
		if c.Args, err = json.Marshal(args); err != nil {
			return s.failed("ask a gateway", err)
		}
	}
	gateway, err := s.Records.Command(ctx, home, c, entryOf(actor, now, string(kind), home, ""))
	if err != nil {
		return s.failed("ask a gateway", err)
	}
	s.collect(gateway)
	return nil
}

func (s *server) pair(ctx context.Context, in *struct {
	HomePath
	KeyHeader
	Body struct {
		// A pointer, as 0 would be taken for the default.
		Seconds *int `json:"seconds,omitempty" default:"120" minimum:"0" maximum:"254" doc:"0 lets none in any more."`
	}
}) (*struct{}, error) {
	return nil, s.ask(ctx, in.ID, in.Key, wire.CommandPair, wire.Pair{Seconds: *in.Body.Seconds})
}

func (s *server) locateGateway(ctx context.Context, in *struct {
	HomePath
	KeyHeader
}) (*struct{}, error) {
	return nil, s.ask(ctx, in.ID, in.Key, wire.CommandLocate, nil)
}

type roomsView struct {
	Rooms   map[string]string                  `json:"rooms" nullable:"false" doc:"Device: room."`
	Actions map[string]map[string]devices.Kind `json:"actions" required:"false" nullable:"false" doc:"Device: action, * for any: what it means: sos, check_in, button."`
}

func (s *server) getRooms(ctx context.Context, in *HomePath) (*body[roomsView], error) {
	if _, err := s.may(ctx, access.ManageHome, "", in.ID); err != nil {
		return nil, err
	}
	c, err := s.Records.Configuration(ctx, in.ID)
	if err != nil {
		return nil, s.failed("read where devices are", err)
	}
	_, devs, err := s.Homes.Detail(ctx, in.ID)
	if err != nil {
		return nil, s.failed("read where devices are", err)
	}
	out := roomsView{Rooms: map[string]string{}, Actions: map[string]map[string]devices.Kind{}}
	for _, d := range devs { // where nobody has said, as the devices' names say
		if d.Room != "" {
			out.Rooms[d.Name] = d.Room
		}
	}
	maps.Copy(out.Rooms, c.Rooms)
	maps.Copy(out.Actions, c.Actions)
	return &body[roomsView]{out}, nil
}

// mostDevices bounds a configuration, as a home's watcher does.
const mostDevices = 500

func (s *server) putRooms(ctx context.Context, in *struct {
	HomePath
	Body roomsView
}) (*struct{}, error) {
	actor, err := s.may(ctx, access.ManageHome, "", in.ID)
	if err != nil {
		return nil, err
	}
	if err := checkRooms(in.Body); err != nil {
		return nil, problemOf(err)
	}
	now := time.Now()
	c := wire.Configure{Rooms: in.Body.Rooms, Actions: in.Body.Actions}
	gateway, err := s.Records.Configure(ctx, in.ID, c, now, entryOf(actor, now, "place devices", in.ID, ""))
	if err != nil {
		return nil, s.failed("place devices", err)
	}
	s.collect(gateway)
	return nil, nil
}

func checkRooms(r roomsView) error {
	tooLong := func(texts ...string) bool {
		for _, t := range texts {
			if t == "" || len(t) > wire.MaxName || strings.ContainsFunc(t, unicode.IsControl) {
				return true
			}
		}
		return false
	}
	if len(r.Rooms) > mostDevices || len(r.Actions) > mostDevices {
		return fmt.Errorf("%w: at most %d devices", errBadQuery, mostDevices)
	}
	for device, room := range r.Rooms {
		if tooLong(device, cmp.Or(room, "-")) {
			return fmt.Errorf("%w: names have 1–128 bytes, without line breaks and tabs", errBadQuery)
		}
	}
	for device, actions := range r.Actions {
		if tooLong(device) || len(actions) > 32 {
			return fmt.Errorf("%w: a device has a name of 1–128 bytes, and at most 32 actions", errBadQuery)
		}
		for action, kind := range actions {
			if tooLong(action) || kind != devices.SOS && kind != devices.CheckIn && kind != devices.Button {
				return fmt.Errorf("%w: a press means sos, check_in or button", errBadQuery)
			}
		}
	}
	return nil
}
