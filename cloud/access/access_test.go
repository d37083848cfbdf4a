package access_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
)

// deeds says which role may do what, apart from reading.
const deeds = `
                 caregiver  coordinator  operator  relative  about
act_on_alert     yes        yes          no        yes       alerts
close_alert      yes        yes          no        no        alerts
silence          yes        yes          yes       no        -
test_home        yes        yes          yes       no        -
write_notes      yes        yes          no        no        -
write_card       yes        yes          no        no        -
plan_visits      yes        yes          no        no        -
ask_for_visits   no         no           no        yes       visits
write_messages   yes        yes          no        yes       messages
call             yes        yes          no        yes       video
note_consent     yes        yes          no        no        -
read_log         no         yes          yes       no        -
manage_home      no         yes          yes       no        -
send_commands    no         yes          yes       no        -
add_homes        no         yes          yes       no        -
manage_tokens    no         no           yes       no        -
read_operations  no         no           yes       no        -
read_rota        yes        yes          yes       no        -
manage_people    no         yes          yes       no        -
read_load        no         yes          yes       no        -
read_statistics  no         yes          yes       no        -
something_new    no         no           no        no        -
`

// looks says what decides about reading a field: always, that the resident has
// not withdrawn it (unless), that the resident has allowed it (asked), never.
const looks = `
              caregiver  coordinator  operator  relative
check_in      always     always       never     asked
alerts        always     always       always    unless
visits        always     always       never     asked
messages      always     always       never     asked
video         unless     unless       never     asked
auto_answer   never      never        never     never
activity      unless     unless       never     asked
health        unless     unless       never     asked
climate       unless     unless       unless    asked
contacts      always     always       never     asked
notes         always     always       never     never
home          always     always       always    never
secrets       never      never        never     never
`

// table reads one of the tables above: row -> column -> word.
func table(text string) (rows []string, words map[string]map[string]string) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	columns := strings.Fields(lines[0])
	words = map[string]map[string]string{}
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		rows = append(rows, cells[0])
		words[cells[0]] = map[string]string{}
		for i, column := range columns {
			words[cells[0]][column] = cells[i+1]
		}
	}
	return rows, words
}

// decision is what the resident has decided about the field in question, and
// what follows for staff and for Maria, who is a relative.
type decision struct {
	name         string
	made         func(f care.Field) care.Consents
	staff, maria string // "yes", "no", "" is not decided
}

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func made(party care.Party, f care.Field, allowed bool, at, until time.Time) care.Consent {
	return care.Consent{Home: "karin", Party: party, Field: f, Allowed: allowed, At: at, Until: until, By: "Karin", How: care.OnScreen}
}

var decisions = func() []decision {
	maria, before, never := care.PartyPerson("maria"), now.Add(-time.Hour), time.Time{}
	return []decision{
		{"nothing", func(care.Field) care.Consents { return nil }, "", ""},
		{"staff may", func(f care.Field) care.Consents { return care.Consents{made(care.PartyStaff, f, true, before, never)} }, "yes", ""},
		{"staff may not", func(f care.Field) care.Consents { return care.Consents{made(care.PartyStaff, f, false, before, never)} }, "no", ""},
		{"relatives may", func(f care.Field) care.Consents {
			return care.Consents{made(care.PartyRelatives, f, true, before, never)}
		}, "", "yes"},
		{"Maria may", func(f care.Field) care.Consents { return care.Consents{made(maria, f, true, before, never)} }, "", "yes"},
		{"no relative may", func(f care.Field) care.Consents {
			return care.Consents{made(care.PartyRelatives, f, false, before, never)}
		}, "", "no"},
		{"no relative may, but Maria", func(f care.Field) care.Consents {
			return care.Consents{made(maria, f, true, before, never), made(care.PartyRelatives, f, false, before, never)}
		}, "", "yes"},
		{"no relative might, until this moment", func(f care.Field) care.Consents {
			return care.Consents{made(care.PartyRelatives, f, false, before, now)}
		}, "", ""},
		{"Maria may not, for an hour that is over", func(f care.Field) care.Consents {
			return care.Consents{made(maria, f, false, before, now)}
		}, "", ""},
		{"Erik may not", func(f care.Field) care.Consents {
			return care.Consents{made(care.PartyPerson("erik"), f, false, before, never)}
		}, "", ""},
		{"Erik may", func(f care.Field) care.Consents {
			return care.Consents{made(care.PartyPerson("erik"), f, true, before, never)}
		}, "", ""},
		{"relatives may, but not Maria", func(f care.Field) care.Consents {
			return care.Consents{made(maria, f, false, before, never), made(care.PartyRelatives, f, true, before, never)}
		}, "", "no"},
		{"Maria may, then no relative: she was named", func(f care.Field) care.Consents {
			return care.Consents{made(maria, f, true, before, never), made(care.PartyRelatives, f, false, before, never)}
		}, "", "yes"},
		{"both might, and it is withdrawn this moment", func(f care.Field) care.Consents {
			return care.Consents{
				made(care.PartyStaff, f, true, before, never), made(maria, f, true, before, never),
				made(care.PartyStaff, f, false, now, never), made(maria, f, false, now, never),
			}
		}, "no", "no"},
		{"Maria might, until this moment", func(f care.Field) care.Consents { return care.Consents{made(maria, f, true, before, now)} }, "", ""},
		{"Maria may from the next moment", func(f care.Field) care.Consents {
			return care.Consents{made(maria, f, true, now.Add(time.Microsecond), never)}
		}, "", ""},
		{"staff may not for an hour that is over", func(f care.Field) care.Consents {
			return care.Consents{made(care.PartyStaff, f, false, before, now)}
		}, "", ""},
		{"another field", func(f care.Field) care.Consents {
			other := care.FieldActivity
			if f == other {
				other = care.FieldHealth
			}
			return care.Consents{made(care.PartyStaff, other, false, before, never), made(maria, other, true, before, never)}
		}, "", ""},
	}
}()

