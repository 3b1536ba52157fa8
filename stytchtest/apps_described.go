package stytchtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"

	"guestpass/stytchtest/internal/documents"
	"guestpass/stytchtest/internal/loopback"
)

// maxRedirectURLs are those of one client that describes or registers itself.
const maxRedirectURLs = 50

// metadata is what a document says of a client, in the words of RFC 7591. What else it says is
// passed over.
type metadata struct {
	ClientID      string          `json:"client_id"`
	Name          string          `json:"client_name"`
	URI           string          `json:"client_uri"`
	LogoURI       string          `json:"logo_uri"`
	RedirectURIs  []string        `json:"redirect_uris"`
	GrantTypes    []string        `json:"grant_types"`
	ResponseTypes []string        `json:"response_types"`
	Method        string          `json:"token_endpoint_auth_method"`
	Methods       []string        `json:"token_endpoint_auth_methods_supported"`
	Secret        json.RawMessage `json:"client_secret"`
	SecretExpires json.RawMessage `json:"client_secret_expires_at"`
}

// describedApp returns the client that the document describes, without an id of its own yet.
func describedApp(f *documents.Fetched) (*ConnectedApp, error) {
	if f.Err != nil {
		return nil, f.Err
	}
	if err := checkJSON(f.Data); err != nil {
		return nil, err
	}
	var m metadata
	var wrong *json.UnmarshalTypeError
	if err := json.Unmarshal(f.Data, &m); errors.As(err, &wrong) {
		return nil, fmt.Errorf("%s must not be of type %s", wrong.Field, wrong.Value)
	} else if err != nil {
		return nil, errors.New("it is not valid JSON")
	}
	if err := m.check(f.URL); err != nil {
		return nil, err
	}
	if m.Name == "" {
		m.Name = m.host()
	}
	return &ConnectedApp{MetadataURL: m.ClientID, Type: "third_party_public", Name: m.Name, URI: m.URI,
		LogoURL:      m.LogoURI,
		RedirectURLs: withoutLoopbackPorts(m.RedirectURIs), PostLogoutRedirectURLs: []string{}}, nil
}

func (m metadata) host() string {
	u, err := url.Parse(m.ClientID)
	if err != nil {
		return m.ClientID
	}
	return u.Host
}

// check is section 4 of the draft. Stytch knows no client that signs assertions: one of two ways,
// such as ChatGPT, comes as a public client.
func (m metadata) check(address string) error {
	switch {
	case m.ClientID != address:
		return errors.New("its client_id must be the URL at which it is, character by character")
	case m.Secret != nil || m.SecretExpires != nil:
		return errors.New("it must not have client_secret or client_secret_expires_at: everybody can read it")
	case m.Method == "" && len(m.Methods) == 0: // nothing is said
	case m.Method != "none" && !slices.Contains(m.Methods, "none"):
		return errors.New("it must admit none as token_endpoint_auth_method, or among " +
			"token_endpoint_auth_methods_supported: other ways, such as private_key_jwt, are not supported")
	}
	if m.GrantTypes != nil && !slices.Contains(m.GrantTypes, "authorization_code") {
		return errors.New("its grant_types must hold authorization_code")
	}
	if m.ResponseTypes != nil && !slices.Contains(m.ResponseTypes, "code") {
		return errors.New("its response_types must hold code")
	}
	return checkRedirectURLs(m.RedirectURIs)
}

// checkRedirectURLs checks those of a client that describes or registers itself.
func checkRedirectURLs(urls []string) error {
	if len(urls) == 0 {
		return errors.New("redirect_uris needs at least one URL")
	}
	if len(urls) > maxRedirectURLs {
		return fmt.Errorf("redirect_uris may hold %d URLs at most", maxRedirectURLs)
	}
	for _, u := range urls {
		if bad := checkRedirectURL(u); bad != nil {
			return fmt.Errorf("redirect_uris: %q: %s", u, strings.TrimSuffix(bad.Message, "."))
		}
	}
	return nil
}

// withoutLoopbackPorts returns the URLs as they are kept: one of a program on the person's own
// machine stands for every port (RFC 8252 section 7.3), since its next run has another.
func withoutLoopbackPorts(urls []string) []string {
	kept := []string{}
	for _, given := range urls {
		if u, err := url.Parse(given); err == nil && u.Scheme == "http" && u.Port() != "" && loopback.Is(u.Hostname()) {
			u.Host = u.Hostname()
			if net.ParseIP(u.Host).To4() == nil && u.Host != "localhost" {
				u.Host = "[" + u.Host + "]"
			}
			given = u.String()
		}
		if !slices.Contains(kept, given) {
			kept = append(kept, given)
		}
	}
	return kept
}

// checkJSON wants one object, and no name twice in any: parsers differ in which one counts.
func checkJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if trimmed := bytes.TrimSpace(data); len(trimmed) == 0 || trimmed[0] != '{' || !json.Valid(data) {
		return errors.New("it is not a JSON object")
	}
	var names []map[string]bool // of the objects around; nil for a list
	isName := false
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errors.New("it is not valid JSON")
		}
		switch token {
		case json.Delim('{'):
			names, isName = append(names, map[string]bool{}), true
			continue
		case json.Delim('['):
			names, isName = append(names, nil), false
			continue
		case json.Delim('}'), json.Delim(']'):
			names = names[:len(names)-1]
		default:
			if name, ok := token.(string); isName && ok {
				name = strings.ToLower(strings.ToUpper(name)) // as encoding/json compares
				if names[len(names)-1][name] {
					return fmt.Errorf("%q is in it twice", name)
				}
				names[len(names)-1][name], isName = true, false
				continue
			}
		}
		isName = len(names) > 0 && names[len(names)-1] != nil
	}
}
