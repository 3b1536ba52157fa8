// Package loopback decides whom the emulator answers: programs of this machine, and pages that
// its project names.
package loopback

import (
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"guestpass/stytchtest/internal/wire"
)

// A Guard keeps everybody else away.
type Guard struct {
	Hosts []string // further values of Host
	// Lists reports whether the SDK may be used from pages of the origin, which is not "".
	Lists func(origin string) bool
	Now   func() time.Time
	Log   *slog.Logger

	refused refusals
}

// Admit answers programs of this machine and the pages that the project names. Everybody may
// know the seed's passwords and secrets, so that a website which its visitor's browser lets
// through to this machine could do everything here. Such a page is told by the name in Host,
// when the name is its own and points here (DNS rebinding), else by its origin, which browsers
// tell in the headers Origin and Sec-Fetch-Site (Fetch standard, Fetch Metadata).
func (g *Guard) Admit(next http.Handler) http.Handler {
	refuse := func(w http.ResponseWriter, message string) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		wire.Fail(http.StatusForbidden, "loopback_only", message).Answer(w)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, _, _ := net.SplitHostPort(r.RemoteAddr)
		switch {
		case !Is(peer):
			refuse(w, "The emulator answers on loopback only.")
		case !g.answersTo(r):
			refuse(w, "The emulator answers to localhost and to loopback addresses, not to the Host of this request.")
		case !g.fromKnownPage(r): // which is not shown why: its script may not read this
			if others, tell := g.refused.note(g.Now()); tell {
				g.Log.Warn("refused a page of another origin", "origin", strconv.QuoteToASCII(r.Header.Get("Origin")),
					"path", r.URL.Path, "others", others)
			}
			refuse(w, "The emulator answers the pages of the project's authorization URL and redirect URLs, "+
				"not the Origin of this request.")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// refusals are told of once a minute, since a page may send thousands.
type refusals struct {
	mu     sync.Mutex // guards what is below
	told   time.Time
	others int // since then
}

// note counts a refusal and reports whether to tell of it, and how many others there were since
// the last one that was told.
func (r *refusals) note(now time.Time) (others int, tell bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.told.IsZero() && now.Sub(r.told) < time.Minute {
		r.others++
		return 0, false
	}
	others, r.told, r.others = r.others, now, 0
	return others, true
}

// answersTo reports whether the request is for a name of this machine, in no other than its usual
// spelling, or for a configured one. The emulator's own pages have no other name.
func (g *Guard) answersTo(r *http.Request) bool {
	return loopbackHost(r.Host) || !wire.Own(r) && slices.Contains(g.Hosts, r.Host)
}

// fromKnownPage refuses requests that a browser makes for a page of another origin, unless it
// is for the SDK on a listed page, or a person has followed a link.
func (g *Guard) fromKnownPage(r *http.Request) bool {
	switch origins := r.Header.Values("Origin"); {
	case len(origins) == 0:
		site := r.Header.Get("Sec-Fetch-Site")
		return site == "" || site == "same-origin" || site == "none" || followed(r)
	case len(origins) > 1:
		return false
	case origins[0] == Scheme(r)+"://"+r.Host:
		return true
	default:
		return forSDK(r) && origins[0] != "" && g.Lists(origins[0])
	}
}

// followed reports whether a whole page is to be shown, and nothing is sent along.
func followed(r *http.Request) bool {
	return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" &&
		r.Header.Get("Sec-Fetch-Dest") == "document"
}

// Origin returns the origin of a page, as browsers send it; "" for what is none, such as an app's
// own scheme.
func Origin(page string) string {
	u, err := url.Parse(page)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	host := strings.ToLower(u.Host)
	if port := u.Port(); port == "80" && u.Scheme == "http" || port == "443" && u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return u.Scheme + "://" + host
}

// forSDK reports whether the request is for what the browser SDK calls.
func forSDK(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/sdk/") }

// Scheme returns that of a request.
func Scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// Is reports whether a host without a port is one of this machine.
func Is(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// loopbackHost takes a Host header apart. IPv6 addresses are in brackets there, and nothing else is.
func loopbackHost(hostport string) bool {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host, port = hostport, "0"
		if inner, ok := strings.CutPrefix(host, "["); ok && strings.HasSuffix(inner, "]") {
			host = strings.TrimSuffix(inner, "]")
		}
	}
	bracketed := strings.HasPrefix(hostport, "[")
	return port != "" && strings.Trim(port, "0123456789") == "" && bracketed == strings.Contains(host, ":") &&
		Is(strings.ToLower(host))
}

// CORS answers as Stytch does for pages of another origin. The guard has let no page through
// that is not listed.
func CORS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !forSDK(r) {
			next.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if origin == "" {
			next.ServeHTTP(w, r)
			return
		}
		h.Set("Access-Control-Allow-Origin", origin) // a star would not do: the SDK sends credentials
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Allow-Headers", "authorization, content-type, x-sdk-client, x-sdk-parent-host")
		h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE")
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}
