package mcptest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Kind is how an authorization server came to know a client.
type Kind string

// The kinds, in the order in which a client tries them.
const (
	Given      Kind = "given"      // by whoever runs the client
	Document   Kind = "document"   // its id is the URL of its metadata
	Registered Kind = "registered" // it registered itself (RFC 7591)
)

// Identity is what the client is to the authorization server.
type Identity struct {
	Kind                   Kind
	ClientID, ClientSecret string
}

// metadata describes a client in its document and when it registers.
type metadata struct {
	ClientID        string   `json:"client_id,omitempty"` // in a document: its own address
	ClientName      string   `json:"client_name"`
	RedirectURIs    []string `json:"redirect_uris"`
	GrantTypes      []string `json:"grant_types"`
	ResponseTypes   []string `json:"response_types"`
	AuthMethod      string   `json:"token_endpoint_auth_method"`
	ApplicationType string   `json:"application_type"`
}

func (p Profile) metadata(redirectURI string) metadata {
	return metadata{ClientName: p.withDefaults().Title, RedirectURIs: []string{redirectURI},
		GrantTypes: []string{"authorization_code", "refresh_token"}, ResponseTypes: []string{"code"},
		AuthMethod: "none", ApplicationType: "native"}
}

// ServeDocument answers every request with the metadata document of a client of that profile, whose id is address.
func (p Profile) ServeDocument(address, redirectURI string) http.Handler {
	m := p.metadata(redirectURI)
	m.ClientID = address
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(m) // whoever went away hears nothing
	})
}

// ErrNoClient says that there is no way to become known to the authorization server.
var ErrNoClient = errors.New("the authorization server lets nobody register, and there is no client id")

// Identify becomes known to the authorization server: with the id that was given, with a metadata document, or by
// registering, whichever comes first and is possible. Discover comes before it.
func (c *Client) Identify(ctx context.Context, redirectURI string) (*Identity, error) {
	found, err := c.discovered()
	if err != nil {
		return nil, err
	}
	as := found.Issuer
	documents := as.MetadataDocuments && slices.Contains(as.AuthMethods, "none")
	identity := &Identity{Kind: Given, ClientID: c.options.ClientID, ClientSecret: c.options.ClientSecret}
	switch {
	case isURL(identity.ClientID) && !documents:
		return nil, fmt.Errorf("the client id %s is a URL, and %s does not say client_id_metadata_document_supported "+
			"with none among token_endpoint_auth_methods_supported", identity.ClientID, found.IssuerURL)
	case isURL(identity.ClientID):
		identity.Kind = Document
	case identity.ClientID != "":
	case c.options.DocumentURL != "" && documents && !c.profile.OnlyRegisters:
		identity = &Identity{Kind: Document, ClientID: c.options.DocumentURL}
	case as.RegistrationURL != "":
		if identity, err = c.register(ctx, as.RegistrationURL, redirectURI); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("%w (%s has no registration_endpoint)", ErrNoClient, found.IssuerURL)
	}
	c.keep(identity.ClientSecret)
	c.mu.Lock()
	c.identity = identity
	c.mu.Unlock()
	return identity, nil
}

func isURL(clientID string) bool {
	u, err := url.Parse(clientID)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

var errNotDiscovered = errors.New("nothing is known of the server: Discover comes first")

func (c *Client) discovered() (*Discovery, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.found == nil {
		return nil, errNotDiscovered
	}
	return c.found, nil
}

// register sends no scope, as most clients do: the client may ask for any later.
func (c *Client) register(ctx context.Context, address, redirectURI string) (*Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, c.profile.SignInTime)
	defer cancel()
	body, err := json.Marshal(c.profile.metadata(redirectURI))
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	res, answer, err := c.do("registration", req, maxDocument)
	if err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	var reply struct {
		ClientID     string   `json:"client_id"`
		ClientSecret string   `json:"client_secret"`
		RedirectURIs []string `json:"redirect_uris"`
		AuthMethod   string   `json:"token_endpoint_auth_method"`
		Error        string   `json:"error"`
		Description  string   `json:"error_description"`
	}
	parseErr := json.Unmarshal(answer, &reply)
	switch {
	case res.StatusCode != http.StatusCreated && res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("register at %s: answered %s", address,
			strings.TrimRight(strings.Join([]string{res.Status, reply.Error, reply.Description}, ": "), ": "))
	case parseErr != nil:
		return nil, fmt.Errorf("register at %s: the answer cannot be read: %w", address, parseErr)
	case reply.ClientID == "":
		return nil, fmt.Errorf("register at %s: the answer has no client_id", address)
	case !slices.Contains(reply.RedirectURIs, redirectURI):
		return nil, fmt.Errorf("register at %s: the answer lists the redirect URIs %q, without %s", address,
			reply.RedirectURIs, redirectURI)
	case reply.AuthMethod != "none" && reply.ClientSecret == "":
		return nil, fmt.Errorf(
			"register at %s: the client asked for the method none and was given %q, without a secret",
			address, reply.AuthMethod)
	}
	return &Identity{Kind: Registered, ClientID: reply.ClientID, ClientSecret: reply.ClientSecret}, nil
}
