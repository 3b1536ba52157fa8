package lint

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"guestpass/internal/upstream"
)

// NewHTTPClient returns a client for looking at the server at address. It follows no redirect and uses no proxy, and
// from a public server it lets nobody be led to an address that is not.
func NewHTTPClient(address string) *http.Client {
	g := newGuard(address)
	return &http.Client{Transport: &http.Transport{DialContext: g.dial, ForceAttemptHTTP2: true,
		MaxResponseHeaderBytes: 64 << 10, IdleConnTimeout: 10 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// guard looks at addresses right before somebody connects to them.
type guard struct {
	server string      // its host name
	public atomic.Bool // the server was reached at a public address
}

func newGuard(address string) *guard {
	g := &guard{}
	if u, err := url.Parse(address); err == nil {
		g.server = u.Hostname()
		if ascii, err := idna.Lookup.ToASCII(g.server); err == nil { // as net/http writes it
			g.server = ascii
		}
	}
	return g
}

func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, resolved string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(resolved)
		if err != nil {
			return err
		}
		public := upstream.Public(to.Addr())
		if strings.EqualFold(host, g.server) {
			g.public.Store(g.public.Load() || public)
		}
		if g.public.Load() && !public {
			return fmt.Errorf("%s is an internal address, to which a public server leads", to.Addr())
		}
		return nil
	}}
	return dialer.DialContext(ctx, network, address)
}

// request is one that a client might send. The zero value of each member is what a good client sends.
type request struct {
	method  string   // "": POST
	address string   // "": the server's
	headers []string // "Name: value" sets, "Name" alone takes away
	body    string
	bare    bool // without the token
	calls   bool // a tool, which may take its time
}

// answer is what came. err says why nothing came, or not all.
type answer struct {
	status int
	header http.Header
	body   []byte
	err    error
	rpc    *message // nil if it is no JSON-RPC
	words  string   // of the body, as they may be shown
}

// message is one of JSON-RPC, as far as it matters.
type message struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Result  json.RawMessage `json:"result"`
	Error   *rpcError       `json:"error"`
}

type rpcError struct {
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

// send sends one request, and again if the server is busy or has hung up. The token goes to the server alone.
func (v *visit) send(r request) answer {
	for {
		switch {
		case v.unanswered >= mostUnanswered:
			v.lost = true
			return answer{err: errors.New("too many requests were not answered, so no more were sent")}
		case v.busy != "":
			v.lost = true
			return answer{err: errors.New(v.busy)}
		}
		got, hungUp := v.sendOnce(r)
		if hungUp || got.err == nil && isBusy(got.status) && v.waits(got) {
			continue
		}
		if got.err == nil && isBusy(got.status) {
			v.lost = true
			got = answer{err: errors.New(v.busy)}
		}
		return got
	}
}

// sendOnce reports beside the answer whether a connection that had been used before was found closed.
func (v *visit) sendOnce(r request) (got answer, hungUp bool) {
	within := v.options.Time
	if r.calls {
		within *= callTimes
	}
	ctx, cancel := context.WithTimeout(v.ctx, within)
	defer cancel()
	used := false
	req, err := v.build(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(c httptrace.GotConnInfo) { used = c.Reused }}), r)
	if err != nil {
		return answer{err: err}, false
	}
	req.Close = v.closes
	res, err := v.http.Do(req)
	if closed := errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET); closed && used && !v.closes {
		v.closes = true // from now on
		v.http.CloseIdleConnections()
		if !r.calls { // which might have been carried out
			return answer{}, true
		}
	}
	if err != nil {
		return v.failed(r, within, err), false
	}
	return v.receive(r, req, res, within), false
}

