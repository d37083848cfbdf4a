// Package web is the HTTP side of the cloud: the API under /api/v1, described
// by /openapi.json, the live event stream, health and metrics, and the app
// that staff see.
package web

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/alarm"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/watch"
)

// Homes is who knows how the homes are now.
type Homes interface {
	// Detail returns one home with its devices; the error matches
	// fs.ErrNotExist when there is none.
	Detail(ctx context.Context, home string) (watch.Status, []watch.Device, error)
	// Devices returns the devices of many homes in a few questions, by home;
	// homes that are not known are left out.
	Devices(ctx context.Context, homes []string) (map[string][]watch.Device, error)
	// Signals returns the newest link qualities of their devices, by home and
	// device; a home is left out of which History may know more.
	Signals(ctx context.Context, homes []string) (map[string]map[string]float64, error)
	// Refresh makes homes known that were added elsewhere.
	Refresh(ctx context.Context) error
	// Add stores a new home; the error matches fs.ErrExist when its id or
	// gateway is taken, and care.ErrHome when it is not well formed.
	Add(ctx context.Context, home care.Home) error
	// Change replaces the definition of a home; its errors are those of Add.
	Change(ctx context.Context, home care.Home) error
}

// Alerts reads alerts and their changes.
type Alerts interface {
	Alerts(ctx context.Context, f care.AlertFilter) ([]care.Alert, error)
	Alert(ctx context.Context, id string) (care.Alert, error)
	Events(ctx context.Context, after int64, limit int) ([]care.Event, error)
	LastEvent(ctx context.Context) (int64, error)
}

// History reads the time series.
type History interface {
	Raw(ctx context.Context, q history.Query) ([]history.Point, error)
	Last(ctx context.Context, home string) ([]history.Point, error)
	Windows(ctx context.Context, q history.Query, every time.Duration) ([]history.Window, error)
}

// Operations is what only operators see.
type Operations interface {
	Refused(ctx context.Context, limit int) ([]care.RefusedMessage, error)
	AuditLog(ctx context.Context, home string, limit int) ([]care.AuditEntry, error)
	Audit(ctx context.Context, entries ...care.AuditEntry) error
}

// Options are what the web side works with. All fields are required.
type Options struct {
	Homes      Homes
	Alerts     Alerts
	Desk       *alarm.Desk
	History    History
	Keeper     Keeper
	Operations Operations
	Team       Team
	Rota       Rota
	Chain      Chain
	Calm       Calm
	Tests      Tests
	Browsers   Browsers
	SignIns    SignIns
	Consents   Consents
	Records    Records
	// Calls carries calls by video; nil where there are none. CallBook and CallGuests
	// keep them.
	Calls      Calls
	CallBook   CallBook
	CallGuests CallGuests
	// Collect has a gateway sent the commands that wait for it. It does not block.
	Collect func(gateway string)
	// Nudge says that somebody may have to be told of an alert. It does not block.
	Nudge func()
	// URL is the address of the service as browsers see it; "" when it is not known.
	URL string
	// OIDC is the identity provider; nil for none.
	OIDC *OIDC
	// Features are what the service can do; the apps offer nothing else.
	Features []care.Feature
	// Zone is where night is night, for counts.
	Zone *time.Location
	// PushKey is the public key with which browsers subscribe to Web Push; ""
	// where there is none.
	PushKey string
	// Callbacks are where providers report, by path beneath /callbacks/.
	Callbacks map[string]http.Handler
	Live      *Live
	// Ready returns why the service cannot do its work, by part; nil values
	// are parts that are well.
	Ready   func(ctx context.Context) map[string]error
	Metrics http.Handler
	App     fs.FS // the built caregiver app
	Version string
	Log     *slog.Logger
}

type server struct {
	Options
	audit      *auditor
	decisions  *decisions
	ceremonies ceremonies
	provider   *provider
	guestTries *limiter
}

