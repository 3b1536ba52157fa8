package idp

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
)

// AddScopes tells which requests ask for the operations' scopes although they name none of them. Some clients
// ask for openid alone, whatever they are told; their token could then do nothing. The person decides on the
// page all the same.
type AddScopes string

// The values of AddScopes. MCP clients are told by PKCE, which MCP demands and a GPT does not use.
const (
	AddForMCP      AddScopes = "mcp"
	AddForEveryone AddScopes = "all"
	AddForNobody   AddScopes = "off"
)

// addScopes changes what the request asks for.
func (p *Provider) addScopes(ctx context.Context, request url.Values) {
	add := p.options.AddScopes == AddForEveryone || p.options.AddScopes == AddForMCP && request.Has("code_challenge")
	if !add || request.Has(returnParameter) || p.options.ScopesToAdd == nil {
		return
	}
	asked := strings.Fields(cmp.Or(request.Get("scope"), defaultScope))
	more := p.options.ScopesToAdd(ctx, request["resource"])
	if slices.ContainsFunc(more, func(scope string) bool { return slices.Contains(asked, scope) }) {
		return
	}
	request.Set("scope", strings.Join(append(asked, more...), " "))
}
