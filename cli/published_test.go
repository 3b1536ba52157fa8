//go:build !production

package cli

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestWhatIsNotPublishedIsOnNoPage asks for all that a stranger can have, and looks in it, headers
// included, for the value of each setting: what is there must be declared as published, since that
// is what is checked to be public.
func TestWhatIsNotPublishedIsOnNoPage(t *testing.T) {
	var environ []string
	for name, value := range whole() {
		environ = append(environ, name+"="+value)
	}
	c, err := readConfig(environ, nil)
	if err != nil {
		t.Fatal(err)
	}
	app, err := newServer(c.options())
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, path := range []string{"/", "/docs", "/privacy", "/openapi.json", "/openapi.yaml", "/idp?return=account",
		"/.well-known/oauth-protected-resource", "/.well-known/openai-apps-challenge", "/api/v1/tasks", "/nowhere"} {
		r, reply := httptest.NewRequest(http.MethodGet, "https://gpt.example.com"+path, nil), httptest.NewRecorder()
		app.ServeHTTP(reply, r)
		fmt.Fprintln(&all, reply.Code, reply.Header(), reply.Body)
	}
	fmt.Fprintln(&all, app.GPT())
	const byChance = 8 // shorter values are words and numbers
	published := 0
	for _, s := range c.settings() {
		value := whole()[s.name]
		for _, part := range append(strings.Split(value, ","), value) {
			switch found := strings.Contains(all.String(), part); {
			case len(part) < byChance || !found:
			case s.shown:
				published++
			default:
				t.Errorf("%s is on a page, and is not declared as published", s.name)
			}
		}
	}
	if published < 8 {
		t.Errorf("%d values were found: these are not the pages\n%s", published, &all)
	}
}
