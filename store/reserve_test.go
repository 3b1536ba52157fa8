package store

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"guestpass/internal/postgrestest"
)

// smallDisk is a folder of so many bytes, where the tests may mount one.
func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	folder, err := os.MkdirTemp("/tmp", "guestpass-disk-")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d,mode=0777", bytes), "tmpfs",
		folder).CombinedOutput(); err != nil {
		_ = os.Remove(folder)
		t.Skipf("a small disk cannot be mounted here: %s", out)
	}
	t.Cleanup(func() {
		_ = exec.Command("umount", "--lazy", folder).Run()
		_ = os.Remove(folder)
	})
	return folder
}

// noise is text that no database can make shorter.
func noise(n int) string {
	return base64.StdEncoding.EncodeToString(incompressible(2 * n))[n/2 : n/2+n]
}

// fillUp writes things until there is no space for the smallest.
func fillUp(t *testing.T, s *Store) (kept int) {
	t.Helper()
	size := 9000
	for range 20_000 {
		err := s.Write(t.Context(), func(tx *Tx) error {
			_, err := createThing(tx, "acme", noise(size))
			if err == nil {
				_, err = tx.Record(Activity{Owner: "acme", Subject: "ada", Operation: "createThing", Outcome: Done})
			}
			return err
		})
		switch {
		case err == nil:
			kept++
		case !errors.Is(err, ErrFull):
			t.Fatalf("neither kept nor refused as full: %v", err)
		case size <= 1:
			return kept
		default:
			size /= 2
			if s.database == Postgres { // on which it is tried once a second only
				s.reserve.lent.Store(false)
			}
		}
	}
	t.Fatal("the disk is never full")
	return 0
}

func denyOne(ctx context.Context, s *Store, n int) error {
	return s.Write(ctx, func(tx *Tx) error {
		d := Denial{Subject: fmt.Sprint("member-", n), Client: "app", Owner: "globex", RevokedAt: tx.Now(),
			ExpiresAt: tx.Now().Add(time.Hour)}
		if err := tx.Deny(d); err != nil {
			return err
		}
		tx.Changed("app", map[string]string{"connected_by": d.Subject}, nil)
		_, err := tx.Record(Activity{Owner: "globex", Subject: d.Subject, Operation: "revokeConnection", Outcome: Done})
		return err
	})
}

