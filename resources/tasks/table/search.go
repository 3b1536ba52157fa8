package table

import (
	"fmt"

	"guestpass/store"
)

// searchSQLite reads the matches from the newest on, and so no more than needed. If the other filters leave out most of
// them, it looks up what those filters have, if that is little.
func (l *list) searchSQLite() (err error) {
	matches := l.matches()
	l.page.Tasks, err = l.read(l.window(matches, "created", most.matches), "created", l.matching)
	if err != nil {
		return err
	}
	if err := l.countMatches(); err != nil || len(l.page.Tasks) == l.Limit || l.page.Total == 0 {
		return err
	}
	end, more, err := l.end(matches, "created", most.matches)
	if err != nil || !more {
		return err
	}
	found := l.page.Tasks
	if l.narrow() {
		if done, err := l.lookUp(); err != nil || done {
			return err
		}
	}
	l.page.Tasks, l.page.Next = found, end
	return nil
}

// matches returns the entries of the words of the search.
func (l *list) matches() *store.Statement {
	s := new(store.Statement)
	s.And("SELECT rowid AS seq, rowid AS k FROM task_words WHERE task_words MATCH ? AND rowid < ?",
		fts5Query(l.owner, l.Search), l.seq)
	return s
}

// countMatches counts what a search finds, if its words are not in too many tasks.
func (l *list) countMatches() error {
	first := *l
	first.TaskQuery.After, first.seq = "", newest
	l.page.Total = -1
	matches := first.matches()
	if _, more, err := l.end(matches, "created", most.matches); err != nil || more {
		return err
	}
	total, err := l.countFitting(l.window(matches, "created", most.matches), l.matching)
	l.page.Total = total
	return err
}

// countFitting counts the tasks of a window that fit.
func (l *list) countFitting(window window, fit func(*store.Statement)) (total int, err error) {
	query := window.Statement
	query.Text = "SELECT count(*) FROM (" + query.Text + ")" + l.join()
	fit(&query)
	err = l.s.QueryRow(l.ctx, query.Text, l.noted(query)...).Scan(&total)
	return total, err
}

// lookUp looks whether the tasks that the other filters have match, and reports whether that completes the page.
func (l *list) lookUp() (done bool, err error) {
	fit := func(s *store.Statement) {
		l.matching(s)
		s.And(" AND EXISTS (SELECT 1 FROM task_words WHERE task_words MATCH ? AND rowid = t.seq)",
			fts5Query(l.owner, l.Search))
	}
	if l.DueBefore != "" {
		all := l.entries("due", false, most.lookups)
		if _, more, err := l.end(all, "due", most.lookups); err != nil {
			return false, err
		} else if !more {
			return true, l.readAll(l.window(all, "due", most.lookups), fit)
		}
	}
	all := l.entries("created", false, most.lookups)
	if _, more, err := l.end(all, "created", most.lookups); err != nil {
		return false, err
	} else if !more {
		return true, l.readAll(l.window(all, "created", most.lookups), fit)
	}
	l.page.Tasks, err = l.read(l.window(l.entries("created", true, most.lookups), "created", most.lookups), "created", fit)
	return len(l.page.Tasks) == l.Limit, err
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

// before returns the entries of the place that has the task before seq, and of the one before that, and where they begin.
func (p place) before(seq int64) (entries string, begin int64) {
	last := (seq - 1) >> p.bits
	return fmt.Sprintf("{%d,%d}", p.sign*last+p.offset, p.sign*(last-1)+p.offset), (last - 1) << p.bits
}

// searchPostgres looks through the newest tasks that the other filters have, which have enough matches of a common
// word. Then it asks the index of words, which has no order and so always reads all matches: among the tasks right
// before those, among more, and among all. A word with too many for that was common before.
func (l *list) searchPostgres() error {
	l.page.Total = -1
	first := l.entries("created", false, most.recent)
	_, more, err := l.end(first, "created", most.recent)
	if err == nil && !more {
		return l.readAll(l.window(first, "created", most.recent), l.containing)
	}
	if err != nil {
		return err
	}
	start := *l
	size := most.recent
	for _, wanted := range []bool{true, l.narrow()} { // the latter among more
		if !wanted {
			break
		}
		done, err := l.readRecent(size)
		if err != nil || done {
			return err
		}
		size = most.passed
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
	return start.countAll(&l.page)
}

// readRecent adds the matches among the next tasks that the other filters have, and reports whether that completes the
// page.
func (l *list) readRecent(size int) (done bool, err error) {
	entries := l.entries("created", true, size)
	if err := l.add(l.read(l.window(entries, "created", size), "created", l.containing)); err != nil || l.full() {
		return true, err
	}
	end, more, err := l.end(entries, "created", size)
	if err != nil || !more {
		return true, err
	}
	l.After = end
	_, l.seq, err = l.after()
	return false, err
}

// readPlace adds the matches in a place, and reports whether those that have the words are too many to read those of a
// larger place.
func (l *list) readPlace(p place) (common bool, err error) {
	entries, begin := p.before(l.seq)
	if l.narrow() {
		var number int
		query := l.found(entries, l.seq, false)
		query.Text = "SELECT count(*)" + query.Text
		if err := l.s.QueryRow(l.ctx, query.Text, l.noted(query)...).Scan(&number); err != nil {
			return false, err
		}
		common = number > most.scarce
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
