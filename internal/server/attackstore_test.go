package server_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass"
	"guestpass/api"
	"guestpass/internal/postgrestest"
	"guestpass/store"
)

// withQuota returns a server whose owners may keep no more; on Postgres with its URL.
func withQuota(t *testing.T, url string, q store.Quota) func(*guestpass.Options) {
	return func(o *guestpass.Options) {
		if url == "" {
			url = "sqlite:" + filepath.Join(t.TempDir(), "guestpass.db")
		}
		database, err := store.Open(t.Context(), store.Options{URL: url, Now: o.Now, Quota: q,
			Schemas: api.Schemas(o.Resources)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = database.Close() })
		o.Store = database
	}
}

func onBothWithQuota(t *testing.T, q store.Quota, story func(*testing.T, *world)) {
	t.Run("SQLite", func(t *testing.T) { story(t, newWorld(t, withQuota(t, "", q))) })
	t.Run("Postgres", func(t *testing.T) { story(t, newWorld(t, withQuota(t, postgrestest.Shared(t).Database(t), q))) })
}

// used returns the problem of a quota that is used up.
func (p actor) used(method, path, body string, change ...func(*http.Request)) (name string, used, limit float64) {
	p.t.Helper()
	answer := p.do(http.StatusInsufficientStorage, method, path, body, change...)
	quota, ok := answer["quota"].(map[string]any)
	if !ok || answer["hint"] == "" || !strings.Contains(fmt.Sprint(answer["hint"]), "GUESTPASS_QUOTA_") {
		p.t.Fatalf("%s %s: %v", method, path, answer)
	}
	return quota["name"].(string), quota["used"].(float64), quota["limit"].(float64)
}

// TestAttackOneMemberFillsTheStore has Grace write as much as she can: she, then her organization, is
// refused in the same words whichever way something grows, and nobody else.
func TestAttackOneMemberFillsTheStore(t *testing.T) {
	t.Parallel()
	onBothWithQuota(t, store.Quota{Things: map[string]int64{"tasks": 10}}, func(t *testing.T, w *world) {
		g, a, h := w.as(grace), w.as(ada), w.as(hank)
		var first string
		for i := range 5 {
			first = g.create(fmt.Sprintf(`{"title":"number %d"}`, i))
		}
		for _, key := range []string{"", "k1"} {
			set := func(r *http.Request) { r.Header.Set("Idempotency-Key", key) }
			if key == "" {
				set = func(*http.Request) {}
			}
			name, used, limit := g.used("POST", "/api/v1/tasks", `{"title":"one more"}`, set)
			if name != "tasks" || used != 5 || limit != 5 {
				t.Errorf("%s %v %v", name, used, limit)
			}
		}
		if r := w.call("POST", "/api/v1/tasks", g.token, `{"title":"one more"}`); r.header.Get("Retry-After") != "" {
			t.Error("waiting does not help")
		}
		g.do(200, "GET", "/api/v1/tasks", "")
		h.create(`{"title":"of another organization"}`)
		for i := range 5 {
			a.create(fmt.Sprintf(`{"title":"number %d of Ada"}`, i))
		}
		a.used("POST", "/api/v1/tasks", `{"title":"one more"}`)
		g.do(200, "DELETE", "/api/v1/tasks/"+first, "")
		deleted := w.lastOf(g)
		g.create(`{"title":"in its place"}`)
		g.used("POST", "/api/v1/tasks/"+first+"/restore", "")
		g.used("POST", "/api/v1/activity/"+deleted+"/undo", "")
		if strings.Contains(w.log.String(), `"level":"ERROR"`) {
			t.Error("a quota is no error of the server's")
		}
	})
}

// lastOf returns the activity of what somebody did last.
func (w *world) lastOf(p actor) string {
	w.t.Helper()
	list := p.do(200, "GET", "/api/v1/activity?limit=1", "")["activities"].([]any)
	return list[0].(map[string]any)["activity_id"].(string)
}

// TestAttackManyMembersHaveOneQuota counts what forty callers at once of two members get.
func TestAttackManyMembersHaveOneQuota(t *testing.T) {
	t.Parallel()
	onBothWithQuota(t, store.Quota{Things: map[string]int64{"tasks": 7}}, func(t *testing.T, w *world) {
		var group sync.WaitGroup
		var mu sync.Mutex // guards statuses
		statuses := map[int]int{}
		tokens := []string{w.as(ada).token, w.as(grace).token}
		for i := range 40 {
			group.Go(func() {
				r := w.call("POST", "/api/v1/tasks", tokens[i%2], fmt.Sprintf(`{"title":"number %d"}`, i))
				mu.Lock()
				defer mu.Unlock()
				statuses[r.status]++
			})
		}
		group.Wait()
		if statuses[201] != 7 || statuses[507] != 33 {
			t.Errorf("%v", statuses)
		}
	})
}

