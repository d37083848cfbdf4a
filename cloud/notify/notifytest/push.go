package notifytest

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Push is a double of a push service and of the browser behind it: it checks
// the VAPID token (RFC 8292) and decrypts the payload (RFC 8291).
type Push struct {
	*httpDouble
	vapid string
	key   *ecdh.PrivateKey
	auth  []byte
}

// NewPush starts a push service with one subscription, bound to a VAPID key.
func NewPush(t testing.TB, vapidPublic string) *Push {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d := &Push{vapid: vapidPublic, key: key, auth: make([]byte, 16)}
	_, _ = rand.Read(d.auth)
	d.httpDouble = newHTTP(t, protocol{
		address: refusal{http.StatusBadRequest, "malformed"},
		gone:    refusal{http.StatusGone, "push subscription has unsubscribed or expired"},
		take:    d.take,
		accept: func(w http.ResponseWriter, a Accepted) {
			w.Header().Set("Location", a.ID)
			w.WriteHeader(http.StatusCreated)
		},
	})
	return d
}

// Subscription is what the browser gives to the page, as JSON.
func (d *Push) Subscription() string {
	return SubscriptionJSON(d.Address+"/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV", d.key.PublicKey().Bytes(), d.auth)
}

// SubscriptionJSON is a PushSubscription as browsers write it.
func SubscriptionJSON(endpoint string, p256dh, auth []byte) string {
	out, _ := json.Marshal(map[string]any{"endpoint": endpoint, "expirationTime": nil, "keys": map[string]string{
		"p256dh": base64.RawURLEncoding.EncodeToString(p256dh), "auth": base64.RawURLEncoding.EncodeToString(auth),
	}})
	return string(out)
}

var topicForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

func (d *Push) take(r *http.Request, body []byte, n int) (Accepted, *refusal) {
	if err := d.checkVAPID(r.Header.Get("Authorization")); err != nil {
		return Accepted{}, &refusal{http.StatusForbidden, err.Error()}
	}
	ttl, err := strconv.Atoi(r.Header.Get("TTL"))
	if err != nil || ttl < 0 || r.Header.Get("Content-Encoding") != "aes128gcm" || !topicForm.MatchString(r.Header.Get("Topic")) {
		return Accepted{}, &refusal{http.StatusBadRequest, "TTL, encoding or topic"}
	}
	if len(body) > 4096 {
		return Accepted{}, &refusal{http.StatusRequestEntityTooLarge, "payload too large"}
	}
	plain, err := d.decrypt(body)
	if err != nil {
		return Accepted{}, &refusal{http.StatusBadRequest, err.Error()}
	}
	var shown struct{ Title, Text, URL string }
	if err := json.Unmarshal(plain, &shown); err != nil {
		return Accepted{}, &refusal{http.StatusBadRequest, err.Error()}
	}
	return Accepted{
		ID: fmt.Sprintf("%s/message/%d", d.Address, n), Key: r.Header.Get("Topic"), To: d.Subscription(), Payload: plain,
		Text: shown.Title + "\n" + shown.Text + "\n" + shown.URL,
	}, nil
}

// decrypt follows RFC 8188, 2 and RFC 8291, 3.
func (d *Push) decrypt(body []byte) ([]byte, error) {
	if len(body) < 21+65 || body[20] != 65 {
		return nil, errors.New("no header of aes128gcm with a P-256 key")
	}
	salt, record, keyID, sealed := body[:16], binary.BigEndian.Uint32(body[16:20]), body[21:86], body[86:]
	if int(record) < len(sealed) {
		return nil, errors.New("more than one record")
	}
	sender, err := ecdh.P256().NewPublicKey(keyID)
	if err != nil {
		return nil, err
	}
	shared, err := d.key.ECDH(sender)
	if err != nil {
		return nil, err
	}
	info := bytes.Join([][]byte{[]byte("WebPush: info\x00"), d.key.PublicKey().Bytes(), keyID}, nil)
	ikm, err := hkdf.Key(sha256.New, shared, d.auth, string(info), 32)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, err
	}
	nonce, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	padded, err := gcm.Open(nil, nonce, sealed, nil)
	if err != nil {
		return nil, err
	}
	plain, ok := bytes.CutSuffix(bytes.TrimRight(padded, "\x00"), []byte{2})
	if !ok {
		return nil, errors.New("not the last record")
	}
	return plain, nil
}

// checkVAPID follows RFC 8292, 2 and 3.
func (d *Push) checkVAPID(header string) error {
	rest, ok := strings.CutPrefix(header, "vapid ")
	params := map[string]string{}
	for _, p := range strings.Split(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		params[name] = value
	}
	parts := strings.Split(params["t"], ".")
	if !ok || len(parts) != 3 || params["k"] != d.vapid {
		return errors.New("the subscription belongs to another key")
	}
	var claims struct {
		Aud, Sub string
		Exp      int64
	}
	if raw, err := base64.RawURLEncoding.DecodeString(parts[1]); err != nil || json.Unmarshal(raw, &claims) != nil {
		return errors.New("no claims")
	}
	left := time.Until(time.Unix(claims.Exp, 0))
	mail := strings.HasPrefix(claims.Sub, "mailto:") && !strings.HasPrefix(claims.Sub, "mailto:mailto:")
	if claims.Aud != d.Address || left <= 0 || left > 24*time.Hour || !mail && !strings.HasPrefix(claims.Sub, "https://") {
		return fmt.Errorf("claims %+v", claims)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != 64 {
		return errors.New("no signature of ES256")
	}
	point, err := base64.RawURLEncoding.DecodeString(params["k"])
	if err != nil {
		return err
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		return errors.New("the signature is wrong")
	}
	return nil
}

// Webhook is a double of a receiver that checks as the Standard Webhooks
// specification 1.0.0 says.
type Webhook struct {
	*httpDouble
	secret []byte
}

// NewWebhook starts a receiver; secret is whsec_ and base64.
func NewWebhook(t testing.TB, secret string) *Webhook {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	d := &Webhook{secret: key}
	d.httpDouble = newHTTP(t, protocol{
		address: refusal{http.StatusBadRequest, "no"},
		gone:    refusal{http.StatusGone, "gone"},
		take:    d.take,
		accept:  func(w http.ResponseWriter, _ Accepted) { w.WriteHeader(http.StatusAccepted) },
	})
	return d
}

// URL is the receiver's address.
func (d *Webhook) URL() string { return d.Address + "/hooks/lykta?for=alerts" }

func (d *Webhook) take(r *http.Request, body []byte, _ int) (Accepted, *refusal) {
	id, at := r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp")
	mac := hmac.New(sha256.New, d.secret)
	mac.Write([]byte(id + "." + at + "." + string(body)))
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	seconds, err := strconv.ParseInt(at, 10, 64)
	if age := time.Since(time.Unix(seconds, 0)); err != nil || age.Abs() > 5*time.Minute || want != r.Header.Get("webhook-signature") {
		return Accepted{}, &refusal{http.StatusUnauthorized, "the signature is wrong"}
	}
	var sent struct {
		Type string
		Data struct{ Title, Text, URL string }
	}
	if json.Unmarshal(body, &sent) != nil || sent.Type != "alert.notification" || r.Header.Get("Content-Type") != "application/json" {
		return Accepted{}, &refusal{http.StatusUnprocessableEntity, "not a notification"}
	}
	return Accepted{ID: id, Key: id, To: d.URL(), Payload: body, Text: sent.Data.Title + "\n" + sent.Data.Text + "\n" + sent.Data.URL}, nil
}
