package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
)

// A Tx is one change under way: all of it is kept, or nothing.
type Tx struct {
	sql     *sql.Tx
	ctx     context.Context
	now     time.Time
	changed Change
	person  string // see By

	database Database
	store    *Store
	recorded map[string]int64 // by owner: where its record ends

	quota       Quota
	used        map[whose]*usage // by this change
	beyondQuota bool
	repeats     bool  // a denial that there is
	reserved    bool  // it denies access, and so may have the space that is reserved for that
	refused     error // what every statement gets that is not reserved
}

// Write runs f in a transaction and returns when it is kept on disk, or an error: f's own, a [QuotaError], or one that
// wraps [ErrUnavailable] or [ErrFull]. f may run more than once, and must do no more than use its Tx: on SQLite all
// writers wait for it. A change that denies access gets the reserve if there is no other space.
func (s *Store) Write(ctx context.Context, f func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.retakeReserve(ctx)
	reserved, err := s.change(ctx, f)
	switch {
	case !errors.Is(err, ErrFull):
		return err
	case reserved:
		return s.lend(ctx, func() error {
			_, err := s.change(ctx, f)
			return err
		})
	case s.database == Postgres: // where what is refused uses space, too
		s.reserve.lent.Store(true)
	}
	return err
}

// change is Write without the reserve. reserved reports whether f denies.
func (s *Store) change(ctx context.Context, f func(*Tx) error) (reserved bool, err error) {
	var recorded map[string]int64
	err = s.classify(s.write.run(ctx, func(ctx context.Context, inner *sql.Tx) error {
		tx := &Tx{sql: inner, ctx: ctx, now: s.now().UTC().Truncate(time.Millisecond), database: s.database,
			store: s, quota: s.quota}
		if s.reserve.lent.Load() {
			tx.refused = errReserved
		}
		err := f(tx)
		if err == nil {
			err = tx.settle()
		}
		reserved, recorded = tx.reserved, tx.recorded
		return err
	}))
	if err == nil {
		s.heads.remember(recorded, s.Now())
	}
	return reserved, err
}

// Now returns the time of the change.
func (tx *Tx) Now() time.Time { return tx.now }

// Database returns in which of the two the change is made.
func (tx *Tx) Database() Database { return tx.database }

// By says who makes the change. Resources count what it adds for that person.
func (tx *Tx) By(person string) { tx.person = person }

// Person returns who makes the change, as [Tx.By] said; "" if nobody did.
func (tx *Tx) Person() string { return tx.person }

// A writer brings transactions to the disk.
type writer interface {
	run(context.Context, func(context.Context, *sql.Tx) error) error
	ping() error
	close() error
}

// transactionWriter leaves that to Postgres, which commits in groups by itself.
type transactionWriter struct{ *Store }

func (w transactionWriter) run(ctx context.Context, f func(context.Context, *sql.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := w.once(ctx, f)
		elsewhere := readOnly(err) // perhaps another server takes changes now, behind the same name
		if elsewhere {
			w.dropIdle()
		}
		again := w.mustPrepareAnew(ctx, err)
		if again { // all of it, as any of its statements may be outdated
			ctx = unprepared(ctx)
		}
		if attempt == 3 || !elsewhere && !again && !mustRepeat(err) {
			return err
		}
	}
}

