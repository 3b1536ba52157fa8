package account

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"guestpass/internal/connections"
)

func connection(subject, client string, app connections.App) connections.Connection {
	return connections.Connection{Subject: subject, Client: client, App: app}
}

// What an app calls itself is anybody's choice: only clients whose documents are on one host, or that all lead to
// the same places, are one app, and only to one person and in one state.
func TestClientsThatAreOneApp(t *testing.T) {
	described := func(host string) connections.App {
		return connections.App{Name: "ChatGPT", Host: host, Known: true}
	}
	registered := func(returns string) connections.App {
		return connections.App{Name: "ChatGPT", Returns: returns, Known: true}
	}
	listed := connections.App{Name: "ChatGPT", Returns: "chatgpt.com", Known: true, Listed: true}
	revoked := connection("ada", "c13", described("chatgpt.com"))
	revoked.Revoked = true
	groups := grouped([]connections.Connection{
		connection("ada", "c1", described("chatgpt.com")), connection("ada", "c2", described("evil.example")),
		connection("ada", "c3", registered("chatgpt.com")), connection("ada", "c4", described("chatgpt.com")),
		connection("grace", "c5", described("chatgpt.com")),
		connection("ada", "c6", connections.App{Name: "c6", Known: true}),
		connection("ada", "c7", registered("evil.example")), connection("ada", "c8", registered("chatgpt.com")),
		connection("ada", "c9", listed), connection("ada", "c10", listed),
		connection("ada", "c11", connections.App{Name: "ChatGPT"}),
		connection("ada", "c12", connections.App{Name: "ChatGPT"}),
		revoked,
	})
	var got [][]string
	for _, group := range groups {
		var clients []string
		for _, c := range group {
			clients = append(clients, c.Client)
		}
		got = append(got, clients)
	}
	want := [][]string{{"c1", "c4"}, {"c2"}, {"c3", "c8"}, {"c5"}, {"c6"}, {"c7"}, {"c9"}, {"c10"}, {"c11"}, {"c12"},
		{"c13"}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestAGroupHasABound(t *testing.T) {
	var many []connections.Connection
	for n := range 2*maxGroup + 1 {
		many = append(many, connection("ada", fmt.Sprint("c", n), connections.App{Name: "Desk", Known: true}))
	}
	groups := grouped(many)
	if len(groups) != 3 || len(groups[0]) != maxGroup || len(groups[2]) != 1 {
		t.Errorf("%d groups, the first of %d", len(groups), len(groups[0]))
	}
}

func TestAGroupMayDoWhatAnyOfItsClientsMay(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	all := together([]connections.Connection{
		{Client: "c1", Scopes: []string{"openid"}, FirstUsed: day(3), LastUsed: day(4)},
		{Client: "c2", Scopes: []string{"tasks:read", "openid"}},
		{Client: "c3", FirstUsed: day(2), LastUsed: day(3)},
	})
	if !slices.Equal(all.Scopes, []string{"openid", "tasks:read"}) || all.FirstUsed != day(2) ||
		all.LastUsed != day(4) {
		t.Errorf("%+v", all)
	}
}