// receive reads an answer.
func (v *visit) receive(r request, req *http.Request, res *http.Response, within time.Duration) answer {
	defer res.Body.Close()
	a := answer{status: res.StatusCode, header: v.hideIn(res.Header)}
	most, kind := int64(maxMessage), mediaType(res.Header)
	if r.address != "" {
		most = maxDocument
	}
	body := &io.LimitedReader{R: res.Body, N: most + 1}
	var err error
	switch {
	case kind == "text/event-stream" && req.Method == http.MethodPost:
		a.body, err = untilAnswered(body, idOf(r.body))
	case kind != "text/event-stream":
		a.body, err = io.ReadAll(body)
	}
	if err == nil && body.N == 0 {
		err = fmt.Errorf("the answer is longer than %d bytes", most)
	}
	if err != nil {
		return v.failed(r, within, err)
	}
	a.rpc, a.words = readMessage(a.body), v.said(strings.TrimSpace(string(a.body)))
	if a.rpc != nil && a.rpc.Error != nil {
		a.rpc.Error.Message = v.hide(a.rpc.Error.Message)
	}
	v.lookAtEnvelope(r, a, kind)
	return a
}

// failed counts a request that was not answered, or not to the end.
func (v *visit) failed(r request, within time.Duration, err error) answer {
	v.lost = true
	if sent := new(url.Error); errors.As(err, &sent) {
		err = sent.Err // the address may have a query
	}
	if v.ctx.Err() != nil {
		return answer{err: v.ctx.Err()}
	}
	v.unanswered++
	what := v.what(r)
	if shown := v.hide(err.Error()); shown != err.Error() {
		err = errors.New(shown)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		v.fail("M030", what, "there was no whole answer within %s", within)
	} else {
		v.fail("M030", what, "%s", v.shown(err.Error()))
	}
	return answer{err: fmt.Errorf("%s: %w", what, err)}
}

// what names a request: the method of the message, or of HTTP with the path.
func (v *visit) what(r request) string {
	var m struct {
		Method string
		Params struct{ Name string }
	}
	if r.address == "" && json.Unmarshal([]byte(r.body), &m) == nil && m.Method != "" {
		return strings.TrimSpace(printable(m.Method) + " " + v.shown(m.Params.Name))
	}
	method := r.method
	if method == "" {
		method = http.MethodPost
	}
	u, err := url.Parse(r.address)
	if err != nil || u.Path == "" {
		return method
	}
	return method + " " + printable(u.Path)
}

func (v *visit) build(ctx context.Context, r request) (*http.Request, error) {
	method, address := r.method, r.address
	if method == "" {
		method = http.MethodPost
	}
	if address == "" {
		address = v.address
	}
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "guestpass-lint")
	req.Header.Set("Accept", "application/json, text/event-stream")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	if v.version != "" && r.address == "" {
		req.Header.Set(headerVersion, v.version)
	}
	if v.session != "" && r.address == "" {
		req.Header.Set(headerSession, v.session)
	}
	if v.token != "" && !r.bare && req.URL.Scheme == v.url.Scheme && req.URL.Host == v.url.Host {
		req.Header.Set("Authorization", "Bearer "+v.token)
	}
	for _, line := range r.headers {
		name, value, set := strings.Cut(line, ": ")
		if !set {
			req.Header[http.CanonicalHeaderKey(name)] = nil // net/http sends none of its own either
			continue
		}
		req.Header.Set(name, value)
	}
	return req, nil
}

const (
	headerVersion = "Mcp-Protocol-Version"
	headerSession = "Mcp-Session-Id"
)

func mediaType(h http.Header) string {
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return kind
}

// idOf returns the id of a message, as it is written; nil for none.
func idOf(body string) json.RawMessage {
	var m message
	if json.Unmarshal([]byte(body), &m) != nil {
		return nil
	}
	return m.ID
}

// untilAnswered reads a stream until the answer to the message with that id is there: a server may leave the stream
// open, and sends requests and notices of its own before. An answer with another id has to do if there is no other.
// Events of another type than message, and one that no empty line ends, reach no client.
func untilAnswered(stream io.Reader, id json.RawMessage) ([]byte, error) {
	lines := eventLines{Reader: bufio.NewReader(stream)}
	var data, other []byte
	kind, strange := "", ""
	for {
		line, err := lines.next()
		if value, is := bytes.CutPrefix(line, []byte("data:")); is {
			data = append(append(data, bytes.TrimPrefix(value, []byte(" "))...), '\n')
		}
		if value, is := bytes.CutPrefix(line, []byte("event:")); is {
			kind = string(bytes.TrimSpace(value))
		}
		if len(line) > 0 && err == nil {
			continue
		}
		if m := readMessage(data); m != nil && (m.Result != nil || m.Error != nil) {
			switch {
			case len(line) > 0 || errors.Is(err, io.EOF):
				strange = "an event that no empty line ends"
			case kind != "" && kind != "message":
				strange = "an event of the type " + printable(kind)
			case string(m.ID) == string(id) || m.Error != nil:
				return data, nil
			default:
				other = data
			}
		}
		switch data, kind = nil, ""; {
		case errors.Is(err, io.EOF) && other == nil && strange != "":
			return nil, fmt.Errorf("the stream has the answer in %s, which clients pass over", strange)
		case errors.Is(err, io.EOF):
			return other, nil
		case err != nil:
			return nil, err
		}
	}
}

