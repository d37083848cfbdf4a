package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/oauth2"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
)

// OIDC is how people sign in through the identity provider of a municipality
// (OpenID Connect Core 1.0, the code flow with PKCE).
type OIDC struct {
	Issuer       string // its URL
	ClientID     string
	ClientSecret string // "" for a public client
	Name         string // as people call it
}

// Check says what is wrong with the settings.
func (o OIDC) Check() error {
	u, err := url.Parse(o.Issuer)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !onLoopback(u.Hostname())) || o.ClientID == "" {
		return errors.New("LYK-0726: an identity provider needs an issuer, which is an https: URL, and a client id")
	}
	return nil
}

// Why somebody did not get in through the identity provider.
var (
	errNoProvider     = errors.New("LYK-0720: no identity provider is set up")
	errProviderAway   = errors.New("LYK-0721: the identity provider does not answer")
	errProviderAnswer = errors.New("LYK-0722: what the identity provider answered cannot be believed")
	errNotKnown       = errors.New("LYK-0723: nobody here is known by that e-mail address")
	errManyHave       = errors.New("LYK-0731: more than one person who may sign in has that e-mail address; docs/runbook says what to do")
	errNotVerified    = errors.New("LYK-0724: the identity provider has not verified the e-mail address")
)

// The wait before a provider is asked about itself again that did not answer.
const (
	firstProviderWait = time.Second
	lastProviderWait  = time.Minute
	providerTimeout   = 10 * time.Second
)

// provider is the identity provider. What it says of itself is asked for when
// it is first needed, so that the service starts and runs without it.
type provider struct {
	OIDC
	client *http.Client
	turn   chan struct{} // who holds it asks, and alone touches what follows
	known  *oidc.Provider
	again  time.Time // not to be asked before
	wait   time.Duration
}

func newProvider(o *OIDC) *provider {
	if o == nil {
		return nil
	}
	p := &provider{OIDC: *o, client: &http.Client{Timeout: providerTimeout}, turn: make(chan struct{}, 1)}
	if u, err := url.Parse(o.Issuer); p.Name == "" && err == nil {
		p.Name = u.Hostname()
	}
	return p
}

// about returns what the provider says of itself.
func (p *provider) about(ctx context.Context) (*oidc.Provider, error) {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, errors.Join(errProviderAway, ctx.Err())
	}
	if p.known != nil {
		return p.known, nil
	}
	if now := time.Now(); now.Before(p.again) {
		return nil, errProviderAway
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), providerTimeout)
	defer cancel()
	known, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.Issuer)
	if err != nil {
		p.wait = min(max(2*p.wait, firstProviderWait), lastProviderWait)
		p.again = time.Now().Add(p.wait)
		return nil, fmt.Errorf("%w: %w", errProviderAway, err)
	}
	p.known = known
	return known, nil
}

func (p *provider) config(known *oidc.Provider, origin string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.ClientID, ClientSecret: p.ClientSecret, Endpoint: known.Endpoint(),
		RedirectURL: origin + "/api/v1/sign-in/oidc/callback", Scopes: []string{oidc.ScopeOpenID, "email"},
	}
}

// oidcCookie holds what this browser must come back with. It is sent along
// when another site leads here, as the provider does.
const (
	oidcCookie = "__Host-lykta-oidc"
	oidcLife   = 10 * time.Minute
)

