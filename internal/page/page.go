// Package page is what all pages have in common: one layout with head, header and footer, the style sheet, and
// whose page it is, a [Brand], and
// the words, in each language.
//
// It knows nothing of what is on a page, nor of who looks at it.
package page

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"guestpass/internal/static"
	"html/template"
	"io/fs"
	"net/http"
)

//go:embed layout.html
var layoutText string

//go:embed assets
var assets embed.FS

// Options configure [Pages].
type Options struct {
	Brand      Brand
	Documented bool // there are published operations: the pages for builders link to them

	Language string                       // in which everybody sees the pages; "": each reader's own
	Words    map[string]map[string]string // by language and key, in place of those that are built in
}

// Pages makes pages of templates. Safe for concurrent use.
type Pages struct {
	options   Options
	catalogue *catalogue
}

// New prepares the layout. Its error says what is wrong with the brand and with the words.
func New(o Options) (*Pages, error) {
	o.Brand.Title = cmp.Or(o.Brand.Title, "Guestpass")
	catalogue, err := newCatalogue(o.Words, o.Language)
	if err := errors.Join(o.Brand.check(), err); err != nil {
		return nil, err
	}
	return &Pages{options: o, catalogue: catalogue}, nil
}

// A Layout is what the layout does for a page.
type Layout struct {
	Path string // of the page, to mark it among the links in the header
	// Builders is for pages of those who connect assistants: the others do not lead to the operations. They are in
	// English.
	Builders bool
	Public   bool // search engines may list it
	Narrow   bool // a page on which one thing is done, and from whose header nothing leads away
}

// A Page is one template in the layout, in each language.
type Page struct {
	layout Layout
	links  []link
	parsed map[string]*template.Template // by language
}

// A link of the header: its words are those of a key.
type link struct {
	To, Words string
	Current   bool
}

// Parse reads the files of a page, which define title and main, and may define head. Beside the functions of the
// library they have app, the title of the app, support, where people find help, or "", and those of the words.
func (p *Pages) Parse(l Layout, files fs.FS, names ...string) (*Page, error) {
	page := &Page{layout: l, links: p.links(l), parsed: map[string]*template.Template{}}
	for tag, words := range p.catalogue.words {
		if l.Builders && tag != first {
			continue
		}
		parsed := template.New("layout").Funcs(words.functions()).Funcs(p.functions(tag))
		if _, err := parsed.Parse(layoutText); err != nil {
			return nil, err
		}
		if _, err := parsed.ParseFS(files, names...); err != nil {
			return nil, fmt.Errorf("page %s: %w", names, err)
		}
		page.parsed[tag] = parsed
	}
	return page, nil
}

// functions are what templates can ask, whatever the words are.
func (p *Pages) functions(tag string) template.FuncMap {
	b := p.options.Brand
	logo := ""
	if b.Logo != nil {
		logo = "/assets/" + b.Logo.name
	}
	text := func(value string) func() string { return func() string { return value } }
	return template.FuncMap{"app": text(b.Title), "support": text(b.Support), "logo": text(logo), "lang": text(tag)}
}

// links are those of the header.
func (p *Pages) links(l Layout) (links []link) {
	if l.Builders && p.options.Documented {
		links = []link{{To: "/docs", Words: "layout.operations"}, {To: "/openapi.json", Words: "layout.document"}}
	}
	links = append(links, link{To: "/account", Words: "layout.connected"},
		link{To: "/privacy", Words: "layout.privacy"})
	for i := range links {
		links[i].Current = links[i].To == l.Path
	}
	return links
}

// Render returns the page with data, which its templates get, in a language that Pages.Language has returned.
func (p *Page) Render(tag string, data any) ([]byte, error) {
	parsed := cmp.Or(p.parsed[tag], p.parsed[first])
	var body bytes.Buffer
	err := parsed.ExecuteTemplate(&body, "layout", struct {
		Layout
		Links []link
		Data  any
	}{p.layout, p.links, data})
	return body.Bytes(), err
}

// Fixed returns a handler for a page that is the same for everybody but for its language, and is rendered
// now: nothing of a request is in it, so that its length tells nothing. before sets the headers.
func (p *Pages) Fixed(page *Page, status int, before func(http.Header), data any) (http.Handler, error) {
	bodies := map[string]*static.Content{}
	for tag := range page.parsed {
		body, err := page.Render(tag, data)
		if err != nil {
			return nil, err
		}
		bodies[tag] = static.New("text/html; charset=utf-8", body)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		before(w.Header())
		tag := first
		if !page.layout.Builders {
			tag = p.Language(w, r)
		}
		bodies[tag].ServeStatus(w, r, status)
	}), nil
}

// Assets returns what the layout links to, each by its name below /assets/ and with its handler.
func (p *Pages) Assets() map[string]http.Handler {
	b := p.options.Brand
	embedded := func(name string) []byte {
		content, err := assets.ReadFile("assets/" + name)
		if err != nil {
			panic(err) // it is embedded
		}
		return content
	}
	handlers := map[string]http.Handler{
		"times.js":      Asset("text/javascript; charset=utf-8", embedded("times.js")),
		"guestpass.css": Asset("text/css; charset=utf-8", append(embedded("guestpass.css"), b.sheet()...)),
		"icon.svg":      Asset("image/svg+xml", []byte(b.mark())),
	}
	if b.Logo != nil {
		handlers[b.Logo.name] = b.Logo
	}
	return handlers
}

// Asset answers with a file that pages load, compressed for whoever takes it so. Browsers keep it for an hour, and then
// ask whether it has changed.
func Asset(kind string, content []byte) http.Handler {
	served := static.New(kind, content)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "public, max-age=3600")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		served.ServeHTTP(w, r)
	})
}
