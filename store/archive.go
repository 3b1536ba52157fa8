package store

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// An archive is a folder that gets the rows of the record that are not kept in the database any more: a line of JSON
// for each, in a file for each day. A row is on its disk before it is removed, and may be there twice if that failed:
// the later line counts.
type archive struct{ folder string }

// The names of its files, around the day.
const archivePrefix, archiveSuffix = "activity-", ".jsonl"

// openArchive makes the folder, if the one above is there, and tries whether files can be made in it.
func openArchive(folder string) (*archive, error) {
	if folder == "" {
		return nil, nil
	}
	if !filepath.IsAbs(folder) {
		return nil, fmt.Errorf("the archive %s must be an absolute path", folder)
	}
	err := makeFolder(folder)
	if err == nil || errors.Is(err, fs.ErrExist) {
		err = mayMakeFiles(folder)
	}
	if err != nil {
		return nil, fmt.Errorf("the archive %s cannot be used: %w", folder, err)
	}
	return &archive{folder}, nil
}

// An archivedRow is a line of an archive. Lines are read years later: names stay.
type archivedRow struct {
	Owner        string `json:"owner"`
	Seq          int64  `json:"seq"`
	ID           string `json:"id"`
	At           int64  `json:"at"` // milliseconds since 1970
	Subject      string `json:"subject"`
	Client       string `json:"client"`
	Operation    string `json:"operation"`
	Target       string `json:"target"`
	Before       string `json:"before"`
	After        string `json:"after"`
	Outcome      string `json:"outcome"`
	RefersTo     string `json:"refers_to"`
	Request      string `json:"request"`
	Conversation string `json:"conversation"`
	Hash         string `json:"hash"`
}

func (r archivedRow) activity() Activity {
	return Activity{Owner: r.Owner, Seq: r.Seq, ID: r.ID, At: FromMillis(r.At), Subject: r.Subject, Client: r.Client,
		Operation: r.Operation, Target: r.Target, Before: r.Before, After: r.After, Outcome: r.Outcome,
		RefersTo: r.RefersTo, Request: r.Request, Conversation: r.Conversation}
}

// mayArchive reports whether this is the one instance that archives at the moment. The others leave the rows to it.
func (tx *Tx) mayArchive() (mine bool, err error) {
	if tx.store.archive == nil || tx.database == SQLite {
		return true, nil
	}
	err = tx.QueryRow("SELECT pg_try_advisory_xact_lock(hashtext('guestpass archive'), hashtext($1))",
		tx.store.schema).Scan(&mine)
	return mine, err
}

// archiveRows has the archive keep rows of an owner's record.
func (tx *Tx) archiveRows(owner string, after, last int64) error {
	if tx.store.archive == nil {
		return nil
	}
	rows, err := ListTx(tx, func(row Scanner) (r archivedRow, err error) {
		a, err := scanActivity(row, &r.Hash)
		return archivedRow{a.Owner, a.Seq, a.ID, Millis(a.At), a.Subject, a.Client, a.Operation, a.Target, a.Before,
			a.After, a.Outcome, a.RefersTo, a.Request, a.Conversation, r.Hash}, err
	}, "SELECT "+activityColumns+`, hash FROM activity WHERE owner = $1 AND seq > $2 AND seq <= $3 ORDER BY seq`,
		owner, after, last)
	if err != nil || len(rows) == 0 {
		return err
	}
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	encoder.SetEscapeHTML(false)
	for _, row := range rows {
		if err := encoder.Encode(row); err != nil {
			return err
		}
	}
	name := archivePrefix + tx.now.Format("2006-01-02") + archiveSuffix
	if err := tx.store.archive.append(name, lines.Bytes()); err != nil {
		return fmt.Errorf("archive rows of the record, which stay in the database: %w", err)
	}
	return nil
}

// append is done once the lines are on the disk. A line that was cut off, as the program was killed, gets an end.
func (a *archive) append(name string, lines []byte) (err error) {
	path := filepath.Join(a.folder, name)
	file, err := openOwn(path, os.O_RDWR|os.O_APPEND)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size() > 0 {
		last := make([]byte, 1)
		if _, err := file.ReadAt(last, info.Size()-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			lines = append([]byte("\n"), lines...)
		}
	}
	if _, err := file.Write(lines); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	folder, err := os.Open(a.folder)
	if err != nil {
		return err
	}
	_ = folder.Sync() // not every system can
	return folder.Close()
}

// Archived is what [Store.VerifyArchived] has read.
type Archived struct {
	Rows   int
	Breaks []Break
	Notes  []string // what is not there, and may rightly be so
}

// VerifyArchived reads archives of the record, and holds them against the database: each row against the one before,
// and the last one against what the database says of those that it has no more. In which folder or file a row is makes
// no difference: instances take turns, and clocks are set back.
func (s *Store) VerifyArchived(ctx context.Context, folders ...string) (found Archived, err error) {
	r := archiveReader{chains: map[string]*archivedChain{}}
	if err := r.read(ctx, folders); err != nil {
		return r.Archived, err
	}
	for _, owner := range slices.Sorted(maps.Keys(r.chains)) {
		r.settle(owner, r.chains[owner])
	}
	err = s.each(ctx, func(row Scanner) error {
		var owner string
		var floor link
		err := row.Scan(&owner, &floor.seq, &floor.hash)
		r.meet(owner, floor)
		return err
	}, "SELECT owner, floor_seq, floor_hash FROM activity_heads ORDER BY owner")
	for owner := range r.chains {
		r.Notes = append(r.Notes, fmt.Sprintf("%s: the database has no record of this owner, as it was erased or is "+
			"another database", owner))
	}
	slices.Sort(r.Notes)
	return r.Archived, err
}

