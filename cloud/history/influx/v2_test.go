package influx_test

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/history/influx"
)

// v2 answers as InfluxDB 2.7 does, by its documentation: there is no 2.x that
// builds with the Go toolchain alone, so that it cannot be run by the tests.
// What it says is canned; what it is asked is checked.
type v2 struct {
	t *testing.T

	mu      sync.Mutex
	buckets map[string]bool
	lines   map[string]string // of bucket reading, as written
	hidden  bool              // the token may not look for buckets
	frozen  bool              // the token may not make them
	write   func(lines []string) (int, string)
	query   func(flux string) string
}

const token = "an-all-access-token=="

func (v *v2) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	w.Header().Set("X-Influxdb-Version", "v2.7.12")
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	fail := func(status int, code, message string) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"code": code, "message": message})
	}
	if r.URL.Path == "/ping" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if r.Header.Get("Authorization") != "Token "+token {
		fail(http.StatusUnauthorized, "unauthorized", "unauthorized access")
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /api/v2/buckets":
		name := r.URL.Query().Get("name")
		switch {
		case v.hidden:
			fail(http.StatusForbidden, "forbidden", "read:orgs/0a/buckets is unauthorized")
		case !v.buckets[name]:
			fail(http.StatusNotFound, "not found", fmt.Sprintf("bucket %q not found", name))
		default:
			_, _ = fmt.Fprintf(w, `{"links":{},"buckets":[{"id":"0b","orgID":"0a","type":"user","name":%q,"retentionRules":[]}]}`, name)
		}
	case "GET /api/v2/orgs":
		if r.URL.Query().Get("org") != "kommunen" {
			fail(http.StatusNotFound, "not found", `organization name "x" not found`)
			return
		}
		_, _ = io.WriteString(w, `{"links":{},"orgs":[{"id":"0a","name":"kommunen"}]}`)
	case "POST /api/v2/buckets":
		var b struct {
			Name, OrgID    string
			RetentionRules []struct{ EverySeconds int64 }
		}
		if err := json.NewDecoder(r.Body).Decode(&b); err != nil || b.OrgID != "0a" {
			v.t.Errorf("create bucket: %+v, %v", b, err)
		}
		if v.frozen {
			fail(http.StatusForbidden, "forbidden", "write:orgs/0a/buckets is unauthorized")
			return
		}
		v.buckets[b.Name] = true
		w.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprintf(w, `{"id":"0b","orgID":"0a","type":"user","name":%q,"retentionRules":[]}`, b.Name)
	case "POST /api/v2/write":
		q := r.URL.Query()
		if q.Get("org") != "kommunen" || q.Get("precision") != "ns" || r.Header.Get("Content-Encoding") != "gzip" {
			v.t.Errorf("write to %s, encoding %q", r.URL, r.Header.Get("Content-Encoding"))
		}
		if !v.buckets[q.Get("bucket")] {
			fail(http.StatusNotFound, "not found", fmt.Sprintf("bucket %q not found", q.Get("bucket")))
			return
		}
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			v.t.Error(err)
			return
		}
		body, err := io.ReadAll(z)
		if err != nil {
			v.t.Error(err)
		}
		lines := strings.Split(string(body), "\n")
		if status, message := v.write(lines); status != http.StatusNoContent {
			code := map[int]string{400: "invalid", 413: "request too large", 422: "unprocessable entity", 429: "too many requests", 500: "internal error", 503: "unavailable"}[status]
			fail(status, code, message)
			return
		}
		for _, line := range lines {
			v.lines[line] = q.Get("bucket")
		}
		w.WriteHeader(http.StatusNoContent)
	case "POST /api/v2/query":
		var q struct{ Query, Type string }
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q.Type != "flux" || r.URL.Query().Get("org") != "kommunen" {
			v.t.Errorf("query %+v to %s: %v", q, r.URL, err)
		}
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		_, _ = io.WriteString(w, strings.ReplaceAll(v.query(q.Query), "\n", "\r\n"))
	default:
		v.t.Errorf("InfluxDB 2 is asked for %s %s", r.Method, r.URL)
		fail(http.StatusNotFound, "not found", "path not found")
	}
}

func openV2(t *testing.T, opts influx.Options) (*v2, *influx.Store) {
	t.Helper()
	v := &v2{t: t, buckets: map[string]bool{"lykta": true}, lines: map[string]string{},
		write: func([]string) (int, string) { return http.StatusNoContent, "" }, query: func(string) string { return "\n" }}
	server := httptest.NewServer(v)
	t.Cleanup(server.Close)
	opts.URL, opts.Bucket = server.URL, "lykta"
	if opts.Token == "" {
		opts.Token = token
	}
	if opts.Org == "" {
		opts.Org = "kommunen"
	}
	return v, open(t, opts)
}

