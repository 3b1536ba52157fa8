// Package page shows the emulator to a person: it has the page at / and the one that stands in for
// an OAuth provider, and the words on them. It reads a [View] and knows no emulator.
package page

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"strings"
)

var (
	//go:embed page.html
	overviewText string
	//go:embed provider.html
	providerText string
	//go:embed page.css
	style []byte
	//go:embed page.js
	script []byte
)

var (
	overviewPage = template.Must(template.New("page").Funcs(template.FuncMap{"join": strings.Join}).Parse(overviewText))
	providerPage = template.Must(template.New("provider").Parse(providerText))
)

// Write answers with the page at /.
func (v View) Write(w http.ResponseWriter) error {
	return write(w, overviewPage, v, "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "+
		"img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
}

// A Provider is what the page of the stand-in shows.
type Provider struct {
	Name   string
	Chosen string // what was entered, if it is no e-mail address
	People []Candidate
}

// A Candidate is somebody whom one can be at the provider.
type Candidate struct{ Name, Email, Link string }

// Emails returns the addresses of all candidates.
func (p Provider) Emails() (list []string) {
	for _, c := range p.People {
		list = append(list, c.Email)
	}
	return list
}

// Write answers with the page of the stand-in. Its form leads to the app by a redirect, which
// form-action would have to name.
func (p Provider) Write(w http.ResponseWriter) error {
	return write(w, providerPage, p, "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; "+
		"frame-ancestors 'none'")
}

func write(w http.ResponseWriter, t *template.Template, data any, policy string) error {
	var body bytes.Buffer
	if err := t.Execute(&body, data); err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "same-origin") // with no-referrer the forms would come from the origin null
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	_, _ = body.WriteTo(w)
	return nil
}

// Style serves the style sheet of both pages.
func Style(w http.ResponseWriter, _ *http.Request) { asset(w, "text/css", style) }

// Script serves the script of the page at /, which keeps it up to date.
func Script(w http.ResponseWriter, _ *http.Request) { asset(w, "text/javascript", script) }

func asset(w http.ResponseWriter, kind string, content []byte) {
	w.Header().Set("Content-Type", kind+"; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-cache") // the next version may be at the same address
	_, _ = w.Write(content)
}
