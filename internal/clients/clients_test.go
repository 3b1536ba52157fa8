package clients_test

import (
	"strings"
	"testing"

	"guestpass/internal/clients"
)

func TestAnIDThatIsAURLHasOneReading(t *testing.T) {
	for _, good := range []string{
		"https://claude.ai/oauth/mcp-oauth-client-metadata", "https://chatgpt.com/oauth/abc_1/client.json",
		"https://example.com:8443/c", "https://example.com/c?v=1", "https://xn--bcher-kva.example/c",
		"http://127.0.0.1:4000/client.json", "http://localhost:4000/client.json", "http://[::1]:4000/client.json",
		"https://localhost/client.json",
	} {
		if _, err := clients.ParseURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "claude.ai", "http://claude.ai/c", "ftp://claude.ai/c", "javascript://claude.ai/%0aalert(1)",
		"https:claude.ai/c",
		"https://claude.ai", "https://claude.ai/", "https://claude.ai/c#f", "https://claude.ai/c#",
		"https://u@claude.ai/c",
		"https://u:p@claude.ai/c", "https:///c", "https://:443/c", "https://claude.ai:/c", "https://claude.ai./c",
		"https://CLAUDE.ai/c", "HTTPS://claude.ai/../c", "https://claude.ai/a/../c", "https://claude.ai/./c",
		"https://claude.ai/%2e%2E/c", "https://claude.ai/%2e/c", "https://claude.ai\\@evil.example/c",
		"https://bücher.example/c",
		"https://claude.ai/c d", "https://claude.ai/c\n", "https://claude.ai/c\x00", "https://claude.ai/<b>",
		"https://[::1/c",
		"http://127.0.0.1:4000/client.json?x", "http://127.0.0.1:4000/_shutdown", "https://localhost/c",
		"http://127.0.0.1.evil.example/c", "http://localhost.evil.example/c", "https://claude.ai/" + strings.Repeat("a",
			512),
	} {
		if _, err := clients.ParseURL(bad); err == nil {
			t.Errorf("%q is taken for the URL of a document", bad)
		}
	}
}

func TestWhoIsAdmitted(t *testing.T) {
	const app, document = "connected-app-test-1", "https://claude.ai/oauth/client"
	for _, tt := range []struct {
		name                   string
		words                  []string
		everyone, lists, takes bool
	}{
		{"nothing is said", nil, true, false, true},
		{"one app", []string{app}, false, true, false},
		{"another app", []string{"connected-app-test-2"}, false, false, false},
		{"a host", []string{"claude.ai"}, false, false, true},
		{"another host", []string{"chatgpt.com", app}, false, true, false},
		{"a host above it", []string{"ai.example", "de.ai"}, false, false, false},
		{"dynamic", []string{"dynamic"}, true, false, true},
		{"dynamic beside an app", []string{app, "dynamic"}, true, true, true},
	} {
		a := clients.Parse(tt.words)
		if got := a.Everyone(); got != tt.everyone {
			t.Errorf("%s: everyone %t", tt.name, got)
		}
		if got := a.Lists(app); got != tt.lists {
			t.Errorf("%s: lists the app %t", tt.name, got)
		}
		if got := a.Takes(document); got != tt.takes {
			t.Errorf("%s: takes the document %t", tt.name, got)
		}
	}
	if clients.Parse([]string{"claude.ai"}).Takes("https://claude.ai:8443/oauth/client") {
		t.Error("another port of the host is taken")
	}
}

// TestEachSlipIsToldInItsOwnWords, and none repeats what was written, which may be a secret in the wrong place.
func TestEachSlipIsToldInItsOwnWords(t *testing.T) {
	for word, want := range map[string]string{
		"https://claude.test": "leave out https://", "https://Claude.test/c": "leave out https://",
		"Claude.test": "must be in lower case", "Dynamic": "must be in lower case",
		"Connected-App-live-1": "must be in lower case",
		"*.claude.test":        "there are no wildcards", "*": "there are no wildcards",
		"somebody": "has a dot in it", "localhost": "has a dot in it", "dynamics": "has a dot in it",
		"claude.test/": "has a slash", "claude.test:443": "has a port", "127.0.0.1": "is an address",
		"claude.test;chatgpt.test": "is no host name", "-claude.test": "is no host name",
		"claude..test":                     "is no host name",
		strings.Repeat("a.", 130) + "test": "is no host name",
	} {
		err := clients.CheckWord(word)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", word, err, want)
		} else if word != "*" && word != "Dynamic" && strings.Contains(err.Error(), word) {
			t.Errorf("%q is repeated: %v", word, err)
		}
	}
}

func TestWordsForClients(t *testing.T) {
	for _, good := range []string{"dynamic", "connected-app-live-a1", "claude.ai", "a-b.example.com"} {
		if err := clients.CheckWord(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "Dynamic", "dynamics", "connected-app-x", "connected-app-live-a=secret",
		"https://claude.ai/c",
		"claude.ai/", "*.ai", "CLAUDE.ai", "claude.ai:443", "localhost", "127.0.0.1", "secret-live-abc.example",
		" claude.ai", "all",
		"words-1234.customers.stytch.com"} {
		if err := clients.CheckWord(bad); err == nil {
			t.Errorf("%q is taken", bad)
		} else if bad != "" && strings.Contains(err.Error(), bad) && strings.Contains(bad, "secret") {
			t.Errorf("%q is repeated: %v", bad, err)
		}
	}
}
