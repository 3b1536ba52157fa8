package outside

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

	"guestpass/internal/doctor"
	"guestpass/mcptest"
	"guestpass/openapi/lint"
)

// What a client asks for first.
const (
	documentPath = "/openapi.json"
	resourcePath = "/.well-known/oauth-protected-resource"
	mcpPath      = "/mcp"
)

var redirectCheck = doctor.Check[*visit]{Name: "redirects", Asks: "are document, metadata and /mcp answered at once?",
	Expected: "answers without redirects, which clients do not follow",
	Remedy:   "have the proxy in front pass every path through, and give clients the address that is answered",
	Look: func(ctx context.Context, v *visit) doctor.Finding {
		for _, path := range []string{documentPath, resourcePath, mcpPath} {
			got, err := v.get(ctx, v.Origin+path)
			if err != nil {
				return doctor.Wrong("%s%s cannot be read: %v", v.Origin, path, err)
			}
			if to := got.Header.Get("Location"); to != "" {
				return doctor.Wrong("%s redirects to %s", path, withoutQuery(to))
			}
		}
		return doctor.Well("nothing is redirected")
	}}

func withoutQuery(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that cannot be read"
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return u.String()
}

var documentCheck = doctor.Check[*visit]{Name: "document", Asks: "would the GPT editor take /openapi.json?",
	Expected: "a document without errors",
	Remedy:   "run `guestpass lint URL` for all of it",
	Look: func(ctx context.Context, v *visit) doctor.Finding {
		address := v.Origin + documentPath
		got, err := v.get(ctx, address)
		if err != nil {
			return doctor.Wrong("%s cannot be read: %v", address, err)
		}
		if got.missing() {
			return doctor.NotLooked("the server publishes no document: it has no operations of its own")
		}
		if got.StatusCode != http.StatusOK {
			return doctor.Wrong("%s is answered with %s", address, got.Status).Expecting("200 with the document").
				MendedBy(passEverything)
		}
		if isHere(v.host) { // the editor would refuse the address, which is known; of interest is the rest
			address = publicOrigin + documentPath
			got.body = bytes.ReplaceAll(got.body, []byte(v.Origin), []byte(publicOrigin))
		}
		return judged(v.Origin, lint.Check(ctx, got.body, lint.Options{Address: address}))
	}}

// publicOrigin takes the place of an origin on this machine.
const publicOrigin = "https://gpt.example.com"

func judged(site string, findings []lint.Finding) doctor.Finding {
	counts := map[lint.Severity]int{}
	var first lint.Finding
	for _, f := range findings {
		if counts[f.Severity]++; f.Severity == lint.Error && first.Rule == "" {
			first = f
		}
	}
	switch {
	case first.Rule != "":
		return doctor.Wrong("%d errors of lint, the first (%s): %s: %s", counts[lint.Error], first.Rule, first.Place,
			first.Problem)
	case counts[lint.Warning] > 0: // which are a choice
		return doctor.Well("the GPT editor takes the document; `guestpass lint %s` shows %d warnings, of what could "+
			"be better for models", site, counts[lint.Warning])
	}
	return doctor.Well("the GPT editor takes the document, and lint has nothing to say against it")
}

func isJSON(got *answer) bool {
	return got.kind() == "application/json" || strings.HasSuffix(got.kind(), "+json")
}

// resourceMetadata are those of RFC 9728.
type resourceMetadata struct {
	Resource string   `json:"resource"`
	Servers  []string `json:"authorization_servers"`
}

// read reads a JSON document.
func (v *visit) read(ctx context.Context, address string, into any) error {
	got, err := v.get(ctx, address)
	switch {
	case err != nil:
		return err
	case got.StatusCode != http.StatusOK:
		return fmt.Errorf("it is answered with %s", got.Status)
	case !isJSON(got):
		return fmt.Errorf("it is served as %q", got.Header.Get("Content-Type"))
	}
	return json.Unmarshal(got.body, into)
}

var metadataCheck = doctor.Check[*visit]{Name: "metadata", Asks: "do the server's metadata name its own address?",
	Remedy: "set GUESTPASS_PUBLIC_URL to exactly the origin under which the world sees the server, and have the " +
		"proxy in front pass " + resourcePath + " through",
	Look: func(ctx context.Context, v *visit) doctor.Finding {
		var m resourceMetadata
		if err := v.read(ctx, v.Origin+resourcePath, &m); err != nil {
			return doctor.Wrong("%s%s cannot be read: %v", v.Origin, resourcePath, err).
				Expecting("metadata of a protected resource (RFC 9728)")
		}
		if m.Resource != v.Origin {
			return doctor.Wrong("the metadata name the resource %q", m.Resource).Expecting("%s, to the letter",
				v.Origin)
		}
		if len(m.Servers) != 1 {
			return doctor.Wrong("the metadata name %d authorization servers", len(m.Servers)).Expecting("one")
		}
		return doctor.Well("the metadata name %s and the authorization server %s", m.Resource, m.Servers[0])
	}}

