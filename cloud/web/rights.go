package web

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
)

// may returns the actor when they may do the action, of the home where one is
// named. The field is what access.Read is to see. A relative learns of a home
// that is not theirs as little as of one that does not exist.
//
// Without a home it says what the role alone allows: whoever answers about
// homes then must ask sight for each of them.
func (s *server) may(ctx context.Context, action access.Action, field care.Field, home string) (access.Actor, error) {
	actor, ok := actorOf(ctx)
	if !ok {
		return actor, problemOf(errNotSignedIn)
	}
	if home == "" {
		if !access.Can(actor, action, access.Whom{}, field, time.Now()) {
			return actor, problemOf(errNotAllowed)
		}
		return actor, nil
	}
	if !actor.Role.Staff() && !slices.Contains(actor.Homes, home) {
		return actor, problemOf(errNoHome)
	}
	where, err := s.homeOf(ctx, home)
	if err != nil {
		return actor, s.failed("find out what is allowed", err)
	}
	v, err := s.sight(ctx, actor)
	if err != nil {
		return actor, s.failed("find out what is allowed", err)
	}
	if !v.canAt(action, field, where) {
		return actor, problemOf(errNotAllowed)
	}
	return actor, nil
}

// ofRelatives are the paths that relatives may ask for at all, with what is
// beneath them where they end in a slash. All others are for staff, whatever
// their handlers say.
var ofRelatives = []string{
	"/api/v1/me", "/api/v1/me/", "/api/v1/session", "/api/v1/sign-in", "/api/v1/sign-in/", "/api/v1/invitation/", "/api/v1/push",
	"/api/v1/family", "/api/v1/family/",
	"/api/v1/alerts/{id}", "/api/v1/alerts/{id}/chain", "/api/v1/alerts/{id}/acknowledge", "/api/v1/alerts/{id}/on-the-way",
	"/api/v1/homes/{id}/messages", "/api/v1/homes/{id}/messages/",
	"/api/v1/homes/{id}/calls", "/api/v1/calls", "/api/v1/calls/",
}

func forRelatives(path string) bool {
	return slices.ContainsFunc(ofRelatives, func(p string) bool { return path == p || (strings.HasSuffix(p, "/") && strings.HasPrefix(path, p)) })
}

// onlyOwnRooms keeps those who are not staff out of what is the staff's.
func onlyOwnRooms(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		actor, ok := actorOf(ctx.Context())
		if ok && !actor.Role.Staff() && !open[ctx.Operation().OperationID] && !forRelatives(ctx.Operation().Path) {
			p := problemOf(errNotAllowed)
			ctx.SetHeader("Content-Type", p.ContentType(""))
			ctx.SetStatus(p.Status) // sends the headers
			_ = api.Marshal(ctx.BodyWriter(), "application/json", p)
			return
		}
		next(ctx)
	}
}

// errNoHome is what relatives are told of a home that is not theirs.
var errNoHome = fmt.Errorf("no such home: %w", fs.ErrNotExist)

// can is may for what an answer holds besides; what cannot be found out is not
// allowed.
func (s *server) can(ctx context.Context, actor access.Actor, action access.Action, field care.Field, home string) bool {
	if home == "" {
		return access.Can(actor, action, access.Whom{}, field, time.Now())
	}
	v, err := s.sight(ctx, actor)
	return err == nil && v.can(action, field, home)
}

// homeOf returns the definition of a home; the error matches fs.ErrNotExist
// when there is none.
func (s *server) homeOf(ctx context.Context, id string) (care.Home, error) {
	if home, ok := s.Live.home(id); ok {
		return home, nil
	}
	status, _, err := s.Homes.Detail(ctx, id)
	return status.Home, err
}

// sight is what one actor may see and do at one moment.
type sight struct {
	actor access.Actor
	now   time.Time
	s     *server
	ctx   context.Context // of the request, whose life a sight does not outlast
	told  []string        // homes of which the actor was told; nil is not asked yet
	// unsure is that it could not be found out of which homes they were told.
	unsure bool
}

