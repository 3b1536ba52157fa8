//go:build !production

package main

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
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"guestpass/openapi/lint"
)

// maxDocument is far above what the editor takes; lint says so of anything larger.
const maxDocument = 50 << 20

// readDocument returns a document, or the findings on how it is served. Its error says
// that there is none.
func readDocument(ctx context.Context, name string, in io.Reader) (source []byte, refused []lint.Finding, err error) {
	switch {
	case name == "-":
		source, err = io.ReadAll(io.LimitReader(in, maxDocument+1))
	case strings.Contains(name, "://"):
		return fetchDocument(ctx, name)
	default:
		var file *os.File
		if file, err = os.Open(name); err != nil { // #nosec G304 -- the person who calls names the file
			return nil, nil, err
		}
		defer file.Close()
		source, err = io.ReadAll(io.LimitReader(file, maxDocument+1))
	}
	return source, nil, err
}

// fetchDocument is G002 (B, I): as OpenAI's servers would fetch it, but for http on this
// machine.
func fetchDocument(ctx context.Context, address string) ([]byte, []lint.Finding, error) {
	u, err := documentAddress(address)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", address, err)
	}
	response, err := getDocument(ctx, newDocumentClient(nil), u.String())
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	rule, _ := lint.Explain("G002")
	refuse := func(format string, args ...any) []lint.Finding {
		return []lint.Finding{{Rule: rule.ID, Severity: rule.Severity, Place: "document", Problem: fmt.Sprintf(format, args...), Remedy: rule.Remedy}}
	}
	if response.StatusCode != http.StatusOK {
		return nil, refuse("it is answered with %s", response.Status), nil
	}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if !slices.Contains([]string{"application/json", "application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"}, kind) {
		return nil, refuse("it is served as %q", kind), nil
	}
	source, err := io.ReadAll(io.LimitReader(response.Body, maxDocument+1))
	return source, nil, err
}

// fetchReference gets what a $ref names: by https, and from a public address only, whatever
// its name resolves to.
func fetchReference(ctx context.Context, address string) ([]byte, error) {
	if u, err := url.Parse(address); err != nil || u.Scheme != "https" {
		return nil, errors.New("it is not https")
	}
	response, err := getDocument(ctx, newDocumentClient(refusePrivate), address)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %s", response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, maxDocument))
}

func getDocument(ctx context.Context, client *http.Client, address string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json, application/yaml;q=0.9, */*;q=0.1")
	return client.Do(request)
}

// newDocumentClient follows no redirect and uses no proxy, which would choose the address.
func newDocumentClient(control func(network, address string, _ syscall.RawConn) error) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: control}
	return &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// refusePrivate is called with the address that was resolved.
func refusePrivate(_, address string, _ syscall.RawConn) error {
	parsed, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if ip := parsed.Addr().Unmap(); !ip.IsGlobalUnicast() || ip.IsPrivate() || sharedAddresses.Contains(ip) {
		return fmt.Errorf("%s is a private address", ip)
	}
	return nil
}

// sharedAddresses are those of RFC 6598, private to a carrier.
var sharedAddresses = netip.MustParsePrefix("100.64.0.0/10")
