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
// as seq and k, what they are sorted by: those from the beginning, or those after the position. By due date they end
// with the day of the query; in another order they have it, to be left out by. Where there is no index without a state,
// the entries of all three are merged. SQLite does so as it reads; for Postgres, which might sort all of them, each
// state has no more than the size of the window.
func (l *list) entries(sort string, following bool, size int) *store.Statement {
	order, passes := orders[sort], l.DueBefore != "" && sort != "due"
	table, seq, column, index := "tasks", "seq", order.column, "tasks_by_"
	if l.Label != "" {
		table, seq, index = "task_labels", "task", "task_labels_by_"
		column = strings.ReplaceAll(column, "seq", seq)
	}
	if l.Assignee != "" {
		index += "assignee_"
	}
	in := []string{l.State}
	if l.State == "" && (l.Label != "" || l.Assignee != "" || passes) {
		in = states
	}
	if in[0] != "" {
		index += "state_"
	}
	selected, end := "SELECT "+seq+" AS seq, "+column+" AS k", ""
	if passes {
		selected += ", due"
	}
	if selected += " FROM " + table; l.s.Database() == store.SQLite { // which knows nothing of how many there are
		selected += " INDEXED BY " + index + order.index
	} else {
		selected = "(" + selected
		end = " ORDER BY " + strings.ReplaceAll(order.by("", column), "seq", seq) + " LIMIT ?)"
	}
	s := new(store.Statement)
	for _, state := range in {
		for _, part := range l.parts(following, order, seq) {
			if s.Text != "" {
				s.And(" UNION ALL ")
			}
			s.And(selected+" WHERE owner = ? AND deleted_at = 0", l.owner)
			l.equal(s, state)
			if sort == "due" && l.DueBefore != "" {
				s.And(" AND due < ?", l.DueBefore)
			}
			if s.And(part.Text, part.Values...); end != "" {
				s.And(end, size)
			}
		}
	}
	return s
}

// equal adds the conditions that an index begins with.
func (l *list) equal(s *store.Statement, state string) {
	if l.Label != "" {
		s.And(" AND label = ?", l.Label)
	}
	if l.Assignee != "" {
		s.And(" AND assignee = ?", l.Assignee)
	}
	if state != "" {
		s.And(" AND state = ?", state)
	}
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
