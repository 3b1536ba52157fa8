package account

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"guestpass/api"
	"guestpass/directory"
	"guestpass/internal/form"
	"guestpass/internal/page"
	"guestpass/internal/pattern"
	"guestpass/store"
)

const (
	maxDownload   = 10_000 // changes in a file
	batchDownload = 200    // read at once
)

// A file is written change by change, so that no server holds all of it.
type file interface {
	begin(f fileHead) error
	add(one fileChange) error
	end(complete bool) error
}

// fileHead is what a file says of itself.
type fileHead struct {
	Person       string `json:"person"`
	DownloadedAt string `json:"downloaded_at"`
	// KnownSince is until when changes are not kept any more.
	KnownSince string `json:"known_since,omitempty"`
}

// fileChange is one change in a file; docs/account.md describes it.
type fileChange struct {
	ID        string            `json:"activity_id"`
	At        string            `json:"at"`
	Change    string            `json:"change"`
	App       string            `json:"app_name,omitempty"`
	Client    string            `json:"app,omitempty"`
	Operation string            `json:"operation"`
	Target    string            `json:"target,omitempty"`
	Outcome   string            `json:"outcome"`
	Undoes    string            `json:"undoes,omitempty"`
	Changes   []api.FieldChange `json:"changes"`
}

// CSV is GET /account/changes.csv.
func (a *Account) CSV(w http.ResponseWriter, r *http.Request) {
	a.download(w, r, "text/csv; charset=utf-8; header=present", "changes.csv", func(w io.Writer, tag string) file {
		return &csvFile{bufio.NewWriter(w), a.options.Pages, tag}
	})
}

// JSON is GET /account/changes.json.
func (a *Account) JSON(w http.ResponseWriter, r *http.Request) {
	a.download(w, r, "application/json", "changes.json", func(w io.Writer, _ string) file {
		return &jsonFile{w: w}
	})
}

// download answers with a selection of the person's own changes as a file. Pages of other sites get none: neither to
// read, nor to have it lie in somebody's folder.
func (a *Account) download(w http.ResponseWriter, r *http.Request, kind, name string,
	to func(io.Writer, string) file) {
	ctx, cancel := context.WithTimeout(a.owned(r), pageTimeout)
	defer cancel()
	query, err := form.Parse(r.URL.RawQuery)
	if query != nil && !query.Has("changes") {
		query.Set("changes", allApps)
	}
	asked, understood := askedChanges(query)
	if err != nil || asked == nil || !understood || asked.From+asked.Since+asked.Of != "" {
		a.refuse(w, r, "account.bad_address", errBadAddress)
		return
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		a.refuse(w, r, "account.download_refused", errCrossOrigin)
		return
	}
	var from *reader
	v, err := a.view(ctx, session(r), func(ctx context.Context, v *view, person directory.Person) error {
		party := partyOf(person.ID, person.Organization.ID, showOperation)
		if err := admit(a.bounds.downloads, party); err != nil {
			return err
		}
		from = &reader{record: a.record(ctx, person), query: asked.query(person.ID, 0)}
		from.head = fileHead{Person: v.Who, DownloadedAt: api.FormatTime(a.options.Now()),
			KnownSince: api.FormatTime(from.since)}
		return from.next(ctx)
	})
	switch {
	case err != nil:
		a.fail(w, r, "account.not_downloaded", "account.repeat", err)
	case !v.SignedIn:
		a.refuse(w, r, "account.download_signed_out", errNotSignedIn)
	case r.Method == http.MethodHead:
		a.fileHeaders(w.Header(), kind, name)
	default:
		a.fileHeaders(w.Header(), kind, name)
		from.tag = a.options.Pages.Language(w, r)
		if err := from.writeTo(ctx, to(w, from.tag)); err != nil {
			a.options.Log.WarnContext(ctx, "a download was cut off", "error", err)
			panic(http.ErrAbortHandler) // what has arrived must not pass for all of it
		}
	}
}

func (a *Account) fileHeaders(h http.Header, kind, name string) {
	a.headers.Set(h)
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
}

// reader reads a selection a batch at a time. The first batch is read before anything is written, so that what goes
// wrong at once is told on a page.
type reader struct {
	record
	head  fileHead
	tag   string // language
	query store.ActivityQuery
	rows  []store.Activity
	count int // of rows read
}

func (f *reader) next(ctx context.Context) (err error) {
	f.query.Limit = min(batchDownload, maxDownload+1-f.count)
	f.rows, err = f.read(ctx, f.query)
	if f.count += len(f.rows); len(f.rows) > 0 {
		f.query.After = f.rows[len(f.rows)-1].Position()
	}
	return err
}

