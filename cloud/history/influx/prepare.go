package influx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/domain"

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
	status, body, err := s.call(ctx, http.MethodGet, "api/v2/buckets?"+url.Values{"name": {bucket}, "org": {s.opts.Org}}.Encode())
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
	return s.fault("look for bucket "+bucket, &influxhttp.Error{StatusCode: status, Code: http.StatusText(status), Message: clip(string(body))})
}

// create makes a bucket in InfluxDB 2.
func (s *Store) create(ctx context.Context, bucket string, keep time.Duration) error {
	org, err := s.client.OrganizationsAPI().FindOrganizationByName(ctx, s.opts.Org)
	if err == nil {
		_, err = s.client.BucketsAPI().CreateBucketWithName(ctx, org, bucket, domain.RetentionRule{EverySeconds: int64(keep / time.Second)})
	}
	var refusal *influxhttp.Error
	if errors.As(err, &refusal) {
		switch refusal.StatusCode {
		case http.StatusUnprocessableEntity: // a token that may not see it may still write to it
			return nil
		case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
			return missing(bucket, s.opts.Org, err)
		}
	}
	if err != nil && strings.Contains(err.Error(), "not found") { // the client's own words for no such organisation
		return missing(bucket, s.opts.Org, err)
	}
	return s.fault("create bucket "+bucket, err)
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
		status, body, err := s.call(ctx, http.MethodPost, "query?"+url.Values{"q": {statement}}.Encode())
		if err != nil {
			return s.fault("create "+bucket, err)
		}
		var answer struct {
			Error   string
			Results []struct{ Error string }
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			answer.Error = clip(string(body))
		}
		for _, r := range answer.Results {
			answer.Error += r.Error
		}
		switch {
		case status == http.StatusForbidden, strings.Contains(answer.Error, "already exists"):
		case status != http.StatusOK:
			return s.fault("create "+bucket, &influxhttp.Error{StatusCode: status, Code: http.StatusText(status), Message: answer.Error})
		case answer.Error != "":
			return fmt.Errorf("%w: %s: %s", errConfig, statement, answer.Error)
		}
	}
	return nil
}

// call makes a request that the client library has no words for.
func (s *Store) call(ctx context.Context, method, path string) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(s.opts.URL, "/")+"/"+path, nil)
	if err != nil {
		return 0, nil, err
	}
	if s.opts.Token != "" {
		req.Header.Set("Authorization", "Token "+s.opts.Token)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, body, err
}
