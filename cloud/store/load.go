package store

import (
	"context"
	"fmt"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// Raised returns the alerts that were raised in a time, and all that was
// decided then to tell of alerts; area "" is all areas.
func (s *Store) Raised(ctx context.Context, area string, from, to time.Time) ([]care.Alert, []care.Told, error) {
	const of = ` AND ($3 = '' OR home IN (SELECT id FROM homes WHERE area = $3))`
	alerts, err := list(ctx, s.read, scanAlert, selectAlert+`WHERE raised >= $1 AND raised < $2`+of+` ORDER BY raised, id`, from, to, area)
	if err != nil {
		return nil, nil, fmt.Errorf("read alerts of a time: %w", err)
	}
	told, err := list(ctx, s.read, scanTold, selectTold+`WHERE t.decided >= $1 AND t.decided < $2`+of+` ORDER BY t.decided`, from, to, area)
	if err != nil {
		return nil, nil, fmt.Errorf("read tellings of a time: %w", err)
	}
	return alerts, told, nil
}