func (w transactionWriter) once(ctx context.Context, f func(context.Context, *sql.Tx) error) error {
	with, err := w.session(ctx, true)
	if err != nil {
		return err
	}
	defer with.end()
	tx, err := with.BeginTx(with.ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	if w.pooled {
		if _, err := tx.ExecContext(with.ctx, w.bounds.statements()); err != nil {
			return err
		}
	}
	if err := f(with.ctx, tx); err != nil {
		if pid := w.pid(with); pid != 0 && lockTimedOut(err) {
			return fmt.Errorf("backend %d waited: %w", pid, err)
		}
		return err
	}
	return tx.Commit()
}

// pid returns by which number Postgres knows the session, in its log as well; 0 behind a pooler, which makes up one.
func (w transactionWriter) pid(of session) (pid uint32) {
	if !w.pooled {
		_ = of.Raw(func(driver any) error {
			pid = driver.(*stdlib.Conn).Conn().PgConn().PID()
			return nil
		})
	}
	return pid
}

func (w transactionWriter) ping() error { return nil } // the pool is the readers' too

func (w transactionWriter) close() error { return nil }

// groupWriter is SQLite's one writer. Changes that arrive while another is being
// synchronised to disk share the next transaction, each in a savepoint of its own:
// one fsync acknowledges all of them, and none before it.
type groupWriter struct {
	db      *sql.DB
	queue   chan *job
	stop    chan struct{}
	stopped chan struct{}
	once    sync.Once // closes
	broken  atomic.Bool
	sizes   groupSizes
}

// A job is a change that waits for its group.
type job struct {
	ctx  context.Context
	run  func(context.Context, *sql.Tx) error
	err  error
	done chan struct{}
}

const (
	maxGroup     = 128              // changes in one transaction
	groupTimeout = 10 * time.Second // of one transaction
)

// errBroken is final: after a failed fsync the system may count pages as written that are not, so that another attempt
// could succeed without keeping anything.
var errBroken = fmt.Errorf("%w: the disk did not keep what was written to it; check it and start the program again",
	ErrUnavailable)

var errClosed = fmt.Errorf("%w: the store is closed", ErrUnavailable)

func newGroupWriter(db *sql.DB) *groupWriter {
	w := &groupWriter{db: db, queue: make(chan *job, maxGroup), stop: make(chan struct{}), stopped: make(chan struct{})}
	go w.loop()
	return w
}

func (w *groupWriter) run(ctx context.Context, f func(context.Context, *sql.Tx) error) error {
	j := &job{ctx: ctx, run: f, done: make(chan struct{})}
	select {
	case w.queue <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.stop:
		return errClosed
	}
	select {
	case <-j.done: // not ctx.Done: what was begun is waited for, so that nobody doubts its outcome
	case <-w.stopped:
		select {
		case <-j.done:
		default:
			return errClosed
		}
	}
	return j.err
}

func (w *groupWriter) loop() {
	defer close(w.stopped)
	for {
		select {
		case <-w.stop:
			return
		case first := <-w.queue:
			jobs := w.group(first)
			w.sizes.note(len(jobs))
			w.commit(jobs)
		}
	}
}

// group returns the first job with those that are waiting already.
func (w *groupWriter) group(first *job) []*job {
	jobs := []*job{first}
	for len(jobs) < maxGroup {
		select {
		case j := <-w.queue:
			jobs = append(jobs, j)
		default:
			return jobs
		}
	}
	return jobs
}

func (w *groupWriter) commit(jobs []*job) {
	ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
	defer cancel()
	err := w.transact(ctx, jobs)
	if syncFailed(err) {
		w.broken.Store(true)
	}
	if len(jobs) > 1 && errors.Is(classify(err), ErrFull) { // too much for all of them together, perhaps not for each
		for _, j := range jobs {
			w.commit([]*job{j})
		}
		return
	}
	for _, j := range jobs {
		if err != nil && j.err == nil {
			j.err = err
		}
		close(j.done)
	}
}

func (w *groupWriter) transact(ctx context.Context, jobs []*job) error {
	if err := w.ping(); err != nil {
		return err
	}
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	for _, j := range jobs {
		if j.err = j.ctx.Err(); j.err != nil {
			continue
		}
		if err := j.inSavepoint(ctx, tx); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// inSavepoint runs the job. It keeps the job's own error in j.err, and returns that of the whole group.
func (j *job) inSavepoint(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, "SAVEPOINT change"); err != nil {
		return err
	}
	func() {
		defer func() {
			if cause := recover(); cause != nil { // the writer outlives it; its value may hold what a request carried
				j.err = fmt.Errorf("a change panicked with a %T: %s", cause, debug.Stack())
			}
		}()
		j.err = j.run(ctx, tx)
	}()
	if j.err != nil {
		if _, err := tx.ExecContext(ctx, "ROLLBACK TO change"); err != nil {
			return fmt.Errorf("%w: %w", j.err, err) // SQLite has given up the whole transaction, for what the job met
		}
	}
	_, err := tx.ExecContext(ctx, "RELEASE change")
	return err
}

func (w *groupWriter) ping() error {
	if w.broken.Load() {
		return errBroken
	}
	return nil
}

func (w *groupWriter) close() error {
	var err error
	w.once.Do(func() {
		close(w.stop)
		<-w.stopped
		err = errors.Join(w.checkpoint(), w.db.Close())
	})
	return err
}

// checkpoint moves what is in the log beside the file into the file, so that a copy of the file alone has everything.
func (w *groupWriter) checkpoint() error {
	if w.ping() != nil {
		return nil
	}
	var busy, pages, done int
	if err := w.db.QueryRow("PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &done); err != nil {
		return err
	}
	if busy != 0 {
		return fmt.Errorf("another program reads the database, so that some changes are still in the file with -wal " +
			"at the end of its name: copy it with guestpass backup, not by itself")
	}
	return nil
}
