package lint

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"guestpass/mcptest"
)

// metadata is what the server says of who issues tokens.
type metadata struct {
	address  string // where it was found
	resource *mcptest.ResourceMetadata
	issuer   *mcptest.IssuerMetadata
	at       string // where the issuer's was found
}

var authorizationChecks = []check{
	{nil, nil, func(v *visit) { // of calls, and for one reason with the rest
		if reason := wantsToken(v); reason != "" {
			v.skip(reason, "M028")
		}
	}},
	{[]string{"M010", "M012"}, []need{wantsToken}, (*visit).lookAtChallenge},
	{[]string{"M001", "M002", "M011", "M013", "M014"}, []need{wantsToken}, (*visit).lookAtMetadata},
	{[]string{"M003"}, []need{wantsToken}, (*visit).lookAtRoot},
	{[]string{"M018", "M019"}, []need{wantsToken, hasMetadata}, (*visit).lookAtServing},
	{[]string{"M006"}, []need{wantsToken, hasMetadata}, (*visit).lookAtServers},
	{[]string{"M004", "M005", "M007", "M008", "M009"}, []need{wantsToken, hasMetadata}, (*visit).lookAtIssuer},
	{[]string{"M027"}, []need{wantsToken, hasMetadata}, (*visit).lookAtEndpoints},
	{[]string{"M015"}, []need{wantsToken}, (*visit).lookAtEveryMethod},
	{[]string{"M016", "M017"}, []need{wantsToken}, (*visit).lookAtBadTokens},
	{[]string{"M020", "M021", "M022"}, []need{wantsToken}, (*visit).lookAtOtherPlaces},
	{[]string{"M023", "M024"}, []need{wantsToken, signsIn}, (*visit).lookAtSignIn},
	{[]string{"M025"}, []need{hasToken, signedIn}, (*visit).lookAtRefresh},
	{[]string{"M026"}, []need{hasToken}, (*visit).lookAtSpelling},
}

// bearer returns the challenge for a bearer token, if there is one.
func bearer(h http.Header) (mcptest.Challenge, bool) {
	for _, c := range mcptest.ParseChallenges(h.Values("WWW-Authenticate")) {
		if c.Scheme == "bearer" {
			return c, true
		}
	}
	return mcptest.Challenge{}, false
}

func (v *visit) lookAtChallenge() {
	challenge, ok := bearer(v.first.header)
	switch {
	case v.first.status != http.StatusUnauthorized:
		v.fail("M010", "POST", "a message without a token is answered %s", v.first.described())
	case !ok:
		v.fail("M010", "POST", "the 401 has no WWW-Authenticate with a Bearer challenge, but %q",
			v.said(strings.Join(v.first.header.Values("WWW-Authenticate"), ", ")))
	}
	if code := challenge.Parameters["error"]; code != "" {
		v.fail("M012", "POST", "a message without a token is answered error=%q", v.said(code))
	}
}

const wellKnown = "/.well-known/oauth-protected-resource"

func (v *visit) origin() string { return v.url.Scheme + "://" + v.url.Host }

// pathForm is where RFC 9728 section 3.1 has the metadata of this server.
func (v *visit) pathForm() string {
	return v.origin() + wellKnown + strings.TrimSuffix(v.url.EscapedPath(), "/")
}

// rootForm is where some look if there is nothing else.
func (v *visit) rootForm() string { return v.origin() + wellKnown }

// document reads metadata. problem says why there is none.
func (v *visit) document(address string, into any) (got answer, problem string) {
	got = v.send(request{method: http.MethodGet, address: address, bare: true, headers: []string{
		"Accept: application/json"}})
	switch {
	case got.err != nil:
		return got, fmt.Sprintf("%s is not answered", withoutQuery(address))
	case got.status != http.StatusOK:
		return got, fmt.Sprintf("%s is answered %s", withoutQuery(address), got.described())
	case mediaType(got.header) != "application/json":
		return got, fmt.Sprintf("%s has the content type %q, not application/json", withoutQuery(address),
			mediaType(got.header))
	}
	if err := json.Unmarshal(got.body, into); err != nil {
		return got, fmt.Sprintf("%s cannot be read: %s", withoutQuery(address), v.shown(err.Error()))
	}
	return got, ""
}

