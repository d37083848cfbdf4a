package influx

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"

	"github.com/lykta/lykta/cloud/history"
)

// What an operator can mend. All of it wraps history.ErrUnavailable: nothing
// is lost meanwhile.
var (
	errDenied  = fmt.Errorf("%w: LYK-0310: InfluxDB denies access; check the token and what it may read and write", history.ErrUnavailable)
	errMissing = fmt.Errorf("%w: LYK-0311: the bucket or the organisation is missing in InfluxDB", history.ErrUnavailable)
	errLimit   = fmt.Errorf("%w: LYK-0312: a limit of InfluxDB is reached; raise it in its configuration", history.ErrUnavailable)
	errMany    = fmt.Errorf("%w: LYK-0314: InfluxDB refuses more than single points; nothing is given up before somebody has looked", history.ErrUnavailable)
	errConfig  = fmt.Errorf("%w: LYK-0316: InfluxDB is not set up for this", history.ErrUnavailable)
)

// errRefused is why InfluxDB will never take a point.
var errRefused = errors.New("LYK-0313: InfluxDB refuses the point")

// fault says what an error of InfluxDB's means, and what was being done.
func (s *Store) fault(doing string, err error) error {
	if err == nil || errors.Is(err, history.ErrUnavailable) {
		return err
	}
	var answer *influxhttp.Error
	if !errors.As(err, &answer) {
		return fmt.Errorf("%s: %w: %w", doing, history.ErrUnavailable, err)
	}
	why := history.ErrUnavailable
	switch {
	case answer.StatusCode == http.StatusUnauthorized, answer.StatusCode == http.StatusForbidden:
		why = errDenied
	case answer.StatusCode == http.StatusNotFound, noBucket(answer.Message):
		why = errMissing
		s.prepared.Store(false) // somebody may have dropped it: make it again
	case limited(answer.Message):
		why = errLimit
	case answer.StatusCode/100 == 4 && answer.StatusCode != http.StatusTooManyRequests && answer.StatusCode != http.StatusRequestTimeout:
		why = errConfig
	}
	return fmt.Errorf("%s: %w: %w", doing, why, err)
}

// noBucket recognises how 1.8 says, under status 500, that a database or a
// retention policy is not there.
func noBucket(message string) bool {
	return contains(message, "database not found", "retention policy not found", "invalid retention policy", "execute state: no database")
}

func limited(message string) bool {
	return contains(message, "max-values-per-tag", "max-series-per-database", "max series")
}

// unfit reports whether InfluxDB says that something in the batch itself is
// what it does not take.
func unfit(err error) bool {
	var answer *influxhttp.Error
	if !errors.As(err, &answer) || limited(answer.Message) {
		return false
	}
	switch answer.StatusCode {
	case http.StatusRequestEntityTooLarge:
		return true
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return contains(answer.Message, "partial write", "unable to parse", "field type conflict", "beyond retention", "max key length", "invalid field")
	}
	return false
}

var beyond = regexp.MustCompile(`points beyond retention policy.*dropped=(\d+)`)

// beyondRetention returns how many points the server has dropped because they
// are older than it keeps.
func beyondRetention(err error) (int, bool) {
	var answer *influxhttp.Error
	if !errors.As(err, &answer) {
		return 0, false
	}
	m := beyond.FindStringSubmatch(answer.Message)
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[1])
	return n, err == nil && n > 0
}

func contains(s string, any ...string) bool {
	for _, one := range any {
		if strings.Contains(s, one) {
			return true
		}
	}
	return false
}
