package stytchtest_test

import (
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"guestpass/stytchtest"
)

// held is a client as GET /_emulator/clients has it.
type held struct {
	ID         string    `json:"client_id"`
	Name       string    `json:"client_name"`
	Registered time.Time `json:"registered_at"`
	Consents   []struct {
		Subject, Scope string
		Since          time.Time
	}
	Tokens []struct {
		ID, Kind, Subject, Scope string
		Aud                      []string
		Expires                  time.Time `json:"expires_at"`
	}
}

func heldBy(t *testing.T, s *stytchtest.Server, clientID string) (found held) {
	t.Helper()
	text, _ := visit(t, s.URL+"/_emulator/clients")
	var all []held
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.ID == clientID {
			found = c
		}
	}
	return found
}

// kinds are those of a client's good tokens, the one that ends last first.
func (h held) kinds() (list []string) {
	for _, token := range h.Tokens {
		list = append(list, token.Kind)
	}
	return list
}

// apps is the part of the page that has them.
func apps(t *testing.T, s *stytchtest.Server) string {
	t.Helper()
	page, _ := visit(t, s.URL)
	_, from, _ := strings.Cut(page, `<section id="apps"`)
	section, _, found := strings.Cut(from, `<section id="project"`)
	if !found {
		t.Fatalf("the page has no apps:\n%s", page)
	}
	return html.UnescapeString(section)
}

// TestThePageShowsWhatClientsHold: who allowed what since when, and which tokens can be used for what until when, and
// never the text of one.
func TestThePageShowsWhatClientsHold(t *testing.T) {
	s := open(t, func(seed *stytchtest.Seed) { seed.ConnectedApps[0].Audience = "https://api.example" })
	reply := tokens(t, s, exchange(authorize(t, s)))
	s.Advance(10 * time.Minute)
	again := tokens(t, s, exchange(authorize(t, s)))
	must[string](t)(s.Mint(stytchtest.MintRequest{Subject: grace, ClientID: "connected-app-test-deleted"}))

	got := heldBy(t, s, gpt)
	const scope = "openid email tasks:read offline_access"
	if len(got.Consents) != 1 || got.Consents[0].Subject != ada || got.Consents[0].Scope != scope ||
		!got.Consents[0].Since.Equal(noon) || !got.Registered.IsZero() {
		t.Errorf("consents: %+v", got.Consents)
	}
	if !slices.Equal(got.kinds(), []string{"refresh", "refresh", "access", "access"}) {
		t.Fatalf("tokens: %+v", got.Tokens)
	}
	access := got.Tokens[3]
	if access.Subject != ada || access.Scope != scope || !slices.Equal(access.Aud, []string{project,
		"https://api.example"}) || !access.Expires.Equal(noon.Add(time.Hour)) ||
		access.ID != claimsOf(t, reply["access_token"])["jti"] {
		t.Errorf("the older access token is %+v", access)
	}
	shown, text := apps(t, s), must[[]byte](t)(json.Marshal(heldBy(t, s, gpt)))
	for _, want := range []string{"ada@acme.example", "<code>" + scope + "</code>", "12:00:00",
		"<code>" + project + " https://api.example</code>", "13:00:00 <span class=\"muted\">50 min left",
		"A client that there is not", "Revoke the refresh token of ada@acme.example"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the page lacks %s:\n%s", want, shown)
		}
	}
	for _, r := range []object{reply, again} {
		for _, name := range []string{"access_token", "refresh_token", "id_token"} {
			if token := r[name].(string); strings.Contains(shown, token) || strings.Contains(string(text), token) {
				t.Errorf("the text of the %s is shown", name)
			}
		}
	}
	s.Advance(time.Hour)
	if got := heldBy(t, s, gpt); !slices.Equal(got.kinds(), []string{"refresh", "refresh"}) {
		t.Errorf("an hour later: %+v", got.Tokens)
	}
}

