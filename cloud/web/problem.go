package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/history"
)

// Problem is an RFC 9457 problem document with a fixed id, which is a heading
// in docs/runbook.
type Problem struct {
	Type   string              `json:"type" doc:"Where the problem is described."`
	Title  string              `json:"title" doc:"What is wrong, the same for every occurrence."`
	Status int                 `json:"status" doc:"The HTTP status."`
	Detail string              `json:"detail,omitempty" doc:"What is wrong this time."`
	ID     string              `json:"id" doc:"LYK error id." example:"LYK-0502"`
	Errors []*huma.ErrorDetail `json:"errors,omitempty" doc:"Which fields are wrong."`
	Call   string              `json:"call,omitempty" doc:"Of LYK-0901: the call that the home is in."`
	Again  *time.Time          `json:"again,omitempty" doc:"Of LYK-0440: when it may be tried again, in the home's time zone."`
}

func (p *Problem) Error() string { return p.ID + " " + p.Title }

// GetStatus is for huma.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is for huma.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

var (
	errNotSignedIn = errors.New("not signed in")
	errNotAllowed  = errors.New("not allowed")
	errInternal    = errors.New("internal error")
	errBadQuery    = errors.New("bad query")
	errOtherSite   = errors.New("asked for by another site's page")
	errMethod      = errors.New("no such method here")
	errTooLong     = fmt.Errorf("%w: at most 92 days at a time", errBadQuery)
)

// problemOf chooses the problem document for an error. Texts of unknown
// errors stay in the log.
func problemOf(err error) *Problem {
	if p := callProblem(err); p != nil {
		return p
	}
	p := &Problem{Status: http.StatusInternalServerError, ID: "LYK-0507", Title: "Something went wrong in the service"}
	switch {
	case errors.Is(err, care.ErrAlreadyResolved):
		p = &Problem{Status: http.StatusConflict, ID: "LYK-0501", Title: "The alert is already resolved"}
	case errors.Is(err, fs.ErrNotExist):
		p = &Problem{Status: http.StatusNotFound, ID: "LYK-0502", Title: "Not found"}
	case reported(err):
		p = &Problem{Status: http.StatusUnprocessableEntity, ID: "LYK-0503", Title: "The request is not well formed", Detail: err.Error()}
	case errors.Is(err, care.ErrVisitChanged):
		p = &Problem{Status: http.StatusConflict, ID: "LYK-0532", Title: "Somebody else has changed the visit meanwhile"}
	case errors.Is(err, care.ErrVisitOff):
		p = &Problem{Status: http.StatusConflict, ID: "LYK-0533", Title: "The visit was called off meanwhile"}
	case errors.Is(err, errNotSignedIn):
		p = &Problem{Status: http.StatusUnauthorized, ID: "LYK-0504", Title: "Not signed in"}
	case errors.Is(err, errNotAllowed):
		p = &Problem{Status: http.StatusForbidden, ID: "LYK-0505", Title: "Your role, your areas or what the resident has decided do not allow this"}
	case errors.Is(err, errNobody):
		p = &Problem{Status: http.StatusConflict, ID: "LYK-0510", Title: "This sign-in belongs to nobody who is told of alerts"}
	case errors.Is(err, errOtherSite):
		p = &Problem{Status: http.StatusForbidden, ID: "LYK-0505", Title: "Pages of other sites may not do this"}
	case errors.Is(err, errMethod):
		p = &Problem{Status: http.StatusMethodNotAllowed, ID: "LYK-0503", Title: "The request is not well formed", Detail: err.Error()}
	case errors.Is(err, history.ErrUnavailable):
		p = &Problem{Status: http.StatusServiceUnavailable, ID: "LYK-0506", Title: "History cannot be read right now; alerts work as usual"}
	case errors.Is(err, fs.ErrExist):
		p = &Problem{Status: http.StatusConflict, ID: "LYK-0508", Title: "The id or the gateway is taken"}
	}
	p.Type = "urn:lykta:problem:" + p.ID
	return p
}

// withProblemID gives the problems that huma finds itself (a wrong type, a
// missing field) our shape and id.
func withProblemID(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	id := "LYK-0503"
	switch {
	case m.Status == http.StatusNotFound:
		id = "LYK-0502"
	case m.Status >= 500:
		id = "LYK-0507"
	}
	return &Problem{Type: "urn:lykta:problem:" + id, Title: m.Title, Status: m.Status, Detail: m.Detail, ID: id, Errors: m.Errors}, nil
}

// describeProblems puts our shape of problems into the description of the API
// in place of huma's own.
func describeProblems(o *huma.OpenAPI) {
	schema := o.Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	for _, item := range o.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			for _, r := range op.Responses {
				if m := r.Content["application/problem+json"]; m != nil {
					m.Schema = schema
				}
			}
		}
	}
	delete(o.Components.Schemas.Map(), "ErrorModel")
}

func writeProblem(w http.ResponseWriter, p *Problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
