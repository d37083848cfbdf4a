package app

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
)

func TestAPersonIsInvited(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	must(t, "--data", data, "home", "add", "--id=karin", "--gateway=gw-k")
	must(t, "--data", data, "person", "add", "--id=anna", "--name=Anna", "--role=caregiver", "--area=norr", "--area=söder", "--email=anna@kommun.example")
	must(t, "--data", data, "person", "add", "--id=maria", "--name=Maria", "--role=relative", "--relative-of=karin")
	must(t, "--data", data, "person", "add", "--id=bo")
	if out, err := cli(t, "--data", data, "person", "add", "--id=x", "--role=king"); err == nil {
		t.Errorf("a king: %s", out)
	}
	must(t, "--data", data, "person", "add", "--id=anna", "--name=Anna Ek") // a change of name is no change of role
	for _, id := range []string{"bo", "nobody"} {
		if out, err := cli(t, "--data", data, "person", "invite", "--id="+id); err == nil || !strings.HasPrefix(err.Error(), "LYK-0725") {
			t.Errorf("%s: %q, %v", id, out, err)
		}
	}
	annas := strings.TrimSpace(must(t, "--data", data, "person", "invite", "--id=anna"))
	marias := strings.TrimSpace(must(t, "--data", data, "person", "invite", "--id=maria", "--url=https://lykta.example/"))
	code, ok := strings.CutPrefix(marias, "https://lykta.example/family/invitation#")
	if !ok {
		t.Errorf("Maria's link is %q", marias)
	}
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(data, databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	// What was changed is in the log, as what was changed in the app is.
	log, err := db.AuditLog(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	var deeds []string
	for _, e := range log {
		if e.Actor != "command line" || e.Role != care.Operator {
			t.Errorf("%+v", e)
		}
		deeds = append(deeds, strings.TrimSpace(e.Action+" "+e.Home+" "+e.Detail))
	}
	slices.Reverse(deeds)
	if want := []string{
		"add home karin gw-k", "change person  anna", "change role  anna caregiver norr söder", "change person  maria", "change role  maria relative",
		"add to contacts karin maria", "change person  bo", "change person  anna", "invite  anna", "invite karin maria",
	}; !slices.Equal(deeds, want) {
		t.Errorf("the log says %q, want %q", deeds, want)
	}
	if r, err := db.VerifyAudit(t.Context(), store.AuditHead{}); err != nil || r.Faulty > 0 {
		t.Errorf("the chain: %+v, %v", r, err)
	}
	keeper := access.NewKeeper(db)
	if _, who, err := keeper.Accept(t.Context(), annas, ""); err != nil || who.Name != "Anna Ek" || who.Role != care.Caregiver || strings.Join(who.Areas, " ") != "norr söder" {
		t.Errorf("%+v, %v", who, err)
	}
	if _, who, err := keeper.Accept(t.Context(), code, ""); err != nil || who.Role != care.Relative || strings.Join(who.Homes, " ") != "karin" {
		t.Errorf("%+v, %v", who, err)
	}
}

func TestSettingsOfAnIdentityProvider(t *testing.T) {
	for _, test := range []struct {
		flags oidcFlags
		good  bool
	}{
		{oidcFlags{}, true},
		{oidcFlags{Issuer: "https://id.kommun.example", ClientID: "lykta"}, true},
		{oidcFlags{Issuer: "http://127.0.0.1:3000", ClientID: "lykta"}, true},
		{oidcFlags{Issuer: "https://id.kommun.example"}, false},
		{oidcFlags{Issuer: "http://id.kommun.example", ClientID: "lykta"}, false},
		{oidcFlags{Issuer: "id.kommun.example", ClientID: "lykta"}, false},
	} {
		if _, err := test.flags.provider(); (err == nil) != test.good || err != nil && !strings.HasPrefix(err.Error(), "LYK-0726") {
			t.Errorf("%+v: %v", test.flags, err)
		}
	}
}
