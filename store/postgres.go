package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"guestpass/internal/pattern"
)

// defaultSchema is Guestpass's own, beside whatever else a database holds.
const defaultSchema = "guestpass"

var postgresSchema = pattern.New(`^[a-z_][a-z0-9_]{0,62}$`)

// CheckSchema returns what is wrong with the name of a schema; "" stands for the usual one.
func CheckSchema(name string) error {
	if name != "" && (!postgresSchema.MatchString(name) || strings.HasPrefix(name, "pg_") ||
		name == "information_schema") {
		return errors.New("must be lower-case letters, digits and _, at most 63, and not begin with a digit or pg_")
	}
	return nil
}

// openPostgres connects. Each connection begins with the schema, and none sets it later: a pool in front may give each
// transaction another connection. Where write is set, each begins with what bounds its use, too.
func (s *Store) openPostgres(ctx context.Context, dsn string, write bool) error {
	s.database, s.url = Postgres, dsn
	config, err := parsePostgres(dsn)
	if err != nil {
		return fmt.Errorf("the database URL %w", err)
	}
	protected, err := protectionOf(config)
	if err != nil {
		return fmt.Errorf("the database URL %w", err)
	}
	if warning := protectionWarnings[protected]; warning != "" {
		s.log.WarnContext(ctx, warning)
	}
	if s.bounds, err = takeBounds(config); err != nil {
		return fmt.Errorf("the database URL %w", err)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
		if others := len(config.Fallbacks); others > 0 { // the first of them may be dead
			config.ConnectTimeout = connectSeveral / time.Duration(1+others)
		}
	}
	if config.RuntimeParams["application_name"] == "" { // what pg_stat_activity says whose session it is
		config.RuntimeParams["application_name"] = "guestpass"
	}
	if write {
		s.answer = s.bounds.answer()
	} else { // all of a record perhaps
		s.bounds = nil
	}
	// What others do with a connection is not prepared, and what the store does only where no pooler is, see toPrepare.
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.StatementCacheCapacity = min(config.StatementCacheCapacity, maxPrepared)
	s.plain = config
	s.usePools()
	pooled, err := s.findPooler(ctx)
	if pooled {
		s.closePools()
		s.goThroughPooler()
	}
	if err == nil {
		err = s.checkSearchPath(ctx)
	}
	if err != nil {
		s.closePools()
	}
	s.prepares.Store(write && !s.pooled && config.StatementCacheCapacity > 0)
	return s.classify(explainRefusal(err))
}

// usePools makes the pools, none of which connects yet.
func (s *Store) usePools() {
	making, using := s.plain.Copy(), s.plain.Copy()
	if !s.pooled {
		making.RuntimeParams["search_path"], using.RuntimeParams["search_path"] = s.schema, s.schema
		for name := range defaultBounds {
			making.RuntimeParams[name] = "0"
		}
		if using.RuntimeParams["plan_cache_mode"] == "" { // for any values, a plan would not know which are rare
			using.RuntimeParams["plan_cache_mode"] = "force_custom_plan"
		}
		for name, value := range s.bounds {
			using.RuntimeParams[name] = milliseconds(value)
		}
	}
	using.Tracer = s.tracer
	s.read = s.openPool(using, s.connections)
	s.apart, s.revoking = s.openPool(using, maxApart), s.openPool(using, maxApart)
	s.making = s.openPool(making, maxToMake)
	s.making.SetMaxIdleConns(0)
	s.write = transactionWriter{s}
}

func (s *Store) openPool(config *pgx.ConnConfig, number int) *sql.DB {
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(number)
	pool.SetMaxIdleConns(number)
	pool.SetConnMaxIdleTime(s.idle)
	pool.SetConnMaxLifetime(time.Hour)
	return pool
}

func (s *Store) closePools() {
	for _, pool := range []*sql.DB{s.read, s.apart, s.revoking, s.making} {
		_ = pool.Close()
	}
}

// dropIdle closes connections that nobody uses. Those that come next may lead to another server.
func (s *Store) dropIdle() {
	for pool, number := range map[*sql.DB]int{s.read: s.connections, s.apart: maxApart, s.revoking: maxApart} {
		pool.SetMaxIdleConns(0)
		pool.SetMaxIdleConns(number)
	}
}

// parsePostgres reads a URL without connecting.
func parsePostgres(dsn string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil { // its text may repeat the URL with its password
		return nil, errors.New("cannot be read as postgres://USER@HOST/DATABASE?sslmode=verify-full, or names a " +
			"file with certificates that cannot be read")
	}
	return config, nil
}

// protection says what keeps the password and the data from others on the way to Postgres; the best first.
type protection int

const (
	authenticated   protection = iota // on this machine, or encrypted, with the server's certificate checked
	unauthenticated                   // encrypted with whoever answers
	unencrypted                       // not encrypted
)

// protectionWarnings are for weak protection that somebody has asked for by name.
var protectionWarnings = map[protection]string{
	unauthenticated: "the connection to Postgres is encrypted, but whoever answers is taken for the server: " +
		"sslmode=require checks no certificate, and verify-ca without sslrootcert takes one of any host; say " +
		"sslmode=verify-full in GUESTPASS_DATABASE_URL",
	unencrypted: "the connection to Postgres is not encrypted: the password, and everything that is kept, can be " +
		"read on the way; say sslmode=verify-full instead of disable in GUESTPASS_DATABASE_URL",
}

