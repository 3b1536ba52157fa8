//go:build !production

package cli

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// figures are what a server has told at a time, from which the thresholds of deploy/alerts.yaml stem: `make soak` logs
// them for each kind of trouble.
type figures map[string]float64 // by series

func figuresOf(t *testing.T, admin string) figures {
	t.Helper()
	all := figures{}
	for line := range strings.Lines(scrape(t, admin)) {
		if at := strings.LastIndex(line, " "); at > 0 && !strings.HasPrefix(line, "#") {
			all[line[:at]], _ = strconv.ParseFloat(strings.TrimSpace(line[at:]), 64)
		}
	}
	return all
}

// since returns what was added after others.
func (f figures) since(others figures) figures {
	added := figures{}
	for series, value := range f {
		added[series] = value - others[series]
	}
	return added
}

// sum adds all series of a metric that have the labels.
func (f figures) sum(metric string, labels ...string) (total float64) {
	for series, value := range f {
		name, of, _ := strings.Cut(series, "{")
		if name == metric && !slices.ContainsFunc(labels, func(l string) bool { return !strings.Contains(of, l) }) {
			total += value
		}
	}
	return total
}

var bucketEnd = regexp.MustCompile(`le="([^"]+)"`)

// quantile returns the end of the bucket in which it is.
func (f figures) quantile(q float64, metric string, labels ...string) float64 {
	upTo := map[float64]float64{}
	for series := range f {
		end := bucketEnd.FindStringSubmatch(series)
		if !strings.HasPrefix(series, metric+"_bucket{") || end == nil {
			continue
		}
		if of, err := strconv.ParseFloat(end[1], 64); err == nil && upTo[of] == 0 {
			upTo[of] = f.sum(metric+"_bucket", append(labels, end[0])...)
		}
	}
	all := upTo[math.Inf(1)]
	for _, end := range slices.Sorted(maps.Keys(upTo)) {
		if all > 0 && upTo[end] >= q*all {
			return end
		}
	}
	return 0
}

// String returns the figures that alerts are about.
func (f figures) String() string {
	const requests, calls = "guestpass_request_duration_seconds", "guestpass_stytch_request_duration_seconds"
	number := f.sum(requests + "_count")
	part := func(outcome string) float64 { return 100 * f.sum(requests+"_count", outcome) / max(number, 1) }
	return fmt.Sprintf("%.0f requests, p99 up to %gs; error %.2f %%, unavailable %.2f %%, limited %.2f %%; %.0f calls "+
		"to Stytch, p99 up to %gs, not ok %.0f; opens %.0f; places refused %.0f; waits for the database %.0f, %.1fs; "+
		"groups p99 %g; refusals %.0f", number, f.quantile(.99, requests), part(`outcome="error"`),
		part(`outcome="unavailable"`), part(`outcome="limited"`), f.sum(calls+"_count"), f.quantile(.99, calls),
		f.sum(calls+"_count")-f.sum(calls+"_count", `outcome="ok"`), f.sum("guestpass_stytch_breaker_opens_total"),
		f.sum("guestpass_limit_refusals_total", `bound="operations`), f.sum("guestpass_database_waits_total"),
		f.sum("guestpass_database_wait_seconds_total"), f.quantile(.99, "guestpass_sqlite_write_group_size"),
		f.sum("guestpass_refusals_total"))
}
