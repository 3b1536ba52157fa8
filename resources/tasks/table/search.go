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
	if l.counted && !l.narrow() {
		if err := l.readFurther(); err != nil || l.full() {
			return err
		}
		l.page.Tasks = l.page.Tasks[:0]
	}
	size := most.matches
	if l.counted {
		size = most.further
	}
	found, end, err := l.matches(max(size, l.Limit))
	if err != nil {
		return err
	}
	if l.page.Tasks, err = l.read(found, "created", l.matching); err != nil {
		return err
	}
	if end == newest && !l.counted {
		if l.page.Total, err = l.countFitting(found, l.matching); err != nil {
			return err
		}
	}
	if l.full() || end == newest {
		return nil
	}
	if l.narrow() {
		if done, err := l.lookUp(end); err != nil || done {
			return err
		}
	}
	l.page.Next = l.next(end)
	return nil
}

// readFurther reads a page of matches, in one statement. A page that is not full does not tell whether others follow:
// where the mark of another owner is the same by chance, its matches are left out.
func (l *list) readFurther() (err error) {
	query := new(store.Statement)
	query.And("SELECT "+taskColumns+" FROM (SELECT rowid AS seq FROM task_words WHERE task_words MATCH ? AND "+
		"rowid < ? ORDER BY rowid DESC LIMIT ?)", fts5Query(l.owner, l.Search), l.seq, l.Limit)
	query.Text += l.join()
	l.matching(query)
	query.And(" ORDER BY w.seq DESC")
	l.page.Tasks, err = l.tasks(*query)
	return err
}

// matches reads the entries of the words of a search in the index, from the newest on, once for all that is done with
// them: to find them is what takes long. end is the last of them if there may be more, else newest.
func (l *list) matches(size int) (found window, end int64, err error) {
	query := new(store.Statement)
	query.And("SELECT rowid FROM task_words WHERE task_words MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?",
		fts5Query(l.owner, l.Search), l.seq, size+1)
	seqs, err := store.List(l.ctx, l.s, func(row store.Scanner) (seq int64, err error) { return seq, row.Scan(&seq) },
		query.Text, l.noted(*query)...)
	if end = newest; len(seqs) > size {
		seqs = seqs[:size]
		end = seqs[size-1]
	}
	list, _ := json.Marshal(seqs) // numbers
	found.And("SELECT value AS seq, value AS k FROM json_each(?) ORDER BY seq DESC", string(list))
	found.sort = "created"
	return found, end, err
}

// countFitting counts the tasks of a window that fit.
func (l *list) countFitting(window window, fit func(*store.Statement)) (total int, err error) {
	query := window.Statement
	query.Text = "SELECT count(*) FROM (" + query.Text + ")" + l.join()
	fit(&query)
	err = l.s.QueryRow(l.ctx, query.Text, l.noted(query)...).Scan(&total)
	return total, err
}

