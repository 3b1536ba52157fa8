package stytchtest

import (
	"net"
	"net/http"
	"strings"
)

// onlyLoopback refuses everybody else. For the emulator's own pages it also refuses
// names that a foreign page could point at this machine (DNS rebinding), and requests
// that a page of another origin makes.
func (e *Emulator) onlyLoopback(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, _, _ := net.SplitHostPort(r.RemoteAddr)
		if !isLoopback(peer) {
			writeFailure(w, fail(http.StatusForbidden, "loopback_only", "The emulator answers on loopback only."))
			return
		}
		if own(r) && (!loopbackHost(r.Host) || !sameOrigin(r)) {
			writeFailure(w, fail(http.StatusForbidden, "loopback_only", "The emulator's own pages are for this machine only."))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// own says that the request is for the emulator itself, not for what it emulates.
func own(r *http.Request) bool {
	return r.URL.Path == "/" || strings.HasPrefix(r.URL.Path, "/_emulator/")
}

func sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	return origin == "" || origin == scheme(r)+"://"+r.Host
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

func isLoopback(host string) bool {
	host = strings.Trim(host, "[]")
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

func loopbackHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	return isLoopback(host)
}

// cors answers as Stytch does for pages of another origin; the SDK sends credentials,
// so that the origin must be echoed (Fetch standard, CORS protocol).
func cors(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if origin == "" || !strings.HasPrefix(r.URL.Path, "/sdk/") {
			next.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Allow-Headers", "authorization, content-type, x-sdk-client, x-sdk-parent-host")
		h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE")
		h.Add("Vary", "Origin")
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}