// TestEveryChangeDeclaresThatThereMayBeNoRoom looks at the document.
func TestEveryChangeDeclaresThatThereMayBeNoRoom(t *testing.T) {
	w := newWorld(t)
	var document struct {
		Paths map[string]map[string]struct {
			Consequential bool                      `json:"x-openai-isConsequential"`
			Responses     map[string]map[string]any `json:"responses"`
		}
	}
	if err := json.Unmarshal(w.app.Document().JSON(), &document); err != nil {
		t.Fatal(err)
	}
	changes := 0
	for path, methods := range document.Paths {
		for method, op := range methods {
			if op.Consequential {
				changes++
			}
			if _, told := op.Responses["507"]; told != op.Consequential {
				t.Errorf("%s %s: %v", method, path, op.Responses)
			}
		}
	}
	if changes < 7 {
		t.Errorf("%d operations change something", changes)
	}
}

// TestAttackAFullDiskKeepsNobodyIn fills the disk of a server as one member, then has somebody of another
// organization, and many more than once, revoke.
func TestAttackAFullDiskKeepsNobodyIn(t *testing.T) {
	t.Parallel()
	if err := exec.Command("unshare", "--map-root-user", "--mount", "true").Run(); err != nil {
		t.Skipf("a small disk cannot be mounted here: unshare: %v", err)
	}
	disk := t.TempDir()
	o := startOutage(t, filepath.Join(disk, "guestpass.db"), "unshare", "--map-root-user", "--mount",
		"sh", "-c", `mount -t tmpfs -o size=6m tmpfs "$0" && exec "$@"`, disk)
	people := []string{hank, ada, grace}
	tokens, sessions, forms := map[string]string{}, map[string]signedIn{}, map[string]string{}
	for _, who := range people {
		o.consent(who)
		tokens[who] = o.world.token(who, everything...)
		if got := o.reads(tokens[who]); got != 200 {
			t.Fatalf("%s reads with %d", who, got)
		}
		sessions[who] = o.signIn(who)
		forms[who] = sessions[who].form(gptName())
	}
	writer := o.world.token(ada, everything...)
	status, calls := 0, 0
	for missed := 0; missed < 8 && calls < 5000; calls++ {
		notes := "x"
		if missed == 0 {
			notes = strings.Repeat("<", 9990)
		}
		status = o.call("POST", "/api/v1/tasks", writer,
			fmt.Sprintf(`{"title":"number %d","notes":"%s"}`, calls, notes)).status
		if missed++; status != http.StatusInsufficientStorage {
			missed = 0
		}
	}
	if status != http.StatusInsufficientStorage {
		t.Fatalf("call %d: %d", calls, status)
	}
	t.Logf("full after %d calls", calls)
	for _, who := range people {
		if r := sessions[who].revoke(forms[who]); r.status != http.StatusSeeOther {
			t.Errorf("%s revokes: %d %s", who, r.status, r.body)
		}
		if got := o.reads(tokens[who]); got != 401 {
			t.Errorf("after %s revoked, the app reads with %d", who, got)
		}
	}
	for range 50 { // one who wants to use up what is reserved, as often as anybody may in a minute
		if r := sessions[grace].revoke(forms[grace]); r.status != http.StatusSeeOther {
			t.Fatalf("once more: %d %s", r.status, r.body)
		}
	}
	if r := sessions[hank].revoke(forms[hank]); r.status != http.StatusSeeOther {
		t.Errorf("after all that: %d %s", r.status, r.body)
	}
}

