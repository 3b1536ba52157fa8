package guestpass

import (
	"bytes"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"guestpass/resources"
)

const realSecret = `secret-test-Zk3v"<+&Q9xT7mW2`

func guardedOptions() Options {
	return Options{PublicURL: "https://gpt.example.com", ProjectID: "project-test-11111111-1111-4111-8111-111111111111",
		Secret:      strings.ReplaceAll(realSecret, `"`, ""),
		PublicToken: "public-token-test-x", Vertical: "b2b", Domain: "https://login.example.com", ForwardTokens: true,
		Title: "Demo", Version: "1", Resources: resources.All()}
}

func TestAServerThatWouldShowASecretIsNotMade(t *testing.T) {
	secret := guardedOptions().Secret
	for name, change := range map[string]func(*Options){
		"exchanged":          func(o *Options) { o.Secret, o.PublicToken = o.PublicToken, o.Secret },
		"no secret":          func(o *Options) { o.Secret = "" },
		"a secret in quotes": func(o *Options) { o.Secret = `"` + o.Secret + `"` },
		"title":              func(o *Options) { o.Title = "Demo " + secret },
		"another project's":  func(o *Options) { o.Title = "secret-live-x" },
		"description":        func(o *Options) { o.Description = secret },
		"contact":            func(o *Options) { o.ContactEmail = secret + "@example.com" },
		"privacy policy":     func(o *Options) { o.PrivacyURL = "https://example.com/?" + secret },
		"client id":          func(o *Options) { o.ClientIDs = []string{"connected-app-test-1", secret} },
		"client id of /docs": func(o *Options) { o.DocsClientID = secret },
		"version":            func(o *Options) { o.Version = secret },
		"hint":               func(o *Options) { o.SecretHint = "It is " + secret },
		"in upper case":      func(o *Options) { o.Title = strings.ToUpper(secret[12:]) },
		"spaced":             func(o *Options) { o.Description = strings.Join(strings.Split(secret[12:], ""), " ") },
		"a connected app's": func(o *Options) {
			o.ClientSecrets = map[string]string{"connected-app-test-1": "Wn7bR4kX9tM2vQ6p"}
			o.Title = "Demo WN7BR4KX9TM2VQ6P"
		},
		"hidden by a soft hyphen": func(o *Options) { o.Title = secret[:4] + "\u00ad" + secret[4:] },
	} {
		o := guardedOptions()
		change(&o)
		if _, err := New(o); err == nil || strings.Contains(err.Error(), "Q9xT7") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(guardedOptions()); err != nil {
		t.Error(err)
	}
}

// The last guard, for what no check of the options foresees: the page is not sent.
func TestAPageWithTheSecretIsWithheld(t *testing.T) {
	log := new(bytes.Buffer)
	s := &Server{options: Options{Secret: realSecret}, log: slog.New(slog.NewJSONHandler(log, nil))}
	for name, text := range map[string]string{"as it is": realSecret, "escaped": html.EscapeString(realSecret),
		"in a link": url.QueryEscape(realSecret), "in lower case": strings.ToLower(realSecret[12:]),
		"as in an attribute": strings.ReplaceAll(html.EscapeString(realSecret), "+", "&#43;")} {
		w := httptest.NewRecorder()
		s.guarded(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<p data-x=\""+text+"\">")
		}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/idp", nil))
		if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String()+log.String(), "Q9xT7") ||
			!strings.Contains(log.String(), "withheld") {
			t.Errorf("%s: %d %s, log %s", name, w.Code, w.Body, log)
		}
	}
	w := httptest.NewRecorder()
	s.guarded(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "a page")
	}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/idp", nil))
	if w.Code != http.StatusTeapot || w.Body.String() != "a page" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// Documents and pages that are made once are looked at as well.
func TestWhatIsMadeOnceIsLookedAt(t *testing.T) {
	s, err := New(guardedOptions())
	if err != nil {
		t.Fatal(err)
	}
	for name, shown := range map[string]string{"the document": `"openapi": "3.`, "/": "<title>Demo",
		"/docs": "Search operations", "/privacy": "Privacy"} {
		s.options.Secret = shown
		if err := s.checkPublished(); err == nil {
			t.Errorf("%s is not looked at", name)
		}
	}
}
