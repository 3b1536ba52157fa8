package guestpass

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"guestpass/resources"

	"github.com/go-chi/chi/v5"
)

// inventory is every route of a B2B server, with who may call it. "everybody" is a decision
// that somebody has to review: it needs no token, and says why that is right.
const inventory = `
GET,HEAD         /                                          everybody: the landing page
GET,HEAD         /docs                                      everybody: documentation
GET,HEAD         /privacy                                   everybody: the privacy policy
GET,HEAD,OPTIONS /openapi.json                              everybody: the GPT editor has no token
GET,HEAD,OPTIONS /openapi.yaml                              everybody: the GPT editor has no token
GET,HEAD,OPTIONS /openapi-3.0.json                          everybody: importers have no token
GET,HEAD,OPTIONS /swagger.json                              everybody: importers have no token
GET,HEAD         /idp                                       everybody: people sign in there
GET,HEAD         /account                                   everybody: shows what the Stytch session's person has
GET,HEAD         /account/revoke                            everybody: shows what a link of that person's page has
GET,HEAD         /account/undo                              everybody: shows what the Stytch session's person did
GET,HEAD         /account/changes.csv                       everybody: has what the Stytch session's person did
GET,HEAD         /account/changes.json                      everybody: has what the Stytch session's person did
POST             /account/undo                              everybody: with a form that only that person's page has
POST             /idp/report                                everybody: counts one word of a fixed list
POST             /account/revoke                            everybody: with a form that only that person's page has
GET,HEAD         /.well-known/oauth-protected-resource      everybody: RFC 9728
GET,HEAD,OPTIONS /.well-known/oauth-protected-resource/mcp  everybody: RFC 9728
GET,HEAD,OPTIONS /.well-known/oauth-protected-resource/mcp/ everybody: RFC 9728
GET,HEAD,OPTIONS /.well-known/oauth-protected-resource/mcp/readonly everybody: RFC 9728
GET,HEAD,OPTIONS /.well-known/oauth-protected-resource/mcp/readonly/ everybody: RFC 9728
POST             /mcp                                       every message wants a token; tools are the operations
GET,HEAD,PUT,PATCH,DELETE,OPTIONS /mcp           everybody: 405, and preflights
POST             /mcp/                                      every message wants a token; tools are the operations
GET,HEAD,PUT,PATCH,DELETE,OPTIONS /mcp/          everybody: 405, and preflights
POST             /mcp/readonly      every message wants a token; tools are the operations that change nothing
GET,HEAD,PUT,PATCH,DELETE,OPTIONS /mcp/readonly  everybody: 405, and preflights
POST             /mcp/readonly/     every message wants a token; tools are the operations that change nothing
GET,HEAD,PUT,PATCH,DELETE,OPTIONS /mcp/readonly/ everybody: 405, and preflights
GET,HEAD         /.well-known/openai-apps-challenge         everybody: the token that the setting says, else 404
GET,HEAD         /healthz    everybody: tells that it answers, and what kind of address yours is
GET,HEAD         /readyz     everybody: tells ok, unavailable or credentials refused, to this machine what checks found
GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS /oauth2/token  everybody: Stytch checks client and code
GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS /api/*         the operations
GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS /verify        every question wants a token; reads nothing else
GET,HEAD         /verify/keys                               everybody: public keys of what /verify signs
GET              /api/v1/next-steps                         everybody: names what is in the document
GET              /api/v1/userinfo                           openid
GET              /api/v1/members                            members:read
GET              /api/v1/members/{member_id}                members:read
POST             /api/v1/members/invitations                members:invite
GET              /api/v1/tasks                              tasks:read
POST             /api/v1/tasks                              tasks:write
GET              /api/v1/tasks/{task_id}                    tasks:read
PATCH            /api/v1/tasks/{task_id}                    tasks:write
DELETE           /api/v1/tasks/{task_id}                    tasks:write
POST             /api/v1/tasks/{task_id}/complete           tasks:write
POST             /api/v1/tasks/{task_id}/restore            tasks:write
GET              /api/v1/tasks/{task_id}/comments           tasks:read
POST             /api/v1/tasks/{task_id}/comments           tasks:write
GET              /api/v1/activity                           activity:read
POST             /api/v1/activity/{activity_id}/undo        tasks:write members:invite
`

