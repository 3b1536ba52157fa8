package main

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/pressly/goose/v3"

	"guestpass/auth"
)

// The application as it was before: a shop with tables, routes, an API and errors of its own. Nothing in this file
// knows Guestpass, but for the handler whoAmI, which takes the identity that a token gave.

//go:embed *.sql
var migrations embed.FS

// migrate uses goose's usual table, goose_db_version, in the schema public.
func migrate(ctx context.Context, db *sql.DB) error {
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// A shopError is what the shop's API answers, in a form of its own.
type shopError struct {
	Code  int      `json:"code"`
	Said  string   `json:"said"`
	Wrong []string `json:"wrong,omitempty"`
}

func (e *shopError) Error() string  { return e.Said }
func (e *shopError) GetStatus() int { return e.Code }

// useShopErrors is one of the settings that Huma keeps for the whole process.
func useShopErrors() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		e := &shopError{Code: status, Said: message}
		for _, err := range errs {
			e.Wrong = append(e.Wrong, err.Error())
		}
		return e
	}
}

type shop struct{ db *sql.DB }

func (s *shop) routes() *chi.Mux {
	r := chi.NewMux()
	r.Get("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "The shop") })
	config := huma.DefaultConfig("Shop", "7")
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "/shop/openapi", "/shop/docs", "/shop/schemas"
	shopAPI := humachi.New(r, config)
	placing := huma.Operation{OperationID: "place-order", Method: http.MethodPost, Path: "/shop/orders"}
	huma.Register(shopAPI, placing, s.place)
	return r
}

type placeInput struct {
	Body struct {
		Customer string `json:"customer"`
		Item     string `json:"item" minLength:"1"`
	}
}

type placeOutput struct {
	Body struct {
		ID string `json:"id"`
	}
}

func (s *shop) place(ctx context.Context, in *placeInput) (*placeOutput, error) {
	out := &placeOutput{}
	err := s.db.QueryRowContext(ctx, `INSERT INTO orders (id, customer, item)
		VALUES ('ord_' || replace(CAST(gen_random_uuid() AS TEXT), '-', ''), $1, $2) RETURNING id`,
		in.Body.Customer, in.Body.Item).Scan(&out.Body.ID)
	return out, err
}

// cancel is the shop's own code for a transaction of its own: the order is cancelled and the item back in stock.
func cancel(ctx context.Context, tx *sql.Tx, customer, id string) (item string, err error) {
	err = tx.QueryRowContext(ctx, `UPDATE public.orders SET state = 'cancelled'
		WHERE id = $1 AND customer = $2 AND state = 'open' RETURNING item`, id, customer).Scan(&item)
	if errors.Is(err, sql.ErrNoRows) {
		return "", errNoOrder
	}
	if err != nil {
		return "", err
	}
	_, err = tx.ExecContext(ctx, "UPDATE public.stock SET number = number + 1 WHERE item = $1", item)
	return item, err
}

var errNoOrder = errors.New("no such order, or it is cancelled already")

// whoAmI is one of the shop's handlers that Guestpass protects.
func whoAmI(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintln(w, auth.From(r.Context()).Subject)
}