// lookAtMetadata reads the path form, and what the challenge names if that is another; the root form if there is
// neither.
func (v *visit) lookAtMetadata() {
	challenge, challenged := bearer(v.first.header)
	m := &mcptest.ResourceMetadata{}
	_, problem := v.document(v.pathForm(), m)
	if problem == "" {
		v.metadata.address, v.metadata.resource = v.pathForm(), m
	} else {
		v.fail("M001", "metadata", "%s", problem)
	}
	if challenged {
		v.lookAtNamed(challenge.Parameters["resource_metadata"])
	} else {
		v.skip("see M010", "M011")
	}
	if root := new(mcptest.ResourceMetadata); v.metadata.resource == nil {
		if _, problem := v.document(v.rootForm(), root); problem == "" {
			v.metadata.address, v.metadata.resource = v.rootForm(), root
		}
	}
	if m = v.metadata.resource; m == nil {
		v.skip("no metadata were found", "M002", "M013", "M014")
		return
	}
	if m.Resource != v.address {
		v.fail("M002", "metadata", "resource is %q, and the address is %q", v.said(m.Resource), v.said(v.address))
	}
	if len(m.Scopes) == 0 && len(challenge.Scopes()) == 0 {
		v.fail("M013", "metadata", "neither scopes_supported nor the challenge names a scope")
	}
	if slices.Contains(append(challenge.Scopes(), m.Scopes...), "offline_access") {
		v.fail("M014", "metadata", "offline_access is among the scopes")
	}
}

// lookAtNamed follows the challenge. Its metadata stand in where the path form has none.
func (v *visit) lookAtNamed(named string) {
	if named == "" {
		v.fail("M011", "POST", "the challenge has no resource_metadata")
		return
	}
	if named == v.pathForm() {
		return
	}
	m := &mcptest.ResourceMetadata{}
	if _, problem := v.document(named, m); problem != "" {
		v.fail("M011", "POST", "resource_metadata leads nowhere: %s", problem)
		return
	}
	switch {
	case v.metadata.resource == nil:
		v.metadata.address, v.metadata.resource = named, m
	case m.Resource != v.metadata.resource.Resource:
		v.fail("M011", "POST", "resource_metadata leads to metadata about %q, and those of the path form are about %q",
			v.said(m.Resource), v.said(v.metadata.resource.Resource))
	}
}

// lookAtRoot reads the root form, if there is one: it stands for the origin, or for this server where clients fall
// back on it.
func (v *visit) lookAtRoot() {
	if v.metadata.address == v.rootForm() {
		v.skip("there are no other metadata: see M001 and M002", "M003")
		return
	}
	m := &mcptest.ResourceMetadata{}
	got, problem := v.document(v.rootForm(), m)
	if got.status != http.StatusOK {
		return
	}
	if problem != "" {
		v.fail("M003", "metadata", "%s", problem)
		return
	}
	if said := strings.TrimSuffix(m.Resource, "/"); said != v.origin() && m.Resource != v.address {
		v.fail("M003", "metadata", "the root form says resource %q", v.said(m.Resource))
	}
}

func hasMetadata(v *visit) string {
	if v.metadata.resource == nil {
		return "no metadata were found"
	}
	return ""
}

// stranger is a page that may read public documents: of a server that nobody but this machine reaches, one of this
// machine.
func (v *visit) stranger() string {
	if v.onThisMachine() {
		return pageOrigin
	}
	return "https://x.example"
}

// onThisMachine reports whether no other machine reaches the server by its address.
func (v *visit) onThisMachine() bool { return isThisMachine(v.url) }

func isThisMachine(u *url.URL) bool { return isLoopback(u.Hostname()) }

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (v *visit) lookAtServing() {
	stranger := v.stranger()
	get := func(method string) answer {
		return v.send(request{method: method, address: v.metadata.address, bare: true,
			headers: []string{"Origin: " + stranger}})
	}
	if got := get(http.MethodGet); !slices.Contains([]string{"*", stranger},
		got.header.Get("Access-Control-Allow-Origin")) {
		v.fail("M018", "metadata", "the answer to a page has Access-Control-Allow-Origin %q",
			v.said(got.header.Get("Access-Control-Allow-Origin")))
	}
	if got := get(http.MethodHead); got.status != http.StatusOK {
		v.fail("M019", "metadata", "HEAD is answered %s", got.described())
	}
}

