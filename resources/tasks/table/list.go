package table

import (
	"context"
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
	Search                 string // words, all of which title or notes have; newest first, Sort is not used
	// due (earliest first), updated (latest first), priority (highest first), created (newest first)
	Sort  string
	Limit int
	After string // Position of the last task of the page before
}

// A TaskPage is a part of a list.
type TaskPage struct {
	Tasks []Task
	Total int // on all pages; -1: more than are cheap to count
}

// maxCounted is how far totals are counted, which bounds their cost.
const maxCounted = 1000

// Position returns where a list goes on after the task, for [TaskQuery].After.
func (q TaskQuery) Position(t Task) string {
	key := "0"
	switch q.Sort {
	case "due":
		key = t.storedDue()
	case "updated":
		key = strconv.FormatInt(store.Millis(t.UpdatedAt), 10)
	case "priority":
		key = strconv.Itoa(t.Priority)
	}
	return key + " " + strconv.FormatInt(t.seq, 10)
}

// An order is how a list is sorted, and how a page goes on after a key and a seq: first the rest of the same key, then
// what lies beyond. With one condition SQLite would read all rows of the same key to find where to begin, perhaps every
// task without a due date.
type order struct{ first, tied, beyond string }

var orders = map[string]order{
	"due": {" ORDER BY t.due, t.seq LIMIT ?",
		" AND t.due = ? AND t.seq > ? ORDER BY t.seq LIMIT ?",
		" AND t.due > ? ORDER BY t.due, t.seq LIMIT ?"},
	"updated": {" ORDER BY t.updated_at DESC, t.seq DESC LIMIT ?",
		" AND t.updated_at = ? AND t.seq < ? ORDER BY t.seq DESC LIMIT ?",
		" AND t.updated_at < ? ORDER BY t.updated_at DESC, t.seq DESC LIMIT ?"},
	"priority": {" ORDER BY t.priority DESC, t.seq DESC LIMIT ?",
		" AND t.priority = ? AND t.seq < ? ORDER BY t.seq DESC LIMIT ?",
		" AND t.priority < ? ORDER BY t.priority DESC, t.seq DESC LIMIT ?"},
	"created": {" ORDER BY t.seq DESC LIMIT ?", "", ""},
}

// List returns up to q.Limit tasks of the owner.
func List(ctx context.Context, s *store.Store, owner string, q TaskQuery) (page TaskPage, err error) {
	statements, err := statements(s, owner, q)
	if err != nil {
		return page, err
	}
	page.Tasks = []Task{}
	for _, statement := range statements {
		if len(page.Tasks) == q.Limit {
			break
		}
		if statement.anew {
			page.Tasks = page.Tasks[:0]
		}
		tasks, err := store.List(ctx, s, scanTask,
			"SELECT "+taskColumns+statement.Text, append(statement.Values, q.Limit-len(page.Tasks))...)
		if err != nil {
			return page, fmt.Errorf("list tasks: %w", err)
		}
		page.Tasks = append(page.Tasks, tasks...)
	}
	page.Total, err = countTasks(ctx, s, owner, q)
	return page, err
}

// countTasks counts up to maxCounted and stops there, to bound its cost.
func countTasks(ctx context.Context, s *store.Store, owner string, q TaskQuery) (total int, err error) {
	q.After = ""
	statements, err := statements(s, owner, q)
	if err != nil {
		return 0, err
	}
	for _, statement := range statements {
		err := s.QueryRow(ctx, "SELECT count(*) FROM (SELECT 1"+statement.Text+") counted",
			append(statement.Values, maxCounted+1)...).Scan(&total)
		if err != nil {
			return 0, fmt.Errorf("count tasks: %w", err)
		}
		if total > maxCounted {
			return -1, nil
		}
	}
	return total, nil
}

// A statement lacks its last value, the number of rows that are wanted. It is put together from the constants of this
// file.
type statement struct {
	store.Statement
	anew bool // its rows take the place of those before
}

// statements returns the statements of a query, to be run one after the other until there are enough rows.
func statements(s *store.Store, owner string, q TaskQuery) ([]*statement, error) {
	key, seq, err := q.after()
	if err != nil {
		return nil, err
	}
	switch {
	case q.Search == "":
	case !Searchable(q.Search):
		return nil, nil // nothing has none of the words
	case s.Database() == store.Postgres:
		return searchPostgres(owner, q, seq), nil
	default:
		return searchSQLite(owner, q, seq), nil
	}
	begin := func() *statement {
		one := new(statement)
		one.And(" FROM tasks t WHERE t.owner = ? AND t.deleted_at = 0", owner)
		one.filter(owner, q)
		return one
	}
	order, first := orders[q.Sort], begin()
	switch {
	case q.After == "":
		first.And(order.first)
		return []*statement{first}, nil
	case q.Sort == "created":
		first.And(" AND t.seq < ?"+order.first, seq)
		return []*statement{first}, nil
	}
	first.And(order.tied, key, seq)
	second := begin()
	second.And(order.beyond, key)
	return []*statement{first, second}, nil
}

func (s *statement) filter(owner string, q TaskQuery) {
	if q.State != "" {
		s.And(" AND t.state = ?", q.State)
	}
	if q.Assignee != "" {
		s.And(" AND t.assignee = ?", q.Assignee)
	}
	if q.DueBefore != "" {
		s.And(" AND t.due < ?", q.DueBefore)
	}
	if q.Label != "" {
		s.And(" AND t.seq IN (SELECT l.task FROM task_labels l WHERE l.owner = ? AND l.label = ?)", owner, q.Label)
	}
}

// after takes a Position apart. Without one it returns the place before the newest task.
func (q TaskQuery) after() (key any, seq int64, err error) {
	if q.After == "" {
		return nil, math.MaxInt64, nil
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

// searchSQLite reads the matches from the newest on, and so no more than needed.
func searchSQLite(owner string, q TaskQuery, before int64) []*statement {
	found := new(statement)
	found.And(` FROM task_words w CROSS JOIN tasks t ON t.seq = w.rowid
		WHERE task_words MATCH ? AND w.rowid < ? AND t.owner = ? AND t.deleted_at = 0`,
		fts5Query(owner, q.Search), before, owner)
	found.filter(owner, q)
	found.And(" ORDER BY w.rowid DESC LIMIT ?")
	return []*statement{found}
}

// searchPostgres looks at the owner's newest tasks, which have enough matches of a common word, then at all matches,
// which are few for an uncommon one. By itself Postgres would read all tasks for a rare word, or all matches of a
// common one; the limit and OFFSET 0 prevent that.
func searchPostgres(owner string, q TaskQuery, before int64) []*statement {
	recent, all := new(statement), &statement{anew: true}
	recent.And(` FROM (
			SELECT * FROM tasks WHERE owner = ? AND deleted_at = 0 AND seq < ? ORDER BY seq DESC LIMIT 2000
		) t
		WHERE t.words @@ CAST(? AS tsquery)`, owner, before, tsquery(q.Search))
	all.And(` FROM (SELECT * FROM tasks WHERE words @@ CAST(? AS tsquery) AND deleted_at = 0 OFFSET 0) t
		WHERE t.owner = ? AND t.seq < ?`, lexeme("owner:"+owner)+" & "+tsquery(q.Search), owner, before)
	for _, found := range []*statement{recent, all} {
		found.filter(owner, q)
		found.And(" ORDER BY t.seq DESC LIMIT ?")
	}
	return []*statement{recent, all}
}
