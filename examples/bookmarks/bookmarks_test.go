package bookmarks_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/examples/bookmarks"
	"guestpass"
	"guestpass/store"
	"guestpass/internal/postgrestest"
	"guestpass/stytchtest"
)

const (
	grace = "member-test-aaaaaaaa-0000-4000-8000-000000000002" // of Acme
	hank  = "member-test-bbbbbbbb-0000-4000-8000-000000000001" // of another organization
)

func TestMain(m *testing.M) {
	code := m.Run()
	postgrestest.StopShared()
	os.Exit(code)
}

func TestABookmarkIsKeptOnceListedAndTakenBack(t *testing.T) {
	for name, url := range map[string]string{
		"SQLite":   "sqlite:" + filepath.Join(t.TempDir(), "test.db"),
		"Postgres": postgrestest.Shared(t).Database(t),
	} {
		t.Run(name, func(t *testing.T) {
			app, stytch := start(t, url)
			call := func(status int, subject, method, path, body string) string {
				t.Helper()
				token, err := stytch.Mint(stytchtest.MintRequest{Kind: "access", Subject: subject,
					Scopes: []string{"openid", "tasks:write", "activity:read", "bookmarks:read", "bookmarks:write"}})
				if err != nil {
					t.Fatal(err)
				}
				r := httptest.NewRequest(method, "http://localhost:1"+path, strings.NewReader(body))
				r.Header.Set("Authorization", "Bearer "+token)
				r.Header.Set("Content-Type", "application/json")
				reply := httptest.NewRecorder()
				app.ServeHTTP(reply, r)
				if reply.Code != status {
					t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, reply.Code, reply.Body, status)
				}
				return reply.Body.String()
			}
			const kept = `{"title":"The Go blog","url":"https://go.dev/blog/"}`
			call(201, grace, "POST", "/api/v1/bookmarks", kept)
			if again := call(201, grace, "POST", "/api/v1/bookmarks", kept); !strings.Contains(again,
				`"repeated":true`) {
				t.Errorf("kept twice: %s", again)
			}
			call(422, grace, "POST", "/api/v1/bookmarks", `{"title":"no","url":"javascript:alert(1)"}`)
			if list := call(200, grace, "GET", "/api/v1/bookmarks", ""); strings.Count(list, "bmk_") != 1 {
				t.Errorf("Grace sees %s", list)
			}
			if list := call(200, hank, "GET", "/api/v1/bookmarks", ""); strings.Contains(list, "bmk_") {
				t.Errorf("another organization sees %s", list)
			}
			for _, left := range []int{0, 1} { // the undo, and the undo of the undo
				var record struct {
					Activities []struct {
						ID       string `json:"activity_id"`
						Undoable bool
					}
				}
				if err := json.NewDecoder(bytes.NewBufferString(call(200, grace, "GET", "/api/v1/activity",
					""))).Decode(&record); err != nil || !record.Activities[0].Undoable {
					t.Fatalf("%+v, %v", record, err)
				}
				call(200, grace, "POST", "/api/v1/activity/"+record.Activities[0].ID+"/undo", "")
				if list := call(200, grace, "GET", "/api/v1/bookmarks", ""); strings.Count(list, "bmk_") != left {
					t.Errorf("want %d: %s", left, list)
				}
			}
		})
	}
}

func start(t *testing.T, url string) (http.Handler, *stytchtest.Server) {
	t.Helper()
	seed := stytchtest.Development()
	write := []stytchtest.Permission{{ResourceID: "bookmarks", Actions: []string{"write"}}} // as in Stytch's dashboard
	seed.Policy.Resources = append(seed.Policy.Resources, stytchtest.Resource{ID: "bookmarks",
		Actions: []string{"write"}})
	seed.Policy.Scopes = append(seed.Policy.Scopes, stytchtest.CustomScope{Name: "bookmarks:write", Permissions: write})
	for i := range seed.Policy.Roles {
		seed.Policy.Roles[i].Permissions = append(seed.Policy.Roles[i].Permissions, write...)
	}
	stytch := stytchtest.NewServer(t, stytchtest.Options{Seed: &seed})
	database, err := store.Open(t.Context(), store.Options{URL: url, Now: stytch.Now,
		More: []store.Schema{{Name: "bookmarks", Files: bookmarks.Resource.Migrations}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Close() })
	app, err := guestpass.New(guestpass.Options{PublicURL: "http://localhost:1", ProjectID: seed.Project.ID,
		Secret:      seed.Project.Secret,
		PublicToken: seed.Project.PublicToken, Vertical: auth.B2B, Domain: stytch.URL, BaseURL: stytch.URL,
		ForwardTokens: true,
		Title:         "Bookmarks", Version: "1", Now: stytch.Now, Store: database,
		Resources: []api.Resource{bookmarks.Resource}})
	if err != nil {
		t.Fatal(err)
	}
	return app, stytch
}
