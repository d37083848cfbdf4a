package ingest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices/wire"
)

// counted is a mailbox that counts what is read of it.
type counted struct {
	mailbox
	looks, reads atomic.Int64
}

type mailbox interface {
	PendingCommands(ctx context.Context, gateway string, now time.Time) ([]care.PendingCommand, error)
	RepeatCommands(ctx context.Context, gateway string, now time.Time) ([]care.PendingCommand, error)
	WaitingGateways(ctx context.Context) ([]string, error)
	FinishCommand(ctx context.Context, gateway, id string, reply []byte) error
}

func (m *counted) WaitingGateways(ctx context.Context) ([]string, error) {
	m.looks.Add(1)
	return m.mailbox.WaitingGateways(ctx)
}

func (m *counted) RepeatCommands(ctx context.Context, gateway string, now time.Time) ([]care.PendingCommand, error) {
	m.reads.Add(1)
	return m.mailbox.RepeatCommands(ctx, gateway, now)
}

// A home that has no connection costs nothing, however much waits for it, and is
// told everything by its first word when it is back.
func TestCommandsForAbsentHomesAreLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, care.Home{})
		defer c.close()
		m := &counted{mailbox: c.db}
		c.stop()
		c.mailbox = m
		c.start()
		c.batch(wire.Telemetry, batchOf(1, heartbeat()))
		c.send(wire.LeafState, []byte(`{"online":false}`))
		for i := range 20 {
			command := wire.Command{ID: fmt.Sprint("screen-", i), Type: wire.CommandScreen}
			if err := c.db.PutCommand(t.Context(), care.PendingCommand{Gateway: gateway, Command: command}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if looks, reads, sent := m.looks.Load(), m.reads.Load(), c.line.commands(); looks > 15 || reads != 0 || sent != 0 {
			t.Errorf("in an hour looked %d times, read %d times, sent %d", looks, reads, sent)
		}
		c.batch(wire.Telemetry, batchOf(2, heartbeat()))
		if n := c.line.commands(); n != 20 {
			t.Errorf("with its first word it is sent %d of 20", n)
		}
		c.batch(wire.Telemetry, batchOf(3, heartbeat()))
		if n := c.line.commands(); n != 20 {
			t.Errorf("with its second word it is sent %d more", n-20)
		}
		time.Sleep(40 * time.Second)
		synctest.Wait()
		if n := c.line.commands(); n != 40 {
			t.Errorf("half a minute later, unanswered, it was sent %d", n)
		}
	})
}

// A picture for which a home had no room is sent again as long as the home says
// so, now and then; one that is not answered at all waits until the home is back.
func TestAPictureThatHadNoRoomIsSentAgainSlowly(t *testing.T) {
	for _, refuses := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, care.Home{})
			defer c.close()
			picture := wire.Command{ID: "c1", Type: wire.CommandMessage, Args: fmt.Appendf(nil, `{"picture":%q}`, strings.Repeat("A", 100_000))}
			if err := c.db.PutCommand(t.Context(), care.PendingCommand{Gateway: gateway, Command: picture}); err != nil {
				t.Fatal(err)
			}
			reply, err := json.Marshal(wire.Reply{ID: "c1", Error: &wire.Problem{ID: wire.ErrIDNotStored}})
			if err != nil {
				t.Fatal(err)
			}
			half := func() (sent int) { // of an hour in which it is there
				before := c.line.commands()
				for i := range 60 {
					had := c.line.commands()
					c.batch(wire.Telemetry, batchOf(uint64(i+1), heartbeat()))
					time.Sleep(30 * time.Second)
					synctest.Wait()
					if refuses && c.line.commands() > had {
						c.send(wire.LeafReply, reply)
					}
				}
				return c.line.commands() - before
			}
			half()
			if sent := half(); refuses && (sent < 4 || sent > 7) || !refuses && sent != 0 {
				t.Errorf("refused %v: sent %d times in the second half hour", refuses, sent)
			}
		})
	}
}
