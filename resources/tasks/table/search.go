package table

import (
	"encoding/json"
	"fmt"
	"slices"

	"guestpass/store"
)

// searchSQLite reads the matches from the newest on, and so no more than needed. If the other filters leave out most of
// them, it reads what those filters have, if that is little.
func (l *list) searchSQLite() (err error) {
	here, err := l.matches(l.seq)
	if err != nil {
		return err
	}
	l.page.Tasks, err = l.read(here.window, "created", l.matching)
	if err != nil {
		return err
	}
	first := here
	if l.After != "" {
		if first, err = l.matches(newest); err != nil {
			return err
		}
	}
	if l.page.Total = -1; first.end == "" {
		if l.page.Total, err = l.countFitting(first.window, l.matching); err != nil {
			return err
		}
	}
	if l.full() || here.end == "" {
		return nil
	}
	if l.narrow() {
		if done, err := l.lookUp(); err != nil || done {
			return err
		}
	}
	l.page.Next = here.end
	return nil
}

// matches are the entries of the words of a search in the index, from the newest on.
type matches struct {
	window
	end string // where they go on; "" for nowhere
}

// matches reads them once for all that is done with them: to find them is what takes long.
func (l *list) matches(before int64) (found matches, err error) {
	query := new(store.Statement)
	query.And("SELECT rowid FROM task_words WHERE task_words MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?",
		fts5Query(l.owner, l.Search), before, most.matches+1)
	seqs, err := store.List(l.ctx, l.s, func(row store.Scanner) (seq int64, err error) { return seq, row.Scan(&seq) },
		query.Text, l.noted(*query)...)
	if len(seqs) > most.matches {
		seqs = seqs[:most.matches]
		found.end = position("0", seqs[len(seqs)-1])
	}
	list, _ := json.Marshal(seqs) // numbers
	found.And("SELECT value AS seq, value AS k FROM json_each(?) ORDER BY seq DESC", string(list))
	found.sort = "created"
	return found, err
}

// countFitting counts the tasks of a window that fit.
func (l *list) countFitting(window window, fit func(*store.Statement)) (total int, err error) {
	query := window.Statement
	query.Text = "SELECT count(*) FROM (" + query.Text + ")" + l.join()
	fit(&query)
	err = l.s.QueryRow(l.ctx, query.Text, l.noted(query)...).Scan(&total)
	return total, err
}

// lookUp reads tasks that the other filters have, and reports whether the matching ones complete the page.
func (l *list) lookUp() (done bool, err error) {
	all, complete := window{}, false
	for _, sort := range []string{"due", "created"} {
		if sort == "due" && l.DueBefore == "" || complete {
			continue
		}
		entries := l.entries(sort, false, most.lookups)
		_, more, err := l.end(entries, sort, most.lookups)
		if err != nil {
			return false, err
		}
		all, complete = l.window(entries, sort, most.lookups), !more
	}
	if !complete {
		all = l.window(l.entries("created", true, most.lookups), "created", most.lookups)
	}
	whole := *l
	whole.Limit = most.lookups
	tasks, err := whole.read(all, "created", l.matching)
	if err != nil {
		return false, err
	}
	tasks = slices.DeleteFunc(tasks, func(t Task) bool { return !t.has(l.Search) })
	if complete {
		l.page.Total = len(tasks)
		tasks = slices.DeleteFunc(tasks, func(t Task) bool { return t.seq >= l.seq })
	}
	if complete || len(tasks) >= l.Limit {
		l.page.Tasks = tasks[:min(len(tasks), l.Limit)]
		return true, nil
	}
	return false, nil
}

// readAll reads the page from a window that has all tasks of the query, and counts them.
func (l *list) readAll(window window, fit func(*store.Statement)) (err error) {
	if l.page.Total, err = l.countFitting(window, fit); err != nil {
		return err
	}
	l.page.Tasks, err = l.read(window, "created", func(s *store.Statement) {
		fit(s)
		l.following(s)
	})
	return err
}

// A place is a range of tasks in order of creation, of a size that the index of words knows. Its entry tells the sizes
// apart by the sign.
type place struct{ bits, sign, offset int64 }

var (
	small = place{10, 1, 0}
	large = place{15, -1, -1}
)

// before returns the entries of the place that has the task before seq and of the one before that, and where they
// begin.
func (p place) before(seq int64) (entries string, begin int64) {
	last := (seq - 1) >> p.bits
	return fmt.Sprintf("{%d,%d}", p.sign*last+p.offset, p.sign*(last-1)+p.offset), (last - 1) << p.bits
}

