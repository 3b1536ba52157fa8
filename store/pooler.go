package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// findPooler reports whether a pooler answers in place of Postgres: it refuses or drops the parameters with which
// connections begin, or another process answers than the one that said it did. A pooler may give each transaction
// another connection.
func (s *Store) findPooler(ctx context.Context) (found bool, err error) {
	conn, err := s.read.Conn(ctx)
	if refusedParameter(err) != "" {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer conn.Close()
	var said, answers uint32
	err = conn.Raw(func(driver any) error {
		said = driver.(*stdlib.Conn).Conn().PgConn().PID()
		return nil
	})
	if err != nil {
		return false, err
	}
	var path string
	if err := conn.QueryRowContext(ctx, "SELECT pg_backend_pid(), current_setting('search_path')").Scan(&answers,
		&path); err != nil || said != answers || path != s.schema {
		return err == nil, err
	}
	for name, want := range s.bounds {
		var has string
		if err := conn.QueryRowContext(ctx, "SELECT current_setting($1)", name).Scan(&has); err != nil {
			return false, err
		}
		if value, err := parseBound(has); err != nil || value != want {
			return true, nil
		}
	}
	return false, nil
}

// goThroughPooler makes the pools anew, for connections that begin without what it may refuse: the role decides of the
// schema, and each transaction of its bounds.
func (s *Store) goThroughPooler() {
	s.pooled = true
	delete(s.plain.RuntimeParams, "search_path")
	s.usePools()
}

// refusedParameter returns what a pooler says of a parameter with which it does not let connections begin; "" for
// anything else.
func refusedParameter(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) && strings.Contains(refused.Message, "unsupported startup parameter") {
		return refused.Message
	}
	return ""
}

// explainRefusal says what helps where a pooler refuses a parameter that the URL sets.
func explainRefusal(err error) error {
	message := refusedParameter(err)
	if message == "" {
		return err
	}
	return fmt.Errorf("the pooler in front of the database says %q: take the parameter out of the database URL (and "+
		"PGOPTIONS), or have the pooler ignore it (PgBouncer: ignore_startup_parameters) and give it to the role with "+
		"ALTER ROLE … SET", message)
}

// checkSearchPath returns an error if connections do not have the schema: with a pooler that does not pass it on, the
// role decides.
func (s *Store) checkSearchPath(ctx context.Context) error {
	var path, user, database string
	err := s.read.QueryRowContext(ctx, "SELECT current_setting('search_path'), current_user, current_database()").Scan(
		&path, &user, &database)
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(path, ",")
	if first = strings.Trim(first, ` "`); first == s.schema || first == "$user" && user == s.schema {
		return nil
	}
	return fmt.Errorf("the pooler in front of the database does not pass search_path on: run "+
		"ALTER ROLE %s IN DATABASE %s SET search_path = %s, and have the pooler connect anew",
		identifier(user), identifier(database), identifier(s.schema))
}