// denyMany has a full store keep a thousand denials, and then nothing else until there is space.
func denyMany(t *testing.T, s *Store, makeSpace func()) {
	t.Helper()
	const denials = 500
	for n := range denials {
		if err := denyOne(t.Context(), s, n); err != nil {
			t.Fatalf("denial %d on a full disk: %v", n+1, err)
		}
	}
	list, err := s.Denials(t.Context(), time.Time{})
	if err != nil || len(list) != denials {
		t.Errorf("%d denials, %v", len(list), err)
	}
	if number := countThings(t, s, "acme"); number < 5 {
		t.Errorf("%d things can be read", number)
	}
	makeSpace()
	s.reserve.tried = time.Time{} // a second later
	if err := s.Write(t.Context(), func(tx *Tx) error {
		_, err := createThing(tx, "acme", "x")
		return err
	}); err != nil {
		t.Errorf("with space again: %v", err)
	}
	if s.reserve.lent.Load() {
		t.Error("the reserve was not taken again")
	}
	if err := s.CheckIntegrity(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestAFullDiskOfSQLiteKeepsDenials has a disk that is really full, to the last block.
func TestAFullDiskOfSQLiteKeepsDenials(t *testing.T) {
	disk := smallDisk(t, 12<<20)
	ballast := filepath.Join(disk, "of-another-program")
	if err := os.WriteFile(ballast, make([]byte, 5<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	var told bytes.Buffer
	options := Options{URL: "sqlite:" + filepath.Join(disk, "test.db"), Schemas: []Schema{things},
		Log: slog.New(slog.NewTextHandler(&told, nil))}
	s, err := Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("full after %d things", fillUp(t, s))
	if err := s.Close(); err != nil { // what was denied must count after a start on the full disk, too
		t.Logf("close: %v", err)
	}
	if s, err = Open(t.Context(), options); err != nil {
		t.Fatalf("a start on a full disk: %v", err)
	}
	defer s.Close()
	fillUp(t, s)
	denyMany(t, s, func() { _ = os.Remove(ballast) })
	if !strings.Contains(told.String(), "a revocation takes reserved space") {
		t.Errorf("the disk was not full: %s", told.String())
	}
	if info, err := os.Stat(filepath.Join(disk, "test.db"+reserveSuffix)); err != nil || info.Size() != reserveBytes ||
		info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// TestAFullDiskOfPostgresKeepsDenials has the tables on a disk of their own. Where the write-ahead log is
// on the full disk, too, Postgres itself stops.
func TestAFullDiskOfPostgresKeepsDenials(t *testing.T) {
	disk := smallDisk(t, 16<<20)
	ballast := filepath.Join(disk, "of-another-program")
	if err := os.WriteFile(ballast, make([]byte, 3<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	tables := filepath.Join(disk, "tables")
	if err := os.Mkdir(tables, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("chown", "postgres", tables).CombinedOutput(); err != nil {
		t.Skipf("%s", out)
	}
	if testing.Short() {
		t.Skip("left out by make quick: it needs Postgres")
	}
	postgres, err := postgrestest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = postgres.Stop() })
	url := postgres.Database(t)
	admin, err := Open(t.Context(), Options{URL: url, Schema: "other"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.read.ExecContext(t.Context(), "CREATE TABLESPACE small LOCATION '"+tables+"'"); err != nil {
		t.Fatal(err)
	}
	_ = admin.Close()
	var told bytes.Buffer
	s, err := Open(t.Context(), Options{URL: url + "&default_tablespace=small", Quota: Quota{Bytes: 1 << 40},
		Schemas: []Schema{things}, Log: slog.New(slog.NewTextHandler(&told, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	t.Logf("full after %d things", fillUp(t, s))
	denyMany(t, s, func() { _ = os.Remove(ballast) })
	if !strings.Contains(told.String(), "a revocation takes reserved space") {
		t.Errorf("the disk was not full: %s", told.String())
	}
	var rows int
	if err := s.QueryRow(t.Context(), "SELECT count(*) FROM reserve").Scan(&rows); err != nil || rows != reserveRows {
		t.Errorf("%d rows are reserved, %v", rows, err)
	}
}

// TestWithoutAReserveNothingElseIsWritten starts where there is too little space for it.
func TestWithoutAReserveNothingElseIsWritten(t *testing.T) {
	disk := smallDisk(t, 2<<20)
	s, err := Open(t.Context(), Options{URL: "sqlite:" + filepath.Join(disk, "test.db"), Schemas: []Schema{things}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Write(t.Context(), func(tx *Tx) error {
		_, err := createThing(tx, "acme", "x")
		return err
	}); !errors.Is(err, ErrFull) {
		t.Errorf("%v", err)
	}
	if err := denyOne(t.Context(), s, 1); err != nil {
		t.Error(err)
	}
}

// TestWhatIsOnRecordIsCountedByTheMigration begins with what the version before quotas has made.
func TestWhatIsOnRecordIsCountedByTheMigration(t *testing.T) {
	for name, url := range map[string]string{"SQLite": "sqlite:" + filepath.Join(t.TempDir(), "test.db"),
		"Postgres": postgrestest.Shared(t).Database(t)} {
		t.Run(name, func(t *testing.T) {
			beforeQuotas(t, url)
			s, err := Open(t.Context(), Options{URL: url})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			counts, err := List(t.Context(), s, func(row Scanner) (string, error) {
				var person string
				var activities, bytes int64
				err := row.Scan(&person, &activities, &bytes)
				return fmt.Sprint(person, " ", activities, bytes), err
			}, "SELECT person, activities, bytes FROM quota_usage WHERE owner = 'acme' ORDER BY person")
			if err != nil || fmt.Sprint(counts) != "[ 3 2823 ada 2 1851 grace 1 972]" {
				t.Errorf("%v, %v", counts, err)
			}
			removals, err := List(t.Context(), s, func(row Scanner) (id string, err error) { return id, row.Scan(&id) },
				"SELECT id FROM activity WHERE removes = 1 ORDER BY seq")
			if err != nil || fmt.Sprint(removals) != "[act_2 act_3]" {
				t.Errorf("%v, %v", removals, err)
			}
			if err := s.forget(t.Context()); err != nil {
				t.Error(err)
			}
			if err := s.Purge(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// beforeQuotas makes the tables as they were before the fourth migration, with rows.
func beforeQuotas(t *testing.T, url string) {
	t.Helper()
	s := New(Options{URL: url})
	if err := s.connect(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.makeSchema(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.eachSchema(func(_ Schema, p *goose.Provider) error {
		_, err := p.UpTo(t.Context(), 3)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`INSERT INTO activity (owner, seq, id, at, subject, client, operation, target, before, after, outcome,
				refers_to, request, conversation, hash) VALUES
			('acme', 1, 'act_1', 1, 'ada', 'app', 'updateTask', 'tsk_1',
				'{"Title":"be"}', '{"Title":"one"}', 'done', '', '', '', 'h'),
			('acme', 2, 'act_2', 1, 'grace', 'app', 'deleteTask', 'tsk_2', '{"DeletedAt":"0001-01-01T00:00:00Z"}',
				'{"DeletedAt":"2026-01-01T00:00:00Z"}', 'done', '', '', '', 'h'),
			('acme', 3, 'act_3', 1, 'ada', '', 'revokeConnection', 'app',
				'{"connected_by":"ada"}', '', 'done', '', '', '', 'h')`,
		`INSERT INTO activity_heads (owner, seq, hash) VALUES ('acme', 3, 'h')`,
		`INSERT INTO replies (key, body, reply, expires_at) VALUES ('k', 'b', '{}', 1)`,
	} {
		if err := s.Write(t.Context(), func(tx *Tx) error { _, err := tx.Exec(statement); return err }); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// A restore without rights, or an administrator, takes the right to give the reserve back away while servers run. Then
// they have none, and write on.
func TestARoleThatLosesTheReserveWritesOn(t *testing.T) {
	address, err := url.Parse(postgrestest.Shared(t).Database(t))
	if err != nil {
		t.Fatal(err)
	}
	owner, err := Open(t.Context(), Options{URL: address.String()})
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	role := "loses" + strings.TrimPrefix(address.Path, "/")
	admin := func(statements ...string) {
		t.Helper()
		for _, statement := range statements {
			if _, err := owner.read.ExecContext(t.Context(), strings.ReplaceAll(statement, "ROLE", role)); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
	}
	admin(`CREATE USER "ROLE"`, `GRANT USAGE ON SCHEMA guestpass TO "ROLE"`,
		`GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA guestpass TO "ROLE"`)
	defer admin(`DROP OWNED BY "ROLE"`, `DROP USER "ROLE"`)
	address.User = url.User(role)
	var told bytes.Buffer
	s, err := Open(t.Context(), Options{URL: address.String(), AsItIs: true,
		Log: slog.New(slog.NewTextHandler(&told, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	admin(`REVOKE TRUNCATE ON guestpass.reserve FROM "ROLE"`)
	s.reserve.lent.Store(true) // a write has met a full disk, which has space again
	if err := s.Write(t.Context(), func(tx *Tx) error {
		_, err := tx.Record(Activity{Owner: "acme", Subject: "ada", Operation: "createThing", Outcome: Done})
		return err
	}); err != nil {
		t.Errorf("nothing is written any more: %v", err)
	}
	if !strings.Contains(told.String(), noReserve) {
		t.Errorf("nobody is told: %s", told.String())
	}
}
