package server_test

import (
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What the page's script is told, of the attributes by which it acts.
var (
	toldRequest = regexp.MustCompile(`data-request="([^"]*)"`)
	toldLink    = regexp.MustCompile(`data-link="([^"]*)"`)
)

// TestAttackConsent opens the sign-in page as a hostile website does: with clients, states,
// prompts and links of its choice. No address makes the page go on without asking the person,
// and no link is used that the settings do not offer. What the page's script makes of it is
// in TestEndToEnd…, in a browser.
func TestAttackConsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	address := func(change url.Values) string {
		query := url.Values{"client_id": {w.stytch.Export().ConnectedApps[0].ClientID},
			"redirect_uri": {"http://localhost:8090/callback"},
			"scope":        {"openid"}, "state": {"chosen-by-somebody"}}
		for name, values := range change {
			query[name] = values
		}
		return "/idp?" + query.Encode()
	}
	opened, unasked := 0, 0
	for _, prompt := range []string{"", "none", "login", "select_account", "consent", "none consent", "NONE",
		"consent none", "\u202econsent"} {
		for _, scope := range []string{"", "openid", "openid offline_access", "full_access", "members:invite"} {
			for _, kind := range []string{"code", ""} {
				change := url.Values{"prompt": {prompt}, "scope": {scope}, "response_type": {kind}}
				if kind == "" {
					delete(change, "response_type")
				}
				opened++
				body := w.call("GET", address(change), "", "").body
				told := toldRequest.FindStringSubmatch(body)
				if told == nil {
					t.Fatalf("%v: no page: %s", change, body)
				}
				request, err := url.ParseQuery(html.UnescapeString(told[1]))
				if err != nil || !slices.Equal(request["prompt"], []string{"consent"}) {
					unasked++
					t.Errorf("%v: the page goes by %v", change, request)
				}
			}
		}
	}
	links, used := 0, 0
	for _, kind := range []string{"discovery", "multi_tenant_magic_links", "multi_tenant_passwords", "reset_password",
		"oauth", "discovery_oauth",
		"magic_links", "login", "sso", "multi_tenant_impersonation", "impersonation", "x"} {
		// by code alone only invitations are links
		for _, redirect := range []string{"", "login", "signup", "reset_password", "INVITE"} {
			link := url.Values{"stytch_token_type": {kind}, "stytch_redirect_type": {redirect}, "token": {"t"}}
			links += 2
			told := toldLink.FindStringSubmatch(w.call("GET", "/idp?"+link.Encode(), "", "").body)
			if told == nil || told[1] != "refused" {
				used++
				t.Errorf("%v: %v", link, told)
			}
			if r := w.call("GET", address(link), "", ""); r.status != 400 || strings.Contains(r.body, "<script") {
				used++
				t.Errorf("%v beside a request: %d", link, r.status)
			}
		}
	}
	invitation := "/idp?stytch_token_type=multi_tenant_magic_links&stytch_redirect_type=invite&token=t" // the twin
	if told := toldLink.FindStringSubmatch(w.call("GET", invitation, "", "").body); told == nil ||
		told[1] != "offered" {
		t.Errorf("an invitation: %v", told)
	}
	t.Logf("%d requests with what a website chose, %d not asked for; %d links that are not offered, %d "+
		"used", opened, unasked, links, used)
}
