package table

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"guestpass/store"
)

// A TaskQuery selects tasks that are not deleted. Empty fields select everything.
type TaskQuery struct {
	State, Assignee, Label string
	DueBefore              string // YYYY-MM-DD, exclusive; tasks without due date are left out
	Search                 string // words, all of which title or notes have; newest first, Sort is created
	// due (earliest first), updated (latest first), priority (highest first), created (newest first)
	Sort  string
	Limit int
	After string // Position of the last task of the page before, of that page, or its Next
}

// A TaskPage is a part of a list.
type TaskPage struct {
	Tasks []Task
	Total int // on all pages; -1: more than are cheap to count

	// Next is where the list goes on, for [TaskQuery].After, if the page has fewer tasks than wanted and others may
	// follow: its filters have so little in common that one call does not look through all that each of them has.
	Next string

	sort string
}

// bounds are how much one call reads. What is beyond is not counted, or found by the next call.
type bounds struct {
	counted int // entries of an index that are counted
	passed  int // entries of an index of which the other filters may leave out all
	matches int // matches of words, likewise, on SQLite; as many as the page has room for if that is more
	further int // the same on later pages, which do not count them
	lookups int // tasks whose words are looked at on SQLite, of those that the other filters have
	recent  int // the same on Postgres, before it asks the index
	seldom  int // matches among the recent that let a small place have enough for a page, on Postgres
	scarce  int // matches in a place that are few, on Postgres
}

var most = bounds{counted: 1000, passed: 1000, matches: 60, further: 40, lookups: 75, recent: 200,
	seldom: 4, scarce: 40}

// Position returns where the list goes on after a task of the page, for [TaskQuery].After. In order of creation it
// carries the total, so that only the first page counts.
func (p TaskPage) Position(t Task) string {
	key := int64(0)
	switch p.sort {
	case "due":
		return position(t.storedDue(), t.seq)
	case "updated":
		key = store.Millis(t.UpdatedAt)
	case "priority":
		key = int64(t.Priority)
	case "created":
		key = int64(p.Total) + 1
	}
	return position(strconv.FormatInt(key, 10), t.seq)
}

func position(key string, seq int64) string { return key + " " + strconv.FormatInt(seq, 10) }

// newest is after all tasks in order of creation.
const newest = math.MaxInt64

// after takes a Position apart. Without one it returns the place before the newest task.
func (q TaskQuery) after() (key any, seq int64, err error) {
	if q.After == "" {
		return nil, newest, nil
	}
	text, number, _ := strings.Cut(q.After, " ")
	if seq, err = strconv.ParseInt(number, 10, 64); err == nil && q.Sort != "due" {
		key, err = strconv.ParseInt(text, 10, 64)
	} else {
		key = text
	}
	if err != nil {
		return nil, 0, fmt.Errorf("position %q of a task list: %w", q.After, err)
	}
	return key, seq, nil
}

// List returns up to q.Limit tasks of the owner. What it reads is bounded, however many tasks there are: it goes along
// an index that begins with the state, assignee and label of the query and has its order. What no such index has, a due
// date in another order and words, it tries in two ways, as long as either is cheap: it goes along the order and leaves
// out what does not fit, or it reads all that fits, if that is little, and sorts it.
func List(ctx context.Context, s *store.Store, owner string, q TaskQuery) (page TaskPage, err error) {
	l := &list{ctx: ctx, s: s, owner: owner, TaskQuery: q}
	if err := l.run(); err != nil {
		return page, fmt.Errorf("list tasks: %w", err)
	}
	return l.page, nil
}

func (l *list) run() (err error) {
	q := l.TaskQuery
	if l.key, l.seq, err = q.after(); err != nil {
		return err
	}
	l.page = TaskPage{Tasks: []Task{}, Total: -1, sort: q.Sort}
	if l.counted = q.Sort == "created" && q.After != ""; l.counted {
		total, _ := l.key.(int64)
		l.page.Total = int(total) - 1
	}
	switch {
	case q.Search == "" && (q.DueBefore == "" || q.Sort == "due"):
		return l.inOrder()
	case q.Search == "":
		return l.byDueInAnotherOrder()
	case !Searchable(q.Search): // nothing has none of the words
		l.page.Total = 0
		return nil
	case l.s.Database() == store.Postgres:
		return l.searchPostgres()
	}
	return l.searchSQLite()
}

// list is one call of [List].
type list struct {
	ctx   context.Context
	s     *store.Store
	owner string
	TaskQuery
	key     any // after which the page begins, if After is set
	seq     int64
	page    TaskPage
	counted bool                             // After carries the total
	note    func(query string, values []any) // of tests: told of each query before it is run
}

// inOrder answers what an index has in its order.
func (l *list) inOrder() error {
	found := l.window(l.entries(l.Sort, true, l.Limit), l.Sort, l.Limit)
	tasks, err := l.read(found, l.Sort, nil)
	if err != nil {
		return err
	}
	l.page.Tasks = tasks
	l.page.Total, err = l.count(l.entries(l.Sort, false, most.counted+1))
	return err
}

