package store

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// TestAFullDatabaseRefusesWritesAndRecovers has SQLite meet its largest size in the
// middle of groups of changes, which it reports as a full disk.
func TestAFullDatabaseRefusesWritesAndRecovers(t *testing.T) {
	s, err := Open(t.Context(), Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db"),
		Schemas: []Schema{things}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	limit := func(pages int) {
		t.Helper()
		if _, err := s.write.(*groupWriter).db.Exec("PRAGMA max_page_count = " + strconv.Itoa(pages)); err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex // guards the rest
	kept, full := []string{}, 0
	write := func() {
		var id string
		err := s.Write(context.Background(), func(tx *Tx) (err error) {
			id, err = createThing(tx, "acme", strings.Repeat("x", 4000))
			return err
		})
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err == nil:
			kept = append(kept, id)
		case errors.Is(err, ErrFull):
			full++
		default:
			t.Errorf("neither kept nor refused as full: %v", err)
		}
	}
	limit(100)
	var group sync.WaitGroup
	// the writer, until there is a group that is too large as a whole
	holding, held := make(chan struct{}), make(chan struct{})
	group.Go(func() { _ = s.Write(context.Background(), func(*Tx) error { close(holding); <-held; return nil }) })
	<-holding
	for range 200 {
		group.Go(write)
	}
	for len(s.write.(*groupWriter).queue) < maxGroup {
		runtime.Gosched()
	}
	close(held)
	group.Wait()
	if full == 0 || len(kept) == 0 {
		t.Fatalf("%d kept, %d refused", len(kept), full)
	}
	before := len(kept)
	if write(); len(kept) > before {
		t.Error("changes were refused although there was space for one")
	}
	limit(100000)
	write()
	there := func(id string) bool {
		t.Helper()
		err := s.QueryRow(t.Context(), "SELECT 1 FROM things WHERE id = $1", id).Scan(new(int))
		if err != nil && !errors.Is(err, ErrNotFound) {
			t.Fatal(err)
		}
		return err == nil
	}
	if len(kept) == before || !there(kept[len(kept)-1]) {
		t.Error("a write after there is space again was not kept")
	}
	for _, id := range kept {
		if !there(id) {
			t.Errorf("%s was acknowledged, but is not there", id)
		}
	}
	if number := countThings(t, s, "acme"); number != len(kept) {
		t.Errorf("%d things, %d acknowledged", number, len(kept))
	}
	if err := s.CheckIntegrity(t.Context()); err != nil {
		t.Error(err)
	}
}
