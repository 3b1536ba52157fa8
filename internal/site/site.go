// Package site is what a person sees of a Guestpass server besides the sign-in
// page: the landing page, which says how to connect an assistant and has the values
// for the GPT editor, the operations at /docs, and the privacy page. Everything on them comes from the declared
// operations, so no page can be out of date.
//
// It knows nothing of tokens or of Stytch.
package site

import (
	"embed"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"guestpass/internal/headers"
	"guestpass/internal/page"
	"guestpass/internal/pattern"
)

//go:embed assets
var assets embed.FS

//go:embed *.html
var templates embed.FS

// An Operation, as the pages show it.
type Operation struct {
	ID, Summary, Effect string  // effect: read, write or destroy
	Scopes              []Scope // of which a caller needs one; none for public ones
	Method, Path        string  // the path tells the resource
	External            bool    // it acts outside of the app

	*Detail // of those that are published, see [Options.Document]
}

// A Scope that a person may grant, in words.
type Scope struct{ Name, Description string }

// A GPT is what a builder pastes into the GPT editor.
type GPT struct {
	ImportURL, PrivacyURL, Instructions string
	OAuth                               []Field
	Starters, Domains                   []string
	EgressURL                           string // lists the addresses from which ChatGPT calls
}

// A Field of the editor: what to paste, or in words where it is to be had.
type Field struct{ Name, Value, Hint string }

// Options configure a [Site].
type Options struct {
	Pages      *page.Pages // in whose layout the pages are
	Title      string
	PublicURL  string
	GPT        GPT
	MCP        string // the URL of the tools; "": there are none
	Scopes     []Scope
	Operations []Operation
	Published  []Operation // those in the document
	Document   []byte      // as it is published, JSON; nil: there is none
	Notes      []string    // shown to the builder, such as that the editor wants https
	Emulator   string      // the emulator's page, in development

	// public connected app with which /docs signs people in; "" for none: then nothing can be tried there
	DocsClientID string
}

// OnThisMachine reports whether only programs on the server's own machine reach it: the settings
// admit http for nobody else.
func (o Options) OnThisMachine() bool { return strings.HasPrefix(o.PublicURL, "http://") }

// Name returns the app's as programs name servers: few letters, and no blanks.
func (o Options) Name() string {
	words := strings.FieldsFunc(strings.ToLower(o.Title), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	name := strings.Join(words, "-")
	if len(name) > 20 || name == "" {
		return "guestpass"
	}
	return name
}

// A Resource has the operations whose paths begin alike.
type Resource struct {
	Name       string
	Operations []Operation
}

// Resources returns the published operations by what they are about, in the order of the first of each.
func (o Options) Resources() (resources []Resource) {
	for _, op := range o.Published {
		name := resourceOf(op.Path)
		i := slices.IndexFunc(resources, func(r Resource) bool { return r.Name == name })
		if i < 0 {
			i, resources = len(resources), append(resources, Resource{Name: name})
		}
		resources[i].Operations = append(resources[i].Operations, op)
	}
	return resources
}

var beforeResource = pattern.New(`^/(?:api/)?(?:v\d+/)?`)

// resourceOf returns the first part of a path that is neither api nor a version, as people write it.
func resourceOf(path string) string {
	name, _, _ := strings.Cut(beforeResource.ReplaceAllString(path, ""), "/")
	name = strings.NewReplacer("-", " ", "_", " ").Replace(name)
	if name == "" || name[0] == '{' {
		return "Others"
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// DocsScopes returns what /docs asks for: all but staying connected. Its token is gone with the
// page, and must not be renewable.
func (o Options) DocsScopes() string {
	var names []string
	for _, scope := range o.Scopes {
		if scope.Name != "offline_access" {
			names = append(names, scope.Name)
		}
	}
	return strings.Join(names, " ")
}

// A Site serves pages that were rendered once. Safe for concurrent use.
type Site struct {
	Landing, Docs, Privacy http.Handler
	NotFound               http.Handler // for a person at an address that there is not
}

// New renders the pages.
func New(o Options) (_ *Site, err error) {
	if o.Document != nil {
		if o.Published, err = detailed(o.Published, o.Document, o.PublicURL); err != nil {
			return nil, err
		}
	}
	site := &Site{}
	for _, one := range []struct {
		handler *http.Handler
		name    string
		layout  page.Layout
		policy  string
		status  int
	}{
		{&site.Landing, "landing.html", page.Layout{Path: "/", Builders: true, Public: true}, scriptPolicy,
			http.StatusOK},
		{&site.Docs, "docs.html", page.Layout{Path: "/docs", Builders: true, Public: true}, docsPolicy, http.StatusOK},
		{&site.Privacy, "privacy.html", page.Layout{Path: "/privacy", Public: true}, plainPolicy, http.StatusOK},
		{&site.NotFound, "notfound.html", page.Layout{}, plainPolicy, http.StatusNotFound},
	} {
		parsed, err := o.Pages.Parse(one.layout, templates, one.name)
		if err != nil {
			return nil, fmt.Errorf("site: %w", err)
		}
		h := headers.Page{Policy: one.policy, Cache: "no-cache", Secure: strings.HasPrefix(o.PublicURL, "https://")}
		if *one.handler, err = o.Pages.Fixed(parsed, one.status, h.Set, o); err != nil {
			return nil, fmt.Errorf("site: render %s: %w", one.name, err)
		}
	}
	return site, nil
}

// The landing page runs a script that copies; /docs that one, and one that searches and calls operations of this
// server.
const (
	plainPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; " +
		"frame-ancestors 'none'"
	scriptPolicy = plainPolicy + "; script-src 'self'"
	docsPolicy   = scriptPolicy + "; connect-src 'self'"
)

// assetTypes are the files that are served, and as what.
var assetTypes = map[string]string{ // #nosec G101 -- names of files
	"copy.js":        "text/javascript; charset=utf-8",
	"docs.js":        "text/javascript; charset=utf-8",
	"docs-signin.js": "text/javascript; charset=utf-8",
	"docs.css":       "text/css; charset=utf-8",
}

// Assets returns the scripts and the style sheet of these pages, each by its name and with its handler.
func (s *Site) Assets() map[string]http.Handler {
	handlers := map[string]http.Handler{}
	for name, kind := range assetTypes {
		content, err := assets.ReadFile("assets/" + name)
		if err != nil {
			panic(err) // it is embedded
		}
		handlers[name] = page.Asset(kind, content)
	}
	return handlers
}
