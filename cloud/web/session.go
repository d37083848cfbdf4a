package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
)

// sessionCookie needs HTTPS, or a browser that trusts loopback.
const sessionCookie = "__Host-lykta"

type actorKey struct{}

func actorOf(ctx context.Context) (access.Actor, bool) {
	a, ok := ctx.Value(actorKey{}).(access.Actor)
	return a, ok
}

// secretOf is what the request proves itself with: a bearer token before a
// session cookie; empty when it has neither.
func secretOf(r *http.Request) string {
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return strings.TrimSpace(bearer)
	}
	if c, err := r.Cookie(sessionCookie); err == nil {
		return c.Value
	}
	return ""
}

// signIn finds out who is asking; what they may do is decided where it is
// done. A secret that is not valid counts as none; one that cannot be checked
// does not, as nobody is signed out by a database that is away.
func (s *server) signIn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.WithContext(withCaller(r.Context(), r))
		secret, api := secretOf(r), strings.HasPrefix(r.URL.Path, "/api/")
		if secret == "" {
			next.ServeHTTP(w, r)
			return
		}
		pass, err := s.Keeper.Enter(r.Context(), secret, care.Token, care.Session)
		switch {
		case err == nil:
			r = r.WithContext(context.WithValue(r.Context(), actorKey{}, pass.Actor))
			// Files may be kept by who carries them; what the API answers is not.
			if pass.Renewed != "" && api {
				http.SetCookie(w, sessionCookieOf(pass.Renewed, time.Until(pass.Expires)))
			}
		case errors.Is(err, access.ErrLate) && api:
			w.Header().Set("Retry-After", "1")
			writeProblem(w, problemLate)
			return
		case errors.Is(err, access.ErrStolen):
			s.audit.note(r.Context(), s.Log, care.AuditEntry{
				At: time.Now(), Actor: pass.Actor.Name, Role: pass.Actor.Role, Action: "session stolen", Detail: deviceOf(r.Context()),
			})
			s.Log.Warn("a session's used-up secret was presented; the session has been ended", "id", "LYK-0714", "person", pass.Actor.Person)
			if api {
				http.SetCookie(w, sessionCookieOf("", -time.Second))
				writeProblem(w, problemStolen)
				return
			}
		case !notLetIn(err) && api:
			writeProblem(w, s.failed("check a sign-in", err))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// notLetIn reports whether an error of the keeper is about the secret.
func notLetIn(err error) bool {
	return errors.Is(err, access.ErrUnknown) || errors.Is(err, access.ErrExpired)
}

// open are the operations that nobody needs to be signed in for.
var open = map[string]bool{
	"create-session": true, "get-sign-in": true, "ask-passkey": true, "sign-in-passkey": true,
	"look-invitation": true, "accept-invitation": true, "start-oidc": true, "finish-oidc": true,
	"look-guest": true, "join-as-guest": true,
}

func requireActor(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if _, ok := actorOf(ctx.Context()); !ok && !open[ctx.Operation().OperationID] {
			p := problemOf(errNotSignedIn)
			ctx.SetHeader("Content-Type", p.ContentType(""))
			ctx.SetStatus(p.Status) // sends the headers
			_ = api.Marshal(ctx.BodyWriter(), "application/json", p)
			return
		}
		next(ctx)
	}
}

type sessionInput struct {
	Body struct {
		Token string `json:"token" minLength:"10" maxLength:"200" doc:"An access token, or the code of a sign-in link."`
	}
}

type cookieOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

// sessionCookieOf is a session's cookie for as long as it lasts; less than no
// time removes it.
func sessionCookieOf(secret string, life time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: sessionCookie, Value: secret, Path: "/", MaxAge: int(life / time.Second),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
}

func (s *server) createSession(ctx context.Context, in *sessionInput) (*cookieOutput, error) {
	secret, who, err := s.Keeper.ExchangeOn(ctx, strings.TrimSpace(in.Body.Token), deviceOf(ctx))
	switch {
	case err == nil:
		return s.signedIn(ctx, secret, who, care.Token), nil
	case notLetIn(err):
		return nil, problemOf(errNotSignedIn)
	}
	return nil, s.failed("create session", err)
}

type cookieInput struct {
	Session string `cookie:"__Host-lykta"`
}

func (s *server) endSession(ctx context.Context, in *cookieInput) (*cookieOutput, error) {
	if in.Session != "" {
		if err := s.Keeper.End(ctx, in.Session); err != nil && !notLetIn(err) {
			return nil, s.failed("end session", err)
		}
	}
	return &cookieOutput{*sessionCookieOf("", -time.Second)}, nil
}

func fromLoopback(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	return err == nil && net.ParseIP(host).IsLoopback() && r.Header.Get("X-Forwarded-For") == ""
}
