package measure_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"guestpass/stytchtest"
)

// BenchmarkStart measures what the program as production has it, with SQLite, takes from its start to the first 200 of
// /readyz, in time and in time of processors, and how much memory it has then, with nothing to do.
// With -beside it measures that build.
func BenchmarkStart(b *testing.B) {
	seed := stytchtest.Development()
	stytch := stytchtest.NewServer(b, stytchtest.Options{Seed: &seed})
	binary, there := *beside, "sqlite:"+filepath.Join(b.TempDir(), "there.db")
	if binary == "" {
		binary = buildOurs(b)
	}
	startBuilt(b, "Guestpass", binary, stytch, seed, there).kill()
	measured := map[string][]float64{}
	for b.Loop() {
		for kind, database := range map[string]string{"new": "sqlite:" + filepath.Join(b.TempDir(), "new.db"),
			"there": there} {
			began := time.Now()
			p := startBuilt(b, "Guestpass", binary, stytch, seed, database)
			measured["ms-"+kind] = append(measured["ms-"+kind], float64(time.Since(began).Milliseconds()))
			measured["cpu-ms-"+kind] = append(measured["cpu-ms-"+kind], float64(p.spent().Milliseconds()))
			measured["MiB-idle"] = append(measured["MiB-idle"], float64(p.settled()))
			p.kill()
		}
	}
	for what, values := range measured {
		slices.Sort(values)
		b.ReportMetric(values[len(values)/2], what)
	}
}

// settled is how much memory is resident once the system has back what starting took.
func (p *program) settled() int {
	pace := time.NewTicker(200 * time.Millisecond)
	defer pace.Stop()
	for before := 0; ; <-pace.C {
		now := p.memory()
		if now == before {
			return now
		}
		before = now
	}
}
