package store

import (
	"fmt"
	"guestpass/internal/postgrestest"
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
	alter(t, s, "CREATE TABLE changing (a TEXT)", "INSERT INTO changing VALUES ('one')")
	var a, b string
	for range 2 {
		if err := s.QueryRow(t.Context(), query).Scan(&a); err != nil || a != "one" {
			t.Fatal(a, err)
		}
	}
	alter(t, s, "ALTER TABLE changing ADD COLUMN b TEXT DEFAULT 'two'")
	if err := s.QueryRow(t.Context(), query).Scan(&a, &b); err != nil || a+b != "onetwo" {
		t.Error("a new column: ", a, b, err)
	}
	alter(t, s, "DROP TABLE changing", "CREATE TABLE changing (b TEXT)", "INSERT INTO changing VALUES ('three')")
	if err := s.QueryRow(t.Context(), query).Scan(&b); err != nil || b != "three" {
		t.Error("another table: ", b, err)
	}
}

// openPostgresOnce has one connection for everybody, so that what was prepared is met again.
func openPostgresOnce(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{URL: postgrestest.Shared(t).Database(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	s.read.SetMaxOpenConns(1)
	return s
}

// alter makes changes to a table of its own.
func alter(t *testing.T, s *Store, statements ...string) {
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

// TestPostgresPreparesAnewWhatTablesHaveOutdated has another instance change a table, as an upgrade does.
func TestPostgresPreparesAnewWhatTablesHaveOutdated(t *testing.T) {
	s := openPostgresOnce(t)
	alter(t, s, "CREATE TABLE changing (a TEXT)", "INSERT INTO changing VALUES ('one')")
	queries := []string{"SELECT * FROM changing WHERE a = $1", "SELECT * FROM changing WHERE a > '' AND a = $1",
		"SELECT * FROM changing WHERE a < 'z' AND a = $1", "SELECT * FROM changing WHERE a <> 'x' AND a = $1"}
	read := func(fields ...any) {
		t.Helper()
		for _, query := range queries {
			if err := s.QueryRow(t.Context(), query, "one").Scan(fields...); err != nil {
				t.Errorf("reading: %v", err)
			}
		}
	}
	write := func(fields ...any) {
		t.Helper()
		if err := s.Write(t.Context(), func(tx *Tx) error {
			for _, query := range queries { // more of them than there are attempts
				if err := tx.QueryRow(query, "one").Scan(fields...); err != nil {
					return fmt.Errorf("in a change: %w", err)
				}
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	}
	var a, b string
	read(&a)
	write(&a)
	var kept int
	if err := s.QueryRow(t.Context(), "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE $1",
		"SELECT * FROM changing%").Scan(&kept); err != nil || kept != len(queries) {
		t.Fatalf("%d stay prepared, want %d: %v", kept, len(queries), err)
	}
	alter(t, s, "ALTER TABLE changing ADD COLUMN b TEXT DEFAULT 'two'")
	if read(&a, &b); a+b != "onetwo" {
		t.Error(a, b)
	}
	read(&a, &b)
	alter(t, s, "ALTER TABLE changing DROP COLUMN b")
	write(&a)
	if write(&a); !s.prepares.Load() {
		t.Error("nothing is prepared any more, although no pooler is there")
	}
}

// TestAPoolerThatWasNotRecognizedIsSurvived has the connection lose what was prepared, as another one has not got it.
func TestAPoolerThatWasNotRecognizedIsSurvived(t *testing.T) {
	for name, use := range map[string]func(*Store) error{
		"reading": func(s *Store) error {
			var got string
			return s.QueryRow(t.Context(), "SELECT current_setting($1)", "search_path").Scan(&got)
		},
		"in a change": func(s *Store) error {
			return s.Write(t.Context(), func(tx *Tx) error {
				var got string
				return tx.QueryRow("SELECT current_setting($1)", "search_path").Scan(&got)
			})
		},
	} {
		s := openPostgresOnce(t)
		if err := use(s); err != nil || !s.prepares.Load() {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := s.read.ExecContext(t.Context(), "DEALLOCATE ALL"); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := use(s); err != nil || s.prepares.Load() {
				t.Errorf("%s: %v; statements are prepared: %t", name, err, s.prepares.Load())
			}
		}
	}
}

// TestWhatPostgresKeepsPreparedIsBoundedAndPlannedAnew for its values.
func TestWhatPostgresKeepsPreparedIsBoundedAndPlannedAnew(t *testing.T) {
	s := openPostgresOnce(t)
	for i := range maxPrepared + 20 {
		var got int
		err := s.QueryRow(t.Context(), fmt.Sprintf("SELECT $1 + %d", i), 1).Scan(&got)
		if err != nil || got != i+1 {
			t.Fatal(got, err)
		}
	}
	var kept int
	var mode string
	// pgx lets go of one, for this query, before the next.
	err := s.QueryRow(t.Context(), "SELECT count(*), current_setting('plan_cache_mode') FROM "+
		"pg_prepared_statements").Scan(&kept, &mode)
	if err != nil || kept > maxPrepared+1 || mode != "force_custom_plan" {
		t.Errorf("%d stay prepared, %d at most; %s %v", kept, maxPrepared, mode, err)
	}
}