// searchPostgres looks through the newest tasks that the other filters have, which have enough matches of a common
// word. Then it asks the index of words, which has no order and so always reads all matches: among the tasks right
// before those, among more, and among all. A word with too many for that was common before.
func (l *list) searchPostgres() error {
	l.page.Total = -1
	size, start := most.recent, *l
	if l.narrow() {
		size *= 2
	}
	first := l.entries("created", false, size)
	end, more, err := l.end(first, "created", size)
	if err == nil && !more {
		return l.readAll(l.window(first, "created", size), l.containing)
	}
	if err != nil {
		return err
	}
	if done, err := l.readRecent(size, end); err != nil || done {
		return err
	}
	for _, place := range []place{small, large} {
		common, err := l.readPlace(place)
		if err != nil || l.full() {
			return err
		}
		if common && l.seq > 0 {
			l.page.Next = position("0", l.seq)
			return nil
		}
	}
	if err := l.readMatches("", l.seq); err != nil {
		return err
	}
	if l.page.Total = len(l.page.Tasks); start.After == "" && !l.full() {
		return nil
	}
	return start.countAll(&l.page)
}

// readRecent adds the matches among the next tasks that the other filters have, and reports whether that completes the
// page. end is where the first ones end.
func (l *list) readRecent(size int, end string) (done bool, err error) {
	entries := l.entries("created", true, size)
	if err := l.add(l.read(l.window(entries, "created", size), "created", l.containing)); err != nil || l.full() {
		return true, err
	}
	if l.After != "" {
		var more bool
		if end, more, err = l.end(entries, "created", size); err != nil || !more {
			return true, err
		}
	}
	l.After = end
	_, l.seq, err = l.after()
	return false, err
}

// readPlace adds the matches in a place, and reports whether those that have the words are too many to read those of a
// larger place. If the other filters leave out some it counts first; what is scarce in a small place the large one has,
// too.
func (l *list) readPlace(p place) (common bool, err error) {
	entries, begin := p.before(l.seq)
	if l.narrow() {
		var number int
		query := l.found(entries, l.seq, false)
		query.Text = "SELECT count(*)" + query.Text
		if err := l.s.QueryRow(l.ctx, query.Text, l.noted(query)...).Scan(&number); err != nil {
			return false, err
		}
		if common = number > most.scarce; p == small && !common {
			return false, nil
		}
	}
	err = l.readMatches(entries, l.seq)
	l.After, l.seq = position("0", begin), begin
	return common, err
}

// readMatches adds the matches in a place, or everywhere.
func (l *list) readMatches(place string, before int64) error {
	query := l.found(place, before, true)
	query.Text = "SELECT " + taskColumns + query.Text
	query.And(" ORDER BY t.seq DESC LIMIT ?", l.Limit)
	return l.add(l.tasks(query))
}

// found returns the tasks that the index of words finds. By itself Postgres might look for a rare word among all tasks;
// OFFSET 0 prevents that.
func (l *list) found(place string, before int64, matching bool) store.Statement {
	var query store.Statement
	query.And(" FROM (SELECT * FROM tasks WHERE words @@ CAST(? AS tsquery) AND deleted_at = 0",
		lexeme("owner:"+l.owner)+" & "+tsquery(l.Search))
	if place != "" {
		query.And(" AND ARRAY[seq >> 10, -1 - (seq >> 15)] && CAST(? AS bigint[])", place)
	}
	query.And(" OFFSET 0) t WHERE t.seq < ?", before)
	if matching {
		l.matching(&query)
	}
	return query
}

// countAll counts the matches of rare words.
func (l *list) countAll(page *TaskPage) error {
	query := l.found("", newest, true)
	query.Text = "SELECT count(*)" + query.Text
	if err := l.s.QueryRow(l.ctx, query.Text, l.noted(query)...).Scan(&page.Total); err != nil {
		return err
	}
	if page.Total > most.counted {
		page.Total = -1
	}
	return nil
}

// containing leaves out what does not have the words.
func (l *list) containing(s *store.Statement) {
	l.dueBefore(s)
	s.And(" AND t.words @@ CAST(? AS tsquery)", tsquery(l.Search))
}

// add adds tasks to the page, as many as it has room for.
func (l *list) add(tasks []Task, err error) error {
	l.page.Tasks = append(l.page.Tasks, tasks[:min(len(tasks), l.Limit-len(l.page.Tasks))]...)
	return err
}

func (l *list) full() bool { return len(l.page.Tasks) == l.Limit }
