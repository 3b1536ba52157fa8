package guestpass

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// onlyThisMachine guards a server on a developer's machine, where everybody may know the emulator's passwords, from
// websites whose requests the visitor's browser lets through to this machine. It recognizes such a page by the name in
// Host, if the name is the page's own and points here (DNS rebinding), else by its origin. The world reaches the server
// by the name of its public URL, if it has one, and there everything is as usual. A refusal is no problem JSON: clients
// of the API do not get here.
func (s *Server) onlyThisMachine(next http.Handler) http.Handler {
	public, err := url.Parse(s.options.PublicURL)
	if err != nil {
		public = new(url.URL)
	} else if !s.options.Local && !isLoopback(public.Hostname()) {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case healthCheck(r):
			next.ServeHTTP(w, r)
		case r.Host == public.Host && public.Host != "" && !isLoopback(public.Hostname()):
			next.ServeHTTP(w, r)
		case !loopbackHost(r.Host):
			refuseLocally(w, foreignHost)
		case !fromOwnPage(r, s.options.PublicURL) && !s.returnsFromLogin(r) && !s.fromLocalClient(r):
			refuseLocally(w, foreignPage)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// healthCheck reports whether a program, such as a balancer on another machine, asks whether the server is well, by
// whatever name. The answer tells nothing that others may not know: what ?verbose adds is guarded as everything else
// is. A browser, for whatever page, says Origin or Sec-Fetch-Site.
func healthCheck(r *http.Request) bool {
	query := r.URL.Query()
	query.Del("pid")
	return (r.URL.Path == "/healthz" || r.URL.Path == "/readyz") && len(query) == 0 &&
		(r.Method == http.MethodGet || r.Method == http.MethodHead) && len(r.Header.Values("Origin")) == 0 &&
		len(r.Header.Values("Sec-Fetch-Site")) == 0
}

const (
	foreignHost = "This server runs on somebody's own machine. It answers to localhost, to loopback addresses and to " +
		"the host of its public URL (GUESTPASS_PUBLIC_URL or --public-url), not to the Host of this request.\n"
	foreignPage = "This server runs on somebody's own machine. It answers its own pages, not those of other websites.\n"
)

func refuseLocally(w http.ResponseWriter, message string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("X-Frame-Options", "DENY") // not even this in a frame
	w.WriteHeader(http.StatusForbidden)
	_, _ = io.WriteString(w, message)
}

// fromOwnPage refuses requests that a browser makes for a page of another origin, unless a person has followed a link.
// Our forms come with the origin null, since our pages send no referrer; then Sec-Fetch-Site must say whose they are
// (Fetch Metadata).
func fromOwnPage(r *http.Request, publicURL string) bool {
	origins, site := r.Header.Values("Origin"), r.Header.Get("Sec-Fetch-Site")
	own := site == "same-origin" || site == "none"
	switch {
	case len(origins) == 0:
		return own || site == "" || followed(r)
	case len(origins) > 1:
		return false
	case origins[0] == "null":
		return own
	}
	return (own || site == "") && (origins[0] == "http://"+r.Host || origins[0] == publicURL)
}

// followed reports whether the request is for a whole page and sends nothing along.
func followed(r *http.Request) bool {
	return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" &&
		r.Header.Get("Sec-Fetch-Dest") == "document"
}

// forwarded are headers that proxies add to what they pass on.
var forwarded = []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip", "X-Forwarded-Host", "X-Forwarded-Proto", "Via"}

// fromThisMachine reports whether a program of this machine asks by itself: not through a proxy, which may stand here
// as well, and not for a page that has its own name point here (DNS rebinding). Where this machine is a trusted proxy,
// nobody can tell the two apart.
func (s *Server) fromThisMachine(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() || !loopbackHost(r.Host) {
		return false
	}
	for _, name := range forwarded {
		if len(r.Header.Values(name)) > 0 {
			return false
		}
	}
	return !slices.ContainsFunc(s.options.TrustedProxies, func(proxies netip.Prefix) bool {
		return proxies.Contains(peer.Addr().Unmap())
	})
}

// returnsFromLogin reports whether a form of the application's login page shows the whole sign-in page anew, which is
// all that it does.
func (s *Server) returnsFromLogin(r *http.Request) bool {
	return s.options.Login.TokenProfile != "" && r.Method == http.MethodPost && r.URL.Path == loginPath &&
		r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

// fromLocalClient reports whether a page of another program of this machine, such as MCP Inspector, asks for the tools,
// or where people sign in for them. A token says what it may do, and no browser sends one by itself.
func (s *Server) fromLocalClient(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) != 1 {
		return false
	}
	host, plain := strings.CutPrefix(origins[0], "http://")
	path := strings.TrimPrefix(r.URL.Path, metadataPath)
	_, tools := s.mcp[strings.TrimSuffix(path, "/")]
	return plain && loopbackHost(host) && tools
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// loopbackHost takes a Host header apart. Only IPv6 addresses are in brackets there. It accepts the usual spelling
// alone, not localhost with a dot.
func loopbackHost(hostport string) bool {
	u, err := url.Parse("http://" + hostport)
	if err != nil || u.Host != hostport || strings.HasSuffix(hostport, ":") {
		return false
	}
	return isLoopback(strings.ToLower(u.Hostname()))
}