// TestThePageShowsWhoRegistered, by themselves or by their document, the newest first, and when.
func TestThePageShowsWhoRegistered(t *testing.T) {
	s := openLoopback(t)
	if strings.Contains(apps(t, s), "registered itself") {
		t.Error("the seed's apps registered themselves")
	}
	ids := map[string]string{}
	for _, name := range []string{"First", "Second <b>"} {
		status, reply, _ := ask(t, "POST", s.URL+"/v1/oauth2/register", object{"client_name": name,
			"redirect_uris": []string{"https://client.example/" + name[:5]}, "token_endpoint_auth_method": "none"})
		if status != 201 {
			t.Fatal(status, reply)
		}
		ids[name] = reply["client_id"].(string)
		s.Advance(time.Minute)
	}
	host := hostDocument(t)
	host.document(t, nil)
	if status, reply := askConsent(t, s, host.URL); status != 200 {
		t.Fatal(status, reply)
	}
	shown := apps(t, s)
	order := regexp.MustCompile(`(by its document|registered itself), ([\d:]+)`).FindAllString(shown, -1)
	if !slices.Equal(order, []string{"by its document, 12:02:00", "registered itself, 12:01:00",
		"registered itself, 12:00:00"}) {
		t.Errorf("they came as %q:\n%s", order, shown)
	}
	for _, want := range []string{host.URL, "https://client.example/Secon", "https://client.example/First",
		ids["First"]} {
		if !strings.Contains(shown, "<code>"+want) && !strings.Contains(shown, `">`+want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if page, _ := visit(t, s.URL); strings.Contains(page, "Second <b>") {
		t.Error("a name is not escaped")
	}
	if got := heldBy(t, s, ids["First"]); !got.Registered.Equal(noon) || got.Name != "First" {
		t.Errorf("%+v", got)
	}
}

// TestTheButtonsOfClients do what they say, once, and for nobody of another origin.
func TestTheButtonsOfClients(t *testing.T) {
	for _, tt := range []struct {
		action, says string
		which        func(held) string
		left         []string // good tokens of the app
		consents     int
		gone         bool // pressed again, it says that there is nothing to do
	}{
		{"revoke-consent", "taken back", func(held) string { return ada + " " + gpt }, []string{"access"}, 1, true},
		{"revoke-token", "The token has ended", func(h held) string { return h.Tokens[0].ID },
			[]string{"refresh", "access", "access"}, 2, true},
		{"revoke-token", "The token has ended", func(h held) string { return h.Tokens[4].ID },
			[]string{"refresh", "refresh", "access", "access"}, 2, true},
		{"revoke-tokens", "All tokens of the client", func(held) string { return gpt }, nil, 2, false},
		{"delete-client", "The client is deleted", func(held) string { return gpt }, nil, 0, true},
	} {
		t.Run(tt.action, func(t *testing.T) {
			s := open(t)
			tokens(t, s, exchange(authorize(t, s)))
			s.Advance(time.Minute)
			tokens(t, s, exchange(authorize(t, s, func(b object) {
				b["scopes"] = []string{"openid", "offline_access"}
			})))
			authorize(t, s, func(b object) { b["member_id"] = grace })
			must[string](t)(s.Mint(stytchtest.MintRequest{Subject: grace, ClientID: gpt, ExpiresIn: 60}))
			before := heldBy(t, s, gpt)
			fields := form("which", tt.which(before))
			if response := press(t, s, tt.action, "http://evil.example", fields); response.StatusCode != 403 ||
				len(heldBy(t, s, gpt).Tokens) != 5 {
				t.Errorf("another origin may press it: %d", response.StatusCode)
			}
			response := press(t, s, tt.action, s.URL, fields)
			leads := response.Header.Get("Location")
			if response.StatusCode != 303 || leads != "/?done="+tt.action+"#apps" {
				t.Errorf("%d, leads to %s", response.StatusCode, leads)
			}
			visit(t, s.URL+leads, tt.says)
			if after := heldBy(t, s, gpt); !slices.Equal(after.kinds(), tt.left) || len(after.Consents) != tt.consents {
				t.Errorf("left are %q and %d consents", after.kinds(), len(after.Consents))
			}
			leads = press(t, s, tt.action, s.URL, fields).Header.Get("Location")
			if gone := leads == "/?done=gone#apps"; gone != tt.gone {
				t.Errorf("pressed again it leads to %s", leads)
			}
			visit(t, s.URL+"/?done=gone", "There was nothing to do")
		})
	}
}

// TestAWatchedPageStaysWatched after a button of a client, for whoever has no script.
func TestAWatchedPageStaysWatched(t *testing.T) {
	s := open(t)
	page, _ := visit(t, s.URL+"/?watch=1", `<form method="post" id="act"><input type="hidden" name="watch" value="1">`)
	if strings.Count(page, `form="act"`) == 0 {
		t.Error("no button is of that form")
	}
	response := press(t, s, "delete-client", s.URL, form("which", phone, "watch", "1"))
	if leads := response.Header.Get("Location"); leads != "/?done=delete-client&watch=1#apps" {
		t.Errorf("it leads to %s", leads)
	}
}

// TestTokensAreRevokedByControl, one or all of a client, and in the way that a server notices.
func TestTokensAreRevokedByControl(t *testing.T) {
	s := open(t)
	reply := tokens(t, s, exchange(authorize(t, s)))
	active := func(token any) bool {
		_, got, _ := ask(t, "POST", s.URL+"/v1/oauth2/introspect", form("token", token.(string), "client_id", gpt,
			"client_secret", gptSecret))
		return got["active"] == true
	}
	revoke := func(body object) int {
		status, _, _ := ask(t, "POST", s.URL+"/_emulator/tokens/revoke", body)
		return status
	}
	for name, body := range map[string]object{"nothing": {}, "both": {"id": "x", "client_id": gpt}} {
		if status := revoke(body); status != 400 {
			t.Errorf("%s: %d", name, status)
		}
	}
	access := heldBy(t, s, gpt).Tokens[1]
	if status := revoke(object{"id": access.ID}); status != 200 || active(reply["access_token"]) ||
		!active(reply["refresh_token"]) {
		t.Errorf("one token: %d", status)
	}
	if status := revoke(object{"id": access.ID}); status != 404 {
		t.Errorf("once more: %d", status)
	}
	if status := revoke(object{"client_id": gpt}); status != 200 || active(reply["refresh_token"]) {
		t.Errorf("all tokens: %d", status)
	}
	if got := heldBy(t, s, gpt); len(got.Consents) != 1 || len(got.Tokens) != 0 {
		t.Errorf("left is %+v", got)
	}
	if status, got, _ := ask(t, "POST", s.URL+"/v1/oauth2/token", url.Values{"grant_type": {"refresh_token"},
		"refresh_token": {reply["refresh_token"].(string)}, "client_id": {gpt},
		"client_secret": {gptSecret}}); status != 400 {
		t.Errorf("a revoked refresh token gives %d %v", status, got)
	}
}

// TestAStateOfAnOlderVersionIsGoneOnWith: it has the scopes of consents alone.
func TestAStateOfAnOlderVersionIsGoneOnWith(t *testing.T) {
	s := open(t)
	authorize(t, s)
	exported, _ := visit(t, s.URL+"/_emulator/export")
	var state object
	if err := json.Unmarshal([]byte(exported), &state); err != nil {
		t.Fatal(err)
	}
	consents := state["held"].(object)["consents"].(object)
	for key, value := range consents {
		consents[key] = value.(object)["scopes"]
	}
	other := open(t)
	if status, reply, _ := ask(t, "POST", other.URL+"/_emulator/import", state); status != 200 {
		t.Fatal(status, reply)
	}
	got := heldBy(t, other, gpt)
	if len(got.Consents) != 1 || got.Consents[0].Scope != "openid email tasks:read offline_access" ||
		!strings.Contains(apps(t, other), "not kept") {
		t.Errorf("%+v", got)
	}
}
