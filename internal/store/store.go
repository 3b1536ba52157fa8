// Package store keeps what Guestpass remembers: tasks and their comments, the
// activity record, the use of connected apps and what was revoked of it, and the
// answers that a repeated call gets again. It runs on
// SQLite or Postgres with the same SQL; where they differ (text search, table
// definitions) each has its own constant or migration.
//
// Every function that touches somebody's data demands the owner: an organization,
// or in Consumer projects a user. The package knows neither tokens nor HTTP, and
// decides nothing about who may do what within an owner.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base32"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
	_ "modernc.org/sqlite"             // driver "sqlite"
)

// Options configure a [Store].
type Options struct {
	URL string           // sqlite:PATH or postgres://…
	Now func() time.Time // nil: time.Now
	Log *slog.Logger     // nil: discard

	More []Schema // of resources of your own
}

// A Store is a database with the current schema. It is safe for concurrent use, and
// several processes may share a Postgres; a SQLite file belongs to one process.
type Store struct {
	now      func() time.Time
	log      *slog.Logger
	more     []Schema
	database database
	read     *sql.DB
	write    writer
}

// database names which of the two this is.
type database string

const (
	sqliteDatabase   database = "sqlite"
	postgresDatabase database = "postgres"
)

// Connections kept to the database. Readers of SQLite do not wait for each other nor
// for the one writer.
const (
	maxReaders     = 8
	maxConnections = 16
)

// Open connects and brings the schema up to date, under a lock, so that instances
// that start together do it once. Close the Store after use.
func Open(ctx context.Context, o Options) (*Store, error) {
	s, err := connect(o)
	if err != nil {
		return nil, err
	}
	if err := s.MigrateUp(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// Connect is Open without bringing the schema up to date.
func Connect(ctx context.Context, o Options) (*Store, error) {
	s, err := connect(o)
	if err != nil {
		return nil, err
	}
	if err := s.Ping(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func connect(o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{now: o.Now, log: o.Log, more: o.More}
	scheme, rest, _ := strings.Cut(o.URL, ":")
	switch {
	case scheme == "sqlite" && rest != "":
		return s, s.openSQLite(rest)
	case scheme == "postgres", scheme == "postgresql":
		return s, s.openPostgres(o.URL)
	}
	return nil, fmt.Errorf("a database URL must be sqlite:PATH or postgres://…")
}

// CheckURL tells what is wrong with a database URL, without opening anything. Its
// error never repeats the URL, which may hold a password.
func CheckURL(text string) error {
	scheme, rest, _ := strings.Cut(text, ":")
	if (scheme != "sqlite" && scheme != "postgres" && scheme != "postgresql") || rest == "" {
		return fmt.Errorf("must be sqlite:PATH or postgres://USER@HOST/DATABASE")
	}
	return nil
}

func (s *Store) openSQLite(path string) error {
	s.database = sqliteDatabase
	settings := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"journal_mode(WAL)", "busy_timeout(5000)", "foreign_keys(1)", "synchronous(FULL)", "temp_store(MEMORY)"}}
	name := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: settings.Encode()}).String()
	readers, err := sql.Open("sqlite", name)
	if err != nil {
		return err
	}
	one, err := sql.Open("sqlite", name)
	if err != nil {
		return err
	}
	readers.SetMaxOpenConns(maxReaders)
	readers.SetMaxIdleConns(maxReaders)
	one.SetMaxOpenConns(1)
	s.read, s.write = readers, newGroupWriter(one)
	return nil
}

func (s *Store) openPostgres(dsn string) error {
	s.database = postgresDatabase
	if _, err := pgx.ParseConfig(dsn); err != nil { // its text may repeat the URL with its password
		return fmt.Errorf("the database URL cannot be read as postgres://USER@HOST/DATABASE")
	}
	pool, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	pool.SetMaxOpenConns(maxConnections)
	pool.SetMaxIdleConns(maxConnections)
	pool.SetConnMaxLifetime(time.Hour)
	s.read, s.write = pool, transactionWriter{pool}
	return nil
}

// Close waits for writes under way, then lets go of the database.
func (s *Store) Close() error {
	if s.write == nil {
		return nil
	}
	err := s.write.close()
	if closing := s.read.Close(); err == nil {
		err = closing
	}
	return err
}

// Ping returns an error if the database does not answer, or takes no more changes.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.write.ping(); err != nil {
		return err
	}
	return classify(s.read.PingContext(ctx))
}

// Run forgets expired answers and denials until ctx ends.
func (s *Store) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := s.forgetReplies(ctx); err != nil {
				s.log.WarnContext(ctx, "expired answers not removed", "error", err)
			}
			if err := s.forgetDenials(ctx); err != nil {
				s.log.WarnContext(ctx, "expired denials not removed", "error", err)
			}
		}
	}
}

// NewID is prefix and 16 characters: short enough to be copied, and with 80 random bits
// not to be guessed.
func NewID(prefix string) string {
	var random [10]byte
	_, _ = rand.Read(random[:]) // never fails, says crypto/rand
	return prefix + strings.ToLower(base32.StdEncoding.EncodeToString(random[:]))
}

// Times are kept as milliseconds since 1970, 0 for none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// CheckIntegrity has SQLite look through the whole file for damage; Postgres does so
// by itself, with checksums where the cluster has them.
func (s *Store) CheckIntegrity(ctx context.Context) error {
	if s.database != sqliteDatabase {
		return nil
	}
	var verdict string
	if err := s.QueryRow(ctx, "PRAGMA integrity_check").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("the database file is damaged: %s", verdict)
	}
	return nil
}
