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
	s, err := Open(t.Context(), Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db")})
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
		var task Task
		err := s.Write(context.Background(), func(tx *Tx) (err error) {
			task, err = tx.CreateTask("acme", Task{Title: "x", Notes: strings.Repeat("x", 4000), State: "open",
				Priority: 2})
			return err
		})
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err == nil:
			kept = append(kept, task.ID)
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
	if _, err := s.Task(t.Context(), "acme", kept[len(kept)-1]); err != nil {
		t.Errorf("a write after there is space again: %v", err)
	}
	for _, id := range kept {
		if _, err := s.Task(t.Context(), "acme", id); err != nil {
			t.Errorf("acknowledged, but not there: %v", err)
		}
	}
	page, err := s.Tasks(t.Context(), "acme", TaskQuery{Sort: "due", Limit: 500})
	if err != nil || len(page.Tasks) != len(kept) {
		t.Errorf("%d tasks, %d acknowledged, %v", len(page.Tasks), len(kept), err)
	}
	if err := s.CheckIntegrity(t.Context()); err != nil {
		t.Error(err)
	}
}
