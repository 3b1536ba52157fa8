// Command embedded is an application that Guestpass was added to: a shop with chi routes, a Huma API and Postgres
// tables of its own. shop.go is the application as it was, assistant.go what assistants may do in it, and this file
// puts Guestpass beside it.
package main

import (
	"context"
	"database/sql"
	"log"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/go-chi/chi/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/resources/activity"
	"guestpass/resources/profile"
	"guestpass/store"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	app, err := build(ctx, os.Getenv("DATABASE_URL"), guestpass.Options{
		PublicURL: os.Getenv("PUBLIC_URL"), Title: "Shop", Version: "1",
		ProjectID: os.Getenv("STYTCH_PROJECT_ID"), Secret: os.Getenv("STYTCH_SECRET"),
		PublicToken: os.Getenv("STYTCH_PUBLIC_TOKEN"), Domain: os.Getenv("STYTCH_DOMAIN"), Vertical: auth.B2B,
		ForwardTokens: true, ClientIDs: []string{"chatgpt.com", "claude.ai"}, AddScopes: guestpass.AddForMCP,
		Log: slog.Default(),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer app.close()
	go func() {
		if err := app.pass.Run(ctx); err != nil {
			log.Fatal(err)
		}
	}()
	server := &http.Server{Addr: "localhost:8080", Handler: app.router, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	log.Print(server.ListenAndServe())
}

// An application is the shop with Guestpass beside it.
type application struct {
	router   *chi.Mux
	pass     *guestpass.Server
	db       *sql.DB
	database *store.Store
}

func build(ctx context.Context, databaseURL string, o guestpass.Options) (*application, error) {
	db, err := sql.Open("pgx", databaseURL)
	if err != nil {
		return nil, err
	}
	a := &application{db: db}
	if err := migrate(ctx, db); err != nil {
		return a, err
	}
	useShopErrors()
	host := &shop{db}
	a.router = host.routes()

	// Guestpass: its tables are in a schema of their own of the same database.
	o.Resources = []api.Resource{profile.Resource(), orders(host), activity.Resource()}
	a.database, err = store.Open(ctx, store.Options{URL: databaseURL, Schema: "guestpass", Now: o.Now,
		Schemas: api.Schemas(o.Resources)})
	if err != nil {
		return a, err
	}
	o.Store = a.database
	if a.pass, err = guestpass.New(o); err != nil {
		return a, err
	}
	if err := a.pass.Mount(a.router); err != nil {
		return a, err
	}
	a.router.With(a.pass.Require(auth.Scope("orders:read"), api.Read)).Get("/shop/whoami", whoAmI)
	return a, nil
}

func (a *application) close() {
	if a.pass != nil {
		_ = a.pass.Close()
	}
	if a.database != nil {
		_ = a.database.Close()
	}
	_ = a.db.Close()
}
