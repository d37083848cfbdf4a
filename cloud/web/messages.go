package web

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
)

// Messages keeps what is written to the residents' screens. What it stores
// comes with the command that carries it; the gateway that it names is to
// collect that.
type Messages interface {
	Messages(ctx context.Context, home string, limit int) ([]care.Message, error)
	MessagesOf(ctx context.Context, home, person string, limit int) ([]care.Message, error)
	Message(ctx context.Context, home, id string) (care.Message, error)
	AddMessage(ctx context.Context, m care.Message, entry care.AuditEntry) (stored care.Message, gateway string, err error)
	EndMessage(ctx context.Context, home, id string, entry care.AuditEntry) (gateway string, err error)
}

func (s *server) registerMessages(api huma.API) {
	huma.Register(api, op("list-messages", http.MethodGet, "/homes/{id}/messages", "What was written to the screen in a home, newest first; relatives see their own", "messages", http.StatusOK), s.listMessages)
	huma.Register(api, op("add-message", http.MethodPost, "/homes/{id}/messages", "Write to the screen in a home", "messages", http.StatusCreated), s.addMessage)
	family := op("add-family-message", http.MethodPost, "/family/homes/{id}/messages", "Write to the screen in a home", "family", http.StatusCreated)
	huma.Register(api, family, s.addMessage)
	huma.Register(api, op("get-picture", http.MethodGet, "/homes/{id}/messages/{message}/picture", "A message's picture", "messages", http.StatusOK), s.getPicture)
	huma.Register(api, op("end-message", http.MethodDelete, "/homes/{id}/messages/{message}", "Take a message back", "messages", http.StatusNoContent), s.endMessage)
}

type messageView struct {
	ID      string     `json:"id"`
	From    string     `json:"from"`
	Person  string     `json:"person"`
	Family  bool       `json:"family"`
	Text    string     `json:"text"`
	Picture bool       `json:"picture" doc:"There is one, to be fetched by itself."`
	At      time.Time  `json:"at"`
	Until   time.Time  `json:"until" doc:"When the screen shows it no more."`
	Reached *time.Time `json:"reached" doc:"When the home had it."`
	Heard   *time.Time `json:"heard" doc:"When the resident's screen had shown it."`
}

func viewMessage(m care.Message) messageView {
	return messageView{
		ID: m.ID, From: m.From, Person: m.Person, Family: m.Family, Text: m.Text, Picture: m.Pictured, At: m.At.UTC(), Until: m.Until.UTC(),
		Reached: known(m.Reached), Heard: known(m.Heard),
	}
}

type messagesView struct {
	Messages []messageView `json:"messages" nullable:"false"`
}

// longestMessage is how long a message is shown at most.
const longestMessage = 60 * 24 * time.Hour

// messagesListed is how many one answer holds.
const messagesListed = 50

func (s *server) listMessages(ctx context.Context, in *HomePath) (*body[messagesView], error) {
	actor, err := s.may(ctx, access.Read, care.FieldMessages, in.ID)
	if err != nil {
		return nil, err
	}
	var messages []care.Message
	if actor.Role.Staff() {
		messages, err = s.Records.Messages(ctx, in.ID, messagesListed)
	} else {
		messages, err = s.Records.MessagesOf(ctx, in.ID, actor.Person, messagesListed)
	}
	if err != nil {
		return nil, s.failed("list messages", err)
	}
	if actor.Role.Staff() { // one's own are no look at somebody's life
		s.audit.look(ctx, s.Log, actor, look(care.FieldMessages), in.ID)
	}
	out := messagesView{Messages: []messageView{}}
	for _, m := range messages {
		out.Messages = append(out.Messages, viewMessage(m))
	}
	return &body[messagesView]{out}, nil
}

func (s *server) addMessage(ctx context.Context, in *struct {
	HomePath
	KeyHeader
	Body struct {
		Text    string     `json:"text,omitempty" maxLength:"500"`
		Picture []byte     `json:"picture,omitempty" doc:"JPEG, at most 120 KiB, base64."`
		Until   *time.Time `json:"until,omitempty" doc:"When the screen shows it no more; default a day after."`
	}
}) (*body[messageView], error) {
	actor, err := s.may(ctx, access.WriteMessages, "", in.ID)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	m := care.Message{
		ID: deedID(actor, "message", in.ID, in.Key), Home: in.ID, From: actor.Name, Person: actor.Person, Family: !actor.Role.Staff(),
		Text: strings.TrimSpace(in.Body.Text), Picture: in.Body.Picture, At: now,
	}
	if in.Body.Until != nil {
		if m.Until = *in.Body.Until; m.Until.After(now.Add(longestMessage)) {
			return nil, problemOf(fmt.Errorf("%w: it is shown for 60 days at most", care.ErrMessage))
		}
	}
	m, gateway, err := s.Records.AddMessage(ctx, m, entryOf(actor, now, "write message", in.ID, m.ID))
	if err != nil {
		return nil, s.failed("write a message", err)
	}
	s.collect(gateway)
	return &body[messageView]{viewMessage(m)}, nil
}

// collect has a gateway sent what waits for it.
func (s *server) collect(gateway string) {
	if s.Collect != nil {
		s.Collect(gateway)
	}
}

// MessagePath names a message of a home.
type MessagePath struct {
	HomePath
	Message string `path:"message" maxLength:"64"`
}

// message returns a message that the actor may see: a relative learns nothing
// of others'.
func (s *server) message(ctx context.Context, actor access.Actor, in *MessagePath) (care.Message, error) {
	m, err := s.Records.Message(ctx, in.ID, in.Message)
	if err == nil && !actor.Role.Staff() && m.Person != actor.Person {
		err = fs.ErrNotExist
	}
	if err != nil {
		return m, s.failed("read a message", err)
	}
	return m, nil
}

type pictureOutput struct {
	ContentType string `header:"Content-Type"`
	Cache       string `header:"Cache-Control"`
	Body        []byte
}

func (s *server) getPicture(ctx context.Context, in *MessagePath) (*pictureOutput, error) {
	actor, err := s.may(ctx, access.Read, care.FieldMessages, in.ID)
	if err != nil {
		return nil, err
	}
	m, err := s.message(ctx, actor, in)
	if err == nil && len(m.Picture) == 0 {
		err = problemOf(fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	if actor.Role.Staff() {
		s.audit.look(ctx, s.Log, actor, look(care.FieldMessages), in.ID)
	}
	return &pictureOutput{"image/jpeg", "private, max-age=86400", m.Picture}, nil
}

func (s *server) endMessage(ctx context.Context, in *MessagePath) (*struct{}, error) {
	actor, err := s.may(ctx, access.WriteMessages, "", in.ID)
	if err != nil {
		return nil, err
	}
	if !actor.Role.Staff() {
		if _, err := s.message(ctx, actor, in); err != nil {
			return nil, err
		}
	}
	gateway, err := s.Records.EndMessage(ctx, in.ID, in.Message, entryOf(actor, time.Now(), "take back message", in.ID, in.Message))
	if err != nil {
		return nil, s.failed("take back a message", err)
	}
	s.collect(gateway)
	return nil, nil
}
