package app

import (
	"context"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/visit"
	"github.com/lykta/lykta/cloud/web"
)

// calls is the service that carries calls, as the web side uses it.
type calls struct{ service *visit.Service }

func who(a web.Attendee) visit.Who { return visit.Who(a) }

func (c calls) Start(ctx context.Context, s web.CallStart) (care.Call, error) {
	return c.service.Start(ctx, visit.Start{
		ID: s.ID, Home: s.Home, Visit: s.Visit, Alert: s.Alert, By: who(s.By), Role: s.By.As, Picture: s.Picture,
		Countdown: int(s.AnswersItself / time.Second),
	})
}

func (c calls) Attend(ctx context.Context, call string, a web.Attendee, conn web.CallConn) error {
	return c.service.Attend(ctx, call, who(a), conn)
}

func (c calls) HangUp(ctx context.Context, call string, a web.Attendee) (care.Call, error) {
	return c.service.HangUp(ctx, call, who(a))
}
