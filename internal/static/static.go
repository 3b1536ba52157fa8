// Package static serves bytes that are the same for everybody: as they are, or compressed once, for whoever takes them
// so. Nothing of a request and no secret may be among them, as the length of what is compressed tells of it.
//
// It knows neither what the bytes are for nor how long they may be kept: whoever serves them sets such headers before.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"

	"guestpass/internal/accept"
)

// Header values shared by all responses. They are assigned, not set, so that a request
// allocates nothing; each is full, so that whoever appends to one gets a copy.
var (
	encodings      = map[accept.Encoding][]string{accept.Brotli: {"br"}, accept.Gzip: {"gzip"}}
	varyByEncoding = []string{"Accept-Encoding"}
)

// Content is one sequence of bytes in each encoding. Safe for concurrent use.
type Content struct {
	contentType []string
	identity    *variant
	compressed  map[accept.Encoding]func() *variant // made when first they are wanted; nil: no shorter
}

// A variant has a strong entity tag of its own (RFC 9110 section 8.8.3).
type variant struct {
	body         []byte
	etag, length []string
}

// New takes the bytes, which must not change any more.
func New(contentType string, body []byte) *Content {
	c := &Content{contentType: []string{contentType}, identity: newVariant(body)}
	shorter := func(compress func([]byte) []byte) func() *variant {
		return sync.OnceValue(func() *variant {
			if compressed := compress(body); len(compressed) < len(body) {
				return newVariant(compressed)
			}
			return nil
		})
	}
	c.compressed = map[accept.Encoding]func() *variant{accept.Brotli: shorter(compressBrotli),
		accept.Gzip: shorter(compressGzip)}
	return c
}

func newVariant(body []byte) *variant {
	sum := sha256.Sum256(body)
	return &variant{body: body, etag: []string{`"` + hex.EncodeToString(sum[:16]) + `"`},
		length: []string{strconv.Itoa(len(body))}}
}

func compressGzip(body []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // fails for an unknown level only
	_, _ = w.Write(body)                                  // a bytes.Buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

// brotliLevel takes a twentieth of a second for the largest script, by a tenth longer than with the highest level,
// which takes ten times as long.
const brotliLevel = 9

func compressBrotli(body []byte) []byte {
	var b bytes.Buffer
	w := brotli.NewWriterLevel(&b, brotliLevel)
	_, _ = w.Write(body) // a bytes.Buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

// Body returns the bytes as they were given. The caller must not change them.
func (c *Content) Body() []byte { return c.identity.body }

// ETag returns the strong entity tag of the bytes as they were given, quotes included.
func (c *Content) ETag() string { return c.identity.etag[0] }

// ServeHTTP answers GET and HEAD, with 304 for who has the bytes already. [http.ServeContent] would take a fifth
// longer: see BenchmarkServeContent of package openapi.
func (c *Content) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	encoding, chosen := c.choose(r)
	h := w.Header()
	h["Etag"] = chosen.etag
	if matches(r.Header["If-None-Match"], chosen.etag[0]) {
		vary(h)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	c.write(w, r, http.StatusOK, encoding, chosen)
}

// ServeStatus answers GET and HEAD with a status that may be an error's, whatever the client has.
func (c *Content) ServeStatus(w http.ResponseWriter, r *http.Request, status int) {
	encoding, chosen := c.choose(r)
	c.write(w, r, status, encoding, chosen)
}

func (c *Content) choose(r *http.Request) (accept.Encoding, *variant) {
	if encoding := accept.PreferredEncoding(r.Header["Accept-Encoding"]); encoding != accept.Identity {
		if chosen := c.compressed[encoding](); chosen != nil {
			return encoding, chosen
		}
	}
	return accept.Identity, c.identity
}

func (c *Content) write(w http.ResponseWriter, r *http.Request, status int, encoding accept.Encoding, chosen *variant) {
	h := w.Header()
	vary(h)
	if encoding != accept.Identity {
		h["Content-Encoding"] = encodings[encoding]
	}
	h["Content-Type"], h["Content-Length"] = c.contentType, chosen.length
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(chosen.body) // #nosec G705 -- nothing of a request is in it; who is gone is told nothing
	}
}

// vary says what the answer depends on, beside what is said already.
func vary(h http.Header) {
	said := h["Vary"]
	switch {
	case len(said) == 0:
		h["Vary"] = varyByEncoding
	case !strings.Contains(said[len(said)-1], varyByEncoding[0]):
		h["Vary"] = append(said, varyByEncoding...)
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
