package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/cloud/web"
)

type personAddCmd struct {
	ID         string   `help:"Id of the person." required:""`
	Name       string   `help:"Their name, as shown beside what they do. Default: the id."`
	Language   string   `help:"In which they are told: sv or en." default:"sv"`
	Push       bool     `help:"Tell them in their browsers first."`
	SMS        []string `name:"sms" help:"Their telephone number, E.164; may be given more than once." placeholder:"+46…"`
	Email      []string `help:"Their e-mail address; may be given more than once." placeholder:"ADDRESS"`
	Webhook    []string `help:"A URL that is called; may be given more than once." placeholder:"URL"`
	Staff      []string `help:"An area of whose staff they are; '' is every area. May be given more than once." placeholder:"AREA"`
	LastResort bool     `help:"Tell them when nobody else answers, whatever the area."`
	RelativeOf []string `help:"A home whose resident lets them know of alarms; may be given more than once." placeholder:"HOME"`
	Role       string   `help:"What they may do when they sign in: ${enum}. Without it it stays as it is; nobody signs in without one." enum:",caregiver,coordinator,operator,relative" default:""`
	Area       []string `help:"An area whose homes they see when they sign in; without it it stays as it is, at first every area. May be given more than once." placeholder:"AREA"`
	Responder  []string `help:"A home to which they go when asked; may be given more than once." placeholder:"HOME"`
}

// Run stores the person. Groups are added to, never taken from.
func (p *personAddCmd) Run(c *CLI, env Env) error {
	if p.Name == "" {
		p.Name = p.ID
	}
	person := care.Person{ID: p.ID, Name: p.Name, Language: p.Language}
	if p.Push {
		person.Addresses = append(person.Addresses, care.Address{Channel: care.ChannelPush, To: p.ID})
	}
	for _, of := range []struct {
		channel care.Channel
		to      []string
	}{{care.ChannelSMS, p.SMS}, {care.ChannelEmail, p.Email}, {care.ChannelWebhook, p.Webhook}} {
		for _, to := range of.to {
			person.Addresses = append(person.Addresses, care.Address{Channel: of.channel, To: to})
		}
	}
	members := []care.Member{}
	if p.LastResort {
		members = append(members, care.Member{Group: care.GroupLastResort, Person: p.ID})
	}
	for _, of := range []struct {
		group  care.Group
		scopes []string
	}{{care.GroupAllStaff, p.Staff}, {care.GroupContacts, p.RelativeOf}, {care.GroupResponders, p.Responder}} {
		for _, scope := range of.scopes {
			members = append(members, care.Member{Group: of.group, Scope: scope, Person: p.ID})
		}
	}
	return c.with(env, func(db *store.Store) error {
		for _, m := range members {
			if m.Group.OfHome() {
				if _, err := db.Home(env.Context, m.Scope); err != nil {
					return err
				}
			}
		}
		before, err := db.Person(env.Context, p.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if person.Role = care.Role(p.Role); person.Role == "" {
			person.Role = before.Role
		}
		if person.Areas = p.Area; len(person.Areas) == 0 {
			person.Areas = before.Areas
		}
		entries := []care.AuditEntry{entry("change person", "", person.ID)}
		if person.Role != before.Role || !slices.Equal(person.Areas, before.Areas) {
			entries = append(entries, entry("change role", "", strings.Join(append([]string{person.ID, string(person.Role)}, person.Areas...), " ")))
		}
		if err := db.PutPerson(env.Context, person); err != nil {
			return err
		}
		for _, m := range members {
			if err := db.PutMember(env.Context, m); err != nil {
				return errors.Join(err, db.Audit(env.Context, entries...))
			}
			home := ""
			if m.Group.OfHome() {
				home = m.Scope
			}
			entries = append(entries, entry("add to "+string(m.Group), home, m.Person))
		}
		if err := db.Audit(env.Context, entries...); err != nil {
			return err
		}
		_, err = fmt.Fprintf(env.Out, "%s is told of alerts\n", person.Name)
		return err
	})
}

type personInviteCmd struct {
	ID  string `help:"Id of the person." required:""`
	URL string `name:"url" help:"Address of the service as browsers see it; without it only the code is printed." placeholder:"https://HOST"`
}

// Run prints a new invitation, in place of any earlier one.
func (p *personInviteCmd) Run(c *CLI, env Env) error {
	return c.with(env, func(db *store.Store) error {
		invited, err := access.NewKeeper(db).Invite(env.Context, p.ID)
		if err != nil {
			return err
		}
		homes, err := db.HomesOf(env.Context, p.ID)
		if err != nil {
			return err
		}
		if len(homes) == 0 {
			homes = []string{""}
		}
		for _, home := range homes { // residents read who was let in to see them
			if err := db.Audit(env.Context, entry("invite", home, p.ID)); err != nil {
				return err
			}
		}
		out := invited.Code
		if p.URL != "" {
			out = invited.Link(strings.TrimSuffix(p.URL, "/"))
		}
		_, err = fmt.Fprintf(env.Out, "%s\n", out)
		_, err2 := fmt.Fprintf(env.Err, "good once, until %s\n", invited.Expires.Format(time.DateTime))
		return errors.Join(err, err2)
	})
}

// oidcFlags are the settings of an identity provider.
type oidcFlags struct {
	Issuer       string `help:"Issuer of the identity provider (OpenID Connect) through which staff and relatives may sign in." placeholder:"URL"`
	ClientID     string `help:"The id that the provider knows this service by."`
	ClientSecret string `help:"The secret that goes with it; better as LYKTA_OIDC_CLIENT_SECRET than on the command line."`
	Name         string `help:"What people call the provider, on the button. Default: its host name."`
}

func (o oidcFlags) provider() (*web.OIDC, error) {
	if o.Issuer == "" {
		return nil, nil
	}
	settings := &web.OIDC{Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: o.ClientSecret, Name: o.Name}
	return settings, settings.Check()
}

type personListCmd struct{}

// Run lists people with how they are reached and their groups.
func (personListCmd) Run(c *CLI, env Env) error {
	return c.with(env, func(db *store.Store) error {
		people, err := db.People(env.Context)
		members, err2 := db.AllMembers(env.Context)
		if err := errors.Join(err, err2); err != nil {
			return err
		}
		for _, p := range people {
			var how, groups []string
			for _, a := range p.Addresses {
				how = append(how, string(a.Channel)+":"+a.To)
			}
			for _, m := range members {
				if m.Person == p.ID {
					groups = append(groups, strings.TrimSuffix(string(m.Group)+":"+m.Scope, ":"))
				}
			}
			if _, err := fmt.Fprintf(env.Out, "%s\t%s\t%s\t%s\n", p.ID, p.Name, strings.Join(how, " "), strings.Join(groups, " ")); err != nil {
				return err
			}
		}
		return nil
	})
}

type incomingCmd struct {
	Providers Providers `embed:""`
}

// Run prints where an SMS provider hands in what people answer.
func (i *incomingCmd) Run(c *CLI, env Env) error {
	return c.with(env, func(db *store.Store) error {
		channels, err := i.Providers.open(context.WithoutCancel(env.Context), db, c.options(env).Log)
		if err != nil {
			return err
		}
		if channels.incoming == "" {
			return errors.New("this needs --url and an SMS provider's settings")
		}
		_, err = fmt.Fprintln(env.Out, channels.incoming)
		return err
	})
}
