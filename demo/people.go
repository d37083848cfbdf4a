package main

import (
	"context"
	"fmt"
	"time"

	"github.com/lykta/lykta/cloud/access"
	cloud "github.com/lykta/lykta/cloud/app"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
)

// area is where all of the demo's homes are.
const area = "Norrbyn"

// signIns are the people of the demo who can sign in.
var signIns = []struct {
	access.Actor
	as string
}{
	{access.Actor{Name: "Anna Berg", Role: care.Caregiver, Person: "anna"}, "Anna, undersköterska / care assistant"},
	{access.Actor{Name: "Johan Lind", Role: care.Coordinator, Person: "johan"}, "Johan, samordnare / coordinator"},
	{access.Actor{Name: "Drift", Role: care.Operator, Person: "drift"}, "Drift / operator"},
	{access.Actor{Name: "Maria Lindström", Role: care.Relative, Person: "maria"}, "Maria, Karins dotter / Karin's daughter"},
}

// staff puts the people who are told of alerts, and a fortnight's rota, into
// the database. What somebody has changed there since stays.
func staff(ctx context.Context, db *store.Store, now time.Time) error {
	if people, err := db.People(ctx); err != nil || len(people) > 0 {
		return err
	}
	sms := func(number string) care.Address { return care.Address{Channel: care.ChannelSMS, To: number} }
	push := func(id string) care.Address { return care.Address{Channel: care.ChannelPush, To: id} }
	for _, p := range []care.Person{ // numbers that belong to nobody, from the series for books and films
		{ID: "anna", Name: "Anna Berg", Language: "sv", Role: care.Caregiver, Addresses: []care.Address{push("anna"), sms("+46701740605")}},
		{ID: "bjorn", Name: "Björn Ek", Language: "sv", Addresses: []care.Address{sms("+46701740606")}},
		{ID: "fatima", Name: "Fatima Hassan", Language: "sv", Addresses: []care.Address{sms("+46701740607")}},
		{ID: "johan", Name: "Johan Lind", Language: "sv", Role: care.Coordinator, Addresses: []care.Address{push("johan"), sms("+46701740608")}},
		{ID: "drift", Name: "Drift", Language: "sv", Role: care.Operator},
		{ID: "larmcentralen", Name: "Larmcentralen", Language: "sv", Addresses: []care.Address{sms("+46701740609")}},
		{ID: "maria", Name: "Maria Lindström", Language: "sv", Role: care.Relative, Addresses: []care.Address{sms("+46701740610")}},
	} {
		if err := db.PutPerson(ctx, p); err != nil {
			return err
		}
	}
	for _, m := range []care.Member{
		{Group: care.GroupLastResort, Person: "larmcentralen"},
		{Group: care.GroupAllStaff, Scope: area, Person: "anna"},
		{Group: care.GroupAllStaff, Scope: area, Person: "bjorn"},
		{Group: care.GroupAllStaff, Scope: area, Person: "fatima"},
		{Group: care.GroupContacts, Scope: "karin", Person: "maria", Alerts: []care.AlertKind{care.AlertSOS, care.AlertFall, care.AlertCheckInMissed}},
	} {
		if err := db.PutMember(ctx, m); err != nil {
			return err
		}
	}
	zone, err := time.LoadLocation(cloud.DefaultZone)
	if err != nil {
		return err
	}
	today := now.In(zone)
	for day := range 14 {
		at := func(hour int) time.Time {
			return time.Date(today.Year(), today.Month(), today.Day()+day, hour, 0, 0, 0, zone)
		}
		names := [3]string{"anna", "bjorn", "fatima"}
		for i, hours := range [][2]int{{7, 15}, {15, 22}, {22, 31}} {
			who := names[(i+day/3)%3]
			if day == 0 {
				who = "anna" // whoever looks at the demo is told
			}
			h := care.Shift{ID: fmt.Sprintf("%s-%d", at(0).Format(time.DateOnly), i), Area: area, Person: who, From: at(hours[0]), To: at(hours[1])}
			if err := db.PutShift(ctx, h); err != nil {
				return err
			}
		}
	}
	return db.PutShift(ctx, care.Shift{ID: "before", Area: area, Person: "anna", From: time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, zone), To: time.Date(today.Year(), today.Month(), today.Day(), 7, 0, 0, 0, zone)})
}