// TestAttackWhatAnAppDidIsFound deletes through one app, then changes a lot through another and through
// the same.
func TestAttackWhatAnAppDidIsFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.consent(ada)
	p := w.as(ada)
	task := p.create(`{"title":"to be deleted"}`)
	p.do(200, "DELETE", "/api/v1/tasks/"+task, "")
	other := p.create(`{"title":"changed often"}`)
	flood := func(client string, n int) {
		t.Helper()
		for range n / 100 { // a transaction has ten seconds, also under the race detector
			err := w.options.Store.Write(t.Context(), func(tx *store.Tx) error {
				for range 100 {
					tx.Changed(other, map[string]string{"Title": "a"}, map[string]string{"Title": "b"})
					if _, err := tx.Record(store.Activity{Owner: acme, Subject: ada, Client: client,
						Operation: "updateTask", Outcome: store.Done}); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	app := w.options.ClientIDs[0]
	flood("connected-app-test-99999999-0000-4000-8000-000000000009", 20_000)
	s := w.signIn(ada)
	if page := s.page(); !strings.Contains(page, "Deleted task “to be deleted”") ||
		strings.Contains(page, "Nothing was changed") {
		t.Errorf("after 20,000 changes through another app:\n%s", page)
	}
	flood(app, 300)
	page := s.page()
	if !strings.Contains(page, "What was deleted through it before that") ||
		!strings.Contains(page, "Deleted task “to be deleted”") {
		t.Errorf("after 300 changes through the same app:\n%s", page)
	}
	at := func(address string) string {
		t.Helper()
		r := s.at(address)
		if r.status != 200 {
			t.Fatalf("%s: %d %s", address, r.status, r.body)
		}
		return r.body
	}
	if page := at("/account?changes=all&kind=deleted"); !strings.Contains(page, "Deleted task “to be deleted”") ||
		strings.Contains(page, "Changed task") {
		t.Errorf("what was taken away:\n%s", page)
	}
	pages, address, found, second := 0, "/account?changes="+app, false, ""
	for ; address != "" && pages < 20; pages++ {
		page := at(address)
		found = found || strings.Contains(page, "Deleted task “to be deleted”")
		_, rest, more := strings.Cut(page, `<a href="`)
		address = ""
		for more {
			link, after, _ := strings.Cut(rest, `"`)
			if strings.HasPrefix(after, ` rel="next"`) {
				address = link
				second = cmp.Or(second, link)
			}
			_, rest, more = strings.Cut(after, `<a href="`)
		}
	}
	if !found || pages != 7 { // 303 changes
		t.Errorf("found: %v, on %d pages", found, pages)
	}
	if r := w.signIn(grace).at(second); r.status != 404 || !strings.Contains(r.body, "no such change in your name") {
		t.Errorf("from another's change on: %d %s", r.status, r.body)
	}
	for query, want := range map[string]string{"app=this&removals=true": task, "removals=true": task,
		"app=" + app + "&removals=true": task} {
		if r := w.call("GET", "/api/v1/activity?"+query, p.token, ""); !strings.Contains(r.body, want) ||
			strings.Contains(r.body, "updateTask") {
			t.Errorf("%s: %s", query, r.body)
		}
	}
	for _, query := range []string{"changes=", "changes=%3Cscript%3E", "changes=all&changes=all",
		"changes=all&from=x", "changes=all&from=7", // numbers would tell of others' changes
		"changes=all&kind=x",
		"changes=all&kind=deleted&kind=", "changes=all&from=act_7&since=act_3", "changes=all&since=-1",
		"changes=all&of=%3C",
		"changes=" + strings.Repeat("a", 129)} {
		r := w.call("GET", "/account?"+query, "", "", func(r *http.Request) { r.Header.Set("Cookie", s.cookie) })
		if r.status != 400 {
			t.Errorf("%s: %d", query, r.status)
		}
	}
	if page := w.signIn(grace).at("/account?changes=" + app).body; strings.Contains(page, "to be deleted") {
		t.Errorf("Grace sees what was done in Ada's name:\n%s", page)
	}
}

// TestThePageSaysSinceWhenItKnows claims nothing about what was dropped.
func TestThePageSaysSinceWhenItKnows(t *testing.T) {
	w := newWorld(t)
	w.consent(ada)
	if page := w.signIn(ada).page(); !strings.Contains(page, "Nothing was changed through it yet.") {
		t.Errorf("before anything was done:\n%s", page)
	}
	p := w.as(ada)
	p.create(`{"title":"a year ago"}`)
	w.stytch.Advance(366 * 24 * time.Hour)
	if err := w.options.Store.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	page := w.signIn(ada).page()
	if strings.Contains(page, "Nothing was changed through it yet.") || !strings.Contains(page,
		"Whether it changed something before is not known here any more") {
		t.Errorf("a year later:\n%s", page)
	}
	if since := w.as(ada).do(200, "GET", "/api/v1/activity", "")["known_since"]; since == nil {
		t.Error("listActivity does not say since when it knows")
	}
}

// TestAttackAnAssigneeUsesUpTheCreatorsShare has Grace write into the tasks that Ada gave her, until she is
// refused: by her own half, whatever was left of Ada's.
func TestAttackAnAssigneeUsesUpTheCreatorsShare(t *testing.T) {
	t.Parallel()
	onBothWithQuota(t, store.Quota{Bytes: 400_000}, func(t *testing.T, w *world) {
		a, g := w.as(ada), w.as(grace)
		var given []string
		for i := range 5 {
			given = append(given, a.create(fmt.Sprintf(`{"title":"number %d","assignee":%q}`, i, grace)))
		}
		body := func(i int) string {
			return fmt.Sprintf(`{"notes":%q}`, strings.Repeat("x", 9_900)+fmt.Sprint(" ", i))
		}
		refused := false
		for i := 0; i < 60 && !refused; i++ {
			refused = w.call("PATCH", "/api/v1/tasks/"+given[i%len(given)], g.token,
				body(i)).status == http.StatusInsufficientStorage
		}
		if name, used, limit := g.used("PATCH", "/api/v1/tasks/"+given[0], body(99)); name != "bytes" ||
			limit != 200_000 || used > limit {
			t.Errorf("%s %v %v", name, used, limit)
		}
		for i := range 8 { // of 10 kB, and as much on record
			a.create(fmt.Sprintf(`{"title":"Ada's %d","notes":%q}`, i, strings.Repeat("y", 9_900)))
		}
	})
}
