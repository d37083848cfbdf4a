package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// CallGuests keeps who was invited to one call by a link.
type CallGuests interface {
	AddGuest(ctx context.Context, g care.CallGuest, entry care.AuditEntry) error
	// GuestOf returns who was invited with the secret of a hash.
	GuestOf(ctx context.Context, hash string) (care.CallGuest, error)
}

// guestLife is for how long a link to a call is good, if the call lasts.
const guestLife = 2 * time.Hour

const guestPrefix = "lyk_g_"

// guestHash is by what a guest's secret is found; ok is false for what cannot be one.
func guestHash(code string) (hash string, ok bool) {
	code = strings.TrimSpace(code)
	if !strings.HasPrefix(code, guestPrefix) || len(code) != len(guestPrefix)+43 {
		return "", false
	}
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:]), true
}

type guestLinkView struct {
	Link    string    `json:"link" doc:"It works in one browser at a time, and until the call is over. Whoever has it joins as the guest."`
	Expires time.Time `json:"expires"`
}

func (s *server) inviteGuest(ctx context.Context, in *struct {
	CallPath
	KeyHeader
	Body struct {
		Name string        `json:"name" minLength:"1" maxLength:"100" doc:"As it is shown in the call, and stands in the log."`
		Role care.CallRole `json:"role" enum:"interpreter,relative,guest"`
	}
}) (*body[guestLinkView], error) {
	actor, c, err := s.callFor(ctx, in.Call, (*sight).concerns)
	name := strings.TrimSpace(in.Body.Name)
	switch {
	case err != nil:
		return nil, err
	case !actor.Role.Staff():
		return nil, problemOf(errNotCalled)
	case c.State == care.CallEnded:
		return nil, problemOf(care.ErrCallOver)
	case s.Calls == nil:
		return nil, problemOf(errNoVideo)
	case name == "":
		return nil, problemOf(fmt.Errorf("%w: a guest has a name", care.ErrCall))
	}
	random := make([]byte, 32)
	rand.Read(random) // never fails
	code := guestPrefix + base64.RawURLEncoding.EncodeToString(random)
	hash, _ := guestHash(code)
	now := time.Now()
	guest := care.CallGuest{
		ID: strings.ToLower(rand.Text()[:12]), Call: c.ID, Name: name, Role: in.Body.Role, Hash: hash, Invited: actor.Name, Expires: now.Add(guestLife),
	}
	if err := s.CallGuests.AddGuest(ctx, guest, entryOf(actor, now, "invite to call", c.Home, guest.Name)); err != nil {
		return nil, s.failedCall("invite a guest", err)
	}
	return &body[guestLinkView]{guestLinkView{s.origin(ctx) + "/guest#" + code, guest.Expires.UTC()}}, nil
}

// guestOf returns whose a guest's secret is, and the call, while both are good.
func (s *server) guestOf(ctx context.Context, code string) (care.CallGuest, care.Call, error) {
	hash, ok := guestHash(code)
	if !ok || s.Calls == nil {
		return care.CallGuest{}, care.Call{}, errGuestLink
	}
	g, err := s.CallGuests.GuestOf(ctx, hash)
	if err == nil && !time.Now().Before(g.Expires) {
		err = fs.ErrNotExist
	}
	var c care.Call
	if err == nil {
		c, err = s.CallBook.Call(ctx, g.Call)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && c.State == care.CallEnded:
		return g, c, errGuestLink
	case err != nil:
		return g, c, fmt.Errorf("read a guest's link: %w", err)
	}
	return g, c, nil
}

type guestView struct {
	Name     string        `json:"name"`
	Role     care.CallRole `json:"role" enum:"interpreter,relative,guest"`
	HomeName string        `json:"home_name" doc:"What the resident is called."`
	By       string        `json:"by" doc:"Who invites: their first name."`
	Area     string        `json:"area" doc:"Where the home care is that invites; empty when it has no areas."`
	Call     struct {
		State care.CallState `json:"state" enum:"ringing,answered,ended"`
	} `json:"call"`
}

func (s *server) lookGuest(ctx context.Context, in *struct {
	Body struct {
		Code string `json:"code" minLength:"10" maxLength:"200" doc:"What is behind the # of the link."`
	}
}) (*body[guestView], error) {
	g, c, err := s.guestOf(ctx, in.Body.Code)
	if err != nil {
		return nil, s.failed("look at a guest's link", err)
	}
	out := guestView{Name: g.Name, Role: g.Role, By: firstName(g.Invited)}
	out.Call.State = c.State
	card, err := s.Records.Resident(ctx, c.Home)
	if err != nil {
		return nil, s.failed("look at a guest's link", err)
	}
	if home, ok := s.Live.home(c.Home); ok {
		out.Area = home.Area
	}
	out.HomeName = cmp.Or(card.Called, firstName(s.Live.name(c.Home)))
	return &body[guestView]{out}, nil
}

// firstName is what a guest is told of somebody's name.
func firstName(name string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(name), " ")
	return first
}
