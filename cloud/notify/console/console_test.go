package console_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/lykta/lykta/cloud/notify"
	"github.com/lykta/lykta/cloud/notify/console"
)

func TestWhatWouldBeSentIsInTheLog(t *testing.T) {
	var log bytes.Buffer
	c := console.Channel{Log: slog.New(slog.NewTextHandler(&log, nil))}
	id, err := c.Send(t.Context(), notify.Message{Key: "k", To: "+46701234567", Text: "Någon behöver hjälp nu."})
	if err != nil || id != "k" || !strings.Contains(log.String(), "Någon behöver hjälp nu.") {
		t.Errorf("%q, %v; the log: %s", id, err, log.String())
	}
	if _, err := c.Send(t.Context(), notify.Message{Key: "k"}); !errors.Is(err, notify.ErrFinal) {
		t.Errorf("an empty message: %v", err)
	}
}