// byDueInAnotherOrder answers what is due before a day in an order that is not by due date.
func (l *list) byDueInAnotherOrder() (err error) {
	if l.page.Total, err = l.count(l.entries("due", false, most.counted+1)); err != nil || l.page.Total == 0 {
		return err
	}
	passed := l.entries(l.Sort, true, most.passed)
	l.page.Tasks, err = l.read(l.window(passed, l.Sort, most.passed), l.Sort, func(s *store.Statement) {
		s.And(" AND w.due < ?", l.DueBefore)
	})
	if err != nil || len(l.page.Tasks) == l.Limit {
		return err
	}
	key, seq, full, err := l.last(passed, l.Sort, most.passed)
	if err != nil || !full {
		return err
	}
	if l.page.Total < 0 {
		if l.page.Next = position(key, seq); l.Sort == "created" {
			l.page.Next = l.next(seq)
		}
		return nil
	}
	all := l.window(l.entries("due", false, most.counted), "due", most.counted)
	l.page.Tasks, err = l.read(all, l.Sort, l.following)
	return err
}

// following leaves out what pages before this one had.
func (l *list) following(s *store.Statement) {
	order := orders[l.Sort]
	switch {
	case l.After == "":
	case l.Sort == "created":
		s.And(" AND t.seq < ?", l.seq)
	default:
		s.And(" AND (t."+order.column+" "+order.beyond+" ? OR t."+order.column+" = ? AND t.seq "+order.beyond+" ?)",
			l.key, l.key, l.seq)
	}
}

// matching leaves out what does not have the state, assignee, label, and due date.
func (l *list) matching(s *store.Statement) {
	s.And(" AND t.owner = ? AND t.deleted_at = 0", l.owner)
	if l.State != "" {
		s.And(" AND t.state = ?", l.State)
	}
	if l.Assignee != "" {
		s.And(" AND t.assignee = ?", l.Assignee)
	}
	if l.Label != "" {
		found := map[store.Database]string{store.SQLite: "instr", store.Postgres: "strpos"}[l.s.Database()]
		s.And(" AND "+found+"(',' || t.labels || ',', ?) > 0", ","+l.Label+",")
	}
	l.dueBefore(s)
}

func (l *list) dueBefore(s *store.Statement) {
	if l.DueBefore != "" {
		s.And(" AND t.due < ?", l.DueBefore)
	}
}

// narrow reports whether a search has other filters as well.
func (l *list) narrow() bool { return l.State+l.Assignee+l.Label+l.DueBefore != "" }

// read returns the tasks of a window that fit, in order, up to the limit of the page.
func (l *list) read(window window, sort string, fit func(*store.Statement)) ([]Task, error) {
	query := window.Statement
	query.Text = "SELECT " + taskColumns + " FROM (" + query.Text + ")" + l.join()
	if fit != nil {
		fit(&query)
	}
	order := orders[sort]
	prefix, column := "w.", "k"
	if window.sort != sort {
		prefix, column = "t.", order.column
	}
	query.And(" ORDER BY "+order.by(prefix, column)+" LIMIT ?", l.Limit)
	return l.tasks(query)
}

// join adds the tasks to a window, one by one. OFFSET 0 keeps Postgres from reading all tasks that have a word instead.
func (l *list) join() string {
	if l.s.Database() == store.SQLite {
		return " w CROSS JOIN tasks t ON t.seq = w.seq WHERE true"
	}
	return " w CROSS JOIN LATERAL (SELECT * FROM tasks WHERE seq = w.seq OFFSET 0) t WHERE true"
}

func (l *list) tasks(query store.Statement) ([]Task, error) {
	return store.List(l.ctx, l.s, scanTask, query.Text, l.noted(query)...)
}

// noted returns the values of a query, of which tests take note.
func (l *list) noted(query store.Statement) []any {
	if l.note != nil {
		l.note(query.Text, query.Values)
	}
	return query.Values
}

// count returns how many entries there are, -1 for more than are counted.
func (l *list) count(entries *store.Statement) (total int, err error) {
	if l.counted {
		return l.page.Total, nil
	}
	query := *entries
	query.Text = "SELECT count(*) FROM (SELECT 1 FROM (" + query.Text + ") e"
	query.And(" LIMIT ?) counted", most.counted+1)
	err = l.s.QueryRow(l.ctx, query.Text, l.noted(query)...).Scan(&total)
	if total > most.counted {
		total = -1
	}
	return total, err
}

// last returns the last entry of a window, and whether there are so many.
func (l *list) last(entries *store.Statement, sort string, size int) (key string, seq int64, full bool, err error) {
	query := *entries
	query.Text = "SELECT e.k, e.seq FROM (" + query.Text + ") e ORDER BY " + orders[sort].by("e.", "k")
	query.And(" LIMIT 1 OFFSET ?", size-1)
	err = l.s.QueryRow(l.ctx, query.Text, l.noted(query)...).Scan(&key, &seq)
	if errors.Is(err, store.ErrNotFound) {
		return "", 0, false, nil
	}
	return key, seq, err == nil, err
}

// next returns the position after a task that was looked at, in order of creation.
func (l *list) next(seq int64) string { return l.page.Position(Task{seq: seq}) }
