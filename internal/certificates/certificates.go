// Package certificates gives a server that speaks TLS itself its certificates: from files, which it reads again when
// they change, or from an ACME authority such as Let's Encrypt (RFC 8555), which it asks for them and for new ones
// before they end.
//
// It knows nothing of what is served, nor of proxies in front, which speak TLS in the server's place.
package certificates

import (
	"crypto/tls"
	"log/slog"
	"net/http"
	"time"

	"guestpass/store"
)

// Options say where certificates come from: from Files, or without them from an authority.
type Options struct {
	Files     Files
	Automatic Automatic
	Host      string // for which the certificate must be

	Log *slog.Logger     // nil: nothing is logged
	Now func() time.Time // nil: time.Now
}

// Files are PEM files: the certificate with those of the authorities above it, and its private key.
type Files struct{ Certificate, Key string }

// Automatic has an authority certify the host; every other name is refused. A certificate is asked for when somebody
// first connects, which then takes seconds, and a new one 30 days before its end. Instances that share the Store share
// the certificate as well.
type Automatic struct {
	Directory string // URL of the authority's directory; "": Let's Encrypt, whose terms the operator thereby accepts
	Email     string // to which the authority writes; may be ""

	HTTP *http.Client // to the authority; nil: http.DefaultClient

	Store *store.Store // keeps what the authority gave; opened with [Schema]
	Key   []byte       // of 32 bytes, with which that is sealed; the same on every instance
}

// Certificates are those of a server. Safe for concurrent use.
type Certificates struct {
	config *tls.Config
	asking *asking // nil with files

	challenges func(http.Handler) http.Handler // answers the authority's questions before another; nil: none come
}

// New reads the files, and says what is wrong with them. For an authority it needs no network.
func New(o Options) (*Certificates, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Files == (Files{}) {
		return automatic(o)
	}
	found, err := openFiles(o)
	if err != nil {
		return nil, err
	}
	return &Certificates{config: config(found.get, "h2", "http/1.1")}, nil
}

// config is for TLS 1.2, which every client speaks that the models' clients run on, and 1.3.
func config(get func(*tls.ClientHelloInfo) (*tls.Certificate, error), protocols ...string) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: get, NextProtos: protocols}
}

// Config is for a TLS listener.
func (c *Certificates) Config() *tls.Config { return c.config }

// Plain answers what comes over plain http, as a rule at port 80: the authority's questions (RFC 8555, section 8.3),
// and GET and HEAD by sending them to the same path below to, an origin. It refuses the rest: what came has been
// readable to everybody.
func (c *Certificates) Plain(to string) http.Handler {
	var answer http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "this server answers over https only: "+to, http.StatusForbidden)
			return
		}
		w.Header().Set("Location", to+r.URL.EscapedPath()+query(r))
		w.WriteHeader(http.StatusMovedPermanently)
	})
	if c.challenges != nil {
		answer = c.challenges(answer)
	}
	return answer
}

func query(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return ""
	}
	return "?" + r.URL.RawQuery
}
