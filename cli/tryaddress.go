//go:build !production

package cli

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
)

// checkURLs refuses addresses to which no request can be sent.
func (t *try) checkURLs() error {
	given := []struct{ flag, address string }{{"url", t.url}}
	if t.as != "" {
		given = append(given, struct{ flag, address string }{"emulator", t.emulator})
	}
	for _, g := range given {
		u, err := url.Parse(g.address)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" {
			return usagef("--%s must begin with http:// or https:// and a host name", g.flag)
		}
		if u.Fragment != "" {
			return usagef("--%s has a fragment (#…), which is never sent: leave it out", g.flag)
		}
	}
	return nil
}

// unreached returns what to do if the server could not be reached at all, else nil.
func (t *try) unreached(err error) error {
	sent := &url.Error{URL: t.url}
	errors.As(err, &sent) // it may have been the authorization server
	switch {
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, new(tls.RecordHeaderError)):
		return fmt.Errorf("the server at %s does not speak TLS: try http://", origin(sent.URL))
	case !remote(t.url) && errors.As(err, new(*net.OpError)) && t.emulated:
		return fmt.Errorf("%w (start `guestpass serve`: it runs the emulator, too)", err)
	case !remote(t.url) && errors.As(err, new(*net.OpError)):
		return fmt.Errorf("%w (is `guestpass dev` running?)", err)
	}
	return nil
}

// document returns the address of the document: as it was given, or /openapi.json below that.
func (t *try) document() string {
	u, err := url.Parse(t.url)
	if err != nil || slices.Contains([]string{".json", ".yaml", ".yml"}, path.Ext(u.Path)) {
		return t.url
	}
	return u.JoinPath("openapi.json").String()
}

// origin returns the scheme and host of an address, "" if it has none.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// remote reports whether an address is not of this machine, so that its server calls for care.
func remote(address string) bool {
	u, err := url.Parse(address)
	return err != nil || !loopback(u.Hostname())
}
