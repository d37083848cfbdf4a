package web

import (
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/watch"
	"github.com/lykta/lykta/devices"
)

// The shapes of the API's answers. Times that are not known are null.

// HomeView is how a home is now; exported because huma reads embedded fields of
// exported types only.
type HomeView struct {
	ID              string         `json:"id" example:"kasteren-c"`
	Name            string         `json:"name" doc:"What staff call the home."`
	Gateway         string         `json:"gateway"`
	Area            string         `json:"area" doc:"The part of the municipality whose staff look after the home."`
	Zone            string         `json:"zone" example:"Europe/Stockholm" doc:"IANA time zone of the home's schedules."`
	CheckIns        []care.CheckIn `json:"check_ins" doc:"Daily check-in windows, minutes after midnight in the home's zone." nullable:"false"`
	Online          bool           `json:"online" doc:"The gateway has been heard lately."`
	Silent          bool           `json:"silent" doc:"The gateway was heard once but not lately."`
	LastHeard       *time.Time     `json:"last_heard" doc:"When the gateway was last heard, by the service's clock."`
	ClockOK         bool           `json:"clock_ok" doc:"The gateway's clock is known to be right."`
	SpoolDepth      int            `json:"spool_depth" doc:"Records that wait in the gateway."`
	OpenAlerts      int            `json:"open_alerts" doc:"Alerts that are open or acknowledged."`
	HighestSeverity string         `json:"highest_severity" enum:"emergency,attention,technical," doc:"Of those alerts; empty when there are none."`
	LastCheckIn     *time.Time     `json:"last_check_in"`
	LastActivity    *activityView  `json:"last_activity,omitempty" doc:"The latest sign of life."`
	DevicesSilent   int            `json:"devices_silent"`
	BatteryLow      int            `json:"battery_low" doc:"Devices with a low battery."`
	Protection      string         `json:"protection" enum:"never_tested,protected,test_due" doc:"Whether a press of the button has been proven to go the whole chain."`
	Tested          *time.Time     `json:"tested" doc:"When a press last did."`
	OwnTest         *time.Time     `json:"own_test" doc:"When the gateway's own daily test was last received."`
	Fault           string         `json:"fault,omitempty" doc:"The LYK id of what is stored of the home and cannot be read: LYK-0450 are its check-in windows, none of which is expected until they are set anew."`
}

type activityView struct {
	T    time.Time    `json:"t"`
	Room string       `json:"room"`
	Kind devices.Kind `json:"kind"`
}

type deviceView struct {
	Device   string         `json:"device"`
	Room     string         `json:"room"`
	Kinds    []devices.Kind `json:"kinds" nullable:"false"`
	LastSeen time.Time      `json:"last_seen" doc:"When the service last had word of it."`
	Silent   bool           `json:"silent"`
	Battery  *float64       `json:"battery" doc:"Percent; null when it has told none."`
	Low      bool           `json:"battery_low" doc:"The battery is to be changed: as it is in the alert of it."`
}

type homeDetail struct {
	HomeView
	Devices         []deviceView  `json:"devices" nullable:"false"`
	Last            []readingView `json:"last" nullable:"false" doc:"The newest reading of every series."`
	Refused         []care.Field  `json:"refused" nullable:"false" doc:"What of this home the one who asks may not see."`
	LastUnavailable bool          `json:"last_unavailable,omitempty" doc:"The time series store does not answer; last is empty."`
}

type readingView struct {
	T      time.Time    `json:"t" doc:"When it was observed."`
	Device string       `json:"device"`
	Kind   devices.Kind `json:"kind"`
	Room   string       `json:"room"`
	V      *float64     `json:"v,omitempty" doc:"The number."`
	S      string       `json:"s,omitempty" doc:"The text."`
	Unit   devices.Unit `json:"unit,omitempty" doc:"SenML unit of v."`
}

type windowView struct {
	T      time.Time    `json:"t" doc:"Start of the window."`
	Device string       `json:"device"`
	Kind   devices.Kind `json:"kind"`
	Room   string       `json:"room"`
	Count  int64        `json:"count"`
	Min    float64      `json:"min"`
	Max    float64      `json:"max"`
	Mean   float64      `json:"mean"`
	Last   float64      `json:"last"`
}

