package stytchtest

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"strings"
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
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	_, _ = body.WriteTo(w)
}

func (e *Emulator) pageStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(pageCSS)
}
