package guestpass

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"guestpass/internal/upstream"
)

const (
	metadataTimeout = 5 * time.Second
	maxMetadata     = 64 << 10 // bytes of the document

	metadataOfIssuer = "/.well-known/oauth-authorization-server"

	issuerFresh = 10 * time.Minute // for which nobody on the page waits for it
	issuerWait  = 2 * time.Second
	issuerPause = 10 * time.Second // between two tries for somebody on the page
)

// authorizationServer is the part of the project's metadata (RFC 8414) that matters here.
type authorizationServer struct {
	Issuer                string `json:"issuer"`
	AuthorizationEndpoint string `json:"authorization_endpoint"`
	SendsIssuer           bool   `json:"authorization_response_iss_parameter_supported"`

	read time.Time
}

// advertised returns the issuer that responses of /idp may carry, "" for none; known is false while the metadata could
// not be read. If they are missing or old, whoever opens the page waits for them, for two seconds at most, and once for
// everybody.
func (s *Server) advertised(ctx context.Context) (issuer string, known bool) {
	as, now := s.issuer.Load(), s.options.Now()
	old := as == nil || now.Sub(as.read).Abs() > issuerFresh
	if old && now.Sub(time.Unix(0, s.issuerTried.Load())).Abs() > issuerPause {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), issuerWait)
		defer cancel()
		_, _, _ = s.asking.Do("metadata", func() (any, error) { return nil, s.readIssuer(ctx) })
		as = s.issuer.Load()
	}
	switch {
	case as == nil:
		return "", false
	case as.SendsIssuer:
		return as.Issuer, true
	}
	return "", true
}

// readIssuer reads and keeps the metadata. If it cannot, what was read before stays.
func (s *Server) readIssuer(ctx context.Context) error {
	s.issuerTried.Store(s.options.Now().UnixNano())
	as, err := fetchMetadata(ctx, s.metadata, s.options.Domain+metadataOfIssuer)
	if err != nil {
		return err
	}
	as.read = s.options.Now()
	s.issuer.Store(&as)
	return nil
}

// checkIssuer compares, to the letter, what clients compare: the authorization server that our metadata name (RFC 9728)
// and the issuer that its own metadata name. It logs a difference, and reports whether the metadata could be read.
func (s *Server) checkIssuer(ctx context.Context) (done bool) {
	if err := s.readIssuer(ctx); err != nil {
		s.log.WarnContext(ctx, "could not read the metadata of the Stytch project's domain; trying again in a minute",
			"url", s.options.Domain+metadataOfIssuer, "error", err)
		return false
	}
	as := s.issuer.Load()
	if as.Issuer != s.options.Domain {
		s.log.ErrorContext(ctx, "STYTCH_DOMAIN is not the issuer that Stytch names there: MCP clients compare the two "+
			"to the letter and refuse to connect; write STYTCH_DOMAIN as the issuer is written", "issuer", as.Issuer,
			"authorization_servers", s.options.Domain)
	}
	if page := s.options.PublicURL + "/idp"; as.AuthorizationEndpoint != page {
		s.log.WarnContext(ctx, "the Authorization URL of the Stytch project is not the sign-in page of this server: "+
			"clients that find their way by metadata are led elsewhere; set it under Connected Apps in the Stytch "+
			"dashboard", "authorization_endpoint", as.AuthorizationEndpoint, "page", page)
	}
	return true
}

// metadataClient returns a client that follows no redirect, and no name that resolves to an internal address.
func metadataClient() *http.Client {
	return &http.Client{Timeout: metadataTimeout,
		Transport: &http.Transport{DialContext: upstream.Dial(2 * time.Second), TLSHandshakeTimeout: 2 * time.Second,
			MaxResponseHeaderBytes: 16 << 10, ForceAttemptHTTP2: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func fetchMetadata(ctx context.Context, client *http.Client, address string) (as authorizationServer, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return as, err
	}
	response, err := client.Do(request)
	if err != nil {
		return as, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxMetadata))
	if err != nil {
		return as, err
	}
	if response.StatusCode != http.StatusOK {
		fault := ""
		if strings.Contains(string(body), "authorization_endpoint_not_configured_for_project") {
			fault = ": set the Authorization URL under Connected Apps in the Stytch dashboard"
		}
		return as, fmt.Errorf("status %d%s", response.StatusCode, fault)
	}
	if err := json.Unmarshal(body, &as); err != nil {
		return as, fmt.Errorf("the metadata are no JSON object: %w", err)
	}
	return as, nil
}