type alertView struct {
	ID             string     `json:"id"`
	Home           string     `json:"home"`
	HomeName       string     `json:"home_name"`
	Kind           string     `json:"kind" example:"sos"`
	Severity       string     `json:"severity" enum:"emergency,attention,technical"`
	State          string     `json:"state" enum:"open,acknowledged,resolved"`
	Device         string     `json:"device"`
	Room           string     `json:"room"`
	Observed       time.Time  `json:"observed" doc:"When it happened."`
	Raised         time.Time  `json:"raised" doc:"When the service knew."`
	AcknowledgedBy string     `json:"acknowledged_by,omitempty"`
	AcknowledgedAt *time.Time `json:"acknowledged_at,omitempty"`
	ResolvedBy     string     `json:"resolved_by,omitempty"`
	ResolvedAt     *time.Time `json:"resolved_at,omitempty"`
	Outcome        string     `json:"outcome,omitempty" example:"helped"`
	Note           string     `json:"note,omitempty"`
	Recovered      *time.Time `json:"recovered,omitempty" doc:"When the cause went away."`
	Stage          string     `json:"stage" enum:"open,acknowledged,on_the_way,resolved"`
	HeldBy         string     `json:"held_by,omitempty" doc:"Who has it now."`
	HeldAt         *time.Time `json:"held_at,omitempty"`
	LeftAt         *time.Time `json:"left_at,omitempty" doc:"When they set out."`
	Expected       *time.Time `json:"expected,omitempty" doc:"When they are expected to be there."`
	Overdue        bool       `json:"overdue,omitempty" doc:"Who has it has not closed it in time: others are told anew."`
	Unheard        bool       `json:"unheard,omitempty" doc:"Nobody was found to tell, or all were told in vain."`
	Test           bool       `json:"test,omitempty" doc:"The press was announced as a test."`
	Reached        *time.Time `json:"reached,omitempty" doc:"When the home said that it knows who has it."`
	Heard          *time.Time `json:"heard,omitempty" doc:"When the resident's screen had shown it."`
}

func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func viewHome(s watch.Status, now time.Time) HomeView {
	v := HomeView{
		ID: s.Home.ID, Name: s.Home.Name, Gateway: s.Home.Gateway, Area: s.Home.Area, Zone: s.Home.Zone,
		CheckIns: append([]care.CheckIn{}, s.Home.CheckIns...),
		Online:   !s.Heard.IsZero() && !s.Silent, Silent: s.Silent, LastHeard: known(s.Heard),
		ClockOK: s.ClockOK, SpoolDepth: s.Depth, LastCheckIn: known(s.CheckIn),
		DevicesSilent: s.DevicesSilent, BatteryLow: s.BatteriesLow, Fault: s.Home.Fault,
	}
	if a := s.Activity; a != nil {
		v.LastActivity = &activityView{T: a.Time.Time(), Room: a.Room, Kind: a.Kind}
	}
	return v
}

func viewDevice(d watch.Device) deviceView {
	return deviceView{
		Device: d.Name, Room: d.Room, Kinds: append([]devices.Kind{}, d.Kinds...),
		LastSeen: d.Seen.Time(), Silent: d.Silent, Battery: d.Battery, Low: d.Low,
	}
}

func viewReading(r devices.Reading) readingView {
	return readingView{T: r.Time.Time(), Device: r.Device, Kind: r.Kind, Room: r.Room, V: r.Value, S: r.Text, Unit: r.Unit}
}

func viewWindow(w history.Window) windowView {
	return windowView{
		T: w.Start.UTC(), Device: w.Device, Kind: w.Kind, Room: w.Room,
		Count: w.Count, Min: w.Min, Max: w.Max, Mean: w.Mean(), Last: w.Last,
	}
}

func viewAlert(a care.Alert, home string) alertView {
	return alertView{
		ID: a.ID, Home: a.Home, HomeName: home, Kind: string(a.Kind), Severity: string(a.Severity), State: string(a.State),
		Device: a.Device, Room: a.Room, Observed: a.Observed.UTC(), Raised: a.Raised.UTC(),
		AcknowledgedBy: a.AcknowledgedBy, AcknowledgedAt: known(a.AcknowledgedAt),
		ResolvedBy: a.ResolvedBy, ResolvedAt: known(a.ResolvedAt),
		Outcome: string(a.Outcome), Note: a.Note, Recovered: known(a.Recovered),
		Stage: string(a.Stage()), HeldBy: a.Hand.By, HeldAt: known(a.Hand.At), LeftAt: known(a.Hand.Left), Expected: known(a.Hand.Expected),
		Overdue: a.Overdue, Unheard: a.Unheard, Test: a.Test, Reached: known(a.Reached), Heard: known(a.Heard),
	}
}
