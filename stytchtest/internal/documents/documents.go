// Package documents reads the metadata documents of clients: from public addresses alone, unless
// it is told otherwise.
package documents

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"guestpass/stytchtest/internal/loopback"
)

const (
	maxDocument    = 16 << 10        // bytes; the draft advises 5 KiB at least
	maxDocumentURL = 2000            // characters
	timeout        = 5 * time.Second // for all of it
)

// A Fetcher reads documents.
type Fetcher struct {
	Client *http.Client

	loopback bool
	log      *slog.Logger
}

// A Fetched document is what came of fetching one.
type Fetched struct {
	URL  string
	Data []byte
	Err  error // in words for the client's developer
}

// Check is section 2 of the draft.
func (f *Fetcher) Check(id string) error {
	u, err := url.Parse(id)
	switch {
	case len(id) > maxDocumentURL:
		return fmt.Errorf("its URL has more than %d characters", maxDocumentURL)
	case err != nil || u.Host == "":
		return errors.New("client_id is no absolute URL")
	case u.Scheme != "https" && (u.Scheme != "http" || !f.loopback || !loopback.Is(u.Hostname())):
		return errors.New("its URL must begin with https://")
	case u.User != nil:
		return errors.New("its URL must not have a user name or a password")
	case strings.Contains(id, "#"):
		return errors.New("its URL must not have a fragment")
	case strings.Trim(u.Path, "/") == "":
		return errors.New("its URL needs a path, such as https://client.example/client.json")
	case loopback.Is(u.Hostname()) && (strings.Contains(id, "?") || !strings.HasSuffix(u.Path, ".json")):
		// A page that a developer has open may name any address: no other program is asked for what it may act on.
		return errors.New("on this computer its URL must be that of a .json file, without a query")
	case slices.ContainsFunc(strings.Split(u.Path, "/"), func(s string) bool { return s == "." || s == ".." }):
		return errors.New("its URL must not have . or .. in its path")
	}
	return nil
}

// New makes a fetcher, which asks this machine too with ownMachine. It follows no redirect, asks no proxy, which
// would choose addresses by itself, and takes no compressed body.
func New(ownMachine bool, log *slog.Logger) *Fetcher {
	dialer := &net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if ip := to.Addr().Unmap(); !public(ip) && (!ownMachine || !ip.IsLoopback()) {
			return errNotPublic
		}
		return nil
	}}
	client := &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true, DisableCompression: true,
			MaxResponseHeaderBytes: maxDocument},
	}
	return &Fetcher{Client: client, loopback: ownMachine, log: log}
}

var errNotPublic = errors.New("its host has no public address, and is not asked")

var unicast6 = netip.MustParsePrefix("2000::/3")

// notPublic are the ranges that netip has no word for: this network, carriers' (RFC 6598), protocol
// assignments, documentation, benchmarks, reserved, and IPv4 within IPv6 (RFC 6052, 3056, 4380).
var notPublic = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("3fff::/20")}

// public goes for IPv6 by what is given out at all (RFC 4291): whatever else there is may lead inwards somewhere.
func public(ip netip.Addr) bool {
	return (ip.Is4() || unicast6.Contains(ip)) && ip.IsGlobalUnicast() && !ip.IsPrivate() &&
		!slices.ContainsFunc(notPublic, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// Fetch reads a document, outside of any lock: it may take the whole time limit.
func (f *Fetcher) Fetch(ctx context.Context, address string) *Fetched {
	data, err := f.read(ctx, address)
	if err != nil {
		f.log.Warn("a document was not read", "url", address, "error", err)
	}
	return &Fetched{address, data, err}
}

func (f *Fetcher) read(ctx context.Context, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("client_id is no absolute URL")
	}
	request.Header.Set("Accept", "application/json")
	response, err := f.Client.Do(request)
	if err != nil {
		return nil, f.unread(err)
	}
	defer response.Body.Close()
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	switch {
	case response.StatusCode >= 300 && response.StatusCode < 400:
		return nil, fmt.Errorf("its host answers with a redirect (%d), which is not followed", response.StatusCode)
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("its host answers with %d, not 200", response.StatusCode)
	case kind != "application/json" && !(strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json")):
		return nil, errors.New("its Content-Type must be application/json")
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxDocument+1))
	if err != nil {
		return nil, f.unread(err)
	}
	if len(data) > maxDocument {
		return nil, fmt.Errorf("it is larger than %d KiB", maxDocument>>10)
	}
	return data, nil
}

// unread tells why a document could not be read, without addresses of this network.
func (f *Fetcher) unread(err error) error {
	var network net.Error
	switch {
	case errors.Is(err, errNotPublic):
		return errNotPublic
	case errors.As(err, &network) && network.Timeout():
		return fmt.Errorf("its host did not send it within %s", f.Client.Timeout)
	}
	return errors.New("its host cannot be reached, or breaks the connection off")
}
