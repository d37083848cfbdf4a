package publish

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// Touching is what a simulated resident does at the screen.
type Touching struct {
	// CheckIn: says "I am OK" when there is none of today.
	CheckIn bool
	// Every is how often the resident comes by; 0 is 30 s.
	Every time.Duration
}

// Touch is the simulated resident at the gateway's screen (http://host:port):
// whenever they come by they check in, take the medicines that are due, answer
// how they are, and look at messages. It lives as long as the context, whose
// error it returns.
func Touch(ctx context.Context, url string, how Touching, log *slog.Logger) error {
	if how.Every <= 0 {
		how.Every = 30 * time.Second
	}
	t := touch{url: strings.TrimSuffix(url, "/"), client: &http.Client{Timeout: patience}}
	tick := time.NewTicker(how.Every)
	defer tick.Stop()
	for {
		if err := t.comeBy(ctx, how); err != nil && ctx.Err() == nil {
			log.Warn("simulated resident: screen", "url", url, "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

type touch struct {
	url    string
	client *http.Client
}

// shown is what the resident sees of the status.
type shown struct {
	Now  int64  `json:"now"` // microseconds; 0 is not known
	Zone string `json:"zone"`
	Day  *struct {
		Ask     int `json:"ask"`
		Prompts []struct {
			ID         string `json:"id"`
			At         int    `json:"at"`
			Days       []int  `json:"days"`
			Medication bool   `json:"medication"`
		} `json:"prompts"`
	} `json:"day"`
	CheckIn  *struct{} `json:"check_in"`
	Messages []struct {
		ID    string `json:"id"`
		Heard bool   `json:"heard"`
	} `json:"messages"`
	Taken     map[string]int64 `json:"taken"`
	WellBeing *int64           `json:"well_being"`
}

func (t touch) comeBy(ctx context.Context, how Touching) error {
	var s shown
	if err := t.look(ctx, &s); err != nil {
		return err
	}
	if s.CheckIn == nil && how.CheckIn {
		if err := t.press(ctx, "check_in", 1, ""); err != nil {
			return err
		}
	}
	for _, m := range s.Messages {
		if !m.Heard {
			if err := t.post(ctx, "/messages/"+m.ID+"/heard", map[string]any{"spoken": true}); err != nil {
				return err
			}
		}
	}
	zone, err := time.LoadLocation(s.Zone)
	if s.Now == 0 || s.Day == nil || err != nil {
		return nil
	}
	now := time.UnixMicro(s.Now).In(zone)
	minute := now.Hour()*60 + now.Minute()
	for _, p := range s.Day.Prompts {
		today := len(p.Days) == 0
		for _, d := range p.Days {
			today = today || d == (int(now.Weekday())+6)%7+1
		}
		if _, taken := s.Taken[p.ID]; p.Medication && today && !taken && minute >= p.At {
			if err := t.press(ctx, "medication", 1, p.ID); err != nil {
				return err
			}
		}
	}
	if s.Day.Ask > 0 && minute >= s.Day.Ask && s.WellBeing == nil {
		return t.press(ctx, "well_being", 3, "")
	}
	return nil
}

func (t touch) look(ctx context.Context, into *shown) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, t.url+"/status", nil)
	if err != nil {
		return fmt.Errorf("look at the screen: %w", err)
	}
	resp, err := t.client.Do(r)
	if err != nil {
		return fmt.Errorf("look at the screen: %w", err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(into); err != nil {
		return fmt.Errorf("look at the screen: %w", err)
	}
	return nil
}

// press does something, with the same key until it is answered.
func (t touch) press(ctx context.Context, kind string, value float64, text string) error {
	deed := map[string]any{"kind": kind, "value": value, "text": text, "key": rand.Text()}
	err := t.post(ctx, "/press", deed)
	for tries := 0; err != nil && tries < 3 && ctx.Err() == nil; tries++ {
		err = t.post(ctx, "/press", deed)
	}
	return err
}

func (t touch) post(ctx context.Context, path string, body any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("touch the screen: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url+path, bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("touch the screen: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := t.client.Do(r)
	if err != nil {
		return fmt.Errorf("touch the screen: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 200)) // the status says enough
		return fmt.Errorf("touch the screen: POST %s: %s %s", path, resp.Status, text)
	}
	return nil
}
