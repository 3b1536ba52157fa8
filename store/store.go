// Package store keeps what Guestpass remembers: the record of changes, the use of connected apps and what was
// revoked of it, and the answers that a repeated call gets again. Resources keep their own tables beside these, see
// [Schema], and change them in the same transactions. It runs on SQLite or Postgres with the same SQL; where they
// differ each has its own constant or migration.
//
// Every function that touches somebody's data demands the owner: an organization,
// or in Consumer projects a user. The package knows neither tokens nor HTTP nor any resource, and
// decides nothing about who may do what within an owner.
package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// Options configure a [Store].
type Options struct {
	URL    string           // sqlite:PATH or postgres://…
	Schema string           // of a Postgres, for Guestpass alone; "": guestpass
	Now    func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil: discard
	Quota  Quota            // of each owner
	Keep   time.Duration    // how long the record is kept; 0: [DefaultKeep]

	KeepConnections time.Duration // how long connections that nobody uses are kept; 0: as long as the record
	KeepReplies     time.Duration // and the answers to calls with keys of their own; 0: [DefaultReplies]

	// Archive is a folder that gets the rows of the record that are not kept any more, before they are removed; "":
	// they are gone. Several instances may have the same one, or each its own.
	Archive string

	// Connections are how many to Postgres may be open at once for what people do, at least [FewestConnections]; 0:
	// [DefaultConnections]. Looks, revocations and migrations have a few of their own beside those.
	Connections int
	// Idle is after how long without use one of them is closed; 0: [DefaultIdle].
	Idle time.Duration
	// AsItIs has [Open] refuse a database whose schema is not up to date, in place of changing it.
	AsItIs bool

	Schemas []Schema // of the resources

	Tracer pgx.QueryTracer // of statements of Postgres, but for those that migrate; nil: none
}

// A Store is a database with the current schema. It is safe for concurrent use, and
// several processes may share a Postgres; a SQLite file belongs to one process.
type Store struct {
	opening  Options
	now      func() time.Time
	log      *slog.Logger
	schemas  []Schema
	database Database
	read     *sql.DB
	write    writer
	wanted   tables // which Ping looks for; nil for a Store that is only read
	quota    Quota
	asItIs   bool
	reserve  reserve

	keep, keepUnused, replies time.Duration // of the record, of connections that nobody uses, and of answers
	archive                   *archive      // nil: none

	file  *sqliteFile // of SQLite, and the other as well
	reads *statements // of read; nil for a Store that is only read

	url      string // of Postgres, and the rest as well
	schema   string
	plain    *pgx.ConnConfig // as the URL says, without the schema and the bounds
	tracer   pgx.QueryTracer
	bounds   bounds        // of each session; nil: those of the role
	apart    *sql.DB       // to look, see Apart
	revoking *sql.DB       // to change apart
	making   *sql.DB       // for migrations, which may take as long as they need
	answer   time.Duration // for which a statement or a transaction is waited for; 0: without end
	pooled   bool          // a pooler gives each transaction another connection
	prepares atomic.Bool   // statements stay prepared
	shares   shares
	away     absence

	connections int           // for what people do
	idle        time.Duration // after which one is closed
	heads       *heads
}

// Database names which of the two a Store runs on.
type Database string

// The two.
const (
	SQLite   Database = "sqlite"
	Postgres Database = "postgres"
)

// Database returns which of the two this Store runs on.
func (s *Store) Database() Database { return s.database }

// Log returns the Store's log.
func (s *Store) Log() *slog.Logger { return s.log }

// Now returns the time of the Store's clock.
func (s *Store) Now() time.Time { return s.now().UTC() }

// maxReaders are connections to SQLite. They do not wait for each other nor for the one writer.
const maxReaders = 8

// Open connects and brings the schema up to date. It does so under a lock, so that of instances that start together one
// does it. Close the Store after use.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := New(o)
	if err := s.Open(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Open is the function of that name, for a Store that [New] has made.
func (s *Store) Open(ctx context.Context) error {
	kept, err := openArchive(s.opening.Archive)
	if err != nil {
		return err
	}
	if err := s.connect(ctx, true); err != nil {
		return err
	}
	s.archive = kept
	if err := s.migrateUp(ctx); err != nil {
		_ = s.Close()
		return err
	}
	s.prepareReserve(ctx)
	return nil
}

// Connect opens a database for reading, as it is, beside whoever uses it. It makes neither
// file nor table: where there is no SQLite file, the error wraps [ErrNoFile].
func Connect(ctx context.Context, o Options) (*Store, error) {
	s := New(o)
	return s, s.connect(ctx, false)
}

// New returns a Store that is not open yet: for who is to have it, and says what is wrong before anything is opened.
// Nothing works before [Store.Open].
func New(o Options) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{opening: o, now: o.Now, log: o.Log, schemas: o.Schemas, quota: o.Quota.withDefaults(o.Schemas),
		keep: cmp.Or(o.Keep, DefaultKeep), keepUnused: cmp.Or(o.KeepConnections, o.Keep, DefaultKeep),
		replies: cmp.Or(o.KeepReplies, DefaultReplies), heads: newHeads(), asItIs: o.AsItIs, tracer: o.Tracer,
		connections: cmp.Or(o.Connections, DefaultConnections), idle: cmp.Or(o.Idle, DefaultIdle)}
	s.shares.each = int64(s.connections / 4)
	return s
}

