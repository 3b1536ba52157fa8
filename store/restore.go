package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// A Restored is what a copy has that was put in a database's place.
type Restored struct {
	File    string
	Rows    int       // of the record
	Newest  time.Time // of what is known to have happened
	Missing []string  // steps of the schema that the next start applies
}

// OpenCopy opens a copy of a SQLite database to restore it. It refuses one of a file in use, part of which is
// elsewhere.
func OpenCopy(path string) (*os.File, error) {
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 {
		return nil, fmt.Errorf("%s is not a whole copy: some of it is in %s-wal; have `guestpass backup` copy it, "+
			"or open and close it once with sqlite3", path, path)
	}
	return os.Open(path) // #nosec G304 -- the operator names it
}

// Restore puts a copy of a SQLite database in the place that the options name, where there may be none, nor a process
// that uses the place. Before anything is there it reads the whole copy: it must be undamaged, Guestpass's, of no later
// version, and its record of changes as it was written. The error for Postgres says how to restore such a database.
func Restore(ctx context.Context, o Options, from io.Reader) (r Restored, err error) {
	scheme, rest, _ := strings.Cut(o.URL, ":")
	if scheme != "sqlite" {
		return r, fmt.Errorf("this restores SQLite files; restore a Postgres with its own program, and the role that "+
			"owns the tables: pg_restore --clean --if-exists --single-transaction --schema=%s --dbname=%s FILE",
			cmp.Or(o.Schema, defaultSchema), shellQuote(forPrograms(o.URL)))
	}
	path, err := sqlitePath(rest)
	if err != nil {
		return r, fmt.Errorf("the database URL %w", err)
	}
	place := &sqliteFile{path: path}
	if err := place.find(true); err != nil {
		return r, err
	}
	unlock, err := place.lockEmpty()
	if err != nil {
		return r, err
	}
	defer unlock()
	removeAbandoned(filepath.Dir(place.path), partialRestore)
	work, err := os.MkdirTemp(filepath.Dir(place.path), partialRestore) // for its owner alone, says os
	if err != nil {
		return r, fmt.Errorf("restore: %w", err)
	}
	defer os.RemoveAll(work)
	copied := filepath.Join(work, "copy.db")
	if err := keepFrom(ctx, from, copied); err != nil {
		return r, fmt.Errorf("restore: %w", err)
	}
	if r, err = examineCopy(ctx, o, copied); err != nil {
		for _, file := range []string{copied, copied + "-checked"} {
			named := "the SQLite file " + file
			err = errors.New(strings.NewReplacer(named+": ", "", named, "it").Replace(err.Error()))
		}
		return r, fmt.Errorf("the copy is not restored: %w", err)
	}
	r.File = place.path
	return r, publish(copied, place.path)
}

// lockEmpty refuses a place where there is a database, or a process that has one, and keeps others away until unlock.
func (f *sqliteFile) lockEmpty() (unlock func(), err error) {
	lock := flock.New(f.path+lockSuffix, flock.SetPermissions(ownFile))
	held, err := lock.TryLock()
	if err == nil && !held {
		err = fmt.Errorf("another process%s uses this place: stop that one first", holder(f.path+lockSuffix))
	}
	if err != nil {
		return nil, f.errorf("%w", err)
	}
	unlock = func() { _ = lock.Unlock() }
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if _, err := os.Lstat(f.path + suffix); !errors.Is(err, fs.ErrNotExist) {
			unlock()
			return nil, f.errorf("%s exists, and is not overwritten: move it away, with the files that have its name "+
				"and -wal, -shm or -journal behind it", f.path+suffix)
		}
	}
	return unlock, nil
}

// keepFrom writes what is read to a new file.
func keepFrom(ctx context.Context, from io.Reader, name string) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, ownFile) // #nosec G304 -- in a folder of our own
	if err != nil {
		return err
	}
	_, err = io.Copy(file, untilDone{ctx, from})
	return errors.Join(err, file.Chmod(ownFile), file.Sync(), file.Close())
}

// untilDone reads until the context ends.
type untilDone struct {
	ctx context.Context
	io.Reader
}

func (r untilDone) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// examineCopy reads all of a copy that nobody else uses, and changes nothing in it.
func examineCopy(ctx context.Context, o Options, path string) (r Restored, err error) {
	f := &sqliteFile{path: path}
	header, err := f.header()
	if err != nil {
		return r, err
	}
	switch {
	case bytes.HasPrefix(header, []byte("PGDMP")):
		return r, errors.New("it is a dump of a Postgres, and GUESTPASS_DATABASE_URL names a SQLite file: set it to " +
			"the Postgres, and this says how to restore there")
	case !bytes.HasPrefix(header, []byte("SQLite format 3\x00")):
		return r, errors.New("it is no SQLite database: guestpass backup makes copies that are")
	}
	s := &Store{log: slog.New(slog.DiscardHandler), schemas: o.Schemas, database: SQLite, file: f, write: noWriter{}}
	if s.read, err = sql.Open("sqlite", f.dsnToLook(header)); err != nil {
		return r, err
	}
	defer s.read.Close()
	if err := s.CheckIntegrity(ctx); err != nil {
		return r, err
	}
	if err := s.examineAll(ctx); err != nil {
		return r, err
	}
	steps, err := s.Migrations(ctx)
	if err != nil {
		return r, err
	}
	if !slices.ContainsFunc(steps, func(step Migration) bool { return step.Applied }) {
		return r, errors.New("it has no tables of Guestpass")
	}
	for _, step := range steps {
		if step.Missing() {
			r.Missing = append(r.Missing, step.Name)
		}
	}
	if len(r.Missing) == 0 {
		return r, s.readThrough(ctx, &r)
	}
	return r, examineUpdated(ctx, o, path, &r)
}

// examineUpdated reads a copy of an earlier version once more as a start would make it, since only then the tables are
// those that this program knows. The copy itself stays as it is.
func examineUpdated(ctx context.Context, o Options, path string, r *Restored) error {
	from, err := os.Open(path) // #nosec G304 -- in a folder of our own
	if err != nil {
		return err
	}
	defer from.Close()
	if err := keepFrom(ctx, from, path+"-checked"); err != nil {
		return err
	}
	o.URL, o.Log = "sqlite:"+path+"-checked", nil
	s, err := Open(ctx, o)
	if err != nil {
		return err
	}
	return errors.Join(s.readThrough(ctx, r), s.Close())
}

// readThrough verifies the record, and finds the newest of what happened.
func (s *Store) readThrough(ctx context.Context, r *Restored) error {
	rows, breaks, err := s.VerifyActivity(ctx)
	if err != nil {
		return err
	}
	if len(breaks) > 0 {
		return fmt.Errorf("its record of changes is not as it was written (breaks: %d), such as row %d of %s: %s",
			len(breaks), breaks[0].Seq, breaks[0].Owner, breaks[0].What)
	}
	var newest int64
	err = s.QueryRow(ctx, `SELECT max(coalesce((SELECT max(at) FROM activity), 0),
		coalesce((SELECT max(last_used) FROM connections), 0), coalesce((SELECT max(revoked_at) FROM denials), 0))`).
		Scan(&newest)
	r.Rows, r.Newest = rows, FromMillis(newest)
	return err
}
