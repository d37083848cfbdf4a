package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "modernc.org/sqlite" // the driver
)

// cloud is a lykta-cloud in a process of its own, and the InfluxDB that it may have.
type cloud struct {
	program    []string // and its first arguments
	env        []string
	dir        string
	http, mqtt string
	mqttTLS    string
	args       []string // of run
	tls        *authority
	*process
	influx    *process // nil is the embedded store
	influxURL string
	profile   string // address of its profiles; empty is none
}

// areaSize is how many homes an area has, whose carers see them and no others.
const areaSize = 500

func areaName(number int) string { return fmt.Sprintf("area-%04d", number) }

func (c *cloud) data() string     { return filepath.Join(c.dir, "cloud") }
func (c *cloud) database() string { return filepath.Join(c.data(), "lykta.db") }

// cli runs a command of lykta-cloud.
func (c *cloud) cli(ctx context.Context, args ...string) (string, error) {
	args = append(append(c.program[1:len(c.program):len(c.program)], "--data", c.data()), args...)
	out, err := exec.CommandContext(ctx, c.program[0], args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return "", fmt.Errorf("lykta-cloud %v: %w", args, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// prepare makes a database with the homes in it, as they are when they have
// long been there: nothing waits to be sent to them.
func (c *cloud) prepare(ctx context.Context, homes int, created time.Time) error {
	if _, err := c.cli(ctx, "migrate"); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", c.database())
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	const columns = `INSERT INTO homes (id, gateway, name, area, zone, check_ins, created, words) VALUES `
	const atOnce = 100
	add := func(from, to int) error {
		args := make([]any, 0, 8*(to-from))
		for i := from; i < to; i++ {
			name := fmt.Sprintf("Hemma hos nummer %d", i)
			args = append(args, homeName(int32(i)), gatewayName(int32(i)), name, areaName(i/areaSize), "Europe/Stockholm", "null", created.UnixMicro(), strings.ToLower(name))
		}
		_, err := tx.ExecContext(ctx, columns+strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?, ?, ?, ?, ?), ", to-from), ", "), args...)
		return err
	}
	for from := 0; from < homes; from += atOnce {
		if err := add(from, min(homes, from+atOnce)); err != nil {
			return fmt.Errorf("add homes: %w", err)
		}
	}
	return tx.Commit()
}

// carer makes somebody who sees the homes of one area, and returns their token.
func (c *cloud) carer(ctx context.Context, area int) (string, error) {
	id := fmt.Sprintf("carer-%d", area)
	if _, err := c.cli(ctx, "person", "add", "--id", id, "--role", "caregiver", "--area", areaName(area)); err != nil {
		return "", err
	}
	return c.cli(ctx, "token", "create", "--role", "caregiver", "--person", id)
}

// run starts the service, or starts it again, and waits until it serves.
func (c *cloud) run() (err error) {
	env := append([]string{"LYKTA_FLEET_PROFILE=" + c.profile}, c.env...)
	args := append(c.program[1:len(c.program):len(c.program)], "run", "--data", c.data(), "--listen", c.http, "--mqtt-listen", c.mqtt)
	if c.process, err = start(c.dir, "lykta-cloud", c.program[0], env, append(args, c.args...)...); err != nil {
		return err
	}
	return c.until("it answers", 5*time.Minute, func() bool {
		resp, err := http.Get("http://" + c.http + "/healthz")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// uncopied is how many alarm records are not in the time series yet.
func (c *cloud) uncopied() (n int, err error) {
	db, err := sql.Open("sqlite", c.database()+"?mode=ro")
	if err != nil {
		return 0, err
	}
	err = db.QueryRow(`SELECT count(*) FROM alarm_records WHERE copied = 0`).Scan(&n)
	return n, errors.Join(err, db.Close())
}

// stop ends the service in order, so that everything is in its files.
func (c *cloud) stop() error { return c.end(syscall.SIGTERM) }

// close ends what still runs.
func (c *cloud) close() {
	_ = c.process.end(syscall.SIGKILL)
	_ = c.influx.end(syscall.SIGTERM)
}

const influxConfig = `reporting-disabled = true
bind-address = %q
[meta]
  dir = %q
[data]
  dir = %q
  wal-dir = %q
  index-version = "tsi1"
  query-log-enabled = false
  max-values-per-tag = 0
  max-series-per-database = 0
[http]
  bind-address = %q
  flux-enabled = true
  log-enabled = false
  max-row-limit = 0
[monitor]
  store-enabled = false
[logging]
  level = "warn"
  suppress-logo = true
`

// influxd starts a real InfluxDB 1.8 for the service.
func (c *cloud) influxd(binary string) error {
	dir := filepath.Join(c.dir, "influxdb")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	rpc, err1 := freeAddress()
	api, err2 := freeAddress()
	file := filepath.Join(dir, "influxdb.conf")
	config := fmt.Sprintf(influxConfig, rpc, filepath.Join(dir, "meta"), filepath.Join(dir, "data"), filepath.Join(dir, "wal"), api)
	if err := errors.Join(err1, err2, os.WriteFile(file, []byte(config), 0o600)); err != nil {
		return err
	}
	var err error
	if c.influx, err = start(c.dir, "influxd", binary, nil, "-config", file); err != nil {
		return err
	}
	c.influxURL = "http://" + api
	c.args = append(c.args, "--influx-url", c.influxURL, "--influx-bucket", "lykta/autogen")
	return c.influx.until("it answers", 2*time.Minute, func() bool {
		resp, err := http.Get(c.influxURL + "/ping")
		return err == nil && resp.Body.Close() == nil
	})
}

// metrics are the service's own figures, those without labels and the sums of
// those with.
func (c *cloud) metrics() map[string]float64 {
	out := map[string]float64{}
	resp, err := http.Get("http://" + c.http + "/metrics")
	if err != nil {
		return out
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		name, value, ok := strings.Cut(lines.Text(), " ")
		if !ok || strings.HasPrefix(name, "#") || strings.Contains(name, "_bucket{") {
			continue
		}
		name, _, _ = strings.Cut(name, "{")
		if v, err := strconv.ParseFloat(value, 64); err == nil {
			out[name] += v
		}
	}
	return out
}

// heap is how much memory of the service is in use after a collection, in its
// heap and in its stacks: its profile asks for one. 0 when it has no profiles.
func (c *cloud) heap() (heap, stacks float64) {
	if c.profile == "" || fetch("http://"+c.profile+"/debug/pprof/heap?gc=1", io.Discard) != nil {
		return 0, 0
	}
	m := c.metrics()
	return m["go_memstats_heap_alloc_bytes"], m["go_memstats_stack_inuse_bytes"]
}

// save keeps a profile in a file.
func (c *cloud) save(dir, name, query string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	return errors.Join(fetch("http://"+c.profile+"/debug/pprof/"+query, f), f.Close())
}

func fetch(address string, to io.Writer) error {
	resp, err := http.Get(address)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(to, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", address, resp.Status)
	}
	return nil
}

// influxQuery asks InfluxDB for CSV.
func (c *cloud) influxQuery(ctx context.Context, query string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.influxURL+"/query?"+url.Values{
		"db": {"lykta"}, "epoch": {"ns"}, "chunked": {"true"}, "chunk_size": {"20000"}, "q": {query},
	}.Encode(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/csv")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("InfluxDB: %s", resp.Status), resp.Body.Close())
	}
	return resp.Body, nil
}
