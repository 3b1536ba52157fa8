package openapi

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
)

// Header values shared by all responses. They are assigned, not set, so that a request
// allocates nothing; each is full, so that whoever appends to one gets a copy.
var (
	allowMethods   = []string{"GET, HEAD"}
	anyOrigin      = []string{"*"}
	cacheControl   = []string{"public, max-age=60"}
	gzipEncoding   = []string{"gzip"}
	varyByEncoding = []string{"Accept-Encoding"}
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
	w.Write(body)                                         // a bytes.Buffer takes everything
	w.Close()
	return representation{contentType: []string{contentType}, identity: newVariant(body), compressed: newVariant(b.Bytes())}
}

func newVariant(body []byte) variant {
	sum := sha256.Sum256(body)
	return variant{body: body, etag: []string{`"` + hex.EncodeToString(sum[:16]) + `"`}, length: []string{strconv.Itoa(len(body))}}
}

// Handler serves /openapi.json and /openapi.yaml.
func (d *Document) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/openapi.json", d.ServeJSON)
	mux.HandleFunc("/openapi.yaml", d.ServeYAML)
	return mux
}

// ServeJSON answers GET and HEAD on any path with the document as JSON.
func (d *Document) ServeJSON(w http.ResponseWriter, r *http.Request) { d.json.serve(w, r) }

// ServeYAML answers GET and HEAD on any path with the document as YAML.
func (d *Document) ServeYAML(w http.ResponseWriter, r *http.Request) { d.yaml.serve(w, r) }

func (rep *representation) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Access-Control-Allow-Origin"] = anyOrigin
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h["Allow"] = allowMethods
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	chosen, compressed := &rep.identity, acceptsGzip(r.Header["Accept-Encoding"])
	if compressed {
		chosen = &rep.compressed
	}
	h["Cache-Control"] = cacheControl
	h["Etag"] = chosen.etag
	if h["Vary"] == nil {
		h["Vary"] = varyByEncoding
	} else {
		h.Add("Vary", "Accept-Encoding")
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
		w.Write(chosen.body) // the client may be gone; there is nobody left to tell
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

// acceptsGzip reports whether gzip is acceptable and not less wanted than the plain
// document (RFC 9110 section 12.5.3).
func acceptsGzip(field []string) bool {
	const unset = -1
	compressed, plain, other := unset, unset, unset
	for _, list := range field {
		for list != "" {
			var member string
			member, list, _ = strings.Cut(list, ",")
			name, parameters, _ := strings.Cut(member, ";")
			switch name = strings.TrimSpace(name); {
			case strings.EqualFold(name, "gzip"), strings.EqualFold(name, "x-gzip"):
				compressed = max(compressed, quality(parameters))
			case strings.EqualFold(name, "identity"):
				plain = quality(parameters)
			case name == "*":
				other = quality(parameters)
			}
		}
	}
	if compressed == unset {
		compressed = other
	}
	return compressed > 0 && compressed >= plain
}

// quality reads a weight in thousandths: 1000 if there is none, 0 if it is malformed.
func quality(parameters string) int {
	parameters = strings.TrimSpace(parameters)
	if parameters == "" {
		return 1000
	}
	name, value, found := strings.Cut(parameters, "=")
	if !found || !strings.EqualFold(strings.TrimSpace(name), "q") {
		return 0
	}
	whole, fraction, _ := strings.Cut(strings.TrimSpace(value), ".")
	if whole == "1" && strings.Trim(fraction, "0") == "" {
		return 1000
	}
	if whole != "0" || len(fraction) > 3 {
		return 0
	}
	thousandths := 0
	for i := range 3 {
		digit := 0
		if i < len(fraction) {
			if fraction[i] < '0' || fraction[i] > '9' {
				return 0
			}
			digit = int(fraction[i] - '0')
		}
		thousandths = thousandths*10 + digit
	}
	return thousandths
}