var issuerCheck = doctor.Check[*visit]{Name: "authorization-server",
	Asks: "do the authorization server's metadata agree, and lead to this server's sign-in page?",
	Remedy: "write STYTCH_DOMAIN as the issuer is written, and set the Authorization URL under Connected Apps in the " +
		"Stytch dashboard",
	Look: func(ctx context.Context, v *visit) doctor.Finding {
		var m resourceMetadata
		if err := v.read(ctx, v.Origin+resourcePath, &m); err != nil || len(m.Servers) != 1 {
			return doctor.NotLooked("no authorization server is named; see metadata")
		}
		var as mcptest.IssuerMetadata
		server, err := url.Parse(m.Servers[0])
		if err != nil || server.Scheme != "https" && !isHere(server.Hostname()) {
			return doctor.Wrong("the authorization server %q is no https URL", m.Servers[0]).Expecting("one")
		}
		address := m.Servers[0] + "/.well-known/oauth-authorization-server"
		if err := v.read(ctx, address, &as); err != nil {
			return doctor.Wrong("%s cannot be read: %v", address, err).Expecting("metadata (RFC 8414)")
		}
		page := v.Origin + signInPath
		switch {
		case as.Issuer != m.Servers[0]:
			return doctor.Wrong("the issuer there is %q", as.Issuer).Expecting("%s, to the letter", m.Servers[0])
		case as.AuthorizationURL != page:
			return doctor.Wrong("people are sent to %q to sign in", as.AuthorizationURL).Expecting("%s", page)
		case !slices.Contains(as.ChallengeMethods, "S256"):
			return doctor.Wrong("PKCE with S256 is not listed").Expecting("S256 among code_challenge_methods_supported")
		}
		return doctor.Well("the issuer is %s, and people sign in at %s", as.Issuer, page)
	}}

// strangersAddress is one of documentation (RFC 5737), which nobody has.
const strangersAddress = "192.0.2.77"

var forwardedCheck = doctor.Check[*visit]{Name: "forwarded-addresses",
	Asks:     "does the server see the address of who asks, and nobody's whom they pretend to be?",
	Expected: "the address that the proxy in front sees",
	Remedy: "name in GUESTPASS_TRUSTED_PROXIES every proxy in front and nobody else, and have each append the " +
		"address that it sees to X-Forwarded-For",
	Look: func(ctx context.Context, v *visit) doctor.Finding {
		seen, err := v.seen(ctx)
		if err != nil {
			return doctor.NotLooked("the server does not tell whom it sees: %v", err)
		}
		pretended, err := v.seen(ctx, "X-Forwarded-For", strangersAddress)
		switch {
		case err != nil:
			return doctor.Unclear("the server does not tell whom it sees: %v", err)
		case pretended == seenAsAsked:
			return doctor.Wrong("the server believes anybody's X-Forwarded-For: whoever writes one has no limit")
		case seen == seenUnknown:
			return doctor.Wrong("the server cannot read the address that a proxy forwards: all people share one limit")
		case seen == seenInternal && !v.near():
			return doctor.Wrong("the server sees the address of a proxy of its own, not that of who asks: all people " +
				"share one limit")
		}
		return doctor.Well("the server sees who asks, and believes nobody's X-Forwarded-For but a proxy's")
	}}

// What GET /healthz says of an address.
const (
	seenAsAsked  = "as asked"
	seenInternal = "internal"
	seenUnknown  = "unknown"
)

// seen returns what the server says of the address that it sees.
func (v *visit) seen(ctx context.Context, headers ...string) (string, error) {
	got, err := v.get(ctx, v.Origin+"/healthz?address="+strangersAddress, headers...)
	if err != nil {
		return "", err
	}
	var body struct {
		Address string `json:"address"`
	}
	if got.StatusCode != http.StatusOK || json.Unmarshal(got.body, &body) != nil || body.Address == "" {
		return "", fmt.Errorf("/healthz is answered with %s and no word of it", got.Status)
	}
	return body.Address, nil
}

var mcpCheck = doctor.Check[*visit]{Name: "mcp", Asks: "can an MCP client begin: challenge, metadata, authorization " +
	"server?",
	Expected: "a challenge that leads to metadata, and from there to the authorization server",
	Remedy:   "run `guestpass try --mcp --url URL`, which shows each step",
	Look: func(ctx context.Context, v *visit) doctor.Finding {
		client := mcptest.New(v.Origin+mcpPath, mcptest.Options{Profile: mcptest.ChatGPT(), HTTP: v.http, Now: v.Now})
		found, err := client.Discover(ctx)
		switch {
		case errors.As(err, new(*mcptest.NoServerError)):
			return v.withoutServer(ctx)
		case errors.Is(err, mcptest.ErrOpen):
			return doctor.Doubtful("the server answers without a token")
		case err != nil:
			return doctor.Wrong("%v", err)
		case found.Issuer.RegistrationURL == "" && !found.Issuer.MetadataDocuments:
			return doctor.Doubtful("clients can neither come with a document of their own nor register themselves").
				MendedBy("switch on Client ID Metadata Documents under Connected Apps in the Stytch dashboard")
		}
		return doctor.Well("the challenge leads to %s, and to the issuer %s", found.MetadataURL, found.Issuer.Issuer)
	}}
