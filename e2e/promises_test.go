package e2e

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	_ "github.com/jackc/pgx/v5/stdlib" // "pgx"
	_ "modernc.org/sqlite"             // "sqlite"
)

// promises is what one home was promised, written down from outside. Every
// press has a device of its own and every reading a value of its own, so that
// each can be counted.
type promises struct {
	mu       sync.Mutex
	presses  map[string]bool // device -> the home's port has answered
	readings map[string]bool // "device=value" -> the same
	alerts   map[string]deed // by alert

	sent map[string]time.Time // when the answer to a press came
}

// deed is how far an alert has come for certain.
type deed struct {
	state   string // as far as anybody was told
	changes int    // made by people and answered with 200
}

// rank orders the states of an alert.
var rank = map[string]int{"open": 1, "acknowledged": 2, "resolved": 3}

func newPromises() *promises {
	return &promises{presses: map[string]bool{}, readings: map[string]bool{}, alerts: map[string]deed{}, sent: map[string]time.Time{}}
}

// note notes that a press or a reading was handed to the home's port and,
// then, that the port has answered it.
func (p *promises) note(m message, answered bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.press {
		p.presses[m.key] = answered
		if answered {
			p.sent[m.key] = time.Now()
		}
	} else {
		p.readings[m.key] = answered
	}
}

// told notes that the cloud has said of an alert that it is in a state; done
// that this answered a change.
func (p *promises) told(id, state string, done bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.alerts[id]
	if rank[state] > rank[d.state] {
		d.state = state
	}
	if done {
		d.changes++
	}
	p.alerts[id] = d
}

// counts returns how many presses and readings the home has answered.
func (p *promises) counts() (presses, readings int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, sent := range p.presses {
		if sent {
			presses++
		}
	}
	for _, sent := range p.readings {
		if sent {
			readings++
		}
	}
	return presses, readings
}

// stock is what the cloud holds of one home.
type stock struct {
	records  map[string]int // presses in the alarm log, by device
	alerts   map[string]int // alerts of presses, by device
	pressed  map[string]int // presses in the time series, by device
	readings map[string]int // in the time series, by "device=value"
	states   map[string]string
	events   map[string]int // by alert
	gaps     []string       // in the alarm log
}

// differ returns what of the stock is not as promised.
func (p *promises) differ(s stock) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	out = append(out, miscounted("press", "alarm records", p.presses, s.records)...)
	out = append(out, miscounted("press", "alerts", p.presses, s.alerts)...)
	out = append(out, miscounted("press", "points in history", p.presses, s.pressed)...)
	out = append(out, miscounted("reading", "points in history", p.readings, s.readings)...)
	for id, d := range p.alerts {
		if got := s.states[id]; rank[got] < rank[d.state] {
			out = append(out, fmt.Sprintf("alert %s was %s and is now %q", id, d.state, got))
		}
		if got := s.events[id]; got < 1+d.changes {
			out = append(out, fmt.Sprintf("alert %s has %d events for its raising and %d changes", id, got, d.changes))
		}
	}
	for id := range s.states {
		if s.events[id] == 0 {
			out = append(out, fmt.Sprintf("alert %s has no event", id))
		}
	}
	out = append(out, s.gaps...)
	slices.Sort(out)
	return out
}

// miscounted compares what was handed in with what is there: once what was
// answered, at most once what was not, and nothing else.
func miscounted(what, where string, handed map[string]bool, there map[string]int) []string {
	var out []string
	for key, sent := range handed {
		switch n := there[key]; {
		case sent && n != 1:
			out = append(out, fmt.Sprintf("%s %s was answered and has %d %s", what, key, n, where))
		case !sent && n > 1:
			out = append(out, fmt.Sprintf("%s %s was not answered and has %d %s", what, key, n, where))
		}
	}
	for key, n := range there {
		if _, known := handed[key]; !known {
			out = append(out, fmt.Sprintf("%s %s was never handed in and has %d %s", what, key, n, where))
		}
	}
	return out
}

// database opens the cloud's database beside the cloud, to read only.
func (c *cloud) database() *sql.DB {
	c.t.Helper()
	driver, address := "sqlite", "file:"+(&url.URL{Path: filepath.Join(c.data, "lykta.db")}).EscapedPath()+"?_pragma=busy_timeout(10000)&_pragma=query_only(1)"
	if i := slices.Index(c.args, "--database-url"); i >= 0 {
		driver, address = "pgx", c.args[i+1]
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = db.Close() })
	return db
}

// each calls f for every row of a query.
func each(db *sql.DB, f func(scan func(...any) error) error, query string, args ...any) error {
	rows, err := db.Query(query, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return fmt.Errorf("%s: %w", query, err)
		}
	}
	return rows.Err()
}

