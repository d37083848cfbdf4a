package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/watch"
	"github.com/lykta/lykta/devices"
)

// Overviews looks over many homes at once. No areas are all.
type Overviews interface {
	AlertsOf(ctx context.Context, areas []string, from, to time.Time, limit int) ([]care.Alert, error)
	StandingAlerts(ctx context.Context, areas []string, limit int) ([]care.Alert, error)
	Search(ctx context.Context, q string, in care.SearchIn) ([]care.Found, error)
	Statistics(ctx context.Context, p care.Period, now time.Time) (care.Statistics, error)
}

func (s *server) registerOverview(api huma.API) {
	huma.Register(api, op("search", http.MethodGet, "/search", "Where words occur: homes, cards, notes, people", "overview", http.StatusOK), s.search)
	huma.Register(api, op("get-hand-over", http.MethodGet, "/hand-over", "What a shift hands over to the next", "overview", http.StatusOK), s.handOverOf)
	huma.Register(api, op("list-devices", http.MethodGet, "/overview/devices", "All devices with battery and signal", "overview", http.StatusOK), s.listDevices)
	huma.Register(api, op("get-statistics", http.MethodGet, "/statistics", "What happened in a while, in numbers", "overview", http.StatusOK), s.statistics)
	huma.Register(api, op("get-well-being", http.MethodGet, "/homes/{id}/well-being", "What the resident answered, and medicines", "records", http.StatusOK), s.wellBeing)
	s.registerInstall(api)
}

type overviewDevice struct {
	Home     string         `json:"home"`
	HomeName string         `json:"home_name"`
	Device   string         `json:"device"`
	Room     string         `json:"room"`
	Kinds    []devices.Kind `json:"kinds" nullable:"false"`
	LastSeen time.Time      `json:"last_seen" doc:"When the service last had word of it."`
	Silent   bool           `json:"silent"`
	Battery  *float64       `json:"battery" doc:"Percent; null when it has told none."`
	Low      bool           `json:"battery_low" doc:"The battery is to be changed: as it is in the alert of it."`
	Signal   *float64       `json:"signal" doc:"Link quality as the radio reports it, 0–255; null when it has told none."`
}

type devicesView struct {
	Devices []overviewDevice `json:"devices" nullable:"false" doc:"By the name of the home and the room."`
	Cut     bool             `json:"cut,omitempty" doc:"There are more homes than one answer holds: ask for an area."`
}

// Bounds of one look over devices: of homes, and of the time for which the
// time series store is asked for what was before the service started.
const (
	mostHomes   = 2000
	signalsWait = 3 * time.Second
)

func (s *server) listDevices(ctx context.Context, in *struct {
	Area string `query:"area" maxLength:"64"`
	Home string `query:"home" maxLength:"64"`
}) (*body[devicesView], error) {
	actor, err := s.may(ctx, access.Read, care.FieldHome, in.Home)
	if err != nil {
		return nil, err
	}
	areas, err := areasOf(actor, in.Area)
	if err != nil {
		return nil, err
	}
	v, err := s.sight(ctx, actor)
	if err != nil {
		return nil, s.failed("list devices", err)
	}
	out := devicesView{Devices: []overviewDevice{}}
	homes := s.Live.statuses(func(h watch.Status) bool {
		return (in.Home == "" || h.Home.ID == in.Home) && (len(areas) == 0 || slices.Contains(areas, h.Home.Area))
	})
	if out.Cut = len(homes) > mostHomes; out.Cut {
		homes = homes[:mostHomes]
	}
	ids := make([]string, len(homes))
	for i, h := range homes {
		ids[i] = h.Home.ID
	}
	devs, err := s.Homes.Devices(ctx, ids)
	if err != nil {
		return nil, s.failed("list devices", err)
	}
	known, err := s.Homes.Signals(ctx, ids)
	if err != nil {
		return nil, s.failed("list devices", err)
	}
	wait, cancel := context.WithTimeout(ctx, signalsWait)
	defer cancel()
	for _, h := range homes {
		signals, ok := known[h.Home.ID]
		if !ok && len(devs[h.Home.ID]) > 0 {
			signals = s.signals(wait, h.Home.ID)
		}
		for _, d := range devs[h.Home.ID] {
			shown := v.device(d, h.Home.ID)
			one := overviewDevice{
				Home: h.Home.ID, HomeName: h.Home.Name, Device: shown.Device, Room: shown.Room, Kinds: shown.Kinds, LastSeen: shown.LastSeen,
				Silent: shown.Silent, Battery: shown.Battery, Low: shown.Low,
			}
			if q, ok := signals[d.Name]; ok {
				one.Signal = &q
			}
			out.Devices = append(out.Devices, one)
		}
	}
	return &body[devicesView]{out}, nil
}

