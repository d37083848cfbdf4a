package web_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
)

// proof begins to prove who somebody is and returns what the device answers.
func (d *device) proof(cookie []string) map[string]any {
	d.t.Helper()
	var asked began
	d.s.do("POST", "/api/v1/me/proof/options", "", map[string]any{}, cookie...).into(d.t, &asked)
	options, err := virtualwebauthn.ParseAssertionOptions(string(asked.PublicKey))
	if err != nil {
		d.t.Fatalf("%v in %s", err, asked.PublicKey)
	}
	var said struct{ UserVerification string }
	if err := json.Unmarshal(asked.PublicKey, &said); err != nil || said.UserVerification != "required" {
		d.t.Errorf("%v: that the owner is verified is %q", err, said.UserVerification)
	}
	return map[string]any{"ceremony": asked.Ceremony, "credential": json.RawMessage(virtualwebauthn.CreateAssertionResponse(d.rp, d.auth, d.key, *options))}
}

// Whoever has somebody's cookie for a while does not make themselves a way in for
// ever: a passkey is added by who has just proved who they are.
func TestAPasskeyIsAddedByWhoHasJustProvedWhoTheyAre(t *testing.T) {
	s := open(t, atPublicURL)
	people(t, s)
	phone, olles := newDevice(t, s), newDevice(t, s)
	for d, who := range map[*device]string{phone: "anna", olles: "olle"} {
		if a := d.add(s.as(who), "x"); a.StatusCode != http.StatusCreated {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
	}
	ask := func(cookie []string) answer {
		return s.do("POST", "/api/v1/me/passkeys/options", "", map[string]any{}, cookie...)
	}
	prove := func(body map[string]any, cookie []string) answer {
		return s.do("POST", "/api/v1/me/proof", "", body, cookie...)
	}
	taken := s.unproved("anna")
	ask(taken).problem(t, 403, "LYK-0729")

	token, err := s.keeper.Create(t.Context(), care.Token, access.Actor{Name: "Program", Role: care.Caregiver, Person: "anna"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	ask([]string{"Authorization", "Bearer " + token}).problem(t, 403, "LYK-0729")
	ask(cookieOf(t, s.do("POST", "/api/v1/session", "", map[string]string{"token": token}))).problem(t, 403, "LYK-0729")

	touched := *phone
	touched.auth.Options.UserNotVerified = true
	prove(touched.proof(taken), taken).problem(t, 422, "LYK-0717")
	another := *olles
	prove(another.proof(taken), taken).problem(t, 422, "LYK-0717")
	prove(phone.sign(), taken).problem(t, 409, "LYK-0716")                                      // of signing in
	s.do("POST", "/api/v1/sign-in/passkey", "", phone.proof(taken)).problem(t, 409, "LYK-0716") // and the other way round
	prove(phone.proof(taken), s.unproved("anna")).problem(t, 409, "LYK-0716")                   // of another session
	ask(taken).problem(t, 403, "LYK-0729")

	if a := prove(phone.proof(taken), taken); a.StatusCode != http.StatusNoContent {
		t.Fatalf("%d %s %s", a.StatusCode, a.body, s.log)
	}
	tablet := newDevice(t, s)
	ceremony, credential := tablet.register(taken)
	body := map[string]any{"ceremony": ceremony, "name": "", "credential": credential}
	s.do("POST", "/api/v1/me/passkeys", "", body, s.unproved("anna")...).problem(t, 409, "LYK-0716") // begun elsewhere
	if a := tablet.add(taken, "Surfplatta"); a.StatusCode != http.StatusCreated {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}

	// Signing in with a passkey is a proof when it verified its owner.
	ask(cookieOf(t, touched.signIn())).problem(t, 403, "LYK-0729")
	if a := ask(cookieOf(t, phone.signIn())); a.StatusCode != 200 {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	// Who has none is told what to do.
	s.do("POST", "/api/v1/me/proof/options", "", map[string]any{}, s.unproved("stina")...).problem(t, 409, "LYK-0730")
}
