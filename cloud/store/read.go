package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// Boots returns the corrections of all boots.
func (s *Store) Boots(ctx context.Context) ([]care.Boot, error) {
	boots, err := list(ctx, s.read, func(row scanner) (b care.Boot, err error) {
		var micros int64
		err = row.Scan(&b.Gateway, &b.Boot, &micros)
		b.Offset = time.Duration(micros) * time.Microsecond
		return b, err
	}, `SELECT gateway, boot, shift FROM boots ORDER BY gateway, boot`)
	if err != nil {
		return nil, fmt.Errorf("read boots: %w", err)
	}
	return boots, nil
}

// States returns the watchers' states.
func (s *Store) States(ctx context.Context) ([]care.HomeState, error) {
	states, err := list(ctx, s.read, func(row scanner) (h care.HomeState, err error) {
		err = row.Scan(&h.Home, &h.State)
		return h, err
	}, `SELECT home, state FROM states ORDER BY home`)
	if err != nil {
		return nil, fmt.Errorf("read watchers' states: %w", err)
	}
	return states, nil
}

const selectAlarmRecord = `SELECT gateway, epoch, seq, home, received, record FROM alarm_records `

func scanAlarmRecord(row scanner) (care.AlarmRecord, error) {
	var r care.AlarmRecord
	var record []byte
	if err := row.Scan(&r.Gateway, &r.Epoch, &r.Seq, &r.Home, (*when)(&r.Received), &record); err != nil {
		return r, err
	}
	if err := json.Unmarshal(record, &r.Record); err != nil {
		return r, fmt.Errorf("%s %s/%d: %w", r.Gateway, r.Epoch, r.Seq, err)
	}
	return r, nil
}

// Uncopied returns alarm records that the time series does not have yet,
// oldest first; limit 0 is all.
func (s *Store) Uncopied(ctx context.Context, limit int) ([]care.AlarmRecord, error) {
	records, err := list(ctx, s.read, scanAlarmRecord, selectAlarmRecord+`WHERE copied = 0
		ORDER BY received, gateway, epoch, seq LIMIT CAST($1 AS BIGINT)`, bound(limit))
	if err != nil {
		return nil, fmt.Errorf("read alarm records to copy: %w", err)
	}
	return records, nil
}

// MarkCopied notes that the time series has the records.
func (s *Store) MarkCopied(ctx context.Context, records []care.AlarmRecord) error {
	if len(records) == 0 {
		return nil
	}
	err := s.update(ctx, func(t *tx) error {
		for _, r := range records {
			if _, err := t.exec(ctx, `UPDATE alarm_records SET copied = 1 WHERE gateway = $1 AND epoch = $2 AND seq = $3`, r.Gateway, r.Epoch, r.Seq); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("mark alarm records as copied: %w", err)
	}
	return nil
}

// Refused returns messages that were not understood, newest first; limit 0 is
// all that are kept: 200 of each gateway, 10,000 in all.
func (s *Store) Refused(ctx context.Context, limit int) ([]care.RefusedMessage, error) {
	messages, err := list(ctx, s.read, func(row scanner) (m care.RefusedMessage, err error) {
		err = row.Scan(&m.Gateway, &m.Topic, &m.Seq, &m.ID, &m.Error, &m.Payload, (*when)(&m.Received))
		return m, err
	}, `SELECT gateway, topic, seq, error_id, error, payload, received FROM refused ORDER BY id DESC LIMIT CAST($1 AS BIGINT)`, bound(limit))
	if err != nil {
		return nil, fmt.Errorf("read refused messages: %w", err)
	}
	return messages, nil
}

// AlarmRecords returns what was committed of a gateway's alarm lane, from one
// sequence number to another, in their order.
func (s *Store) AlarmRecords(ctx context.Context, gateway, epoch string, from, to uint64) ([]care.AlarmRecord, error) {
	records, err := list(ctx, s.read, scanAlarmRecord, selectAlarmRecord+`WHERE gateway = $1 AND epoch = $2 AND seq BETWEEN $3 AND $4 ORDER BY seq`,
		gateway, epoch, from, to)
	if err != nil {
		return nil, fmt.Errorf("read alarm records of %s: %w", gateway, err)
	}
	return records, nil
}