// sight brings what residents have decided up to date, so that a withdrawal
// counts from the next question on.
func (s *server) sight(ctx context.Context, actor access.Actor) (*sight, error) {
	now := time.Now()
	if err := s.decisions.since(ctx, now); err != nil {
		return nil, err
	}
	return &sight{actor: actor, now: now, s: s, ctx: ctx}, nil
}

// can reports whether the actor may do the action in a home, or in the service
// as a whole where none is named.
func (v *sight) can(action access.Action, field care.Field, home string) bool {
	if home == "" {
		return access.Can(v.actor, action, access.Whom{}, field, v.now)
	}
	where, ok := v.s.Live.home(home)
	if !ok {
		var err error
		if where, err = v.s.homeOf(v.ctx, home); err != nil {
			return false
		}
	}
	return v.canAt(action, field, where)
}

func (v *sight) canAt(action access.Action, field care.Field, home care.Home) bool {
	if home.ID == "" {
		return false
	}
	whom := access.Whom{Home: home, Consents: v.s.decisions.of(home.ID)}
	if access.Can(v.actor, action, whom, field, v.now) {
		return true
	}
	whom.Told = true
	return v.outside(home) && access.Can(v.actor, action, whom, field, v.now) && v.wasTold(home.ID)
}

// outside reports whether only having been told of an alert can bring the home
// into the actor's sight.
func (v *sight) outside(home care.Home) bool {
	return v.actor.Role.Staff() && v.actor.Person != "" && len(v.actor.Areas) > 0 && !slices.Contains(v.actor.Areas, home.Area)
}

// wasTold reports whether the actor was told of an alert of the home that is
// not closed. What cannot be found out is not so.
func (v *sight) wasTold(home string) bool { return slices.Contains(v.toldHomes(), home) }

// toldHomes are the homes of whose alerts, not closed, staff of some areas were
// told.
func (v *sight) toldHomes() []string {
	if v.told == nil && v.actor.Role.Staff() && v.actor.Person != "" && len(v.actor.Areas) > 0 {
		homes, err := v.s.Consents.ToldHomes(v.ctx, v.actor.Person)
		if err != nil {
			v.unsure = true
			v.s.Log.Error("find out who was told of what", "id", "LYK-0507", "err", err)
		}
		v.told = append([]string{}, homes...)
	}
	return v.told
}

// decisions are what residents have decided, in memory: only homes where
// somebody has decided anything are in it.
type decisions struct {
	read func(ctx context.Context, after int64, limit int) ([]care.Consent, error)
	turn chan struct{} // who holds it reads
	// begun is when the latest look that was finished began; only who has the
	// turn touches it.
	begun time.Time

	mu   sync.Mutex
	last int64 // id of the newest that is in it
	home map[string]care.Consents
}

func newDecisions(read func(ctx context.Context, after int64, limit int) ([]care.Consent, error)) *decisions {
	return &decisions{read: read, turn: make(chan struct{}, 1), home: map[string]care.Consents{}}
}

// decisionsAtOnce is how many are read at a time.
const decisionsAtOnce = 1000

// since takes in what was decided before t, and perhaps more. Those who ask at
// one time share one look, which without anything new is one at the end of an
// index.
func (d *decisions) since(ctx context.Context, t time.Time) error {
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-d.turn }()
	if !d.begun.Before(t) {
		return nil
	}
	begun := time.Now()
	for {
		more, err := d.read(ctx, d.last, decisionsAtOnce)
		if err != nil {
			return err
		}
		d.mu.Lock()
		for _, c := range more {
			d.last = c.ID
			d.home[c.Home] = d.home[c.Home].With(c)
		}
		d.mu.Unlock()
		if len(more) < decisionsAtOnce {
			d.begun = begun
			return nil
		}
	}
}

// of returns the decisions of a home as they were last read. They are not
// changed any more: With makes new ones.
func (d *decisions) of(home string) care.Consents {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.home[home]
}

// inAreas reports whether an area is among those of staff.
func inAreas(actor access.Actor, area string) bool {
	return len(actor.Areas) == 0 || slices.Contains(actor.Areas, area)
}
