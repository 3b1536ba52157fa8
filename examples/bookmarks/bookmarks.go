// Command bookmarks is a program of one's own with a resource of one's own, as the README shows it: web addresses that
// an organization, or in Consumer projects a user, has ChatGPT keep. It has every command of guestpass.
package main

import (
	"context"
	"embed"
	"net/http"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/cli"
	"guestpass/resources"
	"guestpass/store"
)

func main() { cli.Main(append(resources.All(), bookmarks)...) }

//go:embed *.sql
var migrations embed.FS

var bookmarks = api.Resource{Name: "bookmarks", Schema: store.Schema{Files: migrations}, Register: register}

func register(s *api.Service) {
	api.Register(s, api.Operation{
		ID: "listBookmarks", Method: http.MethodGet, Path: "/api/v1/bookmarks",
		Summary: "List bookmarks", Description: "Returns the newest 50 bookmarks.",
		Access: auth.Scope("bookmarks:read"),
	}, func(ctx context.Context, _ *struct{}) (out *listOutput, err error) {
		out = &listOutput{}
		out.Body.Bookmarks, err = store.List(ctx, s.Store(), scan, "SELECT id, title, url FROM bookmarks"+
			" WHERE owner = $1 AND NOT deleted ORDER BY created_at DESC LIMIT 50", auth.From(ctx).Owner())
		return out, err
	})
	api.Register(s, api.Operation{
		ID: "addBookmark", Method: http.MethodPost, Path: "/api/v1/bookmarks",
		Summary: "Keep a bookmark", Description: "Keeps a web address and returns it with its bookmark_id.",
		Access: auth.Scope("bookmarks:write"), Effect: api.Write, Status: http.StatusCreated,
		Done: "Kept bookmark “{title}”",
		Docs: map[string]string{"url": "Address of the page; begins with https://"},
	}, func(ctx context.Context, in *addInput) (*addOutput, error) {
		return api.InTransaction(ctx, s, func(tx *store.Tx) (*addOutput, error) {
			out := &addOutput{}
			out.Body.Bookmark = Bookmark{store.NewID("bmk_"), in.Body.Title, in.Body.URL}
			return out, insert(tx, auth.From(ctx).Owner(), out.Body.Bookmark)
		})
	})
	s.Undoable("bmk_", nil, func(tx *store.Tx, a store.Activity) error { // a.Before is empty: it was added
		_, err := tx.Exec("UPDATE bookmarks SET deleted = $1 WHERE id = $2 AND owner = $3", a.Before == "", a.Target,
			a.Owner)
		return err
	})
}

type Bookmark struct {
	ID    string `json:"bookmark_id" doc:"Identifier of the bookmark"`
	Title string `json:"title" doc:"What the page is about"`
	URL   string `json:"url" doc:"Address of the page"`
}
type listOutput struct {
	Body struct {
		Bookmarks []Bookmark `json:"bookmarks" doc:"The newest first"`
	}
}
type addInput struct {
	Body struct {
		Title string `json:"title" minLength:"1" maxLength:"200" doc:"What the page is about, in one line"`
		URL   string `json:"url" format:"uri" pattern:"^https://" maxLength:"2000"`
		api.Once
	}
}
type addOutput struct {
	Body struct {
		Bookmark
		api.Repeatable
	}
}

func scan(row store.Scanner) (b Bookmark, err error) { return b, row.Scan(&b.ID, &b.Title, &b.URL) }

func insert(tx *store.Tx, owner string, b Bookmark) error {
	_, err := tx.Exec("INSERT INTO bookmarks (id, owner, title, url, created_at, deleted) VALUES ($1, $2, $3, $4, "+
		"$5, false)",
		b.ID, owner, b.Title, b.URL, tx.Now().UnixMilli())
	tx.Changed(b.ID, nil, b) // before and after, for the activity record
	return err
}
