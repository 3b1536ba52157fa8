package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"guestpass"
	"guestpass/auth"
	"guestpass/guestpasstest"
	"guestpass/stytchtest"
)

// A world is the application on a port, with the emulator of Stytch.
type world struct {
	t      *testing.T
	app    *application
	url    string
	stytch *stytchtest.Server
}

func start(t *testing.T) *world {
	t.Helper()
	seed := stytchtest.Development()
	for _, action := range []string{"read", "write"} {
		seed.Policy.Allow("orders:"+action, "Orders", "orders", action)
	}
	w := &world{t: t, stytch: stytchtest.NewServer(t, stytchtest.Options{Seed: &seed})}
	server := httptest.NewUnstartedServer(nil)
	w.url = "http://" + server.Listener.Addr().String()
	app, err := build(t.Context(), guestpasstest.Postgres(t), guestpass.Options{PublicURL: w.url, Title: "Shop",
		Version: "1", ProjectID: seed.Project.ID, Secret: seed.Project.Secret, PublicToken: seed.Project.PublicToken,
		Domain: w.stytch.URL, BaseURL: w.stytch.URL, Vertical: auth.B2B, ForwardTokens: true, Now: w.stytch.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.close)
	w.app, server.Config.Handler = app, app.router
	server.Start()
	t.Cleanup(server.Close)
	return w
}

func (w *world) call(method, path, body string, scopes ...string) (status int, answer string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if len(scopes) > 0 {
		token, err := w.stytch.Mint(stytchtest.MintRequest{
			Kind: "access", Subject: guestpasstest.Grace, Scopes: scopes,
		})
		if err != nil {
			w.t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return response.StatusCode, string(content)
}

func (w *world) query(sql string) (value string) {
	w.t.Helper()
	if err := w.app.db.QueryRowContext(w.t.Context(), sql).Scan(&value); err != nil {
		w.t.Fatal(err)
	}
	return value
}

func (w *world) placeOrder() (id string) {
	w.t.Helper()
	status, answer := w.call("POST", "/shop/orders", `{"customer":"`+guestpasstest.Acme+`","item":"teapot"}`)
	if status != 200 {
		w.t.Fatalf("%d %s", status, answer)
	}
	_, rest, _ := strings.Cut(answer, `"id":"`)
	id, _, _ = strings.Cut(rest, `"`)
	return id
}

// What the shop had stays as it was, and Guestpass is beside it.
func TestTheShopIsAsItWas(t *testing.T) {
	w := start(t)
	for _, tt := range []struct {
		method, path, body string
		status             int
		said               string
	}{
		{"GET", "/", "", 200, "The shop"},
		{"POST", "/shop/orders", `{"customer":"x","item":""}`, 422, `"said":"validation failed"`},
		{"POST", "/shop/orders", `{`, 400, `"code":400`},
		{"GET", "/shop/openapi.json", "", 200, `"place-order"`},
		{"GET", "/openapi.json", "", 200, `"listOrders"`},
		{"GET", "/api/v1/orders", "", 401, `"a valid access token is required"`},
		{"GET", "/idp?client_id=x", "", 400, "<!doctype html>"},
		{"GET", "/nothing", "", 404, "404 page not found"},
	} {
		status, answer := w.call(tt.method, tt.path, tt.body)
		if status != tt.status || !strings.Contains(answer, tt.said) {
			t.Errorf("%s %s: %d %.300s, want %d with %s", tt.method, tt.path, status, answer, tt.status, tt.said)
		}
	}
	const tables = "SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables WHERE schemaname = 'public'"
	if got := w.query(tables); got != "goose_db_version orders stock" {
		t.Errorf("the shop's schema has %s", got)
	}
	if got := w.query("SELECT max(version_id) FROM goose_db_version"); got != "1" {
		t.Errorf("the shop's versions end with %s", got)
	}
}

// The shop's tables and the record of the change are kept together, or not at all.
func TestAChangeAndItsRecordAreOneTransaction(t *testing.T) {
	w := start(t)
	id := w.placeOrder()
	all := []string{"openid", "orders:read", "orders:write", "activity:read"}
	if status, answer := w.call("POST", "/api/v1/orders/"+id+"/cancel", "", all...); status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	if got := w.query("SELECT number FROM stock"); got != "11" {
		t.Errorf("in stock are %s", got)
	}
	if _, answer := w.call("GET", "/api/v1/activity", "", all...); !strings.Contains(answer, `"target":"`+id) ||
		!strings.Contains(answer, `"before":"open","after":"cancelled"`) {
		t.Errorf("the record has %s", answer)
	}
	// The record cannot be written: the order stays open.
	other := w.placeOrder()
	const full = "ALTER TABLE guestpass.activity ADD CONSTRAINT full_up CHECK (seq < 2)"
	if _, err := w.app.db.ExecContext(t.Context(), full); err != nil {
		t.Fatal(err)
	}
	if status, _ := w.call("POST", "/api/v1/orders/"+other+"/cancel", "", all...); status < 500 {
		t.Errorf("without a record: %d", status)
	}
	got := w.query("SELECT number || ' ' || (SELECT state FROM orders WHERE id = '" + other + "') FROM stock")
	if got != "11 open" {
		t.Errorf("kept without its record: %s", got)
	}
}

// A handler of the shop is protected in one line.
func TestAHandlerOfTheShopIsProtected(t *testing.T) {
	w := start(t)
	for _, tt := range []struct {
		scopes []string
		status int
		said   string
	}{
		{nil, 401, `"a valid access token is required"`},
		{[]string{"openid"}, 403, "orders:read"},
		{[]string{"openid", "orders:read"}, 200, guestpasstest.Grace},
	} {
		if status, answer := w.call("GET", "/shop/whoami", "", tt.scopes...); status != tt.status ||
			!strings.Contains(answer, tt.said) {
			t.Errorf("%v: %d %s", tt.scopes, status, answer)
		}
	}
	if !slices.Contains(w.app.pass.Paths(), "/account") {
		t.Error("people have no page to revoke on")
	}
}