// takeStock reads what the database holds of a home; points is its time
// series.
func takeStock(db *sql.DB, home string, points []reading) (stock, error) {
	s := stock{
		records: map[string]int{}, alerts: map[string]int{}, pressed: map[string]int{}, readings: map[string]int{},
		states: map[string]string{}, events: map[string]int{},
	}
	for _, p := range points {
		switch p.Kind {
		case "sos":
			s.pressed[p.Device]++
		case "temperature":
			s.readings[fmt.Sprintf("%s=%v", p.Device, *p.V)]++
		default:
			s.readings[p.Kind+"?"+p.Device]++
		}
	}
	last := map[string]int64{} // by epoch
	err := errors.Join(
		each(db, func(scan func(...any) error) error {
			var epoch, text string
			var seq int64
			var record struct{ D, K string }
			if err := errors.Join(scan(&epoch, &seq, &text), json.Unmarshal([]byte(text), &record)); err != nil {
				return err
			}
			if seq != last[epoch]+1 {
				s.gaps = append(s.gaps, fmt.Sprintf("the alarm log %s goes from %d to %d", epoch, last[epoch], seq))
			}
			last[epoch] = seq
			s.records[record.D]++
			return nil
		}, `SELECT epoch, seq, record FROM alarm_records WHERE home = $1 ORDER BY epoch, seq`, home),
		each(db, func(scan func(...any) error) error {
			var id, kind, device, state string
			if err := scan(&id, &kind, &device, &state); err != nil {
				return err
			}
			s.states[id] = state
			if kind == "sos" {
				s.alerts[device]++
			}
			return nil
		}, `SELECT id, kind, device, state FROM alerts WHERE home = $1`, home),
		each(db, func(scan func(...any) error) error {
			var id string
			var n int
			if err := scan(&id, &n); err != nil {
				return err
			}
			s.events[id] = n
			return nil
		}, `SELECT alert, count(*) FROM events WHERE home = $1 GROUP BY alert`, home),
	)
	return s, err
}

// awaitStock takes stock of a home whose alarms are all presses, once they have
// been copied to the time series: they get there a little later.
func awaitStock(db *sql.DB, home string, points func() ([]reading, error), deadline time.Time) (stock, error) {
	for {
		all, err := points()
		if err != nil {
			return stock{}, err
		}
		s, err := takeStock(db, home, all)
		if err != nil || len(s.pressed) >= len(s.records) || time.Now().After(deadline) {
			return s, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// drained waits until a gateway's spool is empty.
func drained(t *testing.T, data string, deadline time.Time) bool {
	t.Helper()
	for spoolDepth(t, data) != 0 {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(100 * time.Millisecond)
	}
	return true
}

// message is what one device says once.
type message struct {
	press          bool
	key            string // of promises
	topic, payload string
}

// device says how the n-th message of a device looks.
type device func(n int) message

// button is a number of buttons, each of which is pressed once: every press is
// known by its device.
func button(name string) device {
	return func(n int) message {
		d := fmt.Sprintf("%s-%d", name, n)
		return message{press: true, key: d, topic: "zigbee2mqtt/" + d, payload: `{"action":"emergency"}`}
	}
}

// thermometer is warmer by one degree each time: every reading is known by
// its value.
func thermometer(name string) device {
	return func(n int) message {
		return message{key: fmt.Sprintf("%s=%d", name, n), topic: "zigbee2mqtt/" + name, payload: fmt.Sprintf(`{"temperature":%d}`, n)}
	}
}

// household is the devices of a home at work. They say each thing once: one
// that got no answer may or may not have been heard, and is not repeated.
type household struct {
	port     string
	promises *promises
	quiet    sync.RWMutex // held for writing while nobody speaks
	stop     context.CancelFunc
	done     sync.WaitGroup
}

// member is one device of a household.
type member struct {
	name string
	says device
	pace time.Duration // between two messages, on average
}

// live starts the devices at the home's port. They speak until end is called.
func live(port string, p *promises, random *rand.Rand, members ...member) *household {
	ctx, cancel := context.WithCancel(context.Background())
	h := &household{port: port, promises: p, stop: cancel}
	for _, m := range members {
		own := rand.New(rand.NewPCG(random.Uint64(), random.Uint64()))
		h.done.Go(func() { h.speak(ctx, own, m) })
	}
	return h
}

// end lets the devices finish what they say.
func (h *household) end() {
	h.stop()
	h.done.Wait()
}

// hush waits until nobody speaks, and keeps it so until the returned function
// is called.
func (h *household) hush() (goOn func()) {
	h.quiet.Lock()
	return h.quiet.Unlock
}

func (h *household) speak(ctx context.Context, random *rand.Rand, m member) {
	var client mqtt.Client
	for n := 1; ; {
		select {
		case <-ctx.Done():
			if client != nil {
				client.Disconnect(100)
			}
			return
		case <-time.After(below(random, 2*m.pace)):
		}
		h.quiet.RLock()
		if client == nil {
			client = dialHome(h.port, m.name)
		}
		if client != nil {
			message := m.says(n)
			n++
			h.promises.note(message, false)
			token := client.Publish(message.topic, 1, false, message.payload)
			if token.WaitTimeout(answerTime) && token.Error() == nil {
				h.promises.note(message, true)
			} else {
				client.Disconnect(0)
				client = nil
			}
		}
		h.quiet.RUnlock()
	}
}

// dialHome connects to a home's port; nil when nobody answers there. The
// client neither reconnects nor repeats anything.
func dialHome(port, name string) mqtt.Client {
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + port).SetClientID(name).
		SetAutoReconnect(false).SetConnectRetry(false).SetCleanSession(true).SetConnectTimeout(answerTime))
	if token := client.Connect(); !token.WaitTimeout(answerTime) || token.Error() != nil {
		return nil
	}
	return client
}

// below is a random duration below most.
func below(random *rand.Rand, most time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(most)))
}