// errOpportunistic refuses what libpq does by default: to send the password in the clear to a server, or to
// somebody in front of it, that says it has no TLS.
var errOpportunistic = errors.New("must say how the connection to a Postgres on another machine is protected, as it " +
	"would go on in the clear where the server has no TLS: write sslmode=verify-full " +
	"(postgres://…?sslmode=verify-full, or PGSSLMODE), with sslrootcert=FILE for a certificate authority of your " +
	"own; sslmode=disable only on a network that nobody else reads")

// protectionOf returns the least protection that connections may have. It looks at what pgx has made of URL,
// environment and service file: with allow and with prefer, its default, pgx lists both ways for one server.
func protectionOf(config *pgx.ConnConfig) (protection, error) {
	type server struct {
		host string
		port uint16
	}
	encrypted, plain := map[server]bool{}, map[server]bool{}
	least := authenticated
	for _, one := range append([]*pgconn.FallbackConfig{{Host: config.Host, Port: config.Port,
		TLSConfig: config.TLSConfig}},
		config.Fallbacks...) {
		if network, _ := pgconn.NetworkAddress(one.Host, one.Port); network == "unix" || loopback(one.Host) {
			continue
		}
		this := server{one.Host, one.Port}
		switch {
		case one.TLSConfig == nil:
			plain[this], least = true, max(least, unencrypted)
		case one.TLSConfig.InsecureSkipVerify && (one.TLSConfig.VerifyPeerCertificate == nil ||
			one.TLSConfig.RootCAs == nil):
			encrypted[this], least = true, max(least, unauthenticated)
		default:
			encrypted[this] = true
		}
		if encrypted[this] && plain[this] {
			return unencrypted, errOpportunistic
		}
	}
	return least, nil
}

// loopback reports whether a host is this machine by its name alone.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// locked runs f while no other instance with the same schema does. A transaction holds the lock, so that a pooler keeps
// it with its connection.
func (s *Store) locked(ctx context.Context, f func() error) error {
	if s.database != Postgres {
		return f()
	}
	tx, err := s.making.BeginTx(ctx, nil)
	if err != nil {
		return s.classify(err)
	}
	defer func() { _ = tx.Rollback() }() // which is the end of the lock
	key := fnv.New64a()
	_, _ = key.Write([]byte("guestpass schema " + s.schema))
	for _, statement := range []string{"SET LOCAL statement_timeout = 0", "SET LOCAL lock_timeout = 0",
		"SET LOCAL idle_in_transaction_session_timeout = 0"} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return s.classify(err)
		}
	}
	lock := int64(key.Sum64()) // #nosec G115 -- any 64 bits will do
	if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", lock); err != nil {
		return fmt.Errorf("wait for other instances that bring the schema up to date: %w", s.classify(err))
	}
	return f()
}

// makeSchema makes the schema unless there is one.
func (s *Store) makeSchema(ctx context.Context) error {
	if s.database != Postgres {
		return nil
	}
	var exists bool
	if err := s.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)",
		s.schema).Scan(&exists); err != nil {
		return err
	}
	var user string
	if !exists {
		_, err := s.making.ExecContext(ctx, "CREATE SCHEMA "+identifier(s.schema))
		if denied(err) {
			_ = s.QueryRow(ctx, "SELECT current_user").Scan(&user)
			return fmt.Errorf("there is no schema %s, and the role may not make it: have an administrator run "+
				"CREATE SCHEMA %s AUTHORIZATION %s",
				s.schema, identifier(s.schema), identifier(user))
		}
		return s.classify(err)
	}
	var usage bool
	if err := s.QueryRow(ctx, "SELECT has_schema_privilege($1, 'USAGE'), current_user", s.schema).Scan(&usage,
		&user); err != nil {
		return err
	}
	if !usage {
		return fmt.Errorf("the role may not use the schema %s: have an administrator run GRANT USAGE, CREATE ON "+
			"SCHEMA %s TO %s",
			s.schema, identifier(s.schema), identifier(user))
	}
	return nil
}

// checkWritable returns an error if the server takes no changes, and drops connections to it: another one may take
// them, behind the same name.
func (s *Store) checkWritable(ctx context.Context) error {
	if s.database != Postgres {
		return nil
	}
	var refuses bool
	err := s.QueryRow(ctx,
		"SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on'").Scan(&refuses)
	if err != nil || !refuses {
		return err
	}
	s.dropIdle()
	return ErrReadOnly
}

// denied reports whether Postgres refused something that the role may not do.
func denied(err error) bool {
	var postgres *pgconn.PgError
	return errors.As(err, &postgres) && postgres.Code == "42501"
}

// oldPlace returns the schema in which versions before this one made their tables: the first of the role's search path.
// On SQLite it is the file.
func (s *Store) oldPlace(ctx context.Context) (string, error) {
	if s.database != Postgres {
		return "", nil
	}
	conn, err := pgx.ConnectConfig(ctx, s.plain)
	if err != nil {
		return "", s.classify(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var place *string
	if err := conn.QueryRow(ctx, "SELECT current_schema()").Scan(&place); err != nil || place == nil {
		return "", s.classify(err)
	}
	return *place, nil
}