func oidcCookieOf(value string, life time.Duration) http.Cookie {
	return http.Cookie{
		Name: oidcCookie, Value: value, Path: "/", MaxAge: int(life / time.Second), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// redirect leads the browser on.
type redirect struct {
	Location     string        `header:"Location"`
	CacheControl string        `header:"Cache-Control"`
	SetCookie    []http.Cookie `header:"Set-Cookie"`
}

// back leads to the page for signing in, which says what is wrong.
func (s *server) back(err error) *redirect {
	id := "LYK-0507"
	for _, known := range []error{errNoProvider, errProviderAway, errProviderAnswer, errNotKnown, errManyHave, errNotVerified, access.ErrNoRole} {
		if errors.Is(err, known) {
			id = known.Error()[:len(id)]
			break
		}
	}
	s.Log.Warn("somebody did not get in through the identity provider", "id", id, "err", err)
	return &redirect{Location: "/sign-in?problem=" + id, CacheControl: "no-store", SetCookie: []http.Cookie{oidcCookieOf("", -time.Second)}}
}

func (s *server) registerOIDC(api huma.API, public func(id, method, path, summary string, status int, limit *limiter) huma.Operation, asks *limiter) {
	huma.Register(api, public("start-oidc", http.MethodGet, "/sign-in/oidc", "Sign in through the identity provider: leads a browser there", http.StatusFound, asks), s.startOIDC)
	huma.Register(api, public("finish-oidc", http.MethodGet, "/sign-in/oidc/callback", "Where the identity provider leads the browser back to", http.StatusFound, asks), s.finishOIDC)
}

func (s *server) startOIDC(ctx context.Context, _ *struct{}) (*redirect, error) {
	if s.provider == nil {
		return s.back(errNoProvider), nil
	}
	known, err := s.provider.about(ctx)
	if err != nil {
		return s.back(err), nil
	}
	state, nonce, verifier := rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	to := s.provider.config(known, s.origin(ctx)).AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier))
	return &redirect{
		Location: to, CacheControl: "no-store", SetCookie: []http.Cookie{oidcCookieOf(strings.Join([]string{state, nonce, verifier}, "."), oidcLife)},
	}, nil
}

type oidcInput struct {
	Cookie string `cookie:"__Host-lykta-oidc"`
	State  string `query:"state"`
	Code   string `query:"code"`
	Error  string `query:"error"`
	Issuer string `query:"iss" doc:"RFC 9207."`
}

func (s *server) finishOIDC(ctx context.Context, in *oidcInput) (*redirect, error) {
	person, err := s.whoCameBack(ctx, in)
	if err != nil {
		return s.back(err), nil
	}
	session, who, err := s.Keeper.OpenSession(ctx, person, care.FromOIDC, deviceOf(ctx))
	if err != nil {
		return s.back(err), nil
	}
	signedIn := s.signedIn(ctx, session, who, care.FromOIDC)
	to := "/"
	if who.Role == care.Relative {
		to = "/family/"
	}
	return &redirect{Location: to, CacheControl: "no-store", SetCookie: []http.Cookie{oidcCookieOf("", -time.Second), signedIn.SetCookie}}, nil
}

// identity is who somebody is at the provider.
type identity struct {
	subject  string
	email    string
	verified bool
}

// whoCameBack returns the person whom the provider has sent back.
func (s *server) whoCameBack(ctx context.Context, in *oidcInput) (person string, err error) {
	if s.provider == nil {
		return "", errNoProvider
	}
	kept := strings.Split(in.Cookie, ".")
	if len(kept) != 3 || in.State == "" || subtle.ConstantTimeCompare([]byte(kept[0]), []byte(in.State)) != 1 {
		return "", fmt.Errorf("%w: it belongs to another browser, or took too long", errProviderAnswer)
	}
	if in.Error != "" || in.Code == "" || in.Issuer != "" && in.Issuer != s.provider.Issuer {
		return "", fmt.Errorf("%w: %.100q from %.100q", errProviderAnswer, in.Error, in.Issuer)
	}
	known, err := s.provider.about(ctx)
	if err != nil {
		return "", err
	}
	who, err := s.provider.redeem(ctx, known, s.origin(ctx), in.Code, kept[1], kept[2])
	if err != nil {
		return "", err
	}
	return s.personOf(ctx, who)
}

