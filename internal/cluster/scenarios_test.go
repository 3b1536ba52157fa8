package cluster_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A scenario is what is done to a bed, and what is measured of it.
type scenario struct {
	name, expected string
	run            func(b *bed, w *watcher) (measured string, err error)
}

// try runs it on a new bed beside a watcher, and prints one line.
func (s scenario) try(t *testing.T) {
	t.Helper()
	s.on(t, newBed(t))
}

func (s scenario) on(t *testing.T, b *bed) {
	t.Helper()
	w := b.watch()
	measured, err := s.run(b, w)
	pause(lasting() / 8) // what comes of it late
	watched, faults := w.close()
	s.report(t, measured, err, watched, faults)
}

func (s scenario) report(t *testing.T, measured string, err error, watched string, faults []string) {
	t.Helper()
	if err != nil {
		measured = strings.TrimPrefix(measured+"; ", "; ") + err.Error()
	}
	t.Logf("%s | %s | %s; %s", s.name, s.expected, measured, watched)
	if err != nil {
		t.Error(err)
	}
	for _, fault := range faults {
		t.Error(fault)
	}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

var changedSchema = regexp.MustCompile(`"schema changed","migration":"([^"]+)"`)

func TestThreeThatStartAtOnceMigrateOnce(t *testing.T) {
	b := prepareBed(t)
	start := time.Now()
	b.startAll(b.way.url())
	took := time.Since(start)
	scenario{"first start at once", "each step of the schema once, all ready",
		func(b *bed, _ *watcher) (string, error) {
			line, err := b.migrations()
			return line + ", all ready after " + seconds(took), err
		}}.on(t, b)
}

// migrations says what all instances together have done to the schema.
func (b *bed) migrations() (string, error) {
	applied, times := map[string]int{}, 0
	for _, i := range b.instances {
		for _, found := range changedSchema.FindAllStringSubmatch(i.log(), -1) {
			applied[found[1]]++
			times++
		}
	}
	if times == 0 || times != len(applied) {
		return "", fmt.Errorf("steps applied: %v", applied)
	}
	return fmt.Sprintf("%d steps applied %d times", len(applied), times), nil
}

// counted lists answers by their status.
func counted(statuses map[int]int) string {
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(statuses)) {
		parts = append(parts, fmt.Sprintf("%d × %d", statuses[status], status))
	}
	return strings.Join(parts, ", ")
}

func TestEqualCreatesAtOnceMakeOneTask(t *testing.T) {
	scenario{"200 equal creates at once", "one task, every other answer equal or to be repeated",
		equalCreates}.try(t)
}

func equalCreates(b *bed, _ *watcher) (string, error) {
	const number = 200
	token, answers := b.token(grace), make(chan answer, number)
	ids := make(chan string, number)
	for range number {
		go func() {
			id, a := b.create(b.t.Context(), b.front, token, "equal", "one-key")
			ids <- id
			answers <- a
		}()
	}
	distinct, statuses, odd := map[string]bool{}, map[int]int{}, ""
	for range number {
		if id := <-ids; id != "" {
			distinct[id] = true
		}
		a := <-answers
		statuses[a.status]++
		if a.status != 201 && !(a.retryAfter && (a.status == 503 || a.status == 409 || a.status == 429)) {
			odd = a.String()
		}
	}
	var made int
	db := b.postgres.open("guestpass")
	defer db.Close()
	must(b.t, db.QueryRow("SELECT count(*) FROM guestpass.tasks WHERE title = 'equal'").Scan(&made))
	var err error
	if made != 1 || len(distinct) != 1 || odd != "" {
		err = fmt.Errorf("%d tasks, %d ids, %s", made, len(distinct), odd)
	}
	return fmt.Sprintf("%d task, %d id; answers: %s", made, len(distinct), counted(statuses)), err
}

func TestARevocationIsSeenOnAllInstances(t *testing.T) {
	scenario{"revocation", "refused on all instances within 5 s", func(b *bed, _ *watcher) (string, error) {
		return b.revokes(b.connect(lea, "lea"), b.instances[1])
	}}.try(t)
}

// revokes presses the button at an instance, and waits until all refuse.
func (b *bed) revokes(r revocation, at *instance) (string, error) {
	if err := pressed(r.press(at)); err != nil {
		return "", err
	}
	took, err := b.seen(r.token, 20*time.Second)
	if err != nil {
		return "not refused by all", err
	}
	if *whole && took > 5*time.Second+tolerance {
		err = fmt.Errorf("revoked %s ago, and only now refused by all", took)
	}
	return "refused by all after " + seconds(took), err
}
