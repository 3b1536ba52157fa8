package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"guestpass/auth"
	"guestpass/internal/doctor"
	"guestpass/internal/limits"
	"guestpass/internal/stytch"
	"guestpass/store"
)

// Sources say how a server is. They are asked at each scrape, and must not wait for anybody.
type Sources struct {
	Now       func() time.Time
	Uses      func() []limits.Use
	Sharing   func() (wanted, counting bool)
	Breakers  func() []stytch.Breaker
	Keys      func() (number int, fetched time.Time, fetches auth.KeyFetches)
	Store     func() store.Stats // nil: there is none
	Unwritten func() int
	Checks    func() (at time.Time, findings []doctor.Finding) // no findings: not made yet
	SignIns   func() map[string]int
	Build     Build
}

// A Build is what runs.
type Build struct{ Version, Commit, Go string }

// collector reads the sources.
type collector struct{ Sources }

// Describe leaves out the families that are counted as they happen.
func (c collector) Describe(descs chan<- *prometheus.Desc) {
	for _, f := range Families() {
		if f.Name != requests.Name && f.Name != calls.Name && f.Name != refusals.Name {
			descs <- f.desc()
		}
	}
}

// Collect is called by several at once, if several scrape.
func (c collector) Collect(metrics chan<- prometheus.Metric) {
	to := sink(metrics)
	c.collectLimits(to)
	c.collectStytch(to)
	if c.Store != nil {
		c.collectStore(to)
	}
	to.send(unwritten, float64(c.Unwritten()))
	if at, findings := c.Checks(); len(findings) > 0 {
		to.send(checked, float64(at.Unix()))
		for _, f := range findings {
			to.send(checks, 1, f.Check, string(f.Severity))
		}
	}
	for reason, times := range c.SignIns() {
		to.send(signIns, float64(times), reason)
	}
	to.send(build, 1, c.Build.Version, c.Build.Commit, c.Build.Go)
}

func (c collector) collectLimits(to sink) {
	for _, use := range c.Uses() {
		for kind, times := range use.Refused {
			share := string(kind)
			if share == "" {
				share = "all"
			}
			to.send(limited, float64(times), use.Bound.Name, share)
		}
		if use.Places {
			to.send(places, float64(use.Bound.Number), use.Bound.Name)
			to.send(placesInUse, float64(use.InUse), use.Bound.Name)
			to.send(waiting, float64(use.Queued), use.Bound.Name)
		}
	}
	wanted, counting := c.Sharing()
	to.send(sharing, truth(wanted))
	to.send(fallback, truth(wanted && !counting))
}

// breakerStates are numbers for the states, so that the worst is the greatest.
var breakerStates = map[string]float64{"closed": 0, "half-open": 1, "open": 2}

func (c collector) collectStytch(to sink) {
	for _, b := range c.Breakers() {
		to.send(breakers, breakerStates[b.State], b.Endpoint, b.Cause)
		to.send(opens, float64(b.Opens), b.Endpoint, b.Cause)
	}
	number, fetched, times := c.Keys()
	to.send(keys, float64(number))
	if number > 0 {
		to.send(keysAge, c.Now().Sub(fetched).Seconds())
	}
	to.send(fetches, float64(times.OK), "ok")
	to.send(fetches, float64(times.Failed), "failed")
}

func (c collector) collectStore(to sink) {
	stats := c.Store()
	to.send(databaseUp, truth(!stats.Away))
	for _, pool := range stats.Pools {
		to.send(connections, float64(pool.InUse), pool.Name, "in_use")
		to.send(connections, float64(pool.Idle), pool.Name, "idle")
		to.send(connectionsMax, float64(pool.MaxOpenConnections), pool.Name)
		to.send(waits, float64(pool.WaitCount), pool.Name)
		to.send(waitSeconds, pool.WaitDuration.Seconds(), pool.Name)
	}
	if stats.FileBytes == 0 { // of Postgres
		return
	}
	to.send(fileBytes, float64(stats.FileBytes), "database")
	to.send(fileBytes, float64(stats.LogBytes), "log")
	upTo := map[float64]uint64{}
	for size, number := range stats.Groups.UpTo {
		upTo[float64(size)] = number
	}
	to <- prometheus.MustNewConstHistogram(groups.desc(), stats.Groups.Groups, float64(stats.Groups.Changes), upTo)
}

// sink takes what is collected.
type sink chan<- prometheus.Metric

func (s sink) send(f Family, value float64, labels ...string) {
	kind := prometheus.GaugeValue
	if f.Kind == counter {
		kind = prometheus.CounterValue
	}
	s <- prometheus.MustNewConstMetric(f.desc(), kind, value, labels...)
}

func truth(so bool) float64 {
	if so {
		return 1
	}
	return 0
}