// signals are the newest link qualities of a home's devices; none when the
// time series store does not say in time.
func (s *server) signals(ctx context.Context, home string) map[string]float64 {
	if ctx.Err() != nil {
		return nil
	}
	last, err := s.History.Last(ctx, home)
	if err != nil {
		return nil
	}
	out, at := map[string]float64{}, map[string]devices.Micros{}
	for _, p := range last {
		if p.Kind == devices.LinkQuality && p.Value != nil && p.Time >= at[p.Device] {
			out[p.Device], at[p.Device] = *p.Value, p.Time
		}
	}
	return out
}

// statuses are how those homes are that are asked for, by name.
func (l *Live) statuses(want func(watch.Status) bool) []watch.Status {
	l.mu.Lock()
	var out []watch.Status
	for _, h := range l.homes {
		if want(h) {
			out = append(out, h)
		}
	}
	l.mu.Unlock()
	slices.SortFunc(out, func(a, b watch.Status) int {
		return cmp.Or(strings.Compare(a.Home.Name, b.Home.Name), strings.Compare(a.Home.ID, b.Home.ID))
	})
	return out
}

type dayView struct {
	Date         string   `json:"date" example:"2026-11-22"`
	Emergency    int      `json:"emergency"`
	Attention    int      `json:"attention"`
	Technical    int      `json:"technical"`
	TakenMedian  *float64 `json:"taken_median" doc:"Seconds until somebody had an emergency, the middle one; null when none was taken."`
	TakenP90     *float64 `json:"taken_p90" doc:"Seconds within which nine of ten were taken."`
	VisitsDone   int      `json:"visits_done"`
	VisitsMissed int      `json:"visits_missed"`
	Calls        int      `json:"calls" doc:"By video, by the staff, that were answered."`
	CallsMissed  int      `json:"calls_missed" doc:"That were not, though they rang."`
	CallMinutes  float64  `json:"call_minutes" doc:"How long those that were answered lasted in all."`
	SavedMinutes int      `json:"saved_minutes" doc:"Of travel that they made unnecessary, as who called says."`
}

type statisticsView struct {
	Days      []dayView            `json:"days" nullable:"false"`
	ByOutcome map[care.Outcome]int `json:"by_outcome" nullable:"false" doc:"Of the alerts of that time that are closed."`
	ByHour    []int                `json:"by_hour" nullable:"false" doc:"Emergencies by the hour of the day, 24 numbers."`
	Homes     int                  `json:"homes"`
	Protected int                  `json:"protected" doc:"Homes in which a press was proven to go the whole chain lately."`
	Messages  int                  `json:"messages"`
}

