package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/history/embedded"
	"github.com/lykta/lykta/cloud/store"
)

// CLI is the command line of lykta-cloud. Every flag is also an environment
// variable: LYKTA_ and the flag's name in capitals.
type CLI struct {
	Data        string `help:"Directory of the service's data." default:"./var/cloud" type:"path"`
	DatabaseURL string `help:"PostgreSQL database (postgres://…) in place of the SQLite file in the data directory." placeholder:"URL"`
	LogLevel    string `help:"What is logged." enum:"debug,info,warn,error" default:"info"`

	Run     runCmd     `cmd:"" help:"Run the service."`
	Migrate migrateCmd `cmd:"" help:"Bring the database up to date and end."`
	Token   struct {
		Create tokenCmd `cmd:"" help:"Make a bearer token and print it. In a browser, sign in at /sign-in#TOKEN."`
	} `cmd:"" help:"Access tokens."`
	Home struct {
		Add  homeAddCmd  `cmd:"" help:"Add a home and its gateway."`
		List homeListCmd `cmd:"" help:"List the homes."`
	} `cmd:"" help:"Homes."`
	Person struct {
		Add    personAddCmd    `cmd:"" help:"Add somebody who is told of alerts or signs in, or change them."`
		List   personListCmd   `cmd:"" help:"List the people."`
		Invite personInviteCmd `cmd:"" help:"Print a link by which a person signs in for the first time, or with a new device."`
	} `cmd:"" help:"People who are told of alerts, and who sign in."`
	Incoming incomingCmd `cmd:"" name:"sms-address" help:"Print the address that an SMS provider is to call with what people answer. It is a secret."`
	Audit    auditCmd    `cmd:"" help:"The log of who looked at what, and did what."`
	Backup   backupCmd   `cmd:"" help:"Copy the data into a new directory while the service runs."`
	Restore  restoreCmd  `cmd:"" help:"Bring a backup back into an empty data directory."`
	Peer     peerCmd     `cmd:"" name:"watch-peer" help:"Watch another Lykta from here, and tell people when it is silent."`
	OpenAPI  openapiCmd  `cmd:"" name:"openapi" help:"Print the description of the HTTP API."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

// Env is what commands work with besides their flags.
type Env struct {
	Context context.Context
	Out     io.Writer
	Err     io.Writer
	Version string
}

func (c *CLI) options(env Env) Options {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // one of the enum
	return Options{
		Data: c.Data, DatabaseURL: c.DatabaseURL, Version: env.Version,
		Log: slog.New(slog.NewTextHandler(env.Err, &slog.HandlerOptions{Level: level})),
	}
}

// with opens the database for a command.
func (c *CLI) with(env Env, f func(*store.Store) error) error {
	db, err := c.options(env).Database(env.Context)
	if err != nil {
		return err
	}
	return errors.Join(f(db), db.Close())
}

type runCmd struct {
	Listen           string        `help:"Address for the app and the API." default:"127.0.0.1:8080"`
	TLSCert          string        `help:"Certificate file for HTTPS." type:"path"`
	TLSKey           string        `help:"Key file for HTTPS." type:"path"`
	MQTTListen       string        `name:"mqtt-listen" help:"Address of the embedded MQTT broker without TLS; loopback only." default:"127.0.0.1:1883"`
	MQTTTLSListen    string        `name:"mqtt-tls-listen" help:"Address of the embedded MQTT broker with TLS and client certificates."`
	MQTTTLSCert      string        `name:"mqtt-tls-cert" help:"Certificate file of the broker." type:"path"`
	MQTTTLSKey       string        `name:"mqtt-tls-key" help:"Key file of the broker." type:"path"`
	MQTTClientCA     string        `name:"mqtt-client-ca" help:"Authorities of the gateways' certificates, PEM." type:"path"`
	MQTTURL          string        `name:"mqtt-url" help:"An external MQTT 3.1.1 broker in place of the embedded one." placeholder:"URL"`
	OpenEnrolment    bool          `help:"Give gateways that nobody has added a home. For loopback and trials."`
	InfluxURL        string        `help:"InfluxDB in place of the embedded time series store." placeholder:"URL"`
	InfluxToken      string        `help:"InfluxDB token; for 1.8 user:password." placeholder:"T"`
	InfluxOrg        string        `help:"InfluxDB organisation; unused with 1.8." placeholder:"O"`
	InfluxBucket     string        `help:"InfluxDB bucket; for 1.8 database/retention-policy." default:"lykta"`
	Providers        Providers     `embed:""`
	PingURL          string        `name:"ping-url" help:"Called every minute while all parts are ready, for a watcher such as healthchecks.io that tells people when the calls stop." placeholder:"URL"`
	OIDC             oidcFlags     `embed:"" prefix:"oidc-"`
	Video            videoFlags    `embed:""`
	HistoryRetention time.Duration `help:"How long the embedded store keeps readings; 0 is for ever." default:"0"`
}

// Run runs the service.
func (r *runCmd) Run(c *CLI, env Env) error {
	o := c.options(env)
	o.Listen, o.TLSCert, o.TLSKey = r.Listen, r.TLSCert, r.TLSKey
	o.MQTTListen, o.MQTTURL, o.OpenEnrolment = r.MQTTListen, r.MQTTURL, r.OpenEnrolment
	o.MQTTTLSListen, o.MQTTTLSCert, o.MQTTTLSKey, o.MQTTClientCA = r.MQTTTLSListen, r.MQTTTLSCert, r.MQTTTLSKey, r.MQTTClientCA
	o.InfluxURL, o.InfluxToken, o.InfluxOrg, o.InfluxBucket = r.InfluxURL, r.InfluxToken, r.InfluxOrg, r.InfluxBucket
	o.HistoryRetention, o.Providers, o.PingURL = r.HistoryRetention, r.Providers, r.PingURL
	o.Video = r.Video.options()
	var err error
	if o.OIDC, err = r.OIDC.provider(); err != nil {
		return err
	}
	return Run(env.Context, o)
}

type migrateCmd struct{}

// Run brings the database up to date.
func (migrateCmd) Run(c *CLI, env Env) error {
	return c.with(env, func(*store.Store) error {
		_, err := fmt.Fprintln(env.Out, "the database is up to date")
		return err
	})
}

type tokenCmd struct {
	Role    string        `help:"What its bearer may do: ${enum}." enum:"caregiver,coordinator,operator" required:""`
	Name    string        `help:"Whose it is; shown beside what they do. Default: the role."`
	Person  string        `help:"The id of the person whom it makes known: their browser can then be told of alerts." placeholder:"ID"`
	Expires time.Duration `help:"How long it is good for; 0 is for ever." default:"0"`
}

// Run prints a new token.
func (t *tokenCmd) Run(c *CLI, env Env) error {
	if t.Name == "" {
		t.Name = t.Role
	}
	return c.with(env, func(db *store.Store) error {
		if t.Person != "" {
			if _, err := db.Person(env.Context, t.Person); err != nil {
				return err
			}
		}
		secret, err := access.NewKeeper(db).Create(env.Context, care.Token, access.Actor{Name: t.Name, Role: care.Role(t.Role), Person: t.Person}, t.Expires)
		if err != nil {
			return err
		}
		if err := db.Audit(env.Context, entry("create token", "", strings.TrimSpace(t.Role+" "+t.Name+" "+t.Person))); err != nil {
			return err
		}
		_, err = fmt.Fprintln(env.Out, secret)
		return err
	})
}

type homeAddCmd struct {
	ID      string   `help:"Id of the home." required:""`
	Gateway string   `help:"Id of its gateway." required:""`
	Name    string   `help:"What staff call it. Default: the id."`
	Area    string   `help:"The part of the municipality whose staff look after it."`
	Zone    string   `help:"IANA time zone of its schedules." default:"${zone}"`
	CheckIn []string `help:"A daily check-in window, as 08:00-10:00; may be given more than once." placeholder:"FROM-BY"`
}

// Run adds a home.
func (h *homeAddCmd) Run(c *CLI, env Env) error {
	home := care.Home{ID: h.ID, Gateway: h.Gateway, Name: h.Name, Area: h.Area, Zone: h.Zone, Created: time.Now()}
	if home.Name == "" {
		home.Name = h.ID
	}
	for _, text := range h.CheckIn {
		window, err := ParseCheckIn(text)
		if err != nil {
			return err
		}
		home.CheckIns = append(home.CheckIns, window)
	}
	if err := home.Check(); err != nil {
		return err
	}
	return c.with(env, func(db *store.Store) error {
		if other, err := db.HomeByGateway(env.Context, h.Gateway); err == nil {
			return fmt.Errorf("LYK-0508: gateway %s belongs to home %s (%s)", h.Gateway, other.ID, other.Name)
		}
		if err := db.AddHome(env.Context, home); errors.Is(err, store.ErrExists) {
			return fmt.Errorf("LYK-0508: there is a home %s already", h.ID)
		} else if err != nil {
			return err
		}
		if err := db.Audit(env.Context, entry("add home", home.ID, home.Gateway)); err != nil {
			return err
		}
		_, err := fmt.Fprintf(env.Out, "added home %s with gateway %s\n", home.ID, home.Gateway)
		return err
	})
}

// ParseCheckIn reads a window of the day such as "08:00-10:00".
func ParseCheckIn(text string) (care.CheckIn, error) {
	from, by, ok := strings.Cut(text, "-")
	f, err1 := minutes(from)
	b, err2 := minutes(by)
	if !ok || err1 != nil || err2 != nil || f >= b {
		return care.CheckIn{}, fmt.Errorf("%q is not a window of the day such as 08:00-10:00", text)
	}
	return care.CheckIn{From: f, By: b}, nil
}

func minutes(text string) (int, error) {
	hours, mins, _ := strings.Cut(strings.TrimSpace(text), ":")
	h, err := strconv.Atoi(hours)
	m, err2 := strconv.Atoi(mins)
	if err = errors.Join(err, err2); err != nil || h < 0 || h > 24 || m < 0 || m > 59 || h*60+m > 24*60 {
		return 0, fmt.Errorf("%q is not a time of day", text)
	}
	return h*60 + m, nil
}

type homeListCmd struct{}

// Run lists the homes.
func (homeListCmd) Run(c *CLI, env Env) error {
	return c.with(env, func(db *store.Store) error {
		homes, err := db.Homes(env.Context)
		if err != nil {
			return err
		}
		for _, h := range homes {
			if _, err := fmt.Fprintf(env.Out, "%s\t%s\t%s\n", h.ID, h.Gateway, h.Name); err != nil {
				return err
			}
		}
		return nil
	})
}

type backupCmd struct {
	To string `arg:"" help:"Directory to make; it must not exist." type:"path"`
}

// Run copies the databases.
func (b *backupCmd) Run(c *CLI, env Env) error {
	if c.DatabaseURL == "" {
		// A mistyped directory must not become an empty backup.
		if _, err := os.Stat(filepath.Join(c.Data, databaseFile)); err != nil {
			return fmt.Errorf("find the data to back up: %w", err)
		}
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(b.To), 0o700), os.Mkdir(b.To, 0o700)); err != nil {
		return fmt.Errorf("make the backup's directory: %w", err)
	}
	return c.with(env, func(db *store.Store) error {
		if err := db.Backup(env.Context, filepath.Join(b.To, databaseFile)); err != nil {
			return err
		}
		from := filepath.Join(c.Data, historyFile)
		if _, err := os.Stat(from); err == nil {
			if err := embedded.Backup(env.Context, from, filepath.Join(b.To, historyFile)); err != nil {
				return err
			}
		}
		_, err := fmt.Fprintf(env.Out, "backed up to %s\n", b.To)
		return err
	})
}

type restoreCmd struct {
	From string `arg:"" help:"Directory that backup made." type:"existingdir"`
}

// Run brings a backup back.
func (r *restoreCmd) Run(c *CLI, env Env) error {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	files, err := os.ReadDir(c.Data)
	if err != nil {
		return fmt.Errorf("look into the data directory: %w", err)
	}
	for _, f := range files {
		// The log beside an old database counts: SQLite would play it into the new one.
		if strings.HasPrefix(f.Name(), databaseFile) || strings.HasPrefix(f.Name(), historyFile) {
			return fmt.Errorf("LYK-0110: %s holds data already; restore into an empty directory, or move %s away first", c.Data, f.Name())
		}
	}
	if err := copyFile(filepath.Join(r.From, databaseFile), filepath.Join(c.Data, databaseFile)); err != nil {
		return err
	}
	err = copyFile(filepath.Join(r.From, historyFile), filepath.Join(c.Data, historyFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return c.with(env, func(db *store.Store) error {
		homes, err := db.Homes(env.Context)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(env.Out, "restored into %[2]s; homes: %[1]d\n", len(homes), c.Data)
		return err
	})
}

// copyFile copies a file so that it is there whole or not at all.
func copyFile(from, to string) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer src.Close()
	dst, err := os.CreateTemp(filepath.Dir(to), filepath.Base(to)+".*")
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	_, err = io.Copy(dst, src)
	if err = errors.Join(err, dst.Sync(), dst.Close()); err == nil {
		err = os.Rename(dst.Name(), to)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("restore %s: %w", to, err), os.Remove(dst.Name()))
	}
	return nil
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(env Env) error {
	_, err := fmt.Fprintln(env.Out, "lykta-cloud", env.Version)
	return err
}
