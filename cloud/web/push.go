package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lykta/lykta/cloud/care"
)

// Browsers keeps the browsers in which people are told by Web Push.
type Browsers interface {
	PutBrowser(ctx context.Context, b care.Browser, now time.Time) error
	DeleteBrowser(ctx context.Context, id string) error
}

func (s *server) registerPush(api huma.API) {
	huma.Register(api, op("get-push", http.MethodGet, "/push", "The key with which a browser subscribes", "push", http.StatusOK), s.getPush)
	huma.Register(api, op("put-browser", http.MethodPut, "/me/browser", "Tell me in this browser", "push", http.StatusNoContent), s.putBrowser)
	huma.Register(api, op("delete-browser", http.MethodPost, "/me/browser/forget", "Do not tell me in this browser", "push", http.StatusNoContent), s.deleteBrowser)
}

type pushView struct {
	Key string `json:"key" doc:"The application server key, base64url; empty where there is no Web Push."`
}

func (s *server) getPush(context.Context, *struct{}) (*body[pushView], error) {
	return &body[pushView]{pushView{s.PushKey}}, nil
}

// subscription is what a browser's PushSubscription says of itself; what else
// it says is of no use here.
type subscription struct {
	_        struct{} `json:"-" additionalProperties:"true"`
	Endpoint string   `json:"endpoint" minLength:"1" maxLength:"2048"`
	Keys     struct {
		P256dh string `json:"p256dh" maxLength:"200"`
		Auth   string `json:"auth" maxLength:"100"`
	} `json:"keys"`
}

// browserID is the same for the same subscription.
func (b subscription) browserID() string {
	sum := sha256.Sum256([]byte(b.Endpoint))
	return hex.EncodeToString(sum[:])
}

// errNobody is for who is not known as one who is told of alerts.
var errNobody = errors.New("this sign-in belongs to nobody who is told of alerts")

func (s *server) putBrowser(ctx context.Context, in *struct{ Body subscription }) (*struct{}, error) {
	actor, _ := actorOf(ctx)
	if actor.Person == "" {
		return nil, problemOf(errNobody)
	}
	text, err := json.Marshal(in.Body)
	if err != nil {
		return nil, s.failed("store browser", err)
	}
	if err := s.Browsers.PutBrowser(ctx, care.Browser{ID: in.Body.browserID(), Person: actor.Person, Subscription: string(text), Session: actor.Credential}, time.Now()); err != nil {
		return nil, s.failed("store browser", err)
	}
	return nil, nil
}

func (s *server) deleteBrowser(ctx context.Context, in *struct{ Body subscription }) (*struct{}, error) {
	if err := s.Browsers.DeleteBrowser(ctx, in.Body.browserID()); err != nil {
		return nil, s.failed("forget browser", err)
	}
	return nil, nil
}