func (v *visit) lookAtServers() {
	switch n := len(v.metadata.resource.Servers); {
	case n == 0:
		v.skip("see M004", "M006")
	case n > 1:
		v.fail("M006", "metadata", "authorization_servers has %d entries", n)
	}
}

// lookAtIssuer reads the metadata of the first authorization server, as clients do.
func (v *visit) lookAtIssuer() {
	rest := []string{"M005", "M007", "M008", "M009"}
	if len(v.metadata.resource.Servers) == 0 {
		v.fail("M004", "metadata", "authorization_servers is empty")
		v.skip("no authorization server is named", rest...)
		return
	}
	issuer := v.metadata.resource.Servers[0]
	as, address, problem := v.findIssuer(issuer)
	if as == nil {
		v.fail("M004", "authorization server", "%s", problem)
		v.skip("the authorization server's metadata were not found", rest...)
		return
	}
	v.metadata.issuer, v.metadata.at = as, address
	if as.Issuer != issuer {
		v.fail("M005", "authorization server", "issuer is %q, and authorization_servers names %q",
			v.said(as.Issuer), v.said(issuer))
	}
	if as.AuthorizationURL == "" || as.TokenURL == "" {
		v.fail("M004", "authorization server", "authorization_endpoint or token_endpoint is missing")
	}
	if !slices.Contains(as.ChallengeMethods, "S256") {
		v.fail("M007", "authorization server", "code_challenge_methods_supported is %q",
			v.said(fmt.Sprint(as.ChallengeMethods)))
	}
	public := slices.Contains(as.AuthMethods, "none")
	if as.RegistrationURL == "" && !(as.MetadataDocuments && public) {
		v.fail("M008", "authorization server", "there is no registration_endpoint, and no "+
			"client_id_metadata_document_supported for public clients")
	}
	if as.MetadataDocuments && !public {
		v.fail("M009", "authorization server", "client_id_metadata_document_supported is there, and "+
			"token_endpoint_auth_methods_supported has no none")
	}
}

// findIssuer looks in the places of RFC 8414 and of OpenID Connect.
func (v *visit) findIssuer(issuer string) (as *mcptest.IssuerMetadata, address, problem string) {
	places, err := mcptest.IssuerPlaces(issuer)
	if err != nil {
		return nil, "", err.Error()
	}
	var problems []string
	for _, place := range places {
		m := &mcptest.IssuerMetadata{}
		if _, problem := v.document(place, m); problem != "" {
			problems = append(problems, problem)
			continue
		}
		return m, place, ""
	}
	return nil, "", strings.Join(problems, "; ")
}

// lookAtEveryMethod sends what a client sends early on, without a token: all is refused, or all but what anybody may
// know.
func (v *visit) lookAtEveryMethod() {
	refused := map[bool][]string{}
	for _, m := range []struct{ method, params string }{{"initialize", initializeParams(legacyVersion)},
		{"ping", ""}, {"tools/list", ""}, {"tools/call", `{"name":"guestpass_lint_no_such_tool","arguments":{}}`}} {
		got := v.send(request{body: legacyMessage(m.method, m.params), bare: true, headers: []string{headerVersion,
			headerSession}})
		v.keepSession(got)
		_, challenged := bearer(got.header)
		is := got.status == http.StatusUnauthorized && challenged
		refused[is] = append(refused[is], m.method)
	}
	if len(refused[true]) > 0 && len(refused[false]) > 0 {
		v.fail("M015", "POST", "%s without a token is answered 401 with a challenge, and %s is not",
			strings.Join(refused[true], ", "), strings.Join(refused[false], ", "))
	}
}

// lookAtBadTokens sends what is no token: none of it may be answered otherwise than with 401.
func (v *visit) lookAtBadTokens() {
	values := []string{"Bearer guestpass-lint-no-token", "Bearer ", "Basic Z3Vlc3Q6cGFzcw==",
		"Bearer a.b.c"}
	for i, value := range values {
		got := v.send(request{body: legacyMessage("tools/list", ""), bare: true, headers: []string{headerVersion,
			headerSession, "Authorization: " + value}})
		if got.err != nil {
			return
		}
		if got.status != http.StatusUnauthorized {
			v.fail("M016", "POST", "Authorization: %s is answered %s", value, got.described())
			if i == 0 {
				v.skip("see M016", "M017")
			}
		} else if c, _ := bearer(got.header); i == 0 && c.Parameters["error"] != "invalid_token" {
			v.fail("M017", "POST", "a token that is no good is answered 401 with error=%q",
				v.said(c.Parameters["error"]))
		}
	}
}

