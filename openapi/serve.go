package openapi

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"

	"guestpass/internal/accept"
)

// Header values shared by all responses. They are assigned, not set, so that a request
// allocates nothing; each is full, so that whoever appends to one gets a copy.
var (
	allowMethods     = []string{"GET, HEAD, OPTIONS"}
	anyOrigin        = []string{"*"}
	cacheControl     = []string{"public, max-age=60"}
	exposeHeaders    = []string{"ETag"}
	gzipEncoding     = []string{"gzip"}
	preflightHeaders = []string{"If-None-Match"}
	preflightMaxAge  = []string{"86400"}
	varyByEncoding   = []string{"Accept-Encoding"}
	varyByBoth       = []string{"Accept, Accept-Encoding"}
)

// representation is one document in one syntax, plain and compressed.
type representation struct {
	contentType          []string
	identity, compressed variant
}

// variant is one sequence of bytes with its own strong entity tag (RFC 9110 section 8.8.3).
type variant struct {
	body   []byte
	etag   []string
	length []string
}

func newRepresentation(contentType string, body []byte) representation {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // fails for an unknown level only
	_, _ = w.Write(body)                                  // a bytes.Buffer takes everything
	_ = w.Close()
	return representation{contentType: []string{contentType}, identity: newVariant(body),
		compressed: newVariant(b.Bytes())}
}

func newVariant(body []byte) variant {
	sum := sha256.Sum256(body)
	return variant{body: body, etag: []string{`"` + hex.EncodeToString(sum[:16]) + `"`},
		length: []string{strconv.Itoa(len(body))}}
}

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
	rep := &d.json
	if prefersYAML(r.Header["Accept"]) {
		rep = d.yaml()
	}
	rep.serve(w, r, varyByBoth)
}

// ServeYAML answers GET, HEAD and OPTIONS on any path with the document as YAML.
func (d *Document) ServeYAML(w http.ResponseWriter, r *http.Request) {
	d.yaml().serve(w, r, varyByEncoding)
}

// ServeJSON30 answers GET, HEAD and OPTIONS on any path with the document in OpenAPI 3.0.0.
func (d *Document) ServeJSON30(w http.ResponseWriter, r *http.Request) {
	d.json30().serve(w, r, varyByEncoding)
}

// ServeSwagger answers GET, HEAD and OPTIONS on any path with the document as Swagger 2.0.
func (d *Document) ServeSwagger(w http.ResponseWriter, r *http.Request) {
	d.swagger().serve(w, r, varyByEncoding)
}

// serve lets scripts of every origin read (https://fetch.spec.whatwg.org/#http-cors-protocol):
// the document is public, and nothing here depends on who asks. [http.ServeContent] would take
// a fifth longer at least for a whole document: see BenchmarkServeContent.
func (rep *representation) serve(w http.ResponseWriter, r *http.Request, vary []string) {
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
	chosen, compressed := &rep.identity, accept.Gzip(r.Header["Accept-Encoding"])
	if compressed {
		chosen = &rep.compressed
	}
	h["Cache-Control"] = cacheControl
	h["Etag"] = chosen.etag
	if h["Vary"] == nil {
		h["Vary"] = vary
	} else {
		h.Add("Vary", vary[0])
	}
	if matches(r.Header["If-None-Match"], chosen.etag[0]) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if compressed {
		h["Content-Encoding"] = gzipEncoding
	}
	h["Content-Type"] = rep.contentType
	h["Content-Length"] = chosen.length
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = w.Write(chosen.body) // the client may be gone; there is nobody left to tell
	}
}

// matches reports whether a field If-None-Match names etag, by weak comparison (RFC
// 9110 section 13.1.2). A malformed list matches only as far as it can be read.
func matches(field []string, etag string) bool {
	for _, list := range field {
		for list = trimList(list); list != ""; list = trimList(list) {
			if list[0] == '*' {
				return true
			}
			list = strings.TrimPrefix(list, "W/")
			if list == "" || list[0] != '"' {
				break
			}
			end := strings.IndexByte(list[1:], '"')
			if end < 0 {
				break
			}
			if list[:end+2] == etag {
				return true
			}
			list = list[end+2:]
		}
	}
	return false
}

func trimList(list string) string { return strings.TrimLeft(list, ", \t") }

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