// archivedChain is an owner's chain in the archives.
type archivedChain struct {
	// hashes of the rows by their seq: more than one where a row was archived, not removed, and changed before it was
	// archived again
	hashes map[int64][]string
	waits  map[int64][]archivedRow // that follow none of those which are read already
	seqs   []int64                 // of all, in order, once all is read
}

// follows reports whether the row was chained to one that is there.
func (c *archivedChain) follows(row archivedRow) bool {
	before := c.hashes[row.Seq-1]
	if row.Seq == 1 {
		before = []string{""}
	}
	return slices.ContainsFunc(before, func(hash string) bool { return row.activity().hash(hash) == row.Hash })
}

// take goes on with a row, and with those that have waited for it.
func (c *archivedChain) take(row archivedRow) {
	for next := []archivedRow{row}; len(next) > 0; next = next[1:] {
		seq, hash := next[0].Seq, next[0].Hash
		if slices.Contains(c.hashes[seq], hash) {
			continue // it is there twice
		}
		c.hashes[seq] = append(c.hashes[seq], hash)
		waiting := c.waits[seq+1]
		c.waits[seq+1] = nil
		for _, row := range waiting {
			if c.follows(row) {
				next = append(next, row)
			} else {
				c.waits[seq+1] = append(c.waits[seq+1], row)
			}
		}
		if c.waits[seq+1] == nil {
			delete(c.waits, seq+1)
		}
	}
}

type archiveReader struct {
	Archived
	chains map[string]*archivedChain
}

// read reads the files of all folders in the order of their days, so that few rows wait for others.
func (r *archiveReader) read(ctx context.Context, folders []string) error {
	var files []string
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return fmt.Errorf("read the archive: %w", err)
		}
		for _, entry := range entries {
			if strings.HasPrefix(entry.Name(), archivePrefix) && strings.HasSuffix(entry.Name(), archiveSuffix) {
				files = append(files, filepath.Join(folder, entry.Name()))
			}
		}
	}
	slices.SortStableFunc(files, func(a, b string) int { return cmp.Compare(filepath.Base(a), filepath.Base(b)) })
	for _, file := range files {
		if err := r.readFile(ctx, file); err != nil {
			return fmt.Errorf("read the archive: %w", err)
		}
	}
	return nil
}

func (r *archiveReader) readFile(ctx context.Context, name string) error {
	file, err := os.Open(name) // #nosec G304 -- in the folder that the operator names
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewReader(file)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var row archivedRow
			if json.Unmarshal(line, &row) != nil || row.Seq < 1 || row.Owner == "" {
				r.Notes = append(r.Notes, fmt.Sprintf("%s, line %d is no row: it was cut off, or altered", name,
					number))
			} else {
				r.Rows++
				r.check(row)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
	}
}

func (r *archiveReader) found(owner string, seq int64, format string, args ...any) {
	r.Breaks = append(r.Breaks, Break{owner, seq, "archive: " + fmt.Sprintf(format, args...)})
}

// check takes a row. One that follows none waits: what is before it may be in another file.
func (r *archiveReader) check(row archivedRow) {
	c := r.chains[row.Owner]
	if c == nil {
		c = &archivedChain{hashes: map[int64][]string{}, waits: map[int64][]archivedRow{}}
		r.chains[row.Owner] = c
	}
	if c.follows(row) {
		c.take(row)
		return
	}
	c.waits[row.Seq] = append(c.waits[row.Seq], row)
}

// settle tells, once all is read, why rows follow none: those before are missing, or somebody has altered them.
func (r *archiveReader) settle(owner string, c *archivedChain) {
	c.seqs = slices.Concat(slices.Collect(maps.Keys(c.hashes)), slices.Collect(maps.Keys(c.waits)))
	slices.Sort(c.seqs)
	c.seqs = slices.Compact(c.seqs)
	before := int64(0)
	for i, seq := range c.seqs {
		rows := c.waits[seq]
		delete(c.waits, seq)
		missing := seq - 1 - before
		if len(rows) > 0 && missing > 0 && i > 0 {
			r.found(owner, seq, "%d rows before it are missing", missing)
		}
		for _, row := range rows {
			if missing == 0 {
				r.found(owner, seq, "the row, or its hash, was altered")
			}
			c.take(row)
		}
		before = seq
	}
}

// meet holds an owner's archived rows against what the database says of the last row that it does not have any more.
func (r *archiveReader) meet(owner string, floor link) {
	c := r.chains[owner]
	delete(r.chains, owner)
	if floor.seq == 0 {
		return
	}
	if c == nil || c.seqs[0] > floor.seq {
		r.Notes = append(r.Notes, fmt.Sprintf("%s: rows 1 to %d are not there", owner, floor.seq))
		return
	}
	if first := c.seqs[0]; first > 1 {
		r.Notes = append(r.Notes, fmt.Sprintf("%s: rows 1 to %d are not there", owner, first-1))
	}
	again := 0
	for _, hashes := range c.hashes {
		again += len(hashes) - 1
	}
	if again > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%s: %d rows are there in more than one form, as somebody's data was "+
			"erased between two attempts to archive them, or as they were added", owner, again))
	}
	last, hashes := c.seqs[len(c.seqs)-1], c.hashes[floor.seq]
	switch {
	case len(hashes) > 0 && !slices.Contains(hashes, floor.hash):
		r.found(owner, floor.seq, "the last row, or what the database says of it, was altered")
	case len(hashes) == 0 && last < floor.seq: // else that it is missing is told already
		r.found(owner, floor.seq, "%d rows at the end are missing", floor.seq-last)
	}
}
