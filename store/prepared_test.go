package store

import (
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

func openFile(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestWhatIsPreparedIsBounded asks for more than stays prepared, many at once, so that statements are let go while
// others use them.
func TestWhatIsPreparedIsBounded(t *testing.T) {
	s := openFile(t)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 4 * maxPrepared {
				want := (worker*maxPrepared/4 + i) % (2 * maxPrepared)
				var got string
				err := s.QueryRow(t.Context(), fmt.Sprintf("SELECT $1 || '-%d'", want), "x").Scan(&got)
				if err != nil || got != "x-"+strconv.Itoa(want) {
					t.Errorf("%q %v", got, err)
					return
				}
			}
		})
	}
	group.Wait()
	if n := len(s.reads.byText); n != maxPrepared {
		t.Errorf("%d statements stay prepared, want %d", n, maxPrepared)
	}
	for text, kept := range s.reads.byText {
		if kept.users != 0 || kept.let {
			t.Errorf("%s: %d use it, let go: %t", text, kept.users, kept.let)
		}
	}
}

// TestWhatIsPreparedSeesLaterTables reads by one text before and after what it reads from is made anew.
func TestWhatIsPreparedSeesLaterTables(t *testing.T) {
	s := openFile(t)
	const query = "SELECT * FROM changing"
	change := func(statements ...string) {
		t.Helper()
		if err := s.Write(t.Context(), func(tx *Tx) error {
			for _, one := range statements {
				if _, err := tx.Exec(one); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	change("CREATE TABLE changing (a TEXT)", "INSERT INTO changing VALUES ('one')")
	var a, b string
	for range 2 {
		if err := s.QueryRow(t.Context(), query).Scan(&a); err != nil || a != "one" {
			t.Fatal(a, err)
		}
	}
	change("ALTER TABLE changing ADD COLUMN b TEXT DEFAULT 'two'")
	if err := s.QueryRow(t.Context(), query).Scan(&a, &b); err != nil || a+b != "onetwo" {
		t.Error("a new column: ", a, b, err)
	}
	change("DROP TABLE changing", "CREATE TABLE changing (b TEXT)", "INSERT INTO changing VALUES ('three')")
	if err := s.QueryRow(t.Context(), query).Scan(&b); err != nil || b != "three" {
		t.Error("another table: ", b, err)
	}
}
