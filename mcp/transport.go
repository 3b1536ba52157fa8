package mcp

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"guestpass/api"
	"guestpass/auth"
)

// Bounds of a request.
const (
	maxBody  = 256 << 10
	bodyTime = 5 * time.Second // for the whole body to arrive
)

// clientOrigins are those of hosts whose pages call by themselves.
var clientOrigins = []string{"https://claude.ai", "https://claude.com", "https://chatgpt.com", "https://vscode.dev"}

// What pages of other origins may send and read.
const (
	allowed        = "POST, OPTIONS"
	allowedHeaders = "Authorization, Content-Type, Accept, MCP-Protocol-Version, MCP-Session-Id, Mcp-Method, " +
		"Mcp-Name, Last-Event-ID"
	exposedHeaders = "WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version, Retry-After"
)

// ServeHTTP answers whatever needs no token first: a method that is not POST, a page that may not call. It reads
// nothing of a body before it knows who sends it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	if !s.shares(header, r) {
		fail(w, nil, refuse(http.StatusForbidden, invalidRequest, "pages of this origin may not call"))
		return
	}
	switch r.Method {
	case http.MethodPost:
	case http.MethodOptions:
		header.Set("Access-Control-Allow-Methods", allowed)
		header.Set("Access-Control-Allow-Headers", allowedHeaders)
		header.Set("Access-Control-Max-Age", "86400")
		header.Set("Allow", allowed)
		w.WriteHeader(http.StatusNoContent)
		return
	default:
		header.Set("Allow", allowed)
		fail(w, nil, refuse(http.StatusMethodNotAllowed, invalidRequest,
			"send messages with POST; there is no stream and no session"))
		return
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		header.Set("Accept-Post", "application/json")
		fail(w, nil, refuse(http.StatusUnsupportedMediaType, invalidRequest, "the body must be application/json"))
		return
	}
	admitted := r.WithContext(api.WithSurface(r.Context(), s.surface))
	admitted.URL = &url.URL{Path: r.URL.Path} // a token in the query is none
	ctx, refused := s.options.Service.Admit(admitted)
	if refused != nil {
		s.deny(w, nil, refused)
		return
	}
	m, fault := s.receive(w, r)
	if fault != nil {
		fail(w, m.id, fault)
		return
	}
	if m.quiet {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	s.answer(ctx, w, r, m)
}

// shares decides by the page that calls, if one does, and tells the browser. A page names itself by Origin; a request
// that says only that another site's page began it is refused.
func (s *Server) shares(header http.Header, r *http.Request) bool {
	header.Add("Vary", "Origin")
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		site := r.Header.Get("Sec-Fetch-Site")
		return site == "" || site == "same-origin" || site == "none"
	}
	if len(origins) > 1 || !s.origins[origins[0]] && !onThisMachine(origins[0]) {
		return false
	}
	header.Set("Access-Control-Allow-Origin", origins[0])
	header.Set("Access-Control-Expose-Headers", exposedHeaders)
	return true
}

func onThisMachine(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme+"://"+u.Host != origin || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// receive reads the body and finds out its era.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) (message, *rpcError) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime)) // not every writer can
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return message{}, refuse(http.StatusRequestEntityTooLarge, invalidRequest,
			"the message is longer than 262144 bytes")
	case err != nil:
		return message{}, refuse(http.StatusBadRequest, parseError, "the message did not arrive whole, or not in time")
	}
	m, fault := read(body)
	if fault == nil && !m.quiet {
		fault = m.era(r.Header)
	}
	return m, fault
}

// deny passes on that nobody was admitted, or not any more. Clients take 401 alone for a token that is no
// good; a malformed header is one too.
func (s *Server) deny(w http.ResponseWriter, id json.RawMessage, refused *api.Reply) {
	for _, name := range []string{"WWW-Authenticate", "Retry-After", "RateLimit", "RateLimit-Policy"} {
		if value := refused.Header.Get(name); value != "" {
			w.Header().Set(name, value)
		}
	}
	if refused.Status == http.StatusBadRequest {
		var challenge string
		refused.Status, challenge = auth.Challenge(auth.ErrInvalidToken,
			auth.Challenged{ResourceMetadata: s.surface.ResourceMetadata, Offered: s.surface.Scopes})
		w.Header().Set("WWW-Authenticate", challenge)
	}
	var p api.Problem
	_ = json.Unmarshal(refused.Body, &p)
	fail(w, id, refuse(refused.Status, invalidRequest, strings.TrimSpace(p.Detail+". "+p.Hint)))
}

// fail answers with an error, which has the id of the request if that could be read.
func fail(w http.ResponseWriter, id json.RawMessage, e *rpcError) {
	if id == nil {
		id = json.RawMessage("null")
	}
	write(w, e.status, struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Error   *rpcError       `json:"error"`
	}{"2.0", id, e})
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body) // whoever went away hears nothing
}
