package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// AddHome stores a new home. It returns ErrExists when its id or its gateway
// is taken, and what Home.Check finds.
func (s *Store) AddHome(ctx context.Context, h care.Home) error {
	checkIns, err := encodeHome(h)
	if err != nil {
		return fmt.Errorf("add home %s: %w", h.ID, err)
	}
	err = s.update(ctx, func(t *tx) error {
		n, err := t.exec(ctx, `INSERT INTO homes (id, gateway, name, area, zone, check_ins, created, words) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT DO NOTHING`, h.ID, h.Gateway, h.Name, h.Area, h.Zone, checkIns, h.Created, words(h.Name))
		if err == nil && n == 0 {
			return ErrExists
		}
		if err == nil { // what waits is for who lived with the box before
			err = t.withdraw(ctx, h.Gateway, time.Now())
		}
		return errors.Join(err, t.touchScreen(ctx, time.Now(), h.ID))
	})
	if err != nil {
		return fmt.Errorf("add home %s: %w", h.ID, err)
	}
	return nil
}

// UpdateHome replaces all of a home but its id and when it was created. Another
// gateway than before is given the home's configuration and the messages that
// have not reached it; nothing else that waits for it, or for the one before, is
// sent any more. It returns ErrNotFound when there is none, ErrExists when another
// home has the gateway, and what Home.Check finds.
func (s *Store) UpdateHome(ctx context.Context, h care.Home) error {
	checkIns, err := encodeHome(h)
	if err != nil {
		return fmt.Errorf("update home %s: %w", h.ID, err)
	}
	err = s.update(ctx, func(t *tx) error {
		others, err := list(ctx, t, scanText, `SELECT id FROM homes WHERE gateway = $1 AND id <> $2`, h.Gateway, h.ID)
		if err != nil {
			return err
		}
		if len(others) > 0 {
			return fmt.Errorf("gateway %s is in another home: %w", h.Gateway, ErrExists)
		}
		if err := t.moveTo(ctx, h.ID, h.Gateway, time.Now()); err != nil {
			return err
		}
		n, err := t.exec(ctx, `UPDATE homes SET gateway = $1, name = $2, area = $3, zone = $4, check_ins = $5, words = $6 WHERE id = $7`,
			h.Gateway, h.Name, h.Area, h.Zone, checkIns, words(h.Name), h.ID)
		if err == nil && n == 0 {
			return ErrNotFound
		}
		return errors.Join(err, t.touchScreen(ctx, time.Now(), h.ID))
	})
	if err != nil {
		return fmt.Errorf("update home %s: %w", h.ID, err)
	}
	return nil
}

func encodeHome(h care.Home) (checkIns string, err error) {
	if err := h.Check(); err != nil {
		return "", err
	}
	data, err := json.Marshal(h.CheckIns)
	return string(data), err
}

const selectHome = `SELECT id, gateway, name, area, zone, check_ins, created FROM homes `

func scanHome(row scanner) (care.Home, error) {
	var h care.Home
	var checkIns []byte
	if err := row.Scan(&h.ID, &h.Gateway, &h.Name, &h.Area, &h.Zone, &checkIns, (*when)(&h.Created)); err != nil {
		return care.Home{}, err
	}
	// A home whose windows cannot be read is there all the same, with its alarms: it
	// expects no check-in until somebody sets them anew.
	if json.Unmarshal(checkIns, &h.CheckIns) != nil {
		h.CheckIns, h.Fault = nil, faultCheckIns
	}
	if len(h.CheckIns) == 0 {
		h.CheckIns = nil
	}
	return h, nil
}

// faultCheckIns is of a home whose check-in windows cannot be read.
const faultCheckIns = "LYK-0450"

// faulty says once of each home what of it cannot be read.
func (s *Store) faulty(homes ...care.Home) {
	for _, h := range homes {
		if h.Fault == "" {
			s.faults.Delete(h.ID)
		} else if _, said := s.faults.Swap(h.ID, true); !said {
			s.log().Error("the check-in windows of a home cannot be read: none is expected there until they are set anew", "id", h.Fault, "home", h.ID)
		}
	}
}

func scanText(row scanner) (s string, err error) {
	err = row.Scan(&s)
	return s, err
}

// Homes returns all homes, by id.
func (s *Store) Homes(ctx context.Context) ([]care.Home, error) {
	homes, err := list(ctx, s.read, scanHome, selectHome+`ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("read homes: %w", err)
	}
	s.faulty(homes...)
	return homes, nil
}

// Home returns one home, or ErrNotFound.
func (s *Store) Home(ctx context.Context, id string) (care.Home, error) {
	h, err := one(ctx, s.read, scanHome, selectHome+`WHERE id = $1`, id)
	if err != nil {
		return care.Home{}, fmt.Errorf("read home %q: %w", id, err)
	}
	s.faulty(h)
	return h, nil
}

// HomeByGateway returns the home that a gateway stands in, or ErrNotFound.
func (s *Store) HomeByGateway(ctx context.Context, gateway string) (care.Home, error) {
	h, err := one(ctx, s.read, scanHome, selectHome+`WHERE gateway = $1`, gateway)
	if err != nil {
		return care.Home{}, fmt.Errorf("read home of gateway %q: %w", gateway, err)
	}
	s.faulty(h)
	return h, nil
}
