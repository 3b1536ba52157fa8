//go:build unix

package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"guestpass/internal/postgrestest"
	"guestpass/store"
)

func TestExamineTellsWhetherAServerCouldWork(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "guestpass.db")
	examine := func() error { return store.Examine(t.Context(), withTasks("sqlite:"+path)) }
	if err := examine(); !errors.Is(err, store.ErrNoFile) || !strings.Contains(err.Error(), path) {
		t.Errorf("no file yet: %v", err)
	}
	old, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + path}) // without the tables of tasks
	must(t, err)
	must(t, old.Close())
	before := files(t, folder)
	if err := examine(); !errors.Is(err, store.ErrOutdated) || !strings.Contains(err.Error(), "tasks/00001_tasks.sql") {
		t.Errorf("without the tables of a resource: %v", err)
	}
	if after := files(t, folder); strings.Join(after, " ") != strings.Join(before, " ") {
		t.Errorf("there are %q, there were %q", after, before)
	}
	s, err := store.Open(t.Context(), withTasks("sqlite:"+path))
	must(t, err)
	if err := examine(); err != nil { // beside the process that has it open
		t.Errorf("as it should be: %v", err)
	}
	must(t, s.Write(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec("DROP TABLE replies"); return err }))
	must(t, s.Close())
	if err := examine(); err == nil || !strings.Contains(err.Error(), "lacks what its migrations made: replies") {
		t.Errorf("without a table: %v", err)
	}
	must(t, os.RemoveAll(folder))
	if err := examine(); err == nil || !strings.Contains(err.Error(), "its folder "+folder+" does not exist") {
		t.Errorf("without its folder: %v", err)
	}
}

// TestExamineTellsWhatAUserMayNot is run by root as somebody else, whom rights concern.
func TestExamineTellsWhatAUserMayNot(t *testing.T) {
	if os.Getuid() == 0 {
		runAsNobody(t)
		return
	}
	for what, tt := range map[string]struct {
		file, folder os.FileMode
		cause        string
	}{
		"read-only file": {0o400, 0o700, "it cannot be opened for writing: permission denied"},
		"read-only folder": {0o600, 0o500, "no file can be made beside it, where SQLite keeps changes: permission " +
			"denied"},
		"no file in a read-only folder": {0, 0o500, "it is not there yet, and cannot be made in its folder: " +
			"permission denied"},
	} {
		folder, err := os.MkdirTemp("", "guestpass-test-")
		must(t, err)
		path := filepath.Join(folder, "test.db")
		if tt.file != 0 {
			openFile(t, path).Close()
			must(t, os.Chmod(path, tt.file))
		}
		must(t, os.Chmod(folder, tt.folder))
		err = store.Examine(t.Context(), withTasks("sqlite:"+path))
		if err == nil || !strings.Contains(err.Error(), tt.cause) || !strings.Contains(err.Error(), path) ||
			errors.Is(err, store.ErrNoFile) {
			t.Errorf("%s: %v", what, err)
		}
		must(t, errors.Join(os.Chmod(folder, 0o700), os.RemoveAll(folder)))
	}
}

func TestExaminePostgres(t *testing.T) {
	address := postgrestest.Shared(t).Database(t)
	o := store.Options{URL: address}
	if err := store.Examine(t.Context(), o); !errors.Is(err, store.ErrOutdated) {
		t.Errorf("without tables: %v", err)
	}
	s, err := store.Open(t.Context(), o)
	must(t, err)
	must(t, s.Close())
	if err := store.Examine(t.Context(), o); err != nil {
		t.Errorf("as it should be: %v", err)
	}
	db := openRaw(t, "pgx", address)
	db.exec("ALTER DATABASE " + db.one("SELECT current_database()") + " SET default_transaction_read_only = on")
	if err := store.Examine(t.Context(), o); err == nil || !strings.Contains(err.Error(), "it is read-only") {
		t.Errorf("a server that takes no changes: %v", err)
	}
	o.URL = "postgres://nobody@127.0.0.1:9/none?sslmode=disable"
	if err := store.Examine(t.Context(), o); err == nil {
		t.Errorf("a server that is not there: %v", err)
	}
}
