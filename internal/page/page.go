// Package page is what all pages have in common: one layout with head, header and footer, the style sheet, and
// whose page it is, a [Brand].
//
// It knows nothing of what is on a page, nor of who looks at it.
package page

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"time"
)

//go:embed layout.html
var layoutText string

//go:embed assets
var assets embed.FS

// Options configure [Pages].
type Options struct {
	Brand      Brand
	Documented bool // there are published operations: the pages for builders link to them
}

// Pages makes pages of templates. Safe for concurrent use.
type Pages struct {
	options Options
}

// New prepares the layout. Its error says what is wrong with the brand.
func New(o Options) (*Pages, error) {
	o.Brand.Title = cmp.Or(o.Brand.Title, "Guestpass")
	return &Pages{options: o}, o.Brand.check()
}

// A Layout is what the layout does for a page.
type Layout struct {
	Path string // of the page, to mark it among the links in the header
	// Builders is for pages of those who connect assistants: the others do not lead to the operations.
	Builders bool
	Public   bool // search engines may list it
	Narrow   bool // a page on which one thing is done, and from whose header nothing leads away
}

// A Page is one template in the layout.
type Page struct {
	layout Layout
	links  []link
	parsed *template.Template
}

type link struct {
	To, Words string
	Current   bool
}

// Parse reads the files of a page, which define title and main, and may define head. Beside the functions of the
// library they have app, the title of the app, and
// support, where people find help, or "".
func (p *Pages) Parse(l Layout, files fs.FS, names ...string) (*Page, error) {
	parsed := template.New("layout").Funcs(p.functions())
	for _, parse := range []func() (*template.Template, error){
		func() (*template.Template, error) { return parsed.Parse(layoutText) },
		func() (*template.Template, error) { return parsed.ParseFS(files, names...) },
	} {
		if _, err := parse(); err != nil {
			return nil, fmt.Errorf("page %s: %w", names, err)
		}
	}
	return &Page{layout: l, links: p.links(l), parsed: parsed}, nil
}

// functions are what templates can ask.
func (p *Pages) functions() template.FuncMap {
	b := p.options.Brand
	logo := ""
	if b.Logo != nil {
		logo = "/assets/" + b.Logo.name
	}
	text := func(value string) func() string { return func() string { return value } }
	return template.FuncMap{"app": text(b.Title), "support": text(b.Support), "logo": text(logo)}
}

// links are those of the header.
func (p *Pages) links(l Layout) (links []link) {
	if l.Builders && p.options.Documented {
		links = []link{{To: "/docs", Words: "Operations"}, {To: "/openapi.json", Words: "OpenAPI document"}}
	}
	links = append(links, link{To: "/account", Words: "Connected apps"}, link{To: "/privacy", Words: "Privacy"})
	for i := range links {
		links[i].Current = links[i].To == l.Path
	}
	return links
}

// Render returns the page with data, which its templates get.
func (p *Page) Render(data any) ([]byte, error) {
	var body bytes.Buffer
	err := p.parsed.ExecuteTemplate(&body, "layout", struct {
		Layout
		Links []link
		Data  any
	}{p.layout, p.links, data})
	return body.Bytes(), err
}

// Assets returns what the layout links to, each by its name below /assets/ and with its handler.
func (p *Pages) Assets() map[string]http.Handler {
	b := p.options.Brand
	sheet, err := assets.ReadFile("assets/guestpass.css")
	if err != nil {
		panic(err) // it is embedded
	}
	handlers := map[string]http.Handler{
		"guestpass.css": Asset("text/css; charset=utf-8", append(sheet, b.sheet()...)),
		"icon.svg":      Asset("image/svg+xml", []byte(b.mark())),
	}
	if b.Logo != nil {
		handlers[b.Logo.name] = b.Logo
	}
	return handlers
}

// Asset answers with a file that pages load. Browsers keep it for an hour, and then ask whether it has changed.
func Asset(kind string, content []byte) http.Handler {
	sum := sha256.Sum256(content)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", kind)
		h.Set("Cache-Control", "public, max-age=3600")
		h.Set("ETag", tag)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	})
}
