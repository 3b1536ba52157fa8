package stytchtest

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageCSS []byte

//go:embed page.js
var pageScript []byte

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"join": strings.Join}).Parse(pageText))

// page shows the emulator to a person. It reads only.
func (e *Emulator) page(w http.ResponseWriter, r *http.Request) {
	var body bytes.Buffer
	if err := pageTemplate.Execute(&body, e.pageView(r)); err != nil {
		e.log.Error("page", "error", err)
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	pageHeaders(w.Header(),
		"default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "+
			"base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	_, _ = body.WriteTo(w)
}

// pageAsset serves what the page is made with.
func pageAsset(kind string, content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind+"; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-cache") // the next version may be at the same address
		_, _ = w.Write(content)
	}
}

func pageHeaders(h http.Header, policy string) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "same-origin") // with no-referrer the forms would come from the origin null
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
}

// pageAction does what a button of the page says and leads back to the buttons, where
// [said] tells what was done.
func (e *Emulator) pageAction(w http.ResponseWriter, r *http.Request) {
	action := chi.URLParam(r, "action")
	back := url.Values{"done": {action}}
	switch action {
	case "reset":
		e.Reset()
	case "rotate":
		e.RotateKeys()
	case "advance":
		given := strings.TrimSpace(r.PostFormValue("by"))
		by, err := time.ParseDuration(given)
		if err != nil {
			back = url.Values{"problem": {given}}
			break
		}
		e.Advance(by)
		back.Set("by", by.String())
	case "clear-faults":
		e.ClearFaults()
	default:
		e.routeNotFound(w, r)
		return
	}
	if r.PostFormValue("watch") != "" {
		back.Set("watch", "1")
	}
	http.Redirect(w, r, "/?"+back.Encode()+"#controls", http.StatusSeeOther)
}

// said puts the query that pageAction leads to into words.
func said(query url.Values) (done, problem string) {
	if query.Has("problem") {
		return "", "“" + query.Get("problem") + "” is no duration. Say how far the clock should go, such as 90m, 2h " +
			"or 1h30m."
	}
	switch query.Get("done") {
	case "reset":
		done = "Everything is as the seed has it, and the clock shows the real time. The keys stayed."
	case "rotate":
		done = "A new key signs from now on. The old one stays published for a month."
	case "advance":
		if by, err := time.ParseDuration(query.Get("by")); err == nil && by < 0 {
			done = "The clock went back by " + span(by) + "."
		} else if err == nil {
			done = "The clock went on by " + span(by) + "."
		}
	case "clear-faults":
		done = "There are no faults any more."
	}
	return done, ""
}
