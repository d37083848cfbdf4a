package web

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lykta/lykta/cloud/care"
)

// mayRing returns a problem while somebody who is no staff has rung a home in vain
// so often that it is to be left in peace for a while. A call about an alarm that is
// not over is never one too many, nor is the same call again.
func (s *server) mayRing(ctx context.Context, start CallStart, alert care.Alert) error {
	if start.By.As.Staff() || alert.ID != "" && alert.State != care.Resolved {
		return nil
	}
	_, err := s.CallBook.Call(ctx, start.ID)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return s.failed("call a home", err)
	}
	now := time.Now()
	calls, err := s.CallBook.Calls(ctx, care.CallFilter{Home: start.Home.ID, From: now.Add(-care.RingsInVainIn)})
	if err != nil {
		return s.failed("call a home", err)
	}
	again := care.RingAgain(start.By.ID, calls, now)
	if again.IsZero() {
		return nil
	}
	if zone, err := time.LoadLocation(start.Home.Zone); err == nil {
		again = again.In(zone)
	}
	p := signInProblem(http.StatusTooManyRequests, "LYK-0440", "You have rung three times without an answer")
	p.Detail = fmt.Sprintf("You have rung three times without an answer. You can ring again at %s.", again.Format("15:04"))
	p.Again = &again
	wait := int(math.Ceil(time.Until(again).Seconds()))
	return huma.ErrorWithHeaders(p, http.Header{"Retry-After": {strconv.Itoa(max(1, wait))}})
}
