package server_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"guestpass"
	"guestpass/internal/inside"
	"guestpass/internal/limits/redistest"
	"guestpass/stytchtest"
)

// told are the values of all series, by name and labels as in `name{label="value"}`; of a histogram how many there
// were.
func told(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	must(t, err)
	values := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			values[family.GetName()+"{"+strings.Join(labels, ",")+"}"] = valueOf(m)
		}
	}
	return values
}

func valueOf(m *dto.Metric) float64 {
	if h := m.GetHistogram(); h != nil {
		return float64(h.GetSampleCount())
	}
	return m.GetGauge().GetValue() + m.GetCounter().GetValue()
}

func watchedBy(registry *prometheus.Registry) func(*guestpass.Options) {
	return func(o *guestpass.Options) { o.Metrics = registry }
}

// An image and a release are built without Git, and say their commit themselves.
func TestMetricsNameTheCommitThatIsSaid(t *testing.T) {
	registry := prometheus.NewRegistry()
	newWorld(t, watchedBy(registry), func(o *guestpass.Options) { o.Version, o.Commit = "1.2.3", "0123abc" })
	want := fmt.Sprintf(`guestpass_build_info{commit="0123abc",goversion=%q,version="1.2.3"}`, runtime.Version())
	if told(t, registry)[want] != 1 {
		t.Errorf("there is no %s", want)
	}
}

// What goes wrong is told: an alert is on each of these.
func TestTroubleIsTold(t *testing.T) {
	registry := prometheus.NewRegistry()
	w := newWorld(t, watchedBy(registry), limited(guestpass.Limits{Member: 20}))
	p := w.as(ada)
	expect := func(series string, want func(float64) bool) {
		t.Helper()
		values := told(t, registry)
		if value, there := values[series]; !there || !want(value) {
			t.Errorf("%s is %v (%v)", series, value, there)
		}
	}
	is := func(n float64) func(float64) bool { return func(v float64) bool { return v == n } }
	positive := func(v float64) bool { return v > 0 }

	p.create(`{"title":"x"}`)
	expect(`guestpass_sqlite_write_group_size{}`, positive)
	expect(`guestpass_sqlite_file_bytes{file="database"}`, positive)
	expect(`guestpass_signing_keys_fetches_total{outcome="ok"}`, is(1))
	expect(`guestpass_database_connections_max{pool="reading"}`, is(8))

	token := w.token(ada, "tasks:read")
	w.call("POST", "/api/v1/tasks", token, `{"title":"x"}`)
	expect(`guestpass_refusals_total{reason="insufficient scope"}`, is(1))
	w.stytch.Advance(2 * time.Hour)
	expect(`guestpass_signing_keys_age_seconds{}`, func(v float64) bool { return v > 7000 })
	w.call("GET", "/api/v1/tasks", token, "")
	expect(`guestpass_refusals_total{reason="expired"}`, is(1))

	other := w.token(grace, "tasks:read")
	for range 21 {
		w.call("GET", "/api/v1/tasks", other, "")
	}
	expect(`guestpass_limit_refusals_total{bound="calls",share="member"}`, is(1))
	expect(`guestpass_refusals_total{reason="limited"}`, is(1))
	expect(`guestpass_request_duration_seconds{operation="listTasks",outcome="limited",surface="rest"}`, is(1))

	inside.Diagnose(w.app, t.Context())
	expect(`guestpass_checks_timestamp_seconds{}`, positive)
	states := 0
	for series := range told(t, registry) {
		if strings.HasPrefix(series, "guestpass_check_state{") {
			states++
		}
	}
	if states < 10 {
		t.Errorf("the states of %d checks", states)
	}

	w.stytch.Fail(stytchtest.Fault{Path: "/v1", Kind: "drop"})
	token = w.token(hank, "members:read")
	for range 5 {
		w.call("GET", "/api/v1/members", token, "")
	}
	opened := 0.0
	for series, value := range told(t, registry) {
		if strings.HasPrefix(series, "guestpass_stytch_breaker_opens_total{") {
			opened += value
		}
	}
	if opened == 0 {
		t.Error("no circuit has opened")
	}
}

// While Redis is away each instance counts by itself, and limits are higher than they say.
func TestARedisThatIsAwayIsTold(t *testing.T) {
	redis, registry := redistest.Start(t), prometheus.NewRegistry()
	w := newWorld(t, watchedBy(registry), limited(guestpass.Limits{RedisURL: redis.URL()}))
	state := func() [2]float64 {
		w.call("GET", "/api/v1/userinfo", w.token(ada, "openid"), "")
		values := told(t, registry)
		return [2]float64{values["guestpass_limits_shared{}"], values["guestpass_limits_fallback{}"]}
	}
	if got := state(); got != [2]float64{1, 0} {
		t.Errorf("with Redis: %v", got)
	}
	redis.Stop()
	if got := state(); got != [2]float64{1, 1} {
		t.Errorf("without: %v", got)
	}
}

// A revocation that the database has not taken is one that a restart loses.
func TestUnwrittenRevocationsAreTold(t *testing.T) {
	registry := prometheus.NewRegistry()
	w := newWorld(t, watchedBy(registry))
	w.consent(ada)
	p := w.signIn(ada)
	form := p.form(gptName())
	must(t, w.options.Store.Close())
	p.revoke(form)
	if got := told(t, registry)[`guestpass_revocations_unwritten{}`]; got != 1 {
		t.Errorf("%v revocations are not written", got)
	}
}
