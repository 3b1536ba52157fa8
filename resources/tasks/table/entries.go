package table

import (
	"strings"

	"guestpass/store"
)

// An order is how a list is sorted: by a column, then in order of creation, both in the same direction.
type order struct{ column, index, direction, beyond string }

var orders = map[string]order{
	"due":      {"due", "due", "", ">"},
	"updated":  {"updated_at", "update", " DESC", "<"},
	"priority": {"priority", "priority", " DESC", "<"},
	"created":  {"seq", "creation", " DESC", "<"},
}

// by returns the columns to sort by.
func (o order) by(prefix, column string) string {
	if o.column == "seq" {
		return prefix + "seq" + o.direction
	}
	return prefix + column + o.direction + ", " + prefix + "seq" + o.direction
}

var states = []string{"open", "in_progress", "done"}

// entries returns the entries of the index that has the tasks with state, assignee and label of the query in an order,
// as seq and k, what they are sorted by: all of them, or those after the position. Those by due date end with the query's.
// Where there is no index without a state, the entries of all three are merged. SQLite does so as it reads; for Postgres,
// which might sort all of them, each state has no more than are wanted.
func (l *list) entries(sort string, following bool, size int) *store.Statement {
	table, seq, index := "tasks", "seq", "tasks_by_"
	if l.Label != "" {
		table, seq, index = "task_labels", "task", "task_labels_by_"
	}
	passes := l.DueBefore != "" && sort != "due"
	split := l.Label != "" || l.Assignee != "" || l.State != "" || passes
	if l.Assignee != "" {
		index += "assignee_"
	}
	in := []string{""}
	if split {
		index, in = index+"state_", states
	}
	if l.State != "" {
		in = []string{l.State}
	}
	order := orders[sort]
	column := order.column
	if column == "seq" {
		column = seq
	}
	from := " FROM " + table
	if l.s.Database() == store.SQLite { // which knows nothing of how many there are
		from += " INDEXED BY " + index + order.index
	}
	selected := "SELECT " + seq + " AS seq, " + column + " AS k"
	if passes {
		selected += ", due"
	}
	s, begin, end := new(store.Statement), "", ""
	if l.s.Database() == store.Postgres {
		begin, end = "(", " ORDER BY "+strings.ReplaceAll(order.by("", column), "seq", seq)+" LIMIT ?)"
	}
	for _, state := range in {
		for _, part := range l.parts(following, order, seq) {
			if s.Text != "" {
				s.And(" UNION ALL ")
			}
			s.And(begin+selected+from+" WHERE owner = ? AND deleted_at = 0", l.owner)
			if l.Label != "" {
				s.And(" AND label = ?", l.Label)
			}
			if l.Assignee != "" {
				s.And(" AND assignee = ?", l.Assignee)
			}
			if split {
				s.And(" AND state = ?", state)
			}
			if sort == "due" && l.DueBefore != "" {
				s.And(" AND due < ?", l.DueBefore)
			}
			s.And(part.Text, part.Values...)
			if end != "" {
				s.And(end, size)
			}
		}
	}
	return s
}

// parts returns the conditions that a page goes on with: first the rest of the same key, then what lies beyond. With
// one condition SQLite would read all rows of the same key to find where to begin, perhaps every task without a due
// date. With two Postgres would sort, as it does not see that what has one key is in order.
func (l *list) parts(following bool, o order, seq string) []store.Statement {
	switch {
	case !following || l.After == "":
		return []store.Statement{{}}
	case o.column == "seq":
		return []store.Statement{{Text: " AND " + seq + " < ?", Values: []any{l.seq}}}
	case l.s.Database() == store.Postgres:
		return []store.Statement{{Text: " AND (" + o.column + ", " + seq + ") " + o.beyond + " (?, ?)",
			Values: []any{l.key, l.seq}}}
	}
	return []store.Statement{
		{Text: " AND " + o.column + " = ? AND " + seq + " " + o.beyond + " ?", Values: []any{l.key, l.seq}},
		{Text: " AND " + o.column + " " + o.beyond + " ?", Values: []any{l.key}},
	}
}

// A window is the first entries in the order of a sort.
type window struct {
	store.Statement
	sort string
}

func (l *list) window(entries *store.Statement, sort string, size int) window {
	w := window{*entries, sort}
	w.Text = "SELECT e.* FROM (" + w.Text + ") e ORDER BY " + orders[sort].by("", "k")
	w.And(" LIMIT ?", size)
	return w
}
