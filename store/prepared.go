package store

import (
	"context"
	"database/sql"
	"sync"
)

// maxPrepared are the statements of one pool of SQLite that stay prepared. That is more than what people read with, but
// for filters in unusual combinations. One takes some kilobytes in each connection that has used it.
const maxPrepared = 128

// statements keeps those of one pool prepared, by their texts: to prepare a look-up takes SQLite longer than to carry it
// out. Each connection prepares what it has not yet, and SQLite prepares anew by itself what the tables have outdated.
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
