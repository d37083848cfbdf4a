package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/lykta/lykta/cloud/care"
)

// Audit writes entries to the audit log.
func (s *Store) Audit(ctx context.Context, entries ...care.AuditEntry) error {
	err := s.update(ctx, func(t *tx) error { return t.putAudit(ctx, entries...) })
	if err != nil {
		return fmt.Errorf("write audit log: %w", err)
	}
	return nil
}

// putAudit adds entries to the end of the chain. Transactions that write do not
// overlap, so that there is one end.
func (t *tx) putAudit(ctx context.Context, entries ...care.AuditEntry) error {
	if len(entries) == 0 {
		return nil
	}
	first, err := t.next(ctx, "audit", len(entries))
	if err != nil {
		return err
	}
	ends, err := list(ctx, t, scanText, `SELECT hash FROM audit ORDER BY id DESC LIMIT 1`)
	if err != nil {
		return fmt.Errorf("end of the audit log: %w", err)
	}
	prev := ""
	if len(ends) > 0 {
		prev = ends[0]
	}
	rows := make([][]any, len(entries))
	for i, e := range entries {
		l := link{id: first + int64(i), prev: prev, entry: e}
		prev = l.sum()
		rows[i] = []any{l.id, e.At, e.Actor, string(e.Role), e.Action, e.Home, e.Detail, l.prev, prev}
	}
	if err := t.insert(ctx, `INSERT INTO audit (id, at, actor, role, action, home, detail, prev, hash)`, ``, rows); err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	return nil
}

// Deeds returns what people did to an alert, oldest first.
func (s *Store) Deeds(ctx context.Context, alert string) ([]care.AuditEntry, error) {
	a, err := s.Alert(ctx, alert)
	if err != nil {
		return nil, err
	}
	entries, err := list(ctx, s.read, scanAudit, selectAudit+`WHERE home = $1 AND detail = $2 ORDER BY id`, a.Home, alert)
	if err != nil {
		return nil, fmt.Errorf("read what was done to alert %s: %w", alert, err)
	}
	return entries, nil
}

const selectAudit = `SELECT at, actor, role, action, home, detail FROM audit `

func scanAudit(row scanner) (e care.AuditEntry, err error) {
	err = row.Scan((*when)(&e.At), &e.Actor, &e.Role, &e.Action, &e.Home, &e.Detail)
	return e, err
}

// AuditLog returns the newest entries about a home, newest first; home "" is
// all entries, limit 0 is no limit.
func (s *Store) AuditLog(ctx context.Context, home string, limit int) ([]care.AuditEntry, error) {
	query, args := selectAudit, []any{bound(limit)}
	if home != "" {
		query, args = query+`WHERE home = $2 `, append(args, home)
	}
	entries, err := list(ctx, s.read, scanAudit, query+`ORDER BY id DESC LIMIT CAST($1 AS BIGINT)`, args...)
	if err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	return entries, nil
}

// link is one entry of the log in its chain.
type link struct {
	id         int64
	prev, hash string // hexadecimal; prev is "" of the first
	entry      care.AuditEntry
}

