package account

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"guestpass/internal/connections"
)

func connection(subject, client, name, host string) connections.Connection {
	return connections.Connection{Subject: subject, Client: client, App: connections.App{Name: name, Host: host}}
}

// What an app calls itself is anybody's choice: only clients that also have their documents on one host, or
// all of them none, are one app, and only to one person.
func TestClientsThatAreOneApp(t *testing.T) {
	groups := grouped([]connections.Connection{
		connection("ada", "c1", "ChatGPT", "chatgpt.com"), connection("ada", "c2", "ChatGPT", "evil.example"),
		connection("ada", "c3", "ChatGPT", ""), connection("ada", "c4", "ChatGPT", "chatgpt.com"),
		connection("grace", "c5", "ChatGPT", "chatgpt.com"), connection("ada", "c6", "c6", ""),
		connection("ada", "c7", "ChatGPT", ""),
	})
	var got [][]string
	for _, group := range groups {
		var clients []string
		for _, c := range group {
			clients = append(clients, c.Client)
		}
		got = append(got, clients)
	}
	want := [][]string{{"c1", "c4"}, {"c2"}, {"c3", "c7"}, {"c5"}, {"c6"}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestAGroupHasABound(t *testing.T) {
	var many []connections.Connection
	for n := range 2*maxGroup + 1 {
		many = append(many, connection("ada", fmt.Sprint("c", n), "Desk", ""))
	}
	groups := grouped(many)
	if len(groups) != 3 || len(groups[0]) != maxGroup || len(groups[2]) != 1 {
		t.Errorf("%d groups, the first of %d", len(groups), len(groups[0]))
	}
}

func TestAGroupMayDoWhatAnyOfItsClientsMay(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	all := together([]connections.Connection{
		{Client: "c1", Scopes: []string{"openid"}, FirstUsed: day(3), LastUsed: day(4), Ended: true},
		{Client: "c2", Scopes: []string{"tasks:read", "openid"}},
		{Client: "c3", FirstUsed: day(2), LastUsed: day(3), Ended: true, Revoked: true},
	})
	if !slices.Equal(all.Scopes, []string{"openid", "tasks:read"}) || all.FirstUsed != day(2) ||
		all.LastUsed != day(4) ||
		all.Ended || !all.Revoked {
		t.Errorf("%+v", all)
	}
}
