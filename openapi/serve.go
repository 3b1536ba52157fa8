package openapi

import (
	"net/http"
	"strings"

	"guestpass/internal/accept"
	"guestpass/internal/static"
)

// Header values shared by all responses. They are assigned, not set, so that a request
// allocates nothing; each is full, so that whoever appends to one gets a copy.
var (
	allowMethods     = []string{"GET, HEAD, OPTIONS"}
	anyOrigin        = []string{"*"}
	cacheControl     = []string{"public, max-age=60"}
	exposeHeaders    = []string{"ETag"}
	preflightHeaders = []string{"If-None-Match"}
	preflightMaxAge  = []string{"86400"}
	varyByBoth       = []string{"Accept, Accept-Encoding"}
)

// Handler serves /openapi.json, /openapi.yaml, /openapi-3.0.json and /swagger.json.
func (d *Document) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/openapi.json", d.ServeJSON)
	mux.HandleFunc("/openapi.yaml", d.ServeYAML)
	mux.HandleFunc("/openapi-3.0.json", d.ServeJSON30)
	mux.HandleFunc("/swagger.json", d.ServeSwagger)
	return mux
}

// ServeJSON answers GET, HEAD and OPTIONS on any path with the document as JSON, or as
// YAML if the request's Accept field names that and wants it more.
func (d *Document) ServeJSON(w http.ResponseWriter, r *http.Request) {
	content := d.json
	if prefersYAML(r.Header["Accept"]) {
		content = d.yaml()
	}
	if h := w.Header(); h["Vary"] == nil {
		h["Vary"] = varyByBoth
	} else {
		h.Add("Vary", varyByBoth[0])
	}
	answer(w, r, content)
}

// ServeYAML answers GET, HEAD and OPTIONS on any path with the document as YAML.
func (d *Document) ServeYAML(w http.ResponseWriter, r *http.Request) {
	answer(w, r, d.yaml())
}

// ServeJSON30 answers GET, HEAD and OPTIONS on any path with the document in OpenAPI 3.0.0.
func (d *Document) ServeJSON30(w http.ResponseWriter, r *http.Request) {
	answer(w, r, d.json30())
}

// ServeSwagger answers GET, HEAD and OPTIONS on any path with the document as Swagger 2.0.
func (d *Document) ServeSwagger(w http.ResponseWriter, r *http.Request) {
	answer(w, r, d.swagger())
}

// answer lets scripts of every origin read (https://fetch.spec.whatwg.org/#http-cors-protocol):
// the document is public, and nothing here depends on who asks.
func answer(w http.ResponseWriter, r *http.Request, content *static.Content) {
	h := w.Header()
	h["Access-Control-Allow-Origin"] = anyOrigin
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions: // a preflight, since If-None-Match is no safelisted header
		h["Allow"] = allowMethods
		h["Access-Control-Allow-Methods"] = allowMethods
		h["Access-Control-Allow-Headers"] = preflightHeaders
		h["Access-Control-Max-Age"] = preflightMaxAge
		w.WriteHeader(http.StatusNoContent)
		return
	default:
		h["Allow"] = allowMethods
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	h["Access-Control-Expose-Headers"] = exposeHeaders
	h["Cache-Control"] = cacheControl
	content.ServeHTTP(w, r)
}

// prefersYAML reports whether YAML is named and more wanted than JSON (RFC 9110 section
// 12.5.1). Who names YAML and would take anything gets YAML; who names both alike, JSON.
func prefersYAML(field []string) bool {
	const unset = -1
	yaml, json, other := unset, unset, unset
	for name, parameters := range accept.Members(field) {
		switch {
		case strings.EqualFold(name, "application/yaml"), strings.EqualFold(name, "application/x-yaml"),
			strings.EqualFold(name, "text/yaml"), strings.EqualFold(name, "text/x-yaml"):
			yaml = max(yaml, accept.Weight(parameters))
		case strings.EqualFold(name, "application/json"):
			json = max(json, accept.Weight(parameters))
		case name == "*/*", strings.EqualFold(name, "application/*"):
			other = max(other, accept.Weight(parameters))
		}
	}
	if json == unset {
		return yaml > 0 && yaml >= other
	}
	return yaml > json
}