const challenge = "oa-challenge-7Qm2xVbT"

// reviewed is the inventory by method and path.
func reviewed() map[string]string {
	routes := map[string]string{}
	for line := range strings.Lines(strings.TrimSpace(inventory)) {
		fields := strings.Fields(line)
		for _, method := range strings.Split(fields[0], ",") {
			routes[method+" "+fields[1]] = strings.Join(fields[2:], " ")
		}
	}
	return routes
}

func inventoried(t *testing.T) *Server {
	t.Helper()
	s, err := New(Options{PublicURL: "https://gpt.example.com",
		ProjectID: "project-test-11111111-1111-4111-8111-111111111111", Secret: "secret-test-x",
		PublicToken: "public-token-test-x", Vertical: "b2b", Domain: "https://login.example.com", ForwardTokens: true,
		Title: "Demo", Version: "1", Resources: resources.All(), PluginChallenge: challenge})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRoutesAreTheReviewedOnes compares three lists: what the routers answer, what the
// document says, and what was reviewed.
func TestRoutesAreTheReviewedOnes(t *testing.T) {
	s, routed := inventoried(t), map[string]bool{}
	for _, routes := range []chi.Routes{s.router().(chi.Routes), s.service.Routes()} {
		err := chi.Walk(routes, func(method, path string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
			// files of ours, embedded
			if !strings.HasPrefix(path, "/assets/") && !strings.HasPrefix(path, "/idp/assets/") {
				routed[method+" "+path] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if got, want := sorted(routed), sorted(reviewed()); !slices.Equal(got, want) {
		t.Errorf("routes\n%s\nreviewed\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	documented := map[string]string{}
	for route, security := range documentedSecurity(t, s) {
		documented[route] = security
		if who := reviewed()[route]; who != security && (security != "" || !strings.HasPrefix(who, "everybody")) {
			t.Errorf("%s: the document says %q, reviewed is %q", route, security, who)
		}
	}
	for route, who := range reviewed() {
		method, path, _ := strings.Cut(route, " ")
		if _, ok := documented[route]; strings.HasPrefix(path, "/api/v1/") && !ok {
			t.Errorf("%s is not in the document", route)
		}
		// A browser's session counts on none of the others, so that no other site can use it.
		safe := slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, method)
		// a report is of nobody
		if !safe && strings.HasPrefix(who, "everybody") && path != "/oauth2/token" && path != "/idp/report" &&
			!isMCP(path) &&
			route != "POST /account/revoke" && route != "POST /account/undo" {
			t.Errorf("%s changes something for whoever a browser is signed in as: let a test like "+
				"TestOnlyThePageItselfCanRevoke forge it, and name it here", route)
		}
	}
}

// TestNothingElseAnswersWithoutAToken calls every route of the inventory without one.
func TestNothingElseAnswersWithoutAToken(t *testing.T) {
	s := inventoried(t)
	for route, who := range reviewed() {
		method, path, _ := strings.Cut(route, " ")
		if strings.HasPrefix(who, "everybody") || path == "/api/*" {
			continue
		}
		if path == verifyPath { // which wants to know what the token is for
			path += "?scope=openid"
		}
		w := httptest.NewRecorder()
		r := httptest.NewRequest(method, path, nil)
		r.Header.Set("Content-Type", "application/json")
		s.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%s without a token: %d", route, w.Code)
		}
	}
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// documentedSecurity is the scope of each operation by method and path, "" for none.
func documentedSecurity(t *testing.T, s *Server) map[string]string {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	var document struct {
		Paths map[string]map[string]struct {
			Security []map[string][]string `json:"security"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for path, operations := range document.Paths {
		for method, operation := range operations {
			var scopes []string
			for _, alternative := range operation.Security {
				for scheme, names := range alternative {
					scopes = append(scopes, names...)
					if len(names) == 0 {
						scopes = append(scopes, fmt.Sprintf("%s without a scope", scheme))
					}
				}
			}
			found[strings.ToUpper(method)+" "+path] = strings.Join(scopes, " ")
		}
	}
	return found
}