func (s *server) statistics(ctx context.Context, in *struct {
	From string `query:"from" doc:"A date; default 28 days before to."`
	To   string `query:"to" doc:"A date, exclusive; default tomorrow. At most 92 days."`
	Area string `query:"area" maxLength:"64"`
}) (*body[statisticsView], error) {
	actor, err := s.may(ctx, access.ReadStatistics, "", "")
	if err != nil {
		return nil, err
	}
	p := care.Period{Zone: s.Zone}
	if p.Areas, err = areasOf(actor, in.Area); err != nil {
		return nil, err
	}
	now := time.Now()
	y, m, d := now.In(s.Zone).Date()
	to, err := dateOrTime(in.To, s.Zone, time.Date(y, m, d+1, 0, 0, 0, 0, s.Zone))
	if err != nil {
		return nil, problemOf(err)
	}
	from, err := dateOrTime(in.From, s.Zone, to.AddDate(0, 0, -28))
	if err != nil {
		return nil, problemOf(err)
	}
	if p.Days, err = wholeDays(from, to, s.Zone); err != nil {
		return nil, problemOf(err)
	}
	stats, err := s.Records.Statistics(ctx, p, now)
	if err != nil {
		return nil, s.failed("count what happened", err)
	}
	out := statisticsView{
		Days: []dayView{}, ByOutcome: stats.ByOutcome, ByHour: stats.ByHour[:], Homes: stats.Homes, Protected: stats.Protected, Messages: stats.Messages,
	}
	for _, d := range stats.Days {
		out.Days = append(out.Days, dayView{
			Date: d.Date.In(s.Zone).Format(time.DateOnly), Emergency: d.Emergency, Attention: d.Attention, Technical: d.Technical,
			TakenMedian: seconds(d.TakenMedian), TakenP90: seconds(d.TakenP90), VisitsDone: d.VisitsDone, VisitsMissed: d.VisitsMissed,
			Calls: d.Calls, CallsMissed: d.CallsMissed, CallMinutes: d.CallTime.Minutes(), SavedMinutes: d.CallSaved,
		})
	}
	return &body[statisticsView]{out}, nil
}

// seconds are nil for no time.
func seconds(d time.Duration) *float64 {
	if d == 0 {
		return nil
	}
	s := d.Seconds()
	return &s
}

// mostDays bounds one answer.
const mostDays = 92

// wholeDays are the beginnings of the days in a zone from that of one time to
// that of another, which is where the last one ends.
func wholeDays(from, to time.Time, zone *time.Location) (days []time.Time, err error) {
	y, m, d := from.In(zone).Date()
	for i := range mostDays + 2 {
		day := time.Date(y, m, d+i, 0, 0, 0, 0, zone)
		days = append(days, day)
		if !day.Before(to) && i > 0 {
			break
		}
	}
	if len(days) > mostDays+1 {
		return nil, errTooLong
	}
	return days, nil
}

type answerView struct {
	T time.Time `json:"t"`
	V int       `json:"v" doc:"1 bad, 2 so-so, 3 good."`
}

type medicineView struct {
	T    time.Time `json:"t"`
	Text string    `json:"text"`
	V    int       `json:"v" doc:"1 taken, 0 missed."`
}

type wellBeingView struct {
	Answers   []answerView   `json:"answers" nullable:"false" doc:"Oldest first."`
	Medicines []medicineView `json:"medicines" nullable:"false" doc:"Oldest first."`
}

// mostAnswers bounds what one look reads of each kind.
const mostAnswers = 10_000

func (s *server) wellBeing(ctx context.Context, in *struct {
	HomePath
	Days int `query:"days" minimum:"1" maximum:"366" default:"30"`
}) (*body[wellBeingView], error) {
	actor, err := s.may(ctx, access.Read, care.FieldHealth, in.ID)
	if err != nil {
		return nil, err
	}
	s.audit.look(ctx, s.Log, actor, look(care.FieldHealth), in.ID)
	out := wellBeingView{Answers: []answerView{}, Medicines: []medicineView{}}
	q := history.Query{Home: in.ID, From: time.Now().AddDate(0, 0, -in.Days), Kind: devices.WellBeing, Limit: mostAnswers}
	answers, err := s.History.Raw(ctx, q)
	if err != nil {
		return nil, s.failed("read well-being", err)
	}
	for _, p := range answers {
		if p.Value != nil {
			out.Answers = append(out.Answers, answerView{T: p.Time.Time(), V: int(*p.Value)})
		}
	}
	q.Kind = devices.Medication
	medicines, err := s.History.Raw(ctx, q)
	if err != nil {
		return nil, s.failed("read medicines", err)
	}
	for _, p := range medicines {
		if p.Value == nil {
			continue
		}
		text := p.Text
		if _, after, ok := strings.Cut(text, " "); ok && p.Device == care.ScreenDevice {
			text = after // before it is the id of the reminder
		}
		out.Medicines = append(out.Medicines, medicineView{T: p.Time.Time(), Text: text, V: int(*p.Value)})
	}
	return &body[wellBeingView]{out}, nil
}