// answerTime is how long a device waits for the home's answer; the home may
// be dead.
const answerTime = 20 * time.Second

// staff takes and closes alerts now and then, until ctx ends. What the cloud
// answers with 200 is a promise; what else happens is not.
func (c *cloud) staff(ctx context.Context, p *promises, quiet *sync.RWMutex, random *rand.Rand, pace time.Duration) {
	client := &http.Client{Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	call := func(method, path, body string, into any) bool {
		req, err := http.NewRequestWithContext(ctx, method, "http://"+c.http+path, strings.NewReader(body))
		if err != nil {
			return false
		}
		req.Header.Set("Authorization", "Bearer "+c.token)
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK && json.NewDecoder(resp.Body).Decode(into) == nil
	}
	turn := func() {
		quiet.RLock()
		defer quiet.RUnlock()
		var list struct{ Alerts []alert }
		if !call(http.MethodGet, "/api/v1/alerts?state=active&limit=50", "", &list) || len(list.Alerts) == 0 {
			return
		}
		for _, a := range list.Alerts {
			p.told(a.ID, a.State, false)
		}
		a := list.Alerts[random.IntN(len(list.Alerts))]
		path, body := "/acknowledge", ""
		if a.State == "acknowledged" || random.IntN(3) == 0 {
			path, body = "/resolve", `{"outcome":"helped"}`
		}
		var now alert
		if call(http.MethodPost, "/api/v1/alerts/"+a.ID+path, body, &now) {
			p.told(a.ID, now.State, true)
		}
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(below(random, 2*pace)):
			turn()
		}
	}
}

// TestPromisesHaveTeeth: a stock that differs from what was promised is found
// out, whichever way it differs.
func TestPromisesHaveTeeth(t *testing.T) {
	t.Parallel()
	p := newPromises()
	p.note(message{press: true, key: "sent"}, true)
	p.note(message{press: true, key: "unsure"}, false)
	p.note(message{key: "t=1"}, true)
	p.told("a", "acknowledged", true)
	fine := func() stock {
		once := map[string]int{"sent": 1}
		return stock{
			records: maps.Clone(once), alerts: maps.Clone(once), pressed: maps.Clone(once), readings: map[string]int{"t=1": 1},
			states: map[string]string{"a": "acknowledged"}, events: map[string]int{"a": 2},
		}
	}
	if got := p.differ(fine()); len(got) != 0 {
		t.Errorf("a good stock: %v", got)
	}
	for name, harm := range map[string]func(*stock){
		"no record":           func(s *stock) { delete(s.records, "sent") },
		"no alert":            func(s *stock) { delete(s.alerts, "sent") },
		"two alerts":          func(s *stock) { s.alerts["sent"] = 2 },
		"twice though unsure": func(s *stock) { s.records["unsure"] = 2 },
		"out of nowhere":      func(s *stock) { s.records["other"] = 1 },
		"not in history":      func(s *stock) { delete(s.pressed, "sent") },
		"reading lost":        func(s *stock) { delete(s.readings, "t=1") },
		"reading doubled":     func(s *stock) { s.readings["t=1"] = 2 },
		"went back":           func(s *stock) { s.states["a"] = "open" },
		"alert gone":          func(s *stock) { delete(s.states, "a") },
		"event lost":          func(s *stock) { s.events["a"] = 1 },
		"no event":            func(s *stock) { s.states["b"] = "open" },
		"gap":                 func(s *stock) { s.gaps = []string{"1 to 3"} },
	} {
		s := fine()
		harm(&s)
		if len(p.differ(s)) == 0 {
			t.Errorf("%s: not found", name)
		}
	}
}