func TestVersion2WritesAndReads(t *testing.T) {
	v, s := openV2(t, influx.Options{})
	p := at(hour, 1.5)
	p.Room = "hall"
	p.Seq = 1007
	write(t, s, p)
	want := fmt.Sprintf("reading,device=d,home=h,kind=power,room=hall v=1.5 %d", hour.UnixNano()+7)
	if v.lines[want] != "lykta" {
		t.Errorf("written: %q, want %q", v.lines, want)
	}
	v.query = func(flux string) string {
		if !strings.HasPrefix(flux, `from(bucket: "lykta") |> range(`) {
			t.Errorf("query %s", flux)
		}
		return `#group,false,false,false,false,true,true,true,true,true
#datatype,string,long,dateTime:RFC3339,double,string,string,string,string,string
#default,_result,,,,,,,,
,result,table,_time,_value,_field,home,device,kind,room
,,0,` + hour.Format("2006-01-02T15:04:05") + `.000000007Z,1.5,v,h,d,power,hall

`
	}
	got, err := s.Raw(t.Context(), history.Query{Home: "h"})
	if err != nil || len(got) != 1 || got[0].Nanos() != p.Nanos() || *got[0].Value != 1.5 || got[0].Unit != "W" || got[0].Room != "hall" {
		t.Errorf("read: %+v, %v", got, err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
	v.query = func(string) string {
		return "#datatype,string,string\n#group,true,true\n#default,,\n,error,reference\n,query terminated: reached maximum concurrency,897\n\n"
	}
	if _, err := s.Raw(t.Context(), history.Query{Home: "h"}); !errors.Is(err, history.ErrUnavailable) {
		t.Errorf("a query that fails in the middle of its answer: %v", err)
	}
}

func TestVersion2MakesMissingBuckets(t *testing.T) {
	v, s := openV2(t, influx.Options{RollupBucket: "lykta-hours"})
	delete(v.buckets, "lykta")
	write(t, s, at(hour, 1))
	if !v.buckets["lykta"] || !v.buckets["lykta-hours"] {
		t.Errorf("buckets: %v", v.buckets)
	}
	for line, bucket := range v.lines {
		if (bucket == "lykta-hours") != strings.HasPrefix(line, "reading_1h") {
			t.Errorf("%q is in bucket %s", line, bucket)
		}
	}

	v, s = openV2(t, influx.Options{RollupBucket: "lykta-hours"})
	v.frozen = true // a token that may not make them
	err := s.Write(t.Context(), []history.Point{at(hour, 1)})
	if !errors.Is(err, history.ErrUnavailable) || !strings.Contains(err.Error(), `influx bucket create --org "kommunen" --name "lykta-hours"`) {
		t.Errorf("a bucket that cannot be made: %v", err)
	}

	v, s = openV2(t, influx.Options{})
	v.hidden = true // a token that may only read and write the bucket
	write(t, s, at(hour, 1))

	_, s = openV2(t, influx.Options{Org: "nobody", RollupBucket: "missing"})
	if err := s.Ping(t.Context()); !errors.Is(err, history.ErrUnavailable) || !strings.Contains(err.Error(), "LYK-0311") {
		t.Errorf("an organisation that is not there: %v", err)
	}
	_, s = openV2(t, influx.Options{Token: "wrong"})
	if err := s.Write(t.Context(), []history.Point{at(hour, 1)}); !errors.Is(err, history.ErrUnavailable) || !strings.Contains(err.Error(), "LYK-0310") {
		t.Errorf("a wrong token: %v", err)
	}
}

func TestVersion2Faults(t *testing.T) {
	isReading := func(lines []string) bool { return strings.HasPrefix(lines[0], "reading,") }
	for _, c := range []struct {
		name, message string
		status        int
		refused       int // points of the four; -1 is an outage
		bad           func(line string) bool
		id            string
	}{
		{"one of another type", `failure writing points to database: partial write: field type conflict: input field "v" on measurement "reading" is type float, already exists as type integer dropped=1`, 422, 1, func(l string) bool { return strings.Contains(l, "v=2") }, "LYK-0313"},
		{"one that cannot be parsed", `unable to parse 'reading,…': missing fields`, 400, 1, func(l string) bool { return strings.Contains(l, "v=3") }, "LYK-0313"},
		{"the oldest beyond the retention", `failure writing points to database: partial write: points beyond retention policy dropped=1`, 422, 1, func(l string) bool { return strings.Contains(l, "v=0 ") }, "LYK-0313"},
		{"too large in one piece", `cannot read data: points batch is too large`, 413, 2, func(l string) bool { return strings.Contains(l, "v=1") || strings.Contains(l, "v=2") }, "LYK-0313"},
		{"too many requests", "org 0a has exceeded limited_write plan limit", 429, -1, func(string) bool { return true }, "LYK-0300"},
		{"internal error", "unexpected error writing points to database: timeout", 500, -1, func(string) bool { return true }, "LYK-0300"},
		{"not now", "", 503, -1, func(string) bool { return true }, "LYK-0300"},
		{"something else about the request", "invalid precision", 400, -1, func(string) bool { return true }, "LYK-0316"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, s := openV2(t, influx.Options{})
			v.write = func(lines []string) (int, string) {
				for _, l := range lines {
					if isReading(lines) && c.bad(l) {
						return c.status, c.message
					}
				}
				return http.StatusNoContent, ""
			}
			var points []history.Point
			for i := range 4 {
				points = append(points, at(hour.Add(time.Duration(i)*time.Minute), float64(i)))
			}
			err := s.Write(t.Context(), points)
			if err == nil || !strings.Contains(err.Error(), c.id) {
				t.Errorf("error %v, want %s", err, c.id)
			}
			if c.refused < 0 {
				if !errors.Is(err, history.ErrUnavailable) {
					t.Errorf("not an outage: %v", err)
				}
				return
			}
			if !isRefusal(err, c.refused) {
				t.Errorf("not a refusal of %d: %v", c.refused, err)
			}
			kept := 0
			for line := range v.lines {
				if strings.HasPrefix(line, "reading,") {
					kept++
				}
			}
			if kept != 4-c.refused {
				t.Errorf("%d points were kept, want %d", kept, 4-c.refused)
			}
		})
	}
}