// redeem exchanges the code for who somebody is.
func (p *provider) redeem(ctx context.Context, known *oidc.Provider, origin, code, nonce, verifier string) (identity, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), providerTimeout)
	defer cancel()
	config := p.config(known, origin)
	tokens, err := config.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if err != nil {
		var refused *oauth2.RetrieveError
		if errors.As(err, &refused) && refused.Response.StatusCode < http.StatusInternalServerError {
			return identity{}, fmt.Errorf("%w: %q", errProviderAnswer, refused.ErrorCode)
		}
		return identity{}, fmt.Errorf("%w: %w", errProviderAway, err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	token, err := known.Verifier(&oidc.Config{ClientID: p.ClientID}).Verify(ctx, raw)
	if err != nil {
		return identity{}, fmt.Errorf("%w: %w", errProviderAnswer, err)
	}
	if nonce == "" || subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(nonce)) != 1 {
		return identity{}, fmt.Errorf("%w: the nonce is another", errProviderAnswer)
	}
	who := identity{subject: token.Subject}
	if err := who.read(token); err != nil {
		return identity{}, err
	}
	if who.email != "" || known.UserInfoEndpoint() == "" {
		return who, nil
	}
	info, err := known.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	switch {
	case err != nil:
		return identity{}, fmt.Errorf("%w: %w", errProviderAway, err)
	case info.Subject != token.Subject: // OpenID Connect Core 5.3.4
		return identity{}, fmt.Errorf("%w: its answers are about two people", errProviderAnswer)
	}
	return who, who.read(info)
}

// read takes the e-mail address out of claims. Some providers write the truth
// of it as text.
func (i *identity) read(from interface{ Claims(v any) error }) error {
	var claims struct {
		Email    string `json:"email"`
		Verified any    `json:"email_verified"`
	}
	if err := from.Claims(&claims); err != nil {
		return fmt.Errorf("%w: %w", errProviderAnswer, err)
	}
	i.email, i.verified = claims.Email, claims.Verified == true || claims.Verified == "true"
	return nil
}

// personOf returns whom an identity is of: the person to whom it is bound, or
// at the first time the one person who has its address, may sign in, and is not
// bound to another identity there. Who is bound is never asked for the address.
func (s *server) personOf(ctx context.Context, who identity) (string, error) {
	person, err := s.SignIns.Identity(ctx, s.provider.Issuer, who.subject)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return person, err
	}
	switch {
	case who.email == "":
		return "", errNotKnown
	case !who.verified:
		return "", errNotVerified
	}
	people, err := s.SignIns.People(ctx)
	if err != nil {
		return "", err
	}
	var found, without []care.Person
	var bound []string
	for _, p := range people {
		if !slices.ContainsFunc(p.Addresses, func(a care.Address) bool { return a.Channel == care.ChannelEmail && strings.EqualFold(a.To, who.email) }) {
			continue
		}
		_, err := s.SignIns.Subject(ctx, s.provider.Issuer, p.ID)
		switch {
		case err == nil:
			bound = append(bound, p.ID)
		case !errors.Is(err, fs.ErrNotExist):
			return "", err
		case p.Role.SignsIn():
			found = append(found, p)
		default:
			without = append(without, p)
		}
	}
	switch {
	case len(found) > 1:
		return "", fmt.Errorf("%w: %s and %s", errManyHave, found[0].ID, found[1].ID)
	case len(found) == 0 && len(without) > 0:
		return "", access.ErrNoRole
	case len(found) == 0:
		return "", fmt.Errorf("%w; signing in there as somebody else: %q", errNotKnown, bound)
	}
	err = s.SignIns.PutIdentity(ctx, s.provider.Issuer, who.subject, found[0].ID, time.Now())
	if errors.Is(err, fs.ErrExist) {
		// The address was given to somebody new, or two came at once.
		if person, again := s.SignIns.Identity(ctx, s.provider.Issuer, who.subject); again == nil {
			return person, nil
		}
		return "", fmt.Errorf("%w: %s signs in there as somebody else", errNotKnown, found[0].ID)
	}
	return found[0].ID, err
}
