package turn

import (
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// quiet makes pion's loggers. What a client does wrong is counted; its words are
// for debugging, and never the words for each packet.
type quiet struct{ log *slog.Logger }

// NewLogger is of pion's interface.
func (q quiet) NewLogger(string) logging.LeveledLogger { return q }

// The words for each packet and request are not even made.
func (quiet) Trace(string)          {}
func (quiet) Tracef(string, ...any) {}
func (quiet) Debug(string)          {}
func (quiet) Debugf(string, ...any) {}

func (q quiet) Info(m string)                { q.say(m) }
func (q quiet) Infof(form string, a ...any)  { q.say(fmt.Sprintf(form, a...)) }
func (q quiet) Warn(m string)                { q.say(m) }
func (q quiet) Warnf(form string, a ...any)  { q.say(fmt.Sprintf(form, a...)) }
func (q quiet) Error(m string)               { q.say(m) }
func (q quiet) Errorf(form string, a ...any) { q.say(fmt.Sprintf(form, a...)) }

func (q quiet) say(m string) { q.log.Debug("TURN", "said", m) }
