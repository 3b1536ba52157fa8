package store

import (
	"context"
	"database/sql"
	"errors"
)

// Beside opens a database for a change of all there is, beside servers that go on meanwhile. It makes neither file nor
// table, and refuses tables that are not of this version. On SQLite servers wait while its transaction lasts.
func Beside(ctx context.Context, o Options) (*Store, error) {
	s, err := Connect(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := s.writeBeside(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Store) writeBeside(ctx context.Context) error {
	if err := s.checkUpToDate(ctx); err != nil {
		return err
	}
	if s.database != SQLite {
		return nil // it may write already, and wait as long as it needs
	}
	// secure_delete writes zeros over what is removed, which else stays in the file until its space is used again.
	db, err := sql.Open("sqlite", s.file.dsn("rw", "synchronous(FULL)", "secure_delete(1)"))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	s.write = besideWriter{db}
	return nil
}

// besideWriter writes to a SQLite file of which another process may be the one writer: each waits for the other's
// transaction, and this one for no group.
type besideWriter struct{ db *sql.DB }

func (w besideWriter) run(ctx context.Context, f func(context.Context, *sql.Tx) error) error {
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	if err := f(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

func (w besideWriter) ping() error { return nil }

func (w besideWriter) close() error { return w.db.Close() }

// emptyLog has SQLite move all of its write-ahead log into the file, and cut it off: it has pages as they were before.
func (s *Store) emptyLog(ctx context.Context) error {
	w, beside := s.write.(besideWriter)
	if !beside {
		return nil
	}
	var busy bool
	var pages, moved int
	if err := w.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved); err != nil {
		return s.classify(err)
	}
	if busy {
		return errors.New("erased, but somebody reads the file without end, so that its write-ahead log has what was " +
			"there before until servers are stopped: erase again later")
	}
	return nil
}