// lookUp reads tasks that the other filters have, and reports whether the matching ones complete the page. looked is
// the last match that was looked at: to read tasks before it would find the same again.
func (l *list) lookUp(looked int64) (done bool, err error) {
	all, complete, err := l.scarce()
	if err != nil {
		return false, err
	}
	if !complete {
		entries := l.entries("created", true, most.lookups)
		if _, seq, full, err := l.last(entries, "created", most.lookups); err != nil || full && seq >= looked {
			return false, err
		}
		all = l.window(entries, "created", most.lookups)
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

// scarce returns all that the other filters have, if that is little.
func (l *list) scarce() (all window, complete bool, err error) {
	for _, sort := range []string{"due", "created"} {
		if sort == "due" && l.DueBefore == "" {
			continue
		}
		entries := l.entries(sort, false, most.lookups)
		_, _, full, err := l.last(entries, sort, most.lookups)
		if err != nil || !full {
			return l.window(entries, sort, most.lookups), err == nil, err
		}
	}
	return all, false, nil
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
// before those, among more, or among all. A word with too many for that was common before.
func (l *list) searchPostgres() error {
	size, end := most.recent, int64(0)
	if !l.counted {
		all := l.entries("created", false, size)
		_, seq, full, err := l.last(all, "created", size)
		if err == nil && !full {
			return l.readAll(l.window(all, "created", size), l.containing)
		}
		if end = seq; err != nil {
			return err
		}
	}
	recent, done, err := l.readRecent(size, end)
	if err != nil || done {
		return err
	}
	if l.narrow() {
		done, err = l.readNarrow()
	} else {
		done, err = l.readPlaces(recent)
	}
	if err != nil || done || l.counted {
		return err
	}
	if l.page.Total = len(l.page.Tasks); l.full() {
		return l.countAll()
	}
	return nil
}

// readRecent adds the matches among the next tasks that the other filters have, and returns their number, and whether
// that is all of the page. end is where the first of those tasks end; of later ones it is asked.
func (l *list) readRecent(size int, end int64) (number int, done bool, err error) {
	entries := l.entries("created", true, size)
	if l.After == "" {
		err = l.add(l.read(l.window(entries, "created", size), "created", l.containing))
	} else {
		end, err = l.readUntil(entries, size)
	}
	if err != nil || l.full() {
		return l.Limit, true, err
	}
	l.seq = end
	return len(l.page.Tasks), end == 0, nil
}

// readUntil adds the matches among so many tasks, and returns the last of these tasks, 0 if there are not so many.
// Where there is a match, one statement tells both.
func (l *list) readUntil(entries *store.Statement, size int) (end int64, err error) {
	query := l.window(entries, "created", size).Statement
	query.Text = fmt.Sprintf("SELECT %s, coalesce((SELECT e.seq FROM (%s) e ORDER BY e.seq DESC LIMIT 1 OFFSET %d), "+
		"0) FROM (%s)", taskColumns, entries.Text, size-1, query.Text) + l.join()
	l.containing(&query)
	query.And(" ORDER BY w.seq DESC LIMIT ?", l.Limit)
	tasks, err := store.List(l.ctx, l.s, func(row store.Scanner) (Task, error) {
		return scanTask(wider{row, []any{&end}})
	}, query.Text, l.noted(query)...)
	if err = l.add(tasks, err); err == nil && len(tasks) == 0 {
		_, end, _, err = l.last(entries, "created", size)
	}
	return end, err
}

// readPlaces adds the matches in a small place, a large one, and all, until the page is full. What few of the recent
// tasks have will not fill it from a small place.
func (l *list) readPlaces(recent int) (done bool, err error) {
	places := []place{small, large}
	if recent < most.seldom {
		places = places[1:]
	}
	for _, place := range places {
		entries, begin := place.before(l.seq)
		if err := l.readMatches(entries, l.seq); err != nil || l.full() {
			return true, err
		}
		if l.seq = begin; begin <= 0 {
			return false, nil
		}
	}
	return false, l.readMatches("", l.seq)
}

// readNarrow adds the matches in the smallest place that fills the page, or has enough of the words, of which the other
// filters may leave out all, or all matches if they are scarce. It reports whether there may be others.
func (l *list) readNarrow() (more bool, err error) {
	for _, place := range []place{small, large} {
		entries, begin := place.before(l.seq)
		if begin <= 0 {
			break
		}
		tasks, found, err := l.sift(entries)
		if err != nil || found > most.scarce || len(l.page.Tasks)+len(tasks) >= l.Limit {
			if err = l.add(tasks, err); !l.full() {
				l.page.Next = l.next(begin)
			}
			return true, err
		}
	}
	return false, l.readMatches("", l.seq)
}

// sift returns the newest matches in a place that the other filters have, and how many it has without them, as far as
// that tells whether they are scarce. What the filters leave out comes last.
func (l *list) sift(place string) (tasks []Task, found int, err error) {
	query := store.Statement{Text: "SELECT " + taskColumns + ", (true"}
	l.matching(&query)
	query.And(") AS fits")
	l.from(&query, place, l.seq)
	query.And(" ORDER BY fits DESC, t.seq DESC LIMIT ?", max(l.Limit, most.scarce+1))
	fitting := 0
	tasks, err = store.List(l.ctx, l.s, func(row store.Scanner) (Task, error) {
		fits := false
		t, err := scanTask(wider{row, []any{&fits}})
		if fits {
			fitting++
		}
		return t, err
	}, query.Text, l.noted(query)...)
	return tasks[:fitting], len(tasks), err
}

// wider is a row with more columns than those of a task.
type wider struct {
	store.Scanner
	more []any
}

func (w wider) Scan(to ...any) error { return w.Scanner.Scan(append(to, w.more...)...) }

// readMatches adds the matches in a place, or everywhere.
func (l *list) readMatches(place string, before int64) error {
	query := store.Statement{Text: "SELECT " + taskColumns}
	l.from(&query, place, before)
	l.matching(&query)
	query.And(" ORDER BY t.seq DESC LIMIT ?", l.Limit)
	return l.add(l.tasks(query))
}

// from adds the tasks that the index of words finds in a place, or everywhere. It does not know which words follow one
// another. By itself Postgres might look for a rare word among all tasks; OFFSET 0 prevents that.
func (l *list) from(query *store.Statement, place string, before int64) {
	query.And(" FROM (SELECT * FROM tasks WHERE task_terms(owner, words) @> CAST(? AS text[]) AND deleted_at = 0",
		markedTerms(l.owner, l.Search))
	if place != "" {
		query.And(" AND ARRAY[seq >> 10, -1 - (seq >> 15)] && CAST(? AS bigint[])", place)
	}
	if query.And(" OFFSET 0) t WHERE t.seq < ?", before); slices.ContainsFunc(phrases(l.Search), phrase.several) {
		query.And(" AND t.words @@ CAST(? AS tsquery)", tsquery(l.Search))
	}
}

// countAll counts the matches of rare words.
func (l *list) countAll() error {
	query := store.Statement{Text: "SELECT count(*)"}
	l.from(&query, "", newest)
	l.matching(&query)
	if err := l.s.QueryRow(l.ctx, query.Text, l.noted(query)...).Scan(&l.page.Total); err != nil {
		return err
	}
	if l.page.Total > most.counted {
		l.page.Total = -1
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
