package idp

import (
	"context"
	"html/template"
	"net/url"
	"slices"
	"strings"

	"guestpass/internal/form"
)

// The errors by which an app hears that its request was refused (RFC 6749 section 4.1.2.1).
const (
	invalidRequest          = "invalid_request"
	unsupportedResponseType = "unsupported_response_type"
	temporarilyUnavailable  = "temporarily_unavailable"
)

// A back is a link by which a person takes a refusal to the app that asked.
type back struct {
	Name      string
	Unchecked bool         // anybody may have chosen the name
	To        template.URL // "": there is none
}

// wayBack returns the address of the app at which it hears what was wrong with its request. It is one that Stytch has
// registered for the app, and there is none for any other: what anybody may have written is no link of ours. The
// person goes there by a button, and not at once: what went wrong is theirs to know as well, and many apps show
// nothing of an error, or try again without end.
//
// An app with a document is not looked up here, so it has none.
func (p *Provider) wayBack(ctx context.Context, rawQuery string, failure *requestError) back {
	if failure.code == "" {
		return back{}
	}
	request, err := form.Parse(rawQuery)
	if err != nil || len(request["client_id"]) != 1 || len(request["redirect_uri"]) != 1 || len(request["state"]) > 1 {
		return back{}
	}
	id, address := request.Get("client_id"), request.Get("redirect_uri")
	if !isClientID(id) || !isReturnAddress(address) || !p.options.admits(id) {
		return back{}
	}
	client, err := p.lookUp(ctx, id)
	if err != nil || !client.returnsTo(address) {
		return back{}
	}
	answer := url.Values{"error": {failure.code}}
	if request.Has("state") {
		answer.Set("state", request.Get("state"))
	}
	if p.options.AdvertisedIssuer != nil {
		if issuer, known := p.options.AdvertisedIssuer(ctx); known && issuer != "" {
			answer.Set("iss", issuer) // RFC 9207
		}
	}
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	to := template.URL(address + separator + answer.Encode()) // #nosec G203 -- registered, see above
	return back{client.Name, !p.options.Clients.Lists(id), to}
}

// returnsTo reports whether the client has registered the address, where that is known. A loopback address without a
// port stands for those with one (RFC 8252 section 7.3).
func (c Client) returnsTo(address string) bool {
	if slices.Contains(c.RedirectURIs, address) {
		return true
	}
	u, err := url.Parse(address)
	if err != nil || !isLoopback(address) || u.Port() == "" {
		return false
	}
	u.Host = strings.TrimSuffix(u.Host, ":"+u.Port())
	return slices.Contains(c.RedirectURIs, u.String())
}