// needed is what staff of another area who were told of an alarm may do, and see, to
// see to it; all else stays with the staff of the home's area.
var needed = map[access.Action]bool{access.ActOnAlert: true, access.CloseAlert: true, access.Call: true}
var neededFields = map[care.Field]bool{care.FieldAlerts: true, care.FieldHome: true, care.FieldContacts: true}

// place is where somebody stands to Karin's home, which is in the north.
type place struct {
	name            string
	areas, homes    []string
	told            bool // told of an alert of the home that is not closed
	staff, relative bool // whether staff, and a relative, may be concerned with it at all
}

var places = []place{
	{name: "every area, no home of theirs", staff: true},
	{name: "the home's area", areas: []string{"söder", "norr"}, staff: true},
	{name: "another area", areas: []string{"söder"}},
	{name: "another area, and told of an alert", areas: []string{"söder"}, told: true},
	{name: "contact of the home", homes: []string{"bo", "karin"}, staff: true, relative: true},
	{name: "contact of another home", homes: []string{"bo"}, staff: true},
	{name: "contact of another home, and told of an alert", homes: []string{"bo"}, told: true, staff: true},
}

// TestP8WhoMayWhat goes through every role, action, field, decision and place.
func TestP8WhoMayWhat(t *testing.T) {
	deedRows, deedWords := table(deeds)
	lookRows, lookWords := table(looks)
	roles := []care.Role{care.Caregiver, care.Coordinator, care.Operator, care.Relative, "", "resident", "responder", "Operator"}
	home := care.Home{ID: "karin", Area: "norr"}
	tried := 0
	check := func(role care.Role, action access.Action, field care.Field, about, word string) {
		for _, p := range places {
			for _, d := range decisions {
				decided := field
				if action != access.Read {
					decided = care.Field(about)
				}
				who := access.Actor{Name: "Maria", Role: role, Person: "maria", Areas: p.areas, Homes: p.homes}
				whom := access.Whom{Home: home, Consents: d.made(decided), Told: p.told}
				what := fmt.Sprintf("%s, %s: %s %s, decided: %s", role, p.name, action, field, d.name)

				concerned, says := p.staff, d.staff
				if p.told && len(p.areas) > 0 {
					concerned = needed[action] || action == access.Read && neededFields[field]
				}
				if role == care.Relative {
					concerned, says = p.relative, d.maria
				}
				var want bool
				switch word {
				case "always", "yes":
					want = concerned
				case "unless":
					want = concerned && says != "no"
				case "asked":
					want = concerned && says == "yes"
				}
				tried++
				if got := access.Can(who, action, whom, field, now); got != want {
					t.Errorf("%s: %v, want %v", what, got, want)
				}
				who.Name = ""
				if access.Can(who, action, whom, field, now) {
					t.Errorf("nobody with a name, %s: may", what)
				}
				if who.Name, who.Person = "Maria", ""; role == care.Relative && access.Can(who, action, whom, field, now) {
					t.Errorf("nobody in particular, %s: may", what)
				}
			}
		}
		// The service as a whole: what the role alone allows.
		if got, want := access.Can(access.Actor{Name: "Maria", Role: role}, action, access.Whom{}, field, now), word != "never" && word != "no" && word != ""; got != want {
			t.Errorf("%s in the service: %s %s: %v, want %v", role, action, field, got, want)
		}
	}
	for _, role := range roles {
		for _, action := range deedRows {
			word, about := deedWords[action][string(role)], deedWords[action]["about"]
			if about == "-" {
				about = ""
			}
			if word == "yes" && about != "" {
				word = lookWords[about][string(role)] // what is about a field is the resident's to decide as seeing it is
			}
			for _, field := range append(care.Grantable(), "", "secrets") { // whatever field is named, that which it is about counts
				check(role, access.Action(action), field, about, word)
			}
		}
		for _, field := range lookRows {
			check(role, access.Read, care.Field(field), field, lookWords[field][string(role)])
		}
		check(role, "", care.FieldHome, "", "")
		check(role, access.Read, "", "", "")
	}
	if tried < 50_000 {
		t.Errorf("only %d cases were tried", tried)
	}
	if len(lookRows) != len(care.Grantable())+1 {
		t.Errorf("the table has %d fields, there are %d", len(lookRows)-1, len(care.Grantable()))
	}
}
