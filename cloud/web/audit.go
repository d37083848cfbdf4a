package web

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
)

// What is in the log. An action is for machines, and screens have words for
// those that they know; what it is about beside the home is in the detail.
//
//	look home, look alerts, look check_in, look visits, look messages, look video,
//	look video, look activity, look health, look climate, look contacts, look notes
//	                        somebody saw that field (care.Field)
//	look log                somebody read this log
//	allow FIELD             a decision of the resident; the detail is the party:
//	refuse FIELD            staff, relatives, person:ID
//	acknowledge, take over, on the way, resolve
//	                        a deed to an alert; the detail is the alert
//	silence, end silence, announce test, end test, add home, change home,
//	write card, write note, write message, visit STATE, place devices, and a
//	command to the gateway by its type
//	                        deeds; the detail is what they made or changed
//	call, join call, leave call, answer call, auto answer, end call
//	                        calls by video; the detail is the call, of an answer also how,
//	                        of an end why. "auto answer" is by who called: the screen answered
//	                        by itself, as the resident has allowed
//	call, join call, leave call, answer call, auto answer, end call, note call
//	                        a call by video; the detail begins with the call
//	invite to call          somebody made a link to a call; the detail is who it is for
//	add to GROUP, remove from GROUP
//	                        who is told of alerts of the home; the detail is the person
//
// Deeds that are about no home, such as "change person" or "sign in", have none.
//
// Entries from before say "look at home", "look at readings" and "follow home":
// all three are looks at home, activity and climate.

// look is the action of somebody who saw a field.
func look(f care.Field) string { return "look " + string(f) }

// lookAtLog is the action of somebody who read the log.
const lookAtLog = "look log"

// fieldsSeen are the fields of which an answer holds something.
type fieldsSeen map[care.Field]bool

// looked notes what somebody was shown of a home.
func (s *server) looked(ctx context.Context, actor access.Actor, home string, seen fieldsSeen) {
	var actions []string
	for _, f := range care.Fields() {
		if seen[f] {
			actions = append(actions, look(f))
		}
	}
	s.audit.looks(ctx, s.Log, actor, home, actions...)
}

// Looks of one person at one home within lookWindow are one entry in the log:
// it is read by people.
const (
	lookWindow = 5 * time.Minute
	maxLooks   = 10_000
)

// auditor writes the log of who looked at what.
type auditor struct {
	log interface {
		Audit(ctx context.Context, entries ...care.AuditEntry) error
	}
	turn chan struct{} // who holds it writes

	mu     sync.Mutex
	recent map[[3]string]time.Time // credential, action, home
	next   *entriesAtOnce          // gathers while others are written; nil is none yet
}

// entriesAtOnce are written in one transaction. Who has the turn alone touches
// what follows the entries.
type entriesAtOnce struct {
	entries []care.AuditEntry
	written bool
	err     error
}

func newAuditor(log Operations) *auditor {
	return &auditor{log: log, turn: make(chan struct{}, 1), recent: map[[3]string]time.Time{}}
}

// look notes that somebody saw something of a home.
func (a *auditor) look(ctx context.Context, log *slog.Logger, actor access.Actor, action, home string) {
	a.looks(ctx, log, actor, home, action)
}

func (a *auditor) looks(ctx context.Context, log *slog.Logger, actor access.Actor, home string, actions ...string) {
	a.write(ctx, log, actor, map[string][]string{home: actions})
}

// write notes looks at homes, by home, at once: those that are not in the log
// already.
func (a *auditor) write(ctx context.Context, log *slog.Logger, actor access.Actor, looks map[string][]string) {
	now := time.Now()
	var entries []care.AuditEntry
	var keys [][3]string
	a.mu.Lock()
	for _, home := range sortedKeys(looks) {
		for _, action := range looks[home] {
			key := [3]string{actor.Credential, action, home}
			if now.Sub(a.recent[key]) < lookWindow {
				continue
			}
			if len(a.recent) >= maxLooks {
				clear(a.recent)
			}
			a.recent[key] = now
			keys = append(keys, key)
			entries = append(entries, care.AuditEntry{At: now, Actor: actor.Name, Role: actor.Role, Action: action, Home: home})
		}
	}
	a.mu.Unlock()
	if a.note(ctx, log, entries...) {
		return
	}
	a.mu.Lock() // the next look is tried to be noted
	defer a.mu.Unlock()
	for _, key := range keys {
		delete(a.recent, key)
	}
}

// note writes entries, and reports whether it could. Care is not refused
// because the log cannot be written; the failure is noted in the service's own.
func (a *auditor) note(ctx context.Context, log *slog.Logger, entries ...care.AuditEntry) bool {
	if len(entries) == 0 {
		return true
	}
	err := a.together(ctx, entries)
	if err != nil {
		e := entries[0]
		log.Error("write the audit log", "id", "LYK-0509", "actor", e.Actor, "action", e.Action, "home", e.Home, "err", err)
	}
	return err == nil
}

// together writes entries with those of others who ask meanwhile. However many
// look at the beginning of a shift, an alarm waits for one of them to be written.
func (a *auditor) together(ctx context.Context, entries []care.AuditEntry) error {
	a.mu.Lock()
	if a.next == nil {
		a.next = &entriesAtOnce{}
	}
	mine := a.next
	mine.entries = append(mine.entries, entries...)
	a.mu.Unlock()
	a.turn <- struct{}{}
	defer func() { <-a.turn }()
	if !mine.written {
		a.mu.Lock()
		a.next = nil
		a.mu.Unlock()
		mine.written = true
		mine.err = a.log.Audit(context.WithoutCancel(ctx), mine.entries...)
	}
	return mine.err
}
