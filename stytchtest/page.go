package stytchtest

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageCSS []byte

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"join": strings.Join}).Parse(pageText))

// page shows the emulator to a person. It reads only.
func (e *Emulator) page(w http.ResponseWriter, r *http.Request) {
	requests := e.Requests()
	var body bytes.Buffer
	err := pageTemplate.Execute(&body, map[string]any{"State": e.current(), "Inbox": e.Inbox(),
		"Requests": requests[:min(len(requests), 50)], "Watch": r.URL.Query().Get("watch") == "1"})
	if err != nil {
		e.log.Error("page", "error", err)
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	pageHeaders(w.Header(), "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	_, _ = body.WriteTo(w)
}

func (e *Emulator) pageStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(pageCSS)
}

func pageHeaders(h http.Header, policy string) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "same-origin") // with no-referrer the forms would come from the origin null
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
}

// pageAction does what a button of the page says, and shows the page again.
func (e *Emulator) pageAction(w http.ResponseWriter, r *http.Request) {
	switch chi.URLParam(r, "action") {
	case "reset":
		e.Reset()
	case "rotate":
		e.RotateKeys()
	case "advance":
		by, err := time.ParseDuration(r.PostFormValue("by"))
		if err != nil {
			writeFailure(w, fail(http.StatusBadRequest, "invalid_duration", "Say how far, such as 2h or 30m."))
			return
		}
		e.Advance(by)
	case "clear-faults":
		e.ClearFaults()
	default:
		e.routeNotFound(w, r)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
