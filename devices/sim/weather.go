package sim

import (
	"math"
	"math/rand/v2"
	"time"
)

// weather is what is outside: a season, a day, and a slow drift that chance
// gives each home.
type weather struct{ phase [4]float64 }

func newWeather(chance *rand.Rand) weather {
	var w weather
	for i := range w.phase {
		w.phase[i] = 2 * math.Pi * chance.Float64()
	}
	return w
}

const day = 24 * time.Hour

// wave is a sine in time.
func wave(t time.Time, period time.Duration, phase float64) float64 {
	return math.Sin(2*math.Pi*float64(t.Unix())/period.Seconds() + phase)
}

// outside returns the temperature in °C, about that of Stockholm.
func (w weather) outside(t time.Time) float64 {
	season := 7 - 10*math.Cos(2*math.Pi*float64(t.YearDay()-20)/365)
	hour := float64(t.Hour()) + float64(t.Minute())/60
	return season - 3*math.Cos(2*math.Pi*(hour-3)/24) +
		3*wave(t, 5*day+7*time.Hour, w.phase[0]) + 1.5*wave(t, 2*day+3*time.Hour, w.phase[1])
}

// pressure returns the air's, in hPa.
func (w weather) pressure(t time.Time) float64 {
	return 1010 + 12*wave(t, 6*day+5*time.Hour, w.phase[2]) + 4*wave(t, day+17*time.Hour, w.phase[3])
}

// excess is warmth and damp in a room above what is usual, passing away.
type excess struct {
	at       time.Time
	warm     float64 // °C
	humidity float64 // %RH
}

// Time constants of a room: how fast warmth and damp pass.
const (
	cools = 50 * time.Minute
	dries = 25 * time.Minute
)

func (e *excess) until(now time.Time) {
	if !e.at.IsZero() {
		past := now.Sub(e.at)
		e.warm *= math.Exp(-past.Seconds() / cools.Seconds())
		e.humidity *= math.Exp(-past.Seconds() / dries.Seconds())
	}
	e.at = now
}

// heat adds warmth and damp to a room now.
func (h *Home) heat(room string, warm, humidity float64) {
	e := h.flat.warm[room]
	e.until(h.now)
	e.warm += warm
	e.humidity += humidity
}

// measure reads a climate sensor.
func (h *Home) measure(d *device) {
	room := d.name[:len(d.name)-len("/climate")]
	e := h.flat.warm[room]
	e.until(h.now)
	outside := h.weather.outside(h.now)
	usual := map[string]float64{kitchen: 21, bathroom: 22.5, bedroom: 19, livingRoom: 21.8}[room]
	temperature := usual + 0.05*(outside-7) + e.warm + 0.08*h.chance.NormFloat64()
	humidity := 38 + 0.7*(outside-7) + e.humidity + 0.4*h.chance.NormFloat64()
	h.say(d.name, map[string]any{
		"temperature": round(temperature, 2),
		"humidity":    round(min(99, max(12, humidity)), 2),
		"pressure":    round(h.weather.pressure(h.now), 1),
	})
}

// light returns the light in a room in lx.
func (h *Home) light(room string) int {
	hour := float64(h.now.Hour()) + float64(h.now.Minute())/60
	noon := 1 - math.Cos(2*math.Pi*float64(h.now.YearDay()+10)/365) // 0 at midwinter, 2 at midsummer
	daylight := max(0, math.Cos(2*math.Pi*(hour-12.5)/24)+0.15*(noon-1)) * (60 + 200*noon)
	if room == bathroom || room == hall {
		daylight *= 0.05
	}
	lamp := 0.0
	if daylight < 60 && (hour > 6 && hour < 23.5 || room == bathroom) {
		lamp = 80 + 20*h.chance.Float64()
	}
	return int(daylight + lamp)
}