// New returns the handler of everything under /.
func New(o Options) http.Handler {
	s := &server{Options: o, audit: newAuditor(o.Operations), decisions: newDecisions(o.Consents.Consents), provider: newProvider(o.OIDC), guestTries: newLimiter(triesPerMinute)}
	r := chi.NewRouter()
	r.Use(secure, compress(), speak, s.recover, ownPages, s.signIn)
	r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	r.Get("/readyz", s.readyz)
	r.Get("/metrics", s.metrics)
	api := humachi.New(r, apiConfig(o.Version))
	api.UseMiddleware(requireActor(api), onlyOwnRooms(api))
	s.register(api)
	r.Get("/api/v1/events", s.events)
	r.Get("/api/v1/calls/{call}/socket", s.callSocket)
	r.Get("/api/v1/guest/socket", s.guestSocket)
	for name, callback := range s.Callbacks {
		r.Handle("/callbacks/"+name, callback)
		r.Handle("/callbacks/"+name+"/*", callback)
	}
	r.Get("/docs", docsPage(api.OpenAPI()))
	r.Get("/docs/style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		_, _ = w.Write([]byte(docsStyle))
	})
	r.NotFound(s.app())
	r.MethodNotAllowed(func(w http.ResponseWriter, req *http.Request) {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
			if r.Match(chi.NewRouteContext(), method, req.URL.Path) {
				w.Header().Add("Allow", method)
			}
		}
		writeProblem(w, problemOf(errMethod))
	})
	return r
}

// OpenAPI returns the description of the API as JSON.
func OpenAPI(version string) ([]byte, error) {
	api := humachi.New(chi.NewRouter(), apiConfig(version))
	(&server{}).register(api)
	return api.OpenAPI().MarshalJSON()
}

func apiConfig(version string) huma.Config {
	c := huma.DefaultConfig("Lykta", version)
	c.Info.Description = "Home-care digital assistance: homes, readings and alerts. Times are RFC 3339 in UTC. Errors are RFC 9457 problem documents with a LYK id."
	c.DocsPath = "" // our own page, without scripts from elsewhere
	c.SchemasPath = ""
	c.CreateHooks = nil // no $schema links in answers
	c.Transformers = []huma.Transformer{withProblemID}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer":  {Type: "http", Scheme: "bearer", Description: "A token made by `lykta-cloud token create`."},
		"session": {Type: "apiKey", In: "cookie", Name: sessionCookie},
	}
	c.Security = []map[string][]string{{"bearer": {}}, {"session": {}}}
	return c
}

func (s *server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	parts := s.Ready(ctx)
	status := http.StatusOK
	for _, err := range parts {
		if err != nil {
			status = http.StatusServiceUnavailable
		}
	}
	w.WriteHeader(status)
	for _, name := range sortedKeys(parts) {
		if err := parts[name]; err != nil {
			// The reason may name hosts; it is in the log, not for everybody.
			_, _ = w.Write([]byte(name + ": not ready\n"))
			s.Log.Warn("not ready", "part", name, "err", err)
		} else {
			_, _ = w.Write([]byte(name + ": ok\n"))
		}
	}
}

// metrics are open on loopback, where Prometheus scrapes, and to operators.
func (s *server) metrics(w http.ResponseWriter, r *http.Request) {
	actor, ok := actorOf(r.Context())
	if !fromLoopback(r) && (!ok || !s.can(r.Context(), actor, access.ReadOperations, "", "")) {
		writeProblem(w, problemOf(errNotAllowed))
		return
	}
	s.Metrics.ServeHTTP(w, r)
}

// recover turns a panic into an error with an id, and keeps the service up.
func (s *server) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(p)
				}
				s.Log.Error("panic while answering", "id", "LYK-0507", "method", r.Method, "path", r.URL.Path, "panic", p)
				writeProblem(w, problemOf(errInternal))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// ownPages keeps pages of other sites from acting with somebody's cookie.
func ownPages(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, problemOf(errOtherSite))
	}))
	return protection.Handler(next)
}

// compress makes answers smaller for phones on bad networks. The event stream
// is left alone: it must not wait for a block to fill.
func compress() func(http.Handler) http.Handler {
	return middleware.Compress(5, "application/json", "application/problem+json", "text/html", "text/css", "text/javascript", "image/svg+xml")
}

// secure sets the headers that keep browsers from doing more than the app
// needs.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(self), microphone=(self), geolocation=(), payment=(), usb=()")
		next.ServeHTTP(w, r)
	})
}