// lookAtOtherPlaces asks for what clients of earlier versions look for on the server's own host. There it is the
// authorization server's, or missing.
func (v *visit) lookAtOtherPlaces() {
	issues := false // tokens itself
	for _, path := range []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration",
		"/.well-known/openid-configuration" + strings.TrimSuffix(v.url.EscapedPath(), "/")} {
		var m struct {
			Issuer string `json:"issuer"`
		}
		got, problem := v.document(v.origin()+path, &m)
		switch {
		case got.err != nil:
			return
		case problem == "" && m.Issuer != "":
			u, err := url.Parse(m.Issuer)
			if own := err == nil && u.Host == v.url.Host; own {
				issues = true
			} else {
				v.fail("M021", path, "the metadata here are of the issuer %q", v.said(m.Issuer))
			}
		case got.status < 400 || got.status >= 500 || got.status == http.StatusUnauthorized ||
			mediaType(got.header) == "text/html" && got.status == http.StatusOK:
			v.fail("M020", path, "it is answered %s", got.described())
		}
	}
	if issues {
		v.skip("not applicable: the server's host issues tokens itself", "M022")
		return
	}
	for _, ask := range []struct{ method, path string }{{http.MethodGet, "/authorize"}, {http.MethodPost, "/token"},
		{http.MethodPost, "/register"}} {
		got := v.send(request{method: ask.method, address: v.origin() + ask.path, bare: true, body: "{}"})
		if got.err == nil && got.status != http.StatusNotFound && got.status != http.StatusMethodNotAllowed &&
			got.status != http.StatusGone {
			v.fail("M022", ask.method+" "+ask.path, "it is answered %s", got.described())
		}
	}
}

func signsIn(v *visit) string {
	if !v.options.SignedIn && v.options.SignIn == nil {
		return "nobody signed in"
	}
	return ""
}

func signedIn(v *visit) string {
	if !v.options.SignedIn {
		return "nobody signed in"
	}
	if t := v.options.Client.Token(); t == nil || t.RefreshToken == "" {
		return "no refresh token was issued"
	}
	return ""
}

func (v *visit) lookAtSignIn() {
	err := v.options.SignIn
	switch {
	case err == nil:
	case errors.As(err, new(*mcptest.IssuerError)):
		v.fail("M024", "sign-in", "%s", v.shown(err.Error()))
		v.skip("see M024", "M023")
	case errors.Is(err, mcptest.ErrNoClient):
		v.skip("no client can become known, see M008: name one that the authorization server knows", "M023", "M024")
	default:
		v.fail("M023", "sign-in", "%s", v.shown(err.Error()))
		v.skip("signing in did not get that far", "M024")
	}
}

// lookAtRefresh renews the token, and goes on with the new one.
func (v *visit) lookAtRefresh() {
	token, err := v.options.Client.Refresh(v.ctx)
	if err != nil {
		v.fail("M025", "token", "%s", v.shown(err.Error()))
		return
	}
	old := v.token
	v.token = token.AccessToken
	if got := v.ask("tools/list", "", ""); !got.carries() {
		v.fail("M025", "token", "the token that was renewed is answered %s", got.described())
		v.token = old
	}
}

// lookAtSpelling sends the token behind a scheme in lower case. In a query it is never sent: logs keep queries.
func (v *visit) lookAtSpelling() {
	list := v.listing()
	list.headers = append(list.headers, "Authorization: bearer "+v.token)
	if got := v.send(list); got.status == http.StatusUnauthorized {
		v.fail("M026", "POST", "Authorization: bearer … is answered %s", got.described())
	}
}

// listing is a request for the list of tools, in the era that the server speaks.
func (v *visit) listing() request {
	if v.legacy {
		return request{body: legacyMessage("tools/list", "")}
	}
	return request{body: modernMessage("tools/list", ""), headers: modernHeaders("tools/list", "")}
}