func (f *reader) writeTo(ctx context.Context, to file) error {
	if err := to.begin(f.head); err != nil {
		return err
	}
	written := 0
	for len(f.rows) > 0 {
		var list []activity
		for _, row := range f.rows {
			list = append(list, f.tell(ctx, row))
		}
		for i, one := range named(list, f.options.Connections.Apps(ctx, clientsOf(list))) {
			if written++; written > maxDownload {
				return to.end(false)
			}
			change, err := f.change(f.rows[i], one)
			if err != nil {
				return err
			}
			if err := to.add(change); err != nil {
				return err
			}
		}
		if err := f.next(ctx); err != nil {
			return err
		}
	}
	return to.end(true)
}

// change returns a change as a file has it.
func (f *reader) change(row store.Activity, told activity) (fileChange, error) {
	words, err := f.sentence(told)
	one := fileChange{ID: row.ID, At: api.FormatTime(row.At), Change: words, Client: row.Client,
		Operation: row.Operation, Target: row.Target, Outcome: row.Outcome, Undoes: row.RefersTo,
		Changes: api.FieldChanges(row)}
	if one.App = told.App; told.App == row.Client {
		one.App = ""
	}
	if !f.operations[row.Operation].Undoes {
		one.Undoes = ""
	}
	return one, err
}

// sentence is what the page says of a change.
func (f *reader) sentence(told activity) (string, error) {
	pages := f.options.Pages
	if told.Revoked != "" {
		switch {
		case told.Whose != "":
			return pages.Say(f.tag, "account.did_revoke_of", "app", told.Revoked, "person", told.Whose)
		case told.Other:
			return pages.Say(f.tag, "account.did_revoke_other", "app", told.Revoked)
		}
		return pages.Say(f.tag, "account.did_revoke", "app", told.Revoked)
	}
	words, err := pages.Done(f.tag, told.Deed)
	if err == nil && told.Around != "" {
		words, err = pages.Say(f.tag, told.Around, "change", words)
	}
	return words, err
}

// csvFile is a table by RFC 4180. Every cell is quoted, so that a spreadsheet with another separator does not take one
// apart more than it must.
type csvFile struct {
	to    *bufio.Writer
	pages *page.Pages
	tag   string
}

// byteOrderMark tells spreadsheets that a file is in UTF-8; some take it for another encoding without.
const byteOrderMark = "\ufeff"

var csvColumns = []string{"at", "change", "app_name", "outcome", "fields", "operation", "target", "app", "activity_id",
	"undoes"}

func (f *csvFile) begin(fileHead) error {
	_, err := f.to.WriteString(byteOrderMark + strings.Join(csvColumns, ",") + "\r\n") // plain words
	return err
}

func (f *csvFile) write(row []string) error {
	for i, cell := range row {
		row[i] = `"` + strings.ReplaceAll(inert(cell), `"`, `""`) + `"`
	}
	_, err := f.to.WriteString(strings.Join(row, ",") + "\r\n")
	return err
}

func (f *csvFile) add(c fileChange) error {
	var fields []string
	for _, field := range c.Changes {
		fields = append(fields, field.Field+": "+field.Before+" → "+field.After)
	}
	return f.write([]string{c.At, c.Change, c.App, c.Outcome, strings.Join(fields, "\n"), c.Operation, c.Target,
		c.Client, c.ID, c.Undoes})
}

func (f *csvFile) end(complete bool) error {
	if !complete {
		words, err := f.pages.Say(f.tag, "account.download_cut", "number", maxDownload)
		if err != nil {
			return err
		}
		cut := make([]string, len(csvColumns))
		cut[1] = words
		if err := f.write(cut); err != nil {
			return err
		}
	}
	return f.to.Flush()
}

// formula matches what a spreadsheet takes for one: at the beginning of a cell, and behind what another separator than
// ours, or a line's end, would make a cell of.
var formula = pattern.New(`(^|[;|\t\r\n])([ \t\r\n"']*[=+\-@＝＋－＠])`)

// inert returns a cell of which no spreadsheet takes a part for a formula.
func inert(cell string) string {
	cell = formula.ReplaceAllString(cell, "$1'$2")
	if cell != "" && strings.Contains("\t\r\n", cell[:1]) { // which some leave out
		return "'" + cell
	}
	return cell
}

// jsonFile is one object, whose last members are the changes and whether these are all.
type jsonFile struct {
	w     io.Writer
	added bool
}

func (f *jsonFile) begin(head fileHead) error {
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f.w, strings.TrimSuffix(string(text), "}")+`,"changes":[`)
	return err
}

func (f *jsonFile) add(c fileChange) error {
	text, err := json.Marshal(c)
	between := "\n"
	if f.added {
		between = ",\n"
	}
	f.added = true
	_, writing := f.w.Write(append([]byte(between), text...))
	return cmp.Or(err, writing)
}

func (f *jsonFile) end(complete bool) error {
	text := "],\"complete\":true}\n"
	if !complete {
		text = "],\"complete\":false}\n"
	}
	_, err := io.WriteString(f.w, text)
	return err
}
