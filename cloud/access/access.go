// Package access says who somebody is and what they may do: Can is the one
// table of rights, Keeper gives out and checks the secrets that let people in.
package access

import (
	"slices"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// Actor is somebody who was let in.
type Actor struct {
	// Name is whose credential it is, as shown beside what they do.
	Name string
	Role care.Role
	// Person is who they are among those who are told of alerts; "" for nobody.
	Person string
	// Credential is the hash of the secret that let them in.
	Credential string
}

// Action is something that somebody may or may not do.
type Action string

// The actions. The first group is about one home and what happens in it, the
// second about the service and its homes.
const (
	ReadHome     Action = "read_home"     // that it is there, its name, its state
	ReadReadings Action = "read_readings" // movement, climate, technical readings
	ReadHealth   Action = "read_health"   // readings whose Kind.Health is true
	ReadAlerts   Action = "read_alerts"
	ActOnAlert   Action = "act_on_alert" // acknowledge, take over, on the way, resolve
	Silence      Action = "silence"      // have what is expected not told of for a while
	TestHome     Action = "test_home"    // announce a press as a test

	ManageHomes    Action = "manage_homes"
	ManageTokens   Action = "manage_tokens"
	SendCommands   Action = "send_commands"   // locate, announce, configure a gateway
	ReadOperations Action = "read_operations" // metrics, refused messages
	ReadAudit      Action = "read_audit"
	ReadRota       Action = "read_rota"     // who is on duty, who is told of what
	ManagePeople   Action = "manage_people" // people, their addresses, groups, shifts, policies
	ReadLoad       Action = "read_load"     // how many alerts woke whom
)

// rights returns what a role may do. Health data is for those who care for
// the person, never for those who run the machines.
func rights(role care.Role) []Action {
	switch role {
	case care.Caregiver:
		return []Action{ReadHome, ReadReadings, ReadHealth, ReadAlerts, ActOnAlert, Silence, TestHome, ReadRota}
	case care.Coordinator:
		return []Action{
			ReadHome, ReadReadings, ReadHealth, ReadAlerts, ActOnAlert, Silence, TestHome, ReadRota,
			ManageHomes, SendCommands, ReadAudit, ManagePeople, ReadLoad,
		}
	case care.Operator:
		return []Action{
			ReadHome, ReadReadings, ReadAlerts, Silence, ReadRota,
			ManageHomes, ManageTokens, SendCommands, ReadOperations, ReadAudit, ManagePeople, ReadLoad,
		}
	}
	return nil
}

// Can reports whether the actor may do the action, in that home where it is
// about one, at that time. Somebody without a name may do nothing, as nothing
// could be written beside their deeds. Home and time decide nothing yet: they
// are where a resident's consent will.
func Can(a Actor, action Action, _ care.Home, _ time.Time) bool {
	return a.Name != "" && slices.Contains(rights(a.Role), action)
}
