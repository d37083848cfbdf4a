package turn

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/pion/stun/v4"
	pion "github.com/pion/turn/v5"
)

// Credentials are a user and a password for one person in one call, good until
// a time: the user says so, and the password is its base64 HMAC-SHA1 under the
// secret (draft-uberti-behave-turn-rest-00, section 2.2).
func Credentials(secret []byte, call, person string, until time.Time) (user, password string) {
	user = strconv.FormatInt(until.Unix(), 10) + ":" + call + ":" + person
	return user, sign(secret, user)
}

// Credentials are a user and a password of this server. Whoever is given new
// ones is still in the call, so what they have allocated with older ones lasts as
// long as the new: browsers refresh an allocation with the credential that it was
// made with, and would be cut off in the middle of a call.
func (s *Server) Credentials(call, person string, until time.Time) (user, password string) {
	user, password = Credentials(s.o.Secret, call, person, until)
	s.relays.renew(call+":"+person, until)
	return user, password
}

func sign(secret []byte, user string) string {
	mac := hmac.New(sha1.New, secret)
	mac.Write([]byte(user))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// whose takes a user apart: how long it is good, and the call and person.
func whose(user string) (until time.Time, of string, ok bool) {
	at, of, ok := strings.Cut(user, ":")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil || of == "" {
		return time.Time{}, "", false
	}
	return time.Unix(seconds, 0), of, true
}

// authenticate returns the key of who asks. It is asked for each request, so
// that an allocation cannot be refreshed once its credential has expired and no
// newer one was given to the same person in the same call.
func (s *Server) authenticate(a *pion.RequestAttributes) (id string, key []byte, ok bool) {
	until, of, ok := whose(a.Username)
	now := time.Now()
	if ok && !now.Before(until) && a.Method != stun.MethodAllocate {
		until = s.relays.renewed(of)
	}
	if !ok || !now.Before(until) {
		s.count.badCredentials.Add(1)
		return "", nil, false
	}
	// The whole user is the id: an allocation is changed only with the credential
	// that it was made with.
	return a.Username, pion.GenerateAuthKey(a.Username, a.Realm, sign(s.o.Secret, a.Username)), true
}
