package metrics

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"guestpass/auth"
	"guestpass/internal/doctor"
	"guestpass/internal/limits"
	"guestpass/internal/stytch"
)

// idle are the sources of a server that has done nothing.
func idle() Sources {
	return Sources{Now: time.Now, Uses: func() []limits.Use { return nil },
		Sharing:   func() (bool, bool) { return false, false },
		Breakers:  func() []stytch.Breaker { return nil },
		Keys:      func() (int, time.Time, auth.KeyFetches) { return 0, time.Time{}, auth.KeyFetches{} },
		Unwritten: func() int { return 0 }, Checks: func() (time.Time, []doctor.Finding) { return time.Time{}, nil },
		SignIns: func() map[string]int { return nil }}
}

// What somebody could make up makes no series: an operation that is not declared counts as none.
func TestOnlyWhatIsDeclaredHasSeries(t *testing.T) {
	m, registry := New(idle()), prometheus.NewRegistry()
	m.Declare("getTask")
	if err := m.Register(registry); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			m.Request(REST, "getTask", 200, time.Millisecond)
			m.Request(REST, "made-up-"+time.Now().String(), 404, time.Millisecond)
		})
	}
	group.Wait()
	if n, err := testutil.GatherAndCount(registry, requests.Name); n != 2 || err != nil {
		t.Errorf("%d series, %v", n, err)
	}
}

// Every status has an outcome, by which an operator tells whose fault it is.
func TestOutcomesAreThoseOfStatuses(t *testing.T) {
	for status, want := range map[int]string{0: "ok", 200: "ok", 302: "ok", 400: "invalid", 401: "unauthenticated",
		403: "forbidden", 404: "not_found", 409: "conflict", 410: "not_found", 412: "conflict", 413: "invalid",
		422: "invalid", 429: "limited", 500: "error", 502: "error", 503: "unavailable", 507: "full", 599: "error"} {
		if got := outcomeOf(status).String(); got != want {
			t.Errorf("%d is %s, want %s", status, got, want)
		}
	}
	for on := range surfaces {
		if on.String() == "" {
			t.Errorf("surface %d has no name", on)
		}
	}
}

// Nobody who asks for no metrics has to pay for them, nor to know.
func TestNoMetricsAreNoTrouble(t *testing.T) {
	var m *Metrics
	m.Request(REST, "getTask", http.StatusOK, time.Second)
	m.Call(stytch.Call{})
}

// Names and help keep to what Prometheus asks of them.
func TestFamiliesKeepToConventions(t *testing.T) {
	for _, f := range Families() {
		if !strings.HasPrefix(f.Name, "guestpass_") || (f.Kind == counter) != strings.HasSuffix(f.Name, "_total") ||
			!strings.HasSuffix(f.Help, ".") || strings.Contains(f.Help, "|") {
			t.Errorf("%+v", f)
		}
	}
}

func BenchmarkRequest(b *testing.B) {
	m := New(idle())
	m.Declare("getTask")
	b.ReportAllocs()
	for range b.N {
		m.Request(REST, "getTask", 200, time.Millisecond)
	}
}
