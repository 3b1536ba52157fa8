package server_test

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"guestpass"
	"guestpass/api"
	"guestpass/store"
)

func TestDownloadsHaveWhatWasDone(t *testing.T) {
	w := newWorld(t)
	a := w.as(ada)
	path := "/api/v1/tasks/" + a.create(
		`{"title":"=HYPERLINK(\"https://evil.example\"), “quoted”","due":"2026-11-30"}`)
	a.do(200, "PATCH", path, `{"due":"2026-12-02","notes":"two\nlines"}`)
	w.as(grace).create(`{"title":"Grace's"}`)
	s := w.signIn(ada)
	w.says(s.sendUndo(s.undoForm("Changed task “=HYPERLINK(&#34;https://evil.example&#34;), “quoted””")), 303)
	r := s.at("/account/changes.csv?changes=all")
	for name, want := range map[string]string{"Content-Type": "text/csv; charset=utf-8; header=present",
		"Content-Disposition":          `attachment; filename="changes.csv"`,
		"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store",
		"X-Content-Type-Options": "nosniff"} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(r.body, "\ufeff"))).ReadAll()
	must(t, err)
	if len(rows) != 4 || rows[0][0] != "at" || !strings.HasPrefix(rows[1][1], "Undid: Changed task “=HYPERLINK") ||
		rows[2][4] != "due: 2026-11-30 → 2026-12-02\nnotes:  → two\nlines" || rows[2][2] != "ChatGPT" ||
		rows[1][9] != rows[2][8] || strings.Contains(r.body, "Grace") || !strings.Contains(r.body, "\r\n") {
		t.Errorf("%q", rows)
	}
	var got struct {
		Person       string
		DownloadedAt string `json:"downloaded_at"`
		Complete     bool
		Changes      []struct {
			ActivityID string `json:"activity_id"`
			Change     string
			AppName    string `json:"app_name"`
			Undoes     string
			Changes    []api.FieldChange
		}
	}
	r = s.at("/account/changes.json?changes=all&kind=changed")
	must(t, json.Unmarshal([]byte(r.body), &got))
	if got.Person != "ada@acme.example" || !got.Complete || len(got.Changes) != 2 ||
		got.Changes[0].Undoes != got.Changes[1].ActivityID || got.Changes[1].Changes[0].After != "2026-12-02" ||
		got.DownloadedAt == "" || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("%s", r.body)
	}
	w.says(s.at("/account/changes.json?changes=all&kind=deleted"), 200, `"changes":[],"complete":true}`)
}

// No cell begins a formula, whatever somebody wrote, or calls an app: nor does what a spreadsheet makes a cell of whose
// separator is another, as in Germany, or that knows no quotes.
func TestACellOfADownloadIsNoFormula(t *testing.T) {
	w := newWorld(t)
	must(t, w.options.Store.Write(t.Context(), func(tx *store.Tx) error {
		for _, begin := range []string{"=", "+", "-", "@", "\t", "\r", "\n", "＝", ";=", "x;@", "\"; -", "x\t+",
			"x\n="} {
			tx.Changed(begin+"1+1", nil, map[string]string{begin + "cmd": begin + "cmd|' /C calc'!A0"})
			if _, err := tx.Record(store.Activity{Owner: acme, Subject: ada, Client: begin + "app",
				Operation: begin + "operation", Outcome: store.Done}); err != nil {
				return err
			}
		}
		return nil
	}))
	body := w.signIn(ada).at("/account/changes.csv").body
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	must(t, err)
	for _, separators := range []string{";\n\r", "\t\n\r", "|\n\r"} {
		apart := func(r rune) bool { return strings.ContainsRune(separators, r) }
		for _, cell := range strings.FieldsFunc(body, apart) {
			if cell = strings.Trim(cell, ` "`); cell != "" && strings.ContainsAny(cell[:1], "=+-@") {
				t.Errorf("separated by one of %q a cell is %q", separators, cell)
			}
		}
	}
	cells := 0
	for _, row := range rows {
		for _, cell := range row {
			if cells++; cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") || strings.HasPrefix(cell, "＝") {
				t.Errorf("a cell is %q", cell)
			}
		}
	}
	if len(rows) != 14 {
		t.Errorf("%d rows", len(rows))
	}
	t.Logf("%d cells", cells)
}

func TestADownloadEndsWhereItSays(t *testing.T) {
	w := newWorld(t)
	w.seedChanges(ada, w.options.ClientIDs[0], 10_001)
	s := w.signIn(ada)
	r := s.at("/account/changes.csv?changes=all")
	rows, err := csv.NewReader(strings.NewReader(r.body)).ReadAll()
	must(t, err)
	if len(rows) != 10_002 || !strings.HasPrefix(rows[10_001][1], "There are more than 10000 changes") ||
		rows[10_001][0] != "" {
		t.Errorf("%d rows, at last %q", len(rows), rows[len(rows)-1])
	}
	r = s.at("/account/changes.json?changes=all")
	if n := strings.Count(r.body, `"activity_id"`); n != 10_000 || !strings.HasSuffix(r.body,
		`],"complete":false}`+"\n") || !json.Valid([]byte(r.body)) {
		t.Errorf("%d changes", n)
	}
}

// Nobody else's page gets a download, nor has one lie in somebody's folder.
func TestDownloadsAreForThePersonThemselves(t *testing.T) {
	w := newWorld(t, func(o *guestpass.Options) { o.PublicURL = origin })
	w.as(ada).create(`{"title":"Plants"}`)
	cookie := w.signIn(ada).cookie
	for name, tt := range map[string]struct {
		path, site, cookie string
		status             int
	}{
		"own page":         {"changes.csv?changes=all", "same-origin", cookie, 200},
		"typed":            {"changes.json?changes=all", "none", cookie, 200},
		"an old browser":   {"changes.json?changes=all", "", cookie, 200},
		"another site":     {"changes.csv?changes=all", "cross-site", cookie, 403},
		"a neighbour":      {"changes.json?changes=all", "same-site", cookie, 403},
		"nobody":           {"changes.csv?changes=all", "same-origin", "", 403},
		"of another":       {"changes.csv?changes=all&of=" + grace, "same-origin", cookie, 400},
		"a page of it":     {"changes.csv?changes=all&from=act_3", "same-origin", cookie, 400},
		"an unknown kind":  {"changes.json?changes=all&kind=x", "same-origin", cookie, 400},
		"without a choice": {"changes.json", "same-origin", cookie, 200},
		"a broken address": {"changes.json?changes=%zz", "same-origin", cookie, 400},
	} {
		r := w.call("GET", "/account/"+tt.path, "", "", func(r *http.Request) {
			r.Header.Set("Cookie", tt.cookie)
			r.Header.Set("Sec-Fetch-Site", tt.site)
		})
		if r.status != tt.status || strings.Contains(r.body, "Plants") != (tt.status == 200) ||
			r.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
}

func TestDownloadsOfAPersonAreLimited(t *testing.T) {
	w := newWorld(t)
	s := w.signIn(ada)
	for range 6 {
		w.says(s.at("/account/changes.csv?changes=all"), 200)
	}
	r := s.at("/account/changes.json?changes=all")
	w.says(r, 429, "Nothing was downloaded")
	if r.header.Get("Retry-After") == "" {
		t.Errorf("%v", r.header)
	}
	w.says(w.signIn(grace).at("/account/changes.csv?changes=all"), 200)
	w.says(s.at("/account?changes=all"), 200)
}
