package store

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"unicode"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Errors that callers branch on.
var (
	ErrNotFound    = errors.New("no such record")
	ErrUnavailable = errors.New("the database is not available")
	ErrFull        = errors.New("the database has no space left")
)

// Kinds of [ErrUnavailable] that people mend in ways of their own.
var (
	ErrReadOnly = fmt.Errorf("%w: Postgres takes no changes, it is read-only", ErrUnavailable)
	ErrLocked   = fmt.Errorf("%w: another session held a lock for longer than lock_timeout; pg_stat_activity shows "+
		"who is idle in transaction, and the log of Postgres who held it if log_lock_waits is on", ErrUnavailable)
	ErrTables = fmt.Errorf("%w: tables are missing, as while a backup is put back", ErrUnavailable)
)

// classify is the function classify, and names a SQLite file.
func (s *Store) classify(err error) error {
	if s.file != nil {
		err = s.file.explain(err)
	}
	if table := s.missing(err); table != "" {
		return fmt.Errorf("%w: the schema %s has no table %s: %w", ErrTables, s.schema, table, err)
	}
	return classify(err)
}

// missing returns which of our tables Postgres does not find; "" for any other error. The message has its name, in
// whatever language.
func (s *Store) missing(err error) string {
	var postgres *pgconn.PgError
	if errors.Is(err, ErrUnavailable) || !errors.As(err, &postgres) || postgres.Code != "42P01" &&
		postgres.Code != "3F000" {
		return ""
	}
	names := strings.FieldsFunc(postgres.Message, func(r rune) bool {
		return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	for _, name := range names {
		if s.wanted[name] != nil {
			return name
		}
	}
	return ""
}

// classify wraps an error of a driver so that callers can tell whether waiting helps.
func classify(err error) error {
	var lite *sqlite.Error
	var postgres *pgconn.PgError
	switch {
	case err == nil, errors.Is(err, ErrUnavailable), errors.Is(err, ErrFull):
		return err
	case errors.Is(err, sql.ErrNoRows):
		return ErrNotFound
	case errors.As(err, &lite):
		if lite.Code() == sqlite3.SQLITE_IOERR_SHMSIZE {
			return fmt.Errorf("%w: %w", ErrFull, err)
		}
		switch lite.Code() & 0xff {
		case sqlite3.SQLITE_FULL:
			return fmt.Errorf("%w: %w", ErrFull, err)
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
			sqlite3.SQLITE_READONLY:
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	case errors.As(err, &postgres):
		switch {
		case postgres.Code == "53100":
			return fmt.Errorf("%w: %w", ErrFull, err)
		case postgres.Code == "25006":
			return fmt.Errorf("%w: %w", ErrReadOnly, err)
		case lockTimedOut(postgres):
			where, _, _ := strings.Cut(postgres.Where, "\n") // which names the table
			return fmt.Errorf("%w: %s: %w", ErrLocked, cmp.Or(where, "Postgres does not say of what"), err)
		case slices.Contains(passing, postgres.Code),
			len(postgres.Code) > 2 && slices.Contains(passing, postgres.Code[:2]):
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	case errors.Is(err, driver.ErrBadConn), errors.As(err, new(*pgconn.ConnectError)), errors.As(err, new(net.Error)),
		errors.Is(err, context.DeadlineExceeded), pgconn.SafeToRetry(err), errors.Is(err, pgconn.ErrConnClosed),
		// no sentinels for these
		strings.Contains(err.Error(), "unexpected EOF"), strings.Contains(err.Error(), "database is closed"):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

// passing are codes, and classes of codes, of Postgres that say nothing of the statement: another server, or the same
// one later, may carry it out. See the appendix PostgreSQL Error Codes of its documentation.
var passing = []string{
	"08", "53", "58", // no connection, no resources, no disk
	"57P01", "57P02", "57P03", "57P04", "57P05", // it stops, crashes, starts, or ends what is idle
	"57014",          // statement_timeout, or whoever cancels
	"25P03", "25P04", // idle_in_transaction_session_timeout, transaction_timeout
	"40001", "40P01", // others change the same, however often it is tried
}

// lockTimedOut reports whether a lock was waited for longer than lock_timeout.
func lockTimedOut(err error) bool {
	var postgres *pgconn.PgError
	return errors.As(err, &postgres) && postgres.Code == "55P03"
}

// readOnly reports whether Postgres takes no changes.
func readOnly(err error) bool {
	var postgres *pgconn.PgError
	return errors.As(err, &postgres) && postgres.Code == "25006"
}

// syncFailed reports whether SQLite could not make the disk keep what it wrote.
func syncFailed(err error) bool {
	var lite *sqlite.Error
	return errors.As(err, &lite) && (lite.Code() == sqlite3.SQLITE_IOERR_FSYNC ||
		lite.Code() == sqlite3.SQLITE_IOERR_DIR_FSYNC)
}

// mustRepeat reports whether Postgres asks for the transaction to be run once more.
func mustRepeat(err error) bool {
	var postgres *pgconn.PgError
	return errors.As(err, &postgres) && (postgres.Code == "40P01" || postgres.Code == "40001")
}
