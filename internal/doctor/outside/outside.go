// Package outside looks at a server as those do who have nothing but its URL: ChatGPT, Claude, the GPT editor. It is
// apart from package doctor so that a server does not carry the linter and the MCP client that it looks with.
//
// It sends no token but one that is none, and nothing that changes.
package outside

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"guestpass/internal/credentials"
	"guestpass/internal/doctor"
	"guestpass/internal/upstream"
)

// Bounds of every question.
const (
	questionTimeout = 5 * time.Second
	connectTimeout  = 5 * time.Second
	maxHeader       = 64 << 10
	maxAnswer       = 2 << 20 // bytes; a document has at most 800,000
)

// A Site is the server to look at. Make it with [Parse].
type Site struct {
	Origin string // scheme and host

	Roots *x509.CertPool   // whose certificates are trusted; nil: those that this machine trusts
	Now   func() time.Time // by which certificates are valid; nil: time.Now

	// LookUp and Dial are this machine's where they are nil.
	LookUp func(ctx context.Context, host string) ([]netip.Addr, error)
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)

	host, port string
	secure     bool
}

// Parse reads the URL of a server: its origin, and nothing else. Its error follows the URL; [Shown] is how to repeat
// that.
func Parse(text string) (Site, error) {
	u, err := url.Parse(text)
	switch {
	case err == nil && credentials.HasSecret(text):
		return Site{}, errors.New("holds a secret, which is not repeated here")
	case err != nil || u.Hostname() == "" || u.User != nil:
		return Site{}, errors.New("is not the URL of a server, such as https://gpt.example.com")
	}
	s := Site{host: strings.ToLower(u.Hostname()), port: u.Port(), secure: u.Scheme == "https"}
	if !s.secure && !(u.Scheme == "http" && isHere(s.host)) {
		return Site{}, errors.New("must begin with https:// (http is for this machine only)")
	}
	usual := map[bool]string{true: "443", false: "80"}[s.secure]
	s.Origin = u.Scheme + "://" + strings.ToLower(u.Host)
	if s.port == "" || s.port == usual { // an origin is written without it
		s.port, s.Origin = usual, strings.TrimSuffix(s.Origin, ":"+s.port)
	}
	if number, err := strconv.Atoi(s.port); err != nil || number < 1 || number > maxPort {
		return Site{}, fmt.Errorf("has no port that there is: they go from 1 to %d", maxPort)
	}
	if u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return Site{}, fmt.Errorf("has more than an origin: name %s", s.Origin)
	}
	return s, nil
}

const maxPort = 65535

// Shown returns a URL, or what was meant to be one, without secrets.
func Shown(text string) string { return credentials.Mask(credentials.Withhold(text)) }

// Look makes the checks for which the URL is enough.
func Look(ctx context.Context, s Site) iter.Seq[doctor.Finding] {
	s = s.withDefaults()
	v := &visit{Site: s, http: s.client()}
	v.addresses = sync.OnceValues(func() ([]netip.Addr, error) {
		ctx, cancel := context.WithTimeout(ctx, connectTimeout)
		defer cancel()
		return s.LookUp(ctx, s.host)
	})
	v.reached = sync.OnceValue(func() error { return v.reach(ctx) })
	v.connection = sync.OnceValues(func() (*tls.ConnectionState, error) { return v.shakeHands(ctx, 0) })
	v.trouble = sync.OnceValue(func() string { return v.unreachable(ctx) })
	return doctor.Run(ctx, table, v)
}

func (s Site) withDefaults() Site {
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.LookUp == nil {
		s.LookUp = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if s.Dial == nil {
		s.Dial = (&net.Dialer{Timeout: connectTimeout}).DialContext
	}
	return s
}

// Names are the names of the checks of [Look] with what each asks, in order.
func Names() (names, asks []string) {
	for _, check := range table {
		names, asks = append(names, check.Name), append(asks, check.Asks)
	}
	return names, asks
}

var table = append(append([]doctor.Check[*visit]{}, wayChecks...), serverChecks()...)

// A visit is one look at a site. What several checks want to know is asked once.
type visit struct {
	Site
	http       *http.Client
	addresses  func() ([]netip.Addr, error)
	reached    func() error // why nothing can be sent to it
	connection func() (*tls.ConnectionState, error)
	trouble    func() string // which check says why nothing can be asked; "": it can
}

// client follows no redirect, and uses no proxy, which would look from elsewhere.
func (s Site) client() *http.Client {
	return &http.Client{Timeout: questionTimeout,
		Transport: &http.Transport{DialContext: s.Dial, TLSHandshakeTimeout: connectTimeout,
			TLSClientConfig:        &tls.Config{RootCAs: s.Roots, Time: s.Now, MinVersion: tls.VersionTLS12},
			MaxResponseHeaderBytes: maxHeader, ForceAttemptHTTP2: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// An answer is read whole.
type answer struct {
	*http.Response
	body []byte
}

// kind returns the media type of the answer.
func (a *answer) kind() string {
	kind, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type"))
	return kind
}

func (v *visit) get(ctx context.Context, address string, headers ...string) (*answer, error) {
	return v.ask(ctx, http.MethodGet, address, "", headers...)
}

func (v *visit) ask(ctx context.Context, method, address, body string, headers ...string) (*answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	name := ""
	for i, word := range headers { // a name, its value, and so on
		if i%2 == 0 {
			name = word
		} else {
			request.Header.Set(name, word)
		}
	}
	response, err := v.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err == nil && len(read) > maxAnswer {
		err = fmt.Errorf("an answer of more than %d bytes", maxAnswer)
	}
	return &answer{response, read}, err
}

// serverChecks are made only where the server can be asked.
func serverChecks() (checks []doctor.Check[*visit]) {
	for _, check := range []doctor.Check[*visit]{redirectCheck, documentCheck, metadataCheck, issuerCheck,
		signInCheck, authorizationCheck, forwardedCheck, mcpCheck} {
		look := check.Look
		check.Look = func(ctx context.Context, v *visit) doctor.Finding {
			if why := v.trouble(); why != "" {
				return doctor.NotLooked("the server cannot be asked; see %s", why)
			}
			return look(ctx, v)
		}
		checks = append(checks, check)
	}
	return checks
}

// unreachable names the check that says why the server cannot be asked; "" if it can.
func (v *visit) unreachable(ctx context.Context) string {
	if _, err := v.addresses(); err != nil {
		return "dns"
	}
	if v.reached() != nil {
		return "connection"
	}
	if !v.secure {
		return ""
	}
	if _, err := v.connection(); err != nil {
		return "tls"
	}
	switch {
	case lookAtCertificate(ctx, v).Fails():
		return "certificate"
	case lookAtExpiry(ctx, v).Severity == doctor.Error:
		return "certificate-expiry"
	case lookAtTLS(ctx, v).Severity == doctor.Error:
		return "tls"
	}
	return ""
}

// isHere reports whether a host is this machine.
func isHere(host string) bool { return strings.EqualFold(host, "localhost") || upstream.Loopback(host) }
