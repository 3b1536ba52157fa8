package guestpasstest

import (
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"guestpass/stytchtest"
)

// A Person calls operations in their own name, through the project's connected app. It is safe for concurrent use.
type Person struct {
	ID string

	w      *World
	scopes []string

	mutex   sync.Mutex // guards what follows
	token   string
	renewed time.Time
}

// As is a person who has given the app these scopes; without any, all that the operations need, and to be known.
func (w *World) As(id string, scopes ...string) *Person {
	if len(scopes) == 0 {
		scopes = []string{"openid", "profile", "email"}
		for _, op := range w.App.Operations() {
			if name := op.Access.ScopeName(); name != "" && !slices.Contains(scopes, name) {
				scopes = append(scopes, name)
			}
		}
	}
	return &Person{ID: id, w: w, scopes: scopes}
}

// Token is an access token that is good, whatever the clock was advanced by.
func (p *Person) Token() string {
	p.w.t.Helper()
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if now := p.w.Stytch.Now(); p.token == "" || now.Sub(p.renewed) > 30*time.Minute {
		p.token, p.renewed = p.w.Token(p.ID, p.scopes...), now
	}
	return p.token
}

// Call is [World.Call] with the person's token.
func (p *Person) Call(method, path, body string, change ...func(*http.Request)) Reply {
	p.w.t.Helper()
	return p.w.Call(method, path, p.Token(), body, change...)
}

// Do is [Person.Call] for an answer with that status, whose members it returns. Any other answer ends the test.
func (p *Person) Do(status int, method, path, body string, change ...func(*http.Request)) map[string]any {
	p.w.t.Helper()
	r := p.Call(method, path, body, change...)
	if r.Status != status {
		p.w.t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, r.Status, r.Body, status)
	}
	if r.Body == "" {
		return nil
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(r.Body), &members); err != nil {
		p.w.t.Fatalf("%s %s: %v in %s", method, path, err, r.Body)
	}
	return members
}

// Mint is a token of any kind, with whatever claims: also one that Stytch would not issue.
func (w *World) Mint(m stytchtest.MintRequest) string {
	w.t.Helper()
	token, err := w.Stytch.Mint(m)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

// ChangeProject changes what Stytch has: people, roles, what they may.
func (w *World) ChangeProject(change func(*stytchtest.Seed)) {
	w.t.Helper()
	seed := w.Stytch.Export()
	change(&seed)
	if err := w.Stytch.Import(seed); err != nil {
		w.t.Fatal(err)
	}
}

// GiveRoles leaves a person with the roles, and the one that everybody has.
func (w *World) GiveRoles(id string, roles ...string) {
	w.t.Helper()
	w.ChangeProject(func(seed *stytchtest.Seed) {
		for i := range seed.Members {
			if seed.Members[i].ID == id {
				seed.Members[i].Roles = append([]string{"stytch_member"}, roles...)
			}
		}
		for i := range seed.Users {
			if seed.Users[i].ID == id {
				seed.Users[i].Roles = append([]string{"stytch_user"}, roles...)
			}
		}
	})
}

// OnEachDatabase runs a test on SQLite and on Postgres; url is for [Options].
func OnEachDatabase(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("SQLite", func(t *testing.T) { test(t, "") })
	t.Run("Postgres", func(t *testing.T) { test(t, Postgres(t)) })
}
