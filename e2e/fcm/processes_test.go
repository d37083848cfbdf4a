package fcm

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/notify"
	"github.com/lykta/lykta/cloud/notify/notifytest"
	"github.com/lykta/lykta/cloud/notify/webpush"
)

const asSender = "LYKTA_TEST_AS_SENDER"

// The test binary is also the sender: Env is for another program, and net/http
// reads the proxy once in a process's life.
func TestMain(m *testing.M) {
	if os.Getenv(asSender) != "" {
		sendOrders(os.Stdin, os.Stdout)
		return
	}
	os.Exit(m.Run())
}

// order is what the sender is asked to push.
type order struct {
	Keys  keyPair
	To    string
	Alert Alert
}

// sendOrders answers each order with "accepted" or the kind of the failure.
func sendOrders(r io.Reader, w io.Writer) {
	in, out := json.NewDecoder(r), json.NewEncoder(w)
	for {
		var o order
		if in.Decode(&o) != nil {
			return
		}
		err := o.send()
		kind := "accepted"
		var of *notify.Error
		if errors.As(err, &of) {
			kind = of.Kind.Error()
		} else if err != nil {
			kind = err.Error()
		}
		_ = out.Encode(kind)
	}
}

func (o order) send() error {
	channel, err := webpush.New(webpush.Options{
		PublicKey: o.Keys.Public, PrivateKey: o.Keys.Private, Subject: "https://lykta.example",
		Timeout: 2 * time.Second,
	})
	if err != nil {
		return err
	}
	_, err = channel.Send(context.Background(), notify.Message{
		To: o.To, Key: o.Alert.Key, Title: o.Alert.Title, Text: o.Alert.Text, Emergency: true, Expires: time.Now().Add(time.Hour),
	})
	return err
}

func startSender(t *testing.T, s *Service) func(order) string {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	sender := talk(t, append(s.Env(), asSender+"=1"), program)
	return func(o order) (kind string) {
		t.Helper()
		line, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		sender.ask(string(line), &kind)
		return kind
	}
}

// subscribeByHand does what a browser does to subscribe, up to the connection:
// a phone that is never in reach.
func (s *Service) subscribeByHand(t *testing.T, vapid string) string {
	t.Helper()
	checkin := s.post(t, "/checkin", "", string(building{}.number(14, 3)))
	device, err := parse([]byte(checkin))
	if err != nil || device.numbers[7] == 0 {
		t.Fatalf("%q: %v", checkin, err)
	}
	id, secret := strconv.FormatUint(device.numbers[7], 10), strconv.FormatUint(device.numbers[8], 10)
	token, ok := strings.CutPrefix(s.post(t, "/c2dm/register3", "AidLogin "+id+":"+secret, url.Values{
		"app": {"org.chromium.linux"}, "X-subtype": {"wp:http://127.0.0.1/#1"}, "device": {id}, "sender": {vapid},
	}.Encode()), "token=")
	if !ok {
		t.Fatal(token)
	}
	point, err := base64.RawURLEncoding.DecodeString(vapid) // any point will do: nobody decrypts
	if err != nil {
		t.Fatal(err)
	}
	return notifytest.SubscriptionJSON("https://"+hosts[0]+"/fcm/send/"+token, point, make([]byte, 16))
}

func (s *Service) post(t *testing.T, path, authorization, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.browsers.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", authorization)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}