func (s *Store) connect(ctx context.Context, write bool) error {
	o := s.opening
	scheme, rest, _ := strings.Cut(o.URL, ":")
	switch {
	case scheme == "sqlite" && rest != "" && o.Schema != "":
		return errors.New("SQLite has no schemas: leave the schema's name out")
	case scheme == "sqlite" && rest != "" && (o.Connections != 0 || o.Idle != 0):
		return errors.New("SQLite has no connections to bound: leave out their number, and how long one is kept")
	case scheme == "sqlite" && rest != "":
		return s.openSQLite(ctx, rest, write)
	case o.Connections != 0 && o.Connections < FewestConnections:
		return fmt.Errorf("%d connections to Postgres are too few: give at least %d", o.Connections,
			FewestConnections)
	case scheme == "postgres", scheme == "postgresql":
		if err := CheckSchema(o.Schema); err != nil {
			return fmt.Errorf("the schema's name %w", err)
		}
		s.schema = cmp.Or(o.Schema, defaultSchema)
		return s.openPostgres(ctx, o.URL, write)
	}
	return fmt.Errorf("the database URL %w", errURL)
}

var errURL = errors.New("must be sqlite:PATH or postgres://USER@HOST/DATABASE?sslmode=verify-full")

// CheckURL returns what is wrong with a database URL, without opening the database. Its error never repeats the URL,
// which may hold a password. For what the URL of a Postgres leaves out libpq's rules count, so that PGSSLMODE may say
// how to connect.
func CheckURL(text string) error {
	scheme, rest, _ := strings.Cut(text, ":")
	switch {
	case scheme == "sqlite" && rest != "":
		_, err := sqlitePath(rest)
		return err
	case (scheme == "postgres" || scheme == "postgresql") && rest != "":
		config, err := parsePostgres(text)
		if err != nil {
			return err
		}
		if _, err := protectionOf(config); err != nil {
			return err
		}
		_, err = takeBounds(config)
		return err
	}
	return errURL
}

// Close waits for writes under way, then closes the database. A SQLite file is then complete, without others beside it.
func (s *Store) Close() error {
	if s.write == nil {
		return nil
	}
	err := errors.Join(s.read.Close(), s.write.close())
	for _, pool := range []*sql.DB{s.apart, s.revoking, s.making} {
		if pool != nil {
			err = errors.Join(err, pool.Close())
		}
	}
	return errors.Join(s.classify(err), s.file.close())
}

// Ping returns an error if the database does not answer, takes no more changes, or has lost
// tables.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.write.ping(); err != nil {
		return err
	}
	ctx = Apart(ctx)
	if err := s.verify(ctx); err != nil {
		return err
	}
	return s.checkWritable(ctx)
}

// Run removes every minute what has expired, and every hour what is no longer kept, until ctx ends.
func (s *Store) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	var purged time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			s.retakeReserve(ctx)
			err := s.forget(ctx)
			if now := time.Now(); now.Sub(purged) >= purgeInterval {
				purged, err = now, errors.Join(err, s.Purge(ctx))
			}
			if err != nil {
				s.log.WarnContext(ctx, "not all was removed that is not kept any more", "error", err)
			}
		}
	}
}

// NewID returns prefix and 16 characters: short enough to copy and, with 80 random bits, impossible to guess.
func NewID(prefix string) string {
	var random [10]byte
	_, _ = rand.Read(random[:]) // never fails, says crypto/rand
	return prefix + strings.ToLower(base32.StdEncoding.EncodeToString(random[:]))
}

// Millis returns a time as it is kept: as milliseconds since 1970, 0 for none.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// FromMillis returns the time that [Millis] has kept.
func FromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// CheckIntegrity has SQLite search the whole file for damage. Postgres does so by itself, if the cluster has checksums.
func (s *Store) CheckIntegrity(ctx context.Context) error {
	if s.database != SQLite {
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
