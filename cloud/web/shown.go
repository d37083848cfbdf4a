package web

import (
	"slices"
	"strings"
	"time"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/watch"
	"github.com/lykta/lykta/devices"
)

// What is left of an answer for who may not see all of it.

// sees reports whether the actor may see readings of a kind of a home. How well
// a sensor is heard is measured when it has something to say: the times tell of
// movement.
func (v *sight) sees(kind devices.Kind, home string) bool {
	if kind == devices.LinkQuality && !v.can(access.Read, care.FieldActivity, home) {
		return false
	}
	return v.can(access.Read, care.FieldOf(kind), home)
}

// refused are the fields of a home that the actor may not see.
func (v *sight) refused(home string) []care.Field {
	out := []care.Field{}
	for _, f := range care.Fields() {
		if !v.can(access.Read, f, home) {
			out = append(out, f)
		}
	}
	return out
}

// homes are those that the actor may see.
func (v *sight) homes(all []HomeView) []HomeView {
	out := all[:0]
	for _, h := range all {
		if v.canAt(access.Read, care.FieldHome, care.Home{ID: h.ID, Area: h.Area}) {
			out = append(out, v.home(h))
		}
	}
	return out
}

// home is a home without what the actor may not see of it.
func (v *sight) home(h HomeView) HomeView {
	where := care.Home{ID: h.ID, Area: h.Area}
	return h.without(v.canAt(access.Read, care.FieldActivity, where), v.canAt(access.Read, care.FieldCheckIn, where))
}

// without leaves out signs of life and the check-in for who may not see them.
func (h HomeView) without(activity, checkIn bool) HomeView {
	if !activity {
		h.LastActivity = nil
	}
	if !checkIn {
		h.LastCheckIn = nil
	}
	return h
}

// device is a device without the kinds of what the actor may not see. For them
// it is only told to the hour when it was heard: a door that was heard at
// 03:12 was opened then.
func (v *sight) device(d watch.Device, home string) deviceView {
	all := len(d.Kinds)
	d.Kinds = slices.DeleteFunc(slices.Clone(d.Kinds), func(k devices.Kind) bool { return !v.can(access.Read, care.FieldOf(k), home) })
	out := viewDevice(d)
	if len(d.Kinds) < all {
		out.LastSeen = out.LastSeen.Truncate(time.Hour)
	}
	return out
}

// alerts are those that the actor may see.
func (v *sight) alerts(all []care.Alert) []alertView {
	mine := slices.DeleteFunc(slices.Clone(all), func(a care.Alert) bool { return !v.can(access.Read, care.FieldAlerts, a.Home) })
	out := v.s.Live.alertViews(mine)
	for i := range out {
		out[i] = v.alert(out[i])
	}
	return out
}

// alert is an alert without what the staff wrote about it for who may not read
// that.
func (v *sight) alert(a alertView) alertView {
	if !v.can(access.Read, care.FieldNotes, a.Home) {
		a.Note = ""
	}
	return a
}

// entry is an entry of the log without why a silence was made, as silence has
// it. Until when it was comes first in its detail.
func (v *sight) entry(e care.AuditEntry) care.AuditEntry {
	if e.Action == silenceMade && !v.can(access.Read, care.FieldHealth, e.Home) {
		e.Detail, _, _ = strings.Cut(e.Detail, " ")
	}
	return e
}