// sum is the entry's hash: SHA-256 of the one before it (32 bytes, none for the
// first) and of the entry's canonical bytes, which are its id, time in
// microseconds since 1970 UTC, actor, role, action, home and detail, each as a
// netstring (its length in bytes in decimal, ":", itself, ","). See
// docs/privacy.md.
func (l link) sum() string {
	b, err := hex.DecodeString(l.prev)
	if err != nil {
		b = []byte(l.prev) // somebody has been at it: no hash will be right
	}
	e := l.entry
	for _, field := range []string{
		strconv.FormatInt(l.id, 10), strconv.FormatInt(micros(e.At), 10), text(e.Actor), text(string(e.Role)), text(e.Action), text(e.Home), text(e.Detail),
	} {
		b = fmt.Appendf(b, "%d:%s,", len(field), field)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

const selectLink = `SELECT id, at, actor, role, action, home, detail, prev, hash FROM audit `

func scanLink(row scanner) (l link, err error) {
	err = row.Scan(&l.id, (*when)(&l.entry.At), &l.entry.Actor, &l.entry.Role, &l.entry.Action, &l.entry.Home, &l.entry.Detail, &l.prev, &l.hash)
	return l, err
}

// AuditHead is the newest entry of the log.
type AuditHead struct {
	ID   int64
	Hash string // hexadecimal; "" while there is none in the chain
}

// AuditHead returns the end of the chain. Kept elsewhere, it shows later
// whether the log still holds all that it held.
func (s *Store) AuditHead(ctx context.Context) (AuditHead, error) {
	heads, err := list(ctx, s.read, scanLink, selectLink+`ORDER BY id DESC LIMIT 1`)
	if err != nil {
		return AuditHead{}, fmt.Errorf("end of the audit log: %w", err)
	}
	if len(heads) == 0 {
		return AuditHead{}, nil
	}
	return AuditHead{heads[0].id, heads[0].hash}, nil
}

// AuditReport is what VerifyAudit found.
type AuditReport struct {
	Entries int64 // in the chain
	Before  int64 // from before there was a chain
	Head    AuditHead
	// Faults are the first of them, in words; Faulty is how many there are.
	Faults []string
	Faulty int64
}

// mostFaults is how many faults are told in words.
const mostFaults = 20

func (r *AuditReport) fault(format string, args ...any) {
	if r.Faulty++; len(r.Faults) < mostFaults {
		r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
	}
}

// verifyAtOnce is how many entries are read at a time.
const verifyAtOnce = 1000

// VerifyAudit goes through the whole log and finds entries that were changed,
// removed, put in or moved. An end that was cut off is found when a head is
// given that was noted before; the zero head is none.
func (s *Store) VerifyAudit(ctx context.Context, noted AuditHead) (AuditReport, error) {
	var r AuditReport
	var last link
	found := noted == AuditHead{}
	for {
		links, err := list(ctx, s.read, scanLink, selectLink+`WHERE id > $1 ORDER BY id LIMIT CAST($2 AS BIGINT)`, last.id, verifyAtOnce)
		if err != nil {
			return r, fmt.Errorf("verify audit log: %w", err)
		}
		for _, l := range links {
			r.check(last, l)
			if found = found || l.id == noted.ID; l.id == noted.ID && l.hash != noted.Hash {
				r.fault("entry %d is another one than was noted: its hash was %.16s…", l.id, noted.Hash)
			}
			last = l
		}
		if len(links) < verifyAtOnce {
			break
		}
	}
	r.Head = AuditHead{last.id, last.hash}
	given, err := one(ctx, s.read, func(row scanner) (n int64, err error) { err = row.Scan(&n); return n, err }, `SELECT value FROM counters WHERE name = 'audit'`)
	if err != nil {
		return r, fmt.Errorf("verify audit log: %w", err)
	}
	switch {
	case !found:
		r.fault("the end is cut off: entry %d, which was noted, is not there", noted.ID)
	case last.id < given:
		r.fault("the end is cut off: entries %d to %d are not there", last.id+1, given)
	}
	return r, nil
}

// check compares an entry with itself and with the one before it.
func (r *AuditReport) check(last, l link) {
	gap := l.id != last.id+1
	if gap {
		r.fault("entries %d to %d are not there", last.id+1, l.id-1)
	}
	switch {
	case l.hash == "" && r.Entries == 0:
		r.Before++
		return
	case l.hash == "":
		r.fault("entry %d was put in: it is not in the chain", l.id)
	case l.hash != l.sum():
		r.fault("entry %d was changed, put in or moved: it does not fit its hash", l.id)
	case l.prev != last.hash && !gap:
		r.fault("entry %d does not follow the one before it: what was between them is not there, or entry %d is another one", l.id, last.id)
	}
	r.Entries++
}
