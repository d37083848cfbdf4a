package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
)

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Look whether the log of who looked at what, and did what, is as it was written."`
}

type auditVerifyCmd struct {
	Head string `help:"An end of the log that was noted before, as the service writes it into its own log once a day; without it, one cannot see whether the newest entries were cut off and others put in their place." placeholder:"ID:HASH"`
}

// entry is what the log says of a change that was made on the command line: by
// whoever runs the machine, of whom no more is known.
func entry(action, home, detail string) care.AuditEntry {
	return care.AuditEntry{At: time.Now(), Actor: care.CommandLine, Role: care.Operator, Action: action, Home: home, Detail: detail}
}

var errAudit = errors.New("LYK-0512: the audit log is not as it was written")

// Run checks the chain of the log.
func (a *auditVerifyCmd) Run(c *CLI, env Env) error {
	noted, err := parseHead(a.Head)
	if err != nil {
		return err
	}
	return c.with(env, func(db *store.Store) error {
		r, err := db.VerifyAudit(env.Context, noted)
		if err != nil {
			return err
		}
		for _, fault := range r.Faults {
			if _, err := fmt.Fprintln(env.Out, fault); err != nil {
				return err
			}
		}
		if more := r.Faulty - int64(len(r.Faults)); more > 0 {
			if _, err := fmt.Fprintln(env.Out, "and", more, "more"); err != nil {
				return err
			}
		}
		if r.Faulty > 0 {
			return fmt.Errorf("%w: faults: %d", errAudit, r.Faulty)
		}
		_, err = fmt.Fprintf(env.Out, "the audit log is as it was written; entries: %d, from before there was a chain: %d, end: %s\n", r.Entries, r.Before, head(r.Head))
		return err
	})
}

func head(h store.AuditHead) string { return fmt.Sprintf("%d:%s", h.ID, h.Hash) }

func parseHead(text string) (store.AuditHead, error) {
	if text == "" {
		return store.AuditHead{}, nil
	}
	id, hash, ok := strings.Cut(text, ":")
	n, err := strconv.ParseInt(id, 10, 64)
	if !ok || err != nil || n < 1 || len(hash) != 64 {
		return store.AuditHead{}, fmt.Errorf("%q is not an end of the log, such as 1234: and 64 hexadecimal digits", text)
	}
	return store.AuditHead{ID: n, Hash: hash}, nil
}

// headEvery is how often the end of the audit log is written elsewhere.
const headEvery = 24 * time.Hour

// noteAuditHead writes the end of the audit log into the service's own log, at
// the start and once a day: a log that was cut off later does not hold it any more.
func noteAuditHead(ctx context.Context, db *store.Store, log *slog.Logger) error {
	return every(ctx, headEvery, func() {
		h, err := db.AuditHead(ctx)
		switch {
		case err == nil && h.Hash != "":
			log.Info("the audit log ends here; keep this line for lykta-cloud audit verify", "head", head(h))
		case err != nil && ctx.Err() == nil:
			log.Warn("the end of the audit log cannot be read", "id", "LYK-0512", "err", err)
		}
	})
}
