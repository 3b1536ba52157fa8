// Package metrics owns the names of what a server tells Prometheus, and collects it: what is counted as it happens is
// told to a [Metrics], what is so at the moment is read from [Sources] when somebody asks. So the parts that are
// watched need not know Prometheus.
//
// Labels have values that the program declares, such as the ids of operations: never those of people, organizations,
// clients, things or paths. The package does not know where the numbers are served.
package metrics

import "github.com/prometheus/client_golang/prometheus"

// A Family is one metric, with all of its series.
type Family struct {
	Name   string
	Kind   string // counter, gauge or histogram
	Labels []string
	Help   string
}

// The families, in the order in which docs/operating.md has them.
var (
	requests = Family{"guestpass_request_duration_seconds", histogram, []string{"surface", "operation", "outcome"},
		"How long requests took, from the header read to the answer written."}
	refusals = Family{"guestpass_refusals_total", counter, []string{"reason"},
		"Calls of operations, tools and /verify that were refused, by the reason that the log has."}
	limited = Family{"guestpass_limit_refusals_total", counter, []string{"bound", "share"},
		"What was refused because a bound, or one party's share of it, was used up."}
	places = Family{"guestpass_places", gauge, []string{"bound"},
		"How much may be done at once; of bounds that somebody has come to."}
	placesInUse = Family{"guestpass_places_in_use", gauge, []string{"bound"}, "How much is done now."}
	waiting     = Family{"guestpass_places_waiting", gauge, []string{"bound"},
		"How many wait for a place now, for a quarter of a second at most."}
	sharing  = Family{"guestpass_limits_shared", gauge, nil, "1 where instances are to count together in a Redis."}
	fallback = Family{"guestpass_limits_fallback", gauge, nil,
		"1 while Redis does not count, so that each instance counts by itself."}
	calls = Family{"guestpass_stytch_request_duration_seconds", histogram, []string{"call", "outcome"},
		"How long single attempts to ask Stytch took."}
	breakers = Family{"guestpass_stytch_breaker_state", gauge, []string{"call", "cause"},
		"Whether Stytch is asked: 0 yes, 1 one attempt may try, 2 no; of calls that were made."}
	opens = Family{"guestpass_stytch_breaker_opens_total", counter, []string{"call", "cause"},
		"How often that circuit, or one organization's own, has opened."}
	keys    = Family{"guestpass_signing_keys", gauge, nil, "Keys of Stytch's that tokens are verified with."}
	keysAge = Family{"guestpass_signing_keys_age_seconds", gauge, nil,
		"Time since they were fetched; after a day they do not count any more."}
	fetches    = Family{"guestpass_signing_keys_fetches_total", counter, []string{"outcome"}, "Attempts to fetch them."}
	databaseUp = Family{"guestpass_database_up", gauge, nil,
		"0 while Postgres does not answer, or once the disk has not kept what was written to it."}
	connections = Family{"guestpass_database_connections", gauge, []string{"pool", "state"},
		"Connections to the database that are in use or idle."}
	connectionsMax = Family{"guestpass_database_connections_max", gauge, []string{"pool"}, "How many there may be."}
	waits          = Family{"guestpass_database_waits_total", counter, []string{"pool"},
		"How often somebody had to wait for a connection."}
	waitSeconds = Family{"guestpass_database_wait_seconds_total", counter, []string{"pool"}, "For how long, in all."}
	groups      = Family{"guestpass_sqlite_write_group_size", histogram, nil,
		"Changes that were written to the disk together; SQLite alone."}
	fileBytes = Family{"guestpass_sqlite_file_bytes", gauge, []string{"file"},
		"Size of the database, and of its write-ahead log; SQLite alone."}
	unwritten = Family{"guestpass_revocations_unwritten", gauge, nil,
		"Revocations that count with this instance alone, as the database has not taken them yet."}
	checks = Family{"guestpass_check_state", gauge, []string{"check", "state"},
		"1 for what each check of guestpass doctor last found: ok, skipped, warning, unknown, error or fatal."}
	checked = Family{"guestpass_checks_timestamp_seconds", gauge, nil, "When they were last made."}
	signIns = Family{"guestpass_sign_in_troubles_total", counter, []string{"reason"},
		"Trouble on the sign-in page that somebody has to mend, by the reason that the log has."}
	build = Family{"guestpass_build_info", gauge, []string{"version", "commit", "goversion"}, "1, with what runs."}
)

const (
	counter   = "counter"
	gauge     = "gauge"
	histogram = "histogram"
)

// Families returns all that there are.
func Families() []Family {
	return []Family{requests, refusals, limited, places, placesInUse, waiting, sharing, fallback, calls, breakers,
		opens, keys, keysAge, fetches, databaseUp, connections, connectionsMax, waits, waitSeconds, groups, fileBytes,
		unwritten, checks, checked, signIns, build}
}

func (f Family) desc() *prometheus.Desc { return prometheus.NewDesc(f.Name, f.Help, f.Labels, nil) }

func (f Family) histogram(buckets []float64) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: f.Name, Help: f.Help, Buckets: buckets}, f.Labels)
}
