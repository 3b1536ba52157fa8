package stytchtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Clients whose id is the URL of a document that describes them
// (draft-ietf-oauth-client-id-metadata-document). An authorization reads the document; every
// other endpoint knows the client by then.

const (
	maxDocument     = 16 << 10        // bytes; the draft advises 5 KiB at least
	maxDocumentURL  = 2000            // characters
	documentTimeout = 5 * time.Second // for all of it
	documentFresh   = 5 * time.Minute // by the emulator's clock, after which it is read again
	maxApps         = 1000            // of the project, those that described or registered themselves included
)

// fetched is what came of fetching a document.
type fetched struct {
	url  string
	data []byte
	err  error // in words for the client's developer
}

// knownApp is the client of the id, which may be the URL of its document.
func (e *Emulator) knownApp(id string) *ConnectedApp {
	if id != "" && e.state.project.MetadataDocuments {
		for _, a := range e.state.apps {
			if a.MetadataURL == id {
				return a
			}
		}
	}
	return e.state.app(id)
}

// authorizedApp is the client of an authorization. Without a fresh document it asks for one by
// c.wanted, and is asked again when that is there.
func (e *Emulator) authorizedApp(c *call) (*ConnectedApp, *failure) {
	id := c.text("client_id")
	app := e.knownApp(id)
	if app != nil && (app.MetadataURL != id || e.now().Sub(app.fetched).Abs() < documentFresh) {
		return app, nil
	}
	if !e.state.project.MetadataDocuments || !strings.Contains(id, ":") {
		return nil, connectedAppNotFound
	}
	if err := e.checkDocumentURL(id); err != nil {
		return nil, badDocument(err)
	}
	if c.fetched == nil {
		c.wanted = id
		return nil, connectedAppNotFound
	}
	described, err := c.fetched.app()
	if err != nil {
		return nil, badDocument(err)
	}
	return e.describe(described)
}

// describe keeps a client as its document has it. One that was there has its id still.
func (e *Emulator) describe(described *ConnectedApp) (*ConnectedApp, *failure) {
	described.fetched = e.now()
	if known := e.knownApp(described.MetadataURL); known != nil {
		known.Name, known.URI, known.LogoURL = described.Name, described.URI, described.LogoURL
		known.RedirectURLs, known.fetched = described.RedirectURLs, described.fetched
		return known, nil
	}
	if len(e.state.apps) >= maxApps {
		return nil, tooManyApps
	}
	described.ClientID = newID("connected-app")
	e.state.apps = append(e.state.apps, described)
	return described, nil
}

var tooManyApps = fail(http.StatusBadRequest, "too_many_connected_apps",
	fmt.Sprintf("The project has %d connected apps, which is the most.", maxApps))

// badDocument has a name of the emulator's own: Stytch publishes none.
func badDocument(err error) *failure {
	return fail(http.StatusBadRequest, "invalid_client_id_metadata_document",
		"The client's metadata document: "+err.Error()+".")
}

// checkDocumentURL is section 2 of the draft.
func (e *Emulator) checkDocumentURL(id string) error {
	u, err := url.Parse(id)
	switch {
	case len(id) > maxDocumentURL:
		return fmt.Errorf("its URL has more than %d characters", maxDocumentURL)
	case err != nil || u.Host == "":
		return errors.New("client_id is no absolute URL")
	case u.Scheme != "https" && (u.Scheme != "http" || !e.options.LoopbackDocuments || !isLoopback(u.Hostname())):
		return errors.New("its URL must begin with https://")
	case u.User != nil:
		return errors.New("its URL must not have a user name or a password")
	case strings.Contains(id, "#"):
		return errors.New("its URL must not have a fragment")
	case strings.Trim(u.Path, "/") == "":
		return errors.New("its URL needs a path, such as https://client.example/client.json")
	case isLoopback(u.Hostname()) && (strings.Contains(id, "?") || !strings.HasSuffix(u.Path, ".json")):
		// A page that a developer has open may name any address: no other program is asked for what it may act on.
		return errors.New("on this computer its URL must be that of a .json file, without a query")
	case slices.ContainsFunc(strings.Split(u.Path, "/"), func(s string) bool { return s == "." || s == ".." }):
		return errors.New("its URL must not have . or .. in its path")
	}
	return nil
}

// newFetcher makes the client that reads documents. It follows no redirect, asks no proxy, which
// would choose addresses by itself, and takes no compressed body.
func newFetcher(loopback bool) *http.Client {
	dialer := &net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if ip := to.Addr().Unmap(); !public(ip) && (!loopback || !ip.IsLoopback()) {
			return errNotPublic
		}
		return nil
	}}
	return &http.Client{
		Timeout:       documentTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true, DisableCompression: true,
			MaxResponseHeaderBytes: maxDocument},
	}
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

// fetch reads a document. The caller does not hold mu: it may take the whole time limit.
func (e *Emulator) fetch(ctx context.Context, address string) *fetched {
	data, err := e.read(ctx, address)
	if err != nil {
		e.log.Warn("a client's metadata document was not read", "url", address, "error", err)
	}
	return &fetched{address, data, err}
}

func (e *Emulator) read(ctx context.Context, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("client_id is no absolute URL")
	}
	request.Header.Set("Accept", "application/json")
	response, err := e.fetcher.Do(request)
	if err != nil {
		return nil, e.unread(err)
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
		return nil, e.unread(err)
	}
	if len(data) > maxDocument {
		return nil, fmt.Errorf("it is larger than %d KiB", maxDocument>>10)
	}
	return data, nil
}

// unread says why a document could not be read, without addresses of this network.
func (e *Emulator) unread(err error) error {
	var network net.Error
	switch {
	case errors.Is(err, errNotPublic):
		return errNotPublic
	case errors.As(err, &network) && network.Timeout():
		return fmt.Errorf("its host did not send it within %s", e.fetcher.Timeout)
	}
	return errors.New("its host cannot be reached, or breaks the connection off")
}
