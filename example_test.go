package guestpass_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/store"
	"guestpass/stytchtest"
)

// An application protects a handler of its own. Here the emulator stands in for Stytch.
func ExampleServer_Require() {
	stytch, app, stop := startApp(api.Scope{Name: "notes:read", Description: "Read your notes"})
	defer stop()

	routes := http.NewServeMux()
	readsNotes := app.Require(auth.Scope("notes:read"), api.Read)
	routes.Handle("GET /notes", readsNotes(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "Notes of", auth.From(r.Context()).Subject)
	})))

	const ada = "member-test-aaaaaaaa-0000-4000-8000-000000000001"
	token, err := stytch.Mint(stytchtest.MintRequest{Subject: ada, Scopes: []string{"notes:read"}})
	if err != nil {
		log.Fatal(err)
	}
	for _, header := range []string{"", "Bearer " + token} {
		r := httptest.NewRequest(http.MethodGet, "/notes", nil)
		r.Header.Set("Authorization", header)
		reply := httptest.NewRecorder()
		routes.ServeHTTP(reply, r)
		if reply.Code == http.StatusOK {
			fmt.Print(reply.Code, " ", reply.Body)
			continue
		}
		fmt.Println(reply.Code, reply.Header().Get("WWW-Authenticate"))
	}
	// Output:
	// 401 Bearer realm="api", resource_metadata="http://localhost:8080/.well-known/oauth-protected-resource"
	// 200 Notes of member-test-aaaaaaaa-0000-4000-8000-000000000001
}

// startApp starts an emulator of Stytch, and Guestpass as a part of an application.
func startApp(scopes ...api.Scope) (*stytchtest.Emulator, *guestpass.Server, func()) {
	running := httptest.NewUnstartedServer(nil)
	issuer := "http://" + running.Listener.Addr().String()
	stytch, err := stytchtest.New(stytchtest.Options{Issuer: issuer})
	if err != nil {
		log.Fatal(err)
	}
	running.Config.Handler = stytch
	running.Start()
	folder, err := os.MkdirTemp("", "guestpass-example-")
	if err != nil {
		log.Fatal(err)
	}
	database, err := store.Open(context.Background(), store.Options{URL: "sqlite:" + filepath.Join(folder, "app.db")})
	if err != nil {
		log.Fatal(err)
	}
	project := stytch.Export().Project
	app, err := guestpass.New(guestpass.Options{PublicURL: "http://localhost:8080", ProjectID: project.ID,
		Secret: project.Secret, PublicToken: project.PublicToken, Vertical: auth.B2B, Domain: issuer, BaseURL: issuer,
		Store: database, Title: "Notes", Version: "1", Scopes: scopes})
	if err != nil {
		log.Fatal(err)
	}
	return stytch, app, func() {
		_ = database.Close()
		_ = os.RemoveAll(folder)
		running.Close()
	}
}
