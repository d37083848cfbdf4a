package influx

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

// ready sees to it, once, that the buckets are there.
func (s *Store) ready(ctx context.Context) error {
	if s.prepared.Load() {
		return nil
	}
	if err := take(ctx, s.preparing); err != nil {
		return err
	}
	defer func() { <-s.preparing }()
	if s.prepared.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	if err := s.prepare(ctx, s.opts.Bucket, s.opts.Retention); err != nil {
		return err
	}
	if s.opts.RollupBucket != s.opts.Bucket {
		if err := s.prepare(ctx, s.opts.RollupBucket, s.opts.RollupRetention); err != nil {
			return err
		}
	}
	s.prepared.Store(true)
	return nil
}

// prepare makes the bucket if it is missing. What the token does not allow is
// left: the bucket may be there, and if it is not, the first write says so.
func (s *Store) prepare(ctx context.Context, bucket string, keep time.Duration) error {
	status, body, err := s.call(ctx, http.MethodGet, "api/v2/buckets?"+url.Values{"name": {bucket}, "org": {s.opts.Org}}.Encode(), nil)
	if err != nil {
		return s.fault("look for bucket "+bucket, err)
	}
	var answer struct {
		Code    string
		Buckets []struct{ Name string }
	}
	isJSON := json.Unmarshal(body, &answer) == nil
	switch {
	case status == http.StatusNotFound && !isJSON:
		return s.prepare1(ctx, bucket, keep) // 1.8 has no such page
	case status == http.StatusOK && isJSON:
		for _, b := range answer.Buckets {
			if b.Name == bucket {
				return nil
			}
		}
		return s.create(ctx, bucket, keep)
	case status == http.StatusNotFound:
		return s.create(ctx, bucket, keep)
	case status == http.StatusForbidden:
		return nil
	}
	return s.fault("look for bucket "+bucket, answered(status, body))
}

// create makes a bucket in InfluxDB 2. The client library could, but does not
// tell the status of what went wrong.
func (s *Store) create(ctx context.Context, bucket string, keep time.Duration) error {
	status, body, err := s.call(ctx, http.MethodGet, "api/v2/orgs?"+url.Values{"org": {s.opts.Org}}.Encode(), nil)
	if err != nil {
		return s.fault("look for organisation "+s.opts.Org, err)
	}
	var answer struct{ Orgs []struct{ ID string } }
	if status != http.StatusOK || json.Unmarshal(body, &answer) != nil || len(answer.Orgs) == 0 {
		return s.missing(bucket, "look for organisation "+s.opts.Org, status, body)
	}
	rules := []map[string]any{}
	if keep > 0 {
		rules = append(rules, map[string]any{"type": "expire", "everySeconds": int64(keep / time.Second)})
	}
	request, err := json.Marshal(map[string]any{"orgID": answer.Orgs[0].ID, "name": bucket, "retentionRules": rules})
	if err != nil {
		return fmt.Errorf("create bucket %s: %w", bucket, err)
	}
	status, body, err = s.call(ctx, http.MethodPost, "api/v2/buckets", request)
	switch {
	case err != nil:
		return s.fault("create bucket "+bucket, err)
	case status == http.StatusCreated, status == http.StatusUnprocessableEntity:
		return nil // the latter: it is there, and the token may not see it
	}
	return s.missing(bucket, "create bucket "+bucket, status, body)
}

// missing says why a bucket that is missing could not be made.
func (s *Store) missing(bucket, doing string, status int, body []byte) error {
	err := answered(status, body)
	switch status {
	case http.StatusOK, http.StatusForbidden, http.StatusNotFound:
		return fmt.Errorf("%s: %w: create it with: influx bucket create --org %q --name %q: %w", doing, errMissing, s.opts.Org, bucket, err)
	}
	return s.fault(doing, err)
}

func answered(status int, body []byte) error {
	return &influxhttp.Error{StatusCode: status, Code: fmt.Sprintf("status %d", status), Message: strings.ToValidUTF8(string(body[:min(len(body), 300)]), "")}
}

// prepare1 makes a database and its retention policy in InfluxDB 1.8.
func (s *Store) prepare1(ctx context.Context, bucket string, keep time.Duration) error {
	db, policy, ok := strings.Cut(bucket, "/")
	if !ok || db == "" || policy == "" {
		return fmt.Errorf("%w: on InfluxDB 1.8 a bucket is \"database/retention-policy\", not %q", errConfig, bucket)
	}
	duration := "INF REPLICATION 1 SHARD DURATION 4w" // a shard of a week is small for homes
	if keep > 0 {
		duration = fmt.Sprintf("%ds REPLICATION 1", max(int64(keep/time.Second), 3600)) // an hour is the least that 1.8 takes
	}
	for _, statement := range []string{
		fmt.Sprintf(`CREATE DATABASE "%s"`, db),
		fmt.Sprintf(`CREATE RETENTION POLICY "%s" ON "%s" DURATION %s`, policy, db, duration),
	} {
		status, body, err := s.call(ctx, http.MethodPost, "query?"+url.Values{"q": {statement}}.Encode(), nil)
		if err != nil {
			return s.fault("create "+bucket, err)
		}
		var answer struct {
			Error   string
			Results []struct{ Error string }
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			return s.fault("create "+bucket, answered(status, body))
		}
		for _, r := range answer.Results {
			answer.Error += r.Error
		}
		switch {
		case status == http.StatusForbidden, strings.Contains(answer.Error, "already exists"):
		case status != http.StatusOK:
			return s.fault("create "+bucket, answered(status, body))
		case answer.Error != "":
			return fmt.Errorf("%w: %s: %s", errConfig, statement, answer.Error)
		}
	}
	return nil
}

// call makes a request that the client library has no words for.
func (s *Store) call(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(s.opts.URL, "/")+"/"+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if s.opts.Token != "" {
		req.Header.Set("Authorization", "Token "+s.opts.Token)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, answer, err
}