// eventLines reads the lines of a stream as browsers do: any of CR LF, LF and CR ends one, and a byte order mark before
// the first is nothing.
type eventLines struct {
	*bufio.Reader
	begun, cr bool // cr: a line ended so, and LF belongs to it
}

func (l *eventLines) next() (line []byte, err error) {
	for {
		b, err := l.ReadByte()
		follows := l.cr && b == '\n'
		l.cr = false
		switch {
		case err != nil:
			return line, err
		case follows:
		case b == '\n', b == '\r':
			l.cr = b == '\r'
			if !l.begun {
				line, l.begun = bytes.TrimPrefix(line, byteOrderMark), true
			}
			return line, nil
		default:
			line = append(line, b)
		}
	}
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// readMessage returns nil for what is no message. Clients take one behind a byte order mark.
func readMessage(body []byte) *message {
	var m message
	if json.Unmarshal(bytes.TrimPrefix(body, byteOrderMark), &m) != nil || m.Version != "2.0" {
		return nil
	}
	return &m
}

// carries reports whether the answer is a result, which is an object for every method.
func (a answer) carries() bool {
	return a.err == nil && a.status == http.StatusOK && a.rpc != nil && a.rpc.Error == nil && a.rpc.hasObject()
}

func (m *message) hasObject() bool { return bytes.HasPrefix(bytes.TrimSpace(m.Result), []byte("{")) }

// code returns that of a JSON-RPC error; 0 without one.
func (a answer) code() int {
	if a.rpc == nil || a.rpc.Error == nil {
		return 0
	}
	return a.rpc.Error.Code
}

// read reads a result; a result that is of another shape leaves into as it is.
func (a answer) read(into any) {
	if a.rpc != nil && a.rpc.Result != nil {
		_ = json.Unmarshal(a.rpc.Result, into)
	}
}

// described tells what came, in a few words.
func (a answer) described() string {
	switch {
	case a.err != nil:
		return "not at all"
	case a.status >= 300 && a.status < 400:
		return fmt.Sprintf("%d, to %s", a.status, printable(withoutQuery(a.header.Get("Location"))))
	case a.code() != 0:
		return fmt.Sprintf("%d with the error %d %q", a.status, a.code(), cut(a.rpc.Error.Message))
	case a.rpc != nil && !a.rpc.hasObject():
		return fmt.Sprintf("%d with a result that is no object", a.status)
	case a.rpc != nil:
		return fmt.Sprintf("%d with a result", a.status)
	case len(a.body) == 0:
		return fmt.Sprintf("%d without a body", a.status)
	}
	return fmt.Sprintf("%d with %s %q", a.status, kindOf(a.header), a.words)
}

func kindOf(h http.Header) string {
	if kind := mediaType(h); kind != "" {
		return printable(kind)
	}
	return "no content type"
}

func withoutQuery(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that cannot be read"
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return u.String()
}

// longestShown bounds, in characters, what is repeated of a server's words.
const longestShown = 120

// cut keeps a text short.
func cut(text string) string {
	text = strings.ToValidUTF8(text, "\ufffd")
	if utf8.RuneCountInString(text) > longestShown {
		text = string([]rune(text)[:longestShown]) + "…"
	}
	return text
}

// printable is a text of the server's, short, with what does not print escaped.
func printable(text string) string { return escaped(cut(text)) }

// escaped keeps a text on one line and away from the terminal's own sequences. What is escaped stays as it is.
func escaped(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}
