package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// maxPrepared are the statements that stay prepared: of the pool that reads SQLite, and of each connection to Postgres.
// That is more than what people read with, but for filters in unusual combinations. One takes some kilobytes in each
// connection that has used it.
const maxPrepared = 128

// statements keeps those of one pool prepared, by their texts: to prepare a look-up takes SQLite longer than to
// carry it out. Each connection prepares what it has not yet, and SQLite prepares anew by itself what the
// tables have outdated.
type statements struct {
	pool *sql.DB

	mu     sync.Mutex // guards what follows
	byText map[string]*statement
}

type statement struct {
	*sql.Stmt
	users int  // who may not find it closed
	let   bool // closed once nobody uses it
}

func newStatements(pool *sql.DB) *statements {
	return &statements{pool: pool, byText: map[string]*statement{}}
}

func (s *statements) query(ctx context.Context, text string, args []any) (*sql.Rows, error) {
	prepared, err := s.take(ctx, text)
	if err != nil {
		return nil, err
	}
	defer s.leave(prepared)
	return prepared.QueryContext(ctx, args...)
}

// take returns the statement of that text, which stays open until the caller leaves it.
func (s *statements) take(ctx context.Context, text string) (*statement, error) {
	s.mu.Lock()
	known := s.byText[text]
	if known != nil {
		known.users++
	}
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	made, err := s.pool.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	return s.keep(text, &statement{Stmt: made, users: 1}), nil
}

// keep remembers a statement, in place of any other where there is no room.
func (s *statements) keep(text string, made *statement) *statement {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byText[text] != nil { // somebody else has been faster
		made.let = true
		return made
	}
	if len(s.byText) >= maxPrepared {
		for other, kept := range s.byText {
			delete(s.byText, other)
			if kept.let = true; kept.users == 0 {
				_ = kept.Close()
			}
			break
		}
	}
	s.byText[text] = made
	return made
}

func (s *statements) leave(used *statement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if used.users--; used.let && used.users == 0 {
		_ = used.Close() // rows that are still read keep it open
	}
}

// toPrepare returns the arguments of a statement with what has pgx prepare it, where that may be done: where no pooler
// gives a transaction a connection that does not have the statement. Migrations run each of theirs once.
func (s *Store) toPrepare(ctx context.Context, args []any) []any {
	if !s.prepares.Load() || ctx.Value(makingKey) != nil || ctx.Value(unpreparedKey) != nil {
		return args
	}
	return append([]any{pgx.QueryExecModeCacheStatement}, args...)
}

// unprepared is a context in which statements are not prepared: that of a second attempt, see mustPrepareAnew.
func unprepared(ctx context.Context) context.Context {
	return context.WithValue(ctx, unpreparedKey, true)
}

// mustPrepareAnew reports whether Postgres refused a statement for how it was prepared, and has done nothing: because
// tables have changed since, as a newer instance does, or because the connection does not have the statement, or has
// another of its name. The latter is a pooler's doing, before which nothing is prepared from then on.
func (s *Store) mustPrepareAnew(ctx context.Context, err error) bool {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Code {
	case "0A000": // by the function, as the text is in whatever language the server speaks
		return refused.Routine == "RevalidateCachedQuery"
	case "26000", "42P05":
		if s.prepares.Swap(false) {
			s.log.WarnContext(ctx, "a pooler in front of Postgres was not recognized as one: statements are not "+
				"prepared any more; have it refuse or drop the parameter search_path, so that it is", "error", err)
		}
		return true
	}
	return false
}
