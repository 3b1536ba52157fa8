package server_test

import (
	"slices"
	"strings"
	"testing"

	"guestpass"
	"guestpass/internal/inside"
	"guestpass/stytchtest"
)

// Tokens name a client by an id of Stytch's, which knows where the client's document is: that is what counts,
// not what the client calls itself.
func TestClientsAreAdmittedByTheHostsOfTheirDocuments(t *testing.T) {
	seed := stytchtest.Development()
	id := func(n string) string { return "connected-app-test-eeeeeeee-0000-4000-8000-00000000000" + n }
	for n, document := range map[string]string{"1": "https://claude.ai/oauth/client",
		"2": "https://evil.example/claude.ai", "3": "",
		"4": "https://claude.ai.evil.example/client", "5": "https://claude.ai:8443/client",
		"6": "http://claude.ai/client"} {
		seed.ConnectedApps = append(seed.ConnectedApps, stytchtest.ConnectedApp{ClientID: id(n),
			Name: "Claude (claude.ai)",
			Type: "third_party_public", RedirectURLs: []string{"https://claude.ai/cb"}, MetadataURL: document})
	}
	w := newWorldOf(t, stytchtest.Options{Seed: &seed},
		func(o *guestpass.Options) { o.ClientIDs = append(slices.Clone(o.ClientIDs), "claude.ai") })
	read := func(client string) int {
		token := w.mint(stytchtest.MintRequest{Subject: ada, ClientID: client, Scopes: everything})
		return w.call("GET", "/api/v1/tasks", token, "").status
	}
	for client, want := range map[string]int{seed.ConnectedApps[0].ClientID: 200, seed.ConnectedApps[1].ClientID: 200,
		id("1"): 200,
		id("2"): 401, id("3"): 401, id("4"): 401, id("5"): 401, id("6"): 401, id("9"): 401} {
		if got := read(client); got != want {
			t.Errorf("%s: %d, want %d", client, got, want)
		}
	}
	// Who is listed needs no Stytch for this. Of others it cannot be told now, which is no 401: that would sign people
	// out.
	w.stytch.Fail(stytchtest.Fault{Path: "/v1/connected_apps", Kind: "drop"})
	if got := read(seed.ConnectedApps[0].ClientID); got != 200 {
		t.Errorf("a listed one while Stytch is away: %d", got)
	}
	if got := read(id("8")); got != 503 {
		t.Errorf("an unknown one while Stytch is away: %d", got)
	}
	if !strings.Contains(w.log.String(), "client not looked up") {
		t.Error("the log does not say so")
	}
}

// Who lists connected apps alone is told at the start that the tools are for next to nobody.
func TestToolsForNobodyAreWarnedOf(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*guestpass.Options)
		warned bool
	}{
		"apps alone": {func(*guestpass.Options) {}, true},
		"a host": {func(o *guestpass.Options) { o.ClientIDs = append(slices.Clone(o.ClientIDs), "claude.ai") },
			false},
		"dynamic":      {dynamic, false},
		"everybody":    {func(o *guestpass.Options) { o.ClientIDs = nil }, false},
		"no tools":     {func(o *guestpass.Options) { o.NoMCP = true }, false},
		"no tools yet": {func(o *guestpass.Options) { o.ClientIDs, o.NoMCP = nil, true }, false},
	} {
		w := newWorld(t, tt.change)
		inside.Diagnose(w.app, t.Context())
		if _, warned := lastTold(w.log.String(), "clients"); warned != tt.warned {
			t.Errorf("%s: warned %t", name, warned)
		}
	}
}
