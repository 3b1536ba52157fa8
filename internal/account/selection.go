package account

import (
	"net/url"
	"slices"

	"guestpass/internal/pattern"
	"guestpass/store"
)

// Words of addresses beside the ids of apps.
const (
	allApps    = "all"
	noApp      = "here" // what was done on this page
	everything = "/account?changes=" + allApps
)

// kinds of changes, in the order in which they are offered; "" is all of them.
var kinds = []string{"", "created", "changed", "deleted"}

// A selection is what somebody looks for among the changes, as the address of the page says it.
type selection struct {
	Client string // the app through which they were made; allApps, or noApp
	Kind   string
	Of     string // in whose name, where an administrator looks; "": in one's own

	// From and Since are ids of changes: the page begins with the one, or ends before the other is reached. Their
	// numbers would tell how many changes others have made.
	From, Since string
}

var (
	clientForm = pattern.New(`^[A-Za-z0-9._-]{1,128}$`)
	changeForm = pattern.New(`^act_[a-z0-9]{1,36}$`)
)

// askedChanges returns what the query asks for, nil for nothing, and reports whether the query can be understood.
func askedChanges(query url.Values) (s *selection, ok bool) {
	if !query.Has("changes") {
		return nil, true
	}
	s = &selection{query.Get("changes"), query.Get("kind"), query.Get("of"), query.Get("from"), query.Get("since")}
	for _, name := range []string{"changes", "kind", "of", "from", "since"} {
		if len(query[name]) > 1 {
			return s, false
		}
	}
	for _, change := range []string{s.From, s.Since} {
		if change != "" && !changeForm.MatchString(change) {
			return s, false
		}
	}
	return s, clientForm.MatchString(s.Client) && slices.Contains(kinds, s.Kind) &&
		(s.Of == "" || clientForm.MatchString(s.Of)) && (s.From == "" || s.Since == "")
}

// link leads to the selection.
func (s selection) link(path string) string {
	values := url.Values{"changes": {s.Client}}
	for name, value := range map[string]string{"kind": s.Kind, "of": s.Of, "from": s.From, "since": s.Since} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return path + "?" + values.Encode()
}

// at returns the same from other changes on.
func (s selection) at(from, since string) selection {
	s.From, s.Since = from, since
	return s
}

// query is what the database is asked, but for where it begins.
func (s selection) query(subject string, limit int) store.ActivityQuery {
	q := store.ActivityQuery{Subject: subject, Client: s.Client, Limit: limit}
	switch s.Client {
	case allApps:
		q.Client = ""
	case noApp:
		q.Client, q.NoClient = "", true
	}
	switch s.Kind {
	case "created":
		q.Kind = store.Created
	case "changed":
		q.Kind = store.Changed
	case "deleted":
		q.Removals = true
	}
	return q
}

// All reports whether it is of every app.
func (s selection) All() bool { return s.Client == allApps }

// Here reports whether it is of what was done without an app.
func (s selection) Here() bool { return s.Client == noApp }

// CSV and JSON lead to the whole selection as a file.
func (s selection) CSV() string  { return s.at("", "").link("/account/changes.csv") }
func (s selection) JSON() string { return s.at("", "").link("/account/changes.json") }
