//go:build !production

package cli

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

	"guestpass/openapi/lint"
)

// maxDocument is far above what the editor accepts; lint says so of anything larger. In bytes.
const maxDocument = 50 << 20

// readDocument returns a document, and the findings on how it is served. An error means that there is no document.
func readDocument(ctx context.Context, name string, in io.Reader) (source []byte, served []lint.Finding, err error) {
	if strings.Contains(name, "://") {
		return fetchDocument(ctx, name)
	}
	if name != "-" {
		file, err := openDocument(name)
		if err != nil {
			return nil, nil, err
		}
		defer file.Close()
		in = file
	}
	source, err = readUntilCancelled(ctx, in)
	return source, nil, err
}

// readUntilCancelled reads a pipe or a terminal, and stops waiting when the person has had enough.
func readUntilCancelled(ctx context.Context, in io.Reader) (source []byte, err error) {
	done := make(chan struct{})
	var read []byte
	var failed error
	go func() {
		defer close(done)
		read, failed = io.ReadAll(io.LimitReader(in, maxDocument+1))
	}()
	select {
	case <-done:
		return read, failed
	case <-ctx.Done():
		return nil, errors.New("interrupted")
	}
}

// fetchDocument fetches a document as OpenAI's servers would (G002 B, I), except that it allows http on this machine.
// source is nil if no document is served.
func fetchDocument(ctx context.Context, address string) (source []byte, served []lint.Finding, err error) {
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
	finding := lint.Finding{Rule: rule.ID, Severity: rule.Severity, Place: "document", Remedy: rule.Remedy}
	if response.StatusCode != http.StatusOK {
		finding.Problem = "it is answered with " + response.Status
		return nil, []lint.Finding{finding}, nil
	}
	if kind := response.Header.Get("Content-Type"); !isDocumentType(kind) {
		finding.Severity, finding.Problem = lint.Warning, fmt.Sprintf("it is served as %q", kind)
		finding.Remedy = "Serve it as application/json or application/yaml: other importers may look at the type."
		served = []lint.Finding{finding}
	}
	if source, err = io.ReadAll(io.LimitReader(response.Body, maxDocument+1)); err != nil {
		return nil, nil, fmt.Errorf("%s: the answer broke off after %d bytes: %w", u, len(source), err)
	}
	return source, served, nil
}

// isDocumentType reports whether a content type is of JSON or YAML. Nothing depends on it: much is published in places
// that serve everything as text/plain.
func isDocumentType(contentType string) bool {
	kind, _, _ := mime.ParseMediaType(contentType)
	usual := []string{"application/json", "application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml",
		"text/vnd.yaml", "application/vnd.oai.openapi", "application/openapi"}
	return slices.Contains(usual, kind) || strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+yaml")
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
	return &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{DialContext: dialer.DialContext,
		DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// refusePrivate refuses private addresses. It gets the address that the name resolved to.
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
