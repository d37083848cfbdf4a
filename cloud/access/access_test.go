package access_test

import (
	"slices"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
)

// TestCan is P8's table: every role, every action.
func TestCan(t *testing.T) {
	const c, k, o = care.Caregiver, care.Coordinator, care.Operator
	allowed := map[access.Action][]care.Role{
		access.ReadHome:       {c, k, o},
		access.ReadReadings:   {c, k, o},
		access.ReadHealth:     {c, k}, // not for those who run the machines
		access.ReadAlerts:     {c, k, o},
		access.ActOnAlert:     {c, k},
		access.ManageHomes:    {k, o},
		access.ManageTokens:   {o},
		access.SendCommands:   {k, o},
		access.ReadOperations: {o},
		access.ReadAudit:      {k, o},
		access.Silence:        {c, k, o},
		access.TestHome:       {c, k}, // who tests takes the press
		access.ReadRota:       {c, k, o},
		access.ManagePeople:   {k, o},
		access.ReadLoad:       {k, o},
		"":                    nil,
		"something new":       nil,
	}
	home := care.Home{ID: "home-1"}
	for action, roles := range allowed {
		for _, role := range []care.Role{c, k, o, "", "resident", "Operator"} {
			want := slices.Contains(roles, role)
			if got := access.Can(access.Actor{Name: "Anna", Role: role}, action, home, time.Now()); got != want {
				t.Errorf("Can(%q, %q) = %v, want %v", role, action, got, want)
			}
			if access.Can(access.Actor{Role: role}, action, home, time.Now()) {
				t.Errorf("somebody without a name may %q as %q", action, role)
			}
		}
	}
}
