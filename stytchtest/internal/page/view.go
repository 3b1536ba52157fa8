package page

import (
	"slices"
	"strconv"
	"time"

	"guestpass/stytchtest/internal/faults"
)

// A View is all that the page shows, taken at one moment.
type View struct {
	Project       Project
	Consumer      bool
	Watch         bool
	KeptIn        string // file of the project; "": it is forgotten
	Done, Problem string // what a button did, or could not do
	Base, Issuer  string
	Now, Zone     string
	Date          string
	Ahead, Behind string // of the real time; "" for neither
	Chaos         *faults.Chaos
	Faults        []Fault
	Inbox         List[Mail]
	People        []Group
	Apps          []App
	Registered    List[App]
	Keys          []Key
	Requests      List[Request]
	Tokens        List[Token]
}

// Headcount returns how many people there are.
func (v View) Headcount() (n int) {
	for _, g := range v.People {
		n += len(g.People)
	}
	return n
}

// AppCount returns how many connected apps there are.
func (v View) AppCount() (n int) {
	for _, a := range v.Apps {
		if !a.Gone {
			n++
		}
	}
	return n + v.Registered.Total
}

// A List has the newest of something, and what is a little older.
type List[T any] struct {
	Total    int
	New, Old []T
}

// Shown returns how many of all the page has.
func (l List[T]) Shown() int { return len(l.New) + len(l.Old) }

// listed is how many of a list the page has, unfolded or not; JSON has all of them.
const listed = 50

// Newest makes the list of what is newest last.
func Newest[T, V any](all []T, unfolded int, view func(T) V) List[V] {
	list := List[V]{Total: len(all)}
	for _, item := range slices.Backward(all[max(0, len(all)-listed):]) {
		if len(list.New) < unfolded {
			list.New = append(list.New, view(item))
		} else {
			list.Old = append(list.Old, view(item))
		}
	}
	return list
}

type (
	// A Project with its credentials.
	Project struct {
		ID, Secret, PublicToken, Name, Vertical string
		AuthorizationURL                        string
		RedirectURLs                            []string
		Slug, Environment                       string
		WorkspaceKey, WorkspaceSecret           string
	}
	// A Group is an organization with its members, or all users.
	Group struct {
		Organization *Organization
		People       []Person
	}
	// An Organization and whom it admits.
	Organization struct {
		ID, Name, Slug                 string
		EmailInvites                   string
		EmailAllowedDomains            []string
		JITProvisioning                string
		FirstPartyApps, ThirdPartyApps string
		AllowedApps                    []string
	}
	// A Person is a member or a user.
	Person struct {
		ID, Name, Status, Password, ExternalID, Metadata string
		Emails                                           []Email
		Roles                                            []string // without the one that everybody has
		Providers                                        []Account
	}
	// An Email is an address of a person.
	Email struct {
		Address  string
		Verified bool
	}
	// An Account is one at an OAuth provider.
	Account struct{ Provider string }
	// An App is a connected app.
	App struct {
		ClientID, ClientSecret, NextSecret   string
		Name, Type, MetadataURL              string
		RedirectURLs, PostLogoutRedirectURLs []string
		Audience, Template                   string
		Minutes                              int

		Registered string // when, by itself or by its document; "" for one that somebody has made
		Gone       bool   // there is none, but a token for it
		Consents   []Consent
		Tokens     List[GoodToken]
	}
	// A Consent of a person, to an app.
	Consent struct{ PersonID, Person, Scopes, Since string }
	// A GoodToken is one that can be used now. Its text is not in it.
	GoodToken struct{ ID, Kind, Person, Scopes, Audience, Until, Left string }
	// A Key signs, or is published until a day.
	Key struct{ ID, Until string } // Until "": it signs
	// A Mail of the inbox.
	Mail struct {
		To, Code, Link string
		ID, What, At   string
		Left           string // "": used already, replaced by a newer one, or too old
	}
	// A Fault on purpose.
	Fault struct{ Path, What, Left string }
)

var mailKinds = map[string]string{"otp": "sign-in code", "magic_link": "sign-in link", "invite": "invitation",
	"reset_password": "password reset"}

// MailKind returns a kind of mail in words.
func MailKind(kind string) string { return mailKinds[kind] }

// ViewFault returns what the fault does, in words.
func ViewFault(f faults.Left) Fault {
	v := Fault{Path: f.Path, What: "answers as usual", Left: "until cleared"}
	switch {
	case f.Kind == faults.Drop:
		v.What = "drops the connection"
	case f.Kind == faults.Reset:
		v.What = "resets the connection"
	case f.Kind == faults.Trickle:
		v.What = "answers a byte a second"
	case f.Status != 0:
		v.What = "answers " + strconv.Itoa(f.Status)
		if f.Kind == faults.HTML {
			v.What += " with HTML"
		}
	}
	if f.Delay > 0 {
		v.What += ", after " + f.Delay.String()
	}
	if f.Count > 0 {
		v.Left = strconv.Itoa(f.Requests) + " of " + strconv.Itoa(f.Count)
	}
	return v
}

// A Token is an issued token.
type Token struct {
	ID, Kind, Subject, Person, Client, Scope string
	Issued, Expires, Left                    string // Left is "" without an end
	KeyID, Claims                            string
	Ended, Revoked                           bool
}

// A Request is one that was answered.
type Request struct {
	Method, Path, Query, Route, Client, Error, Body, Reply string
	Status                                                 int

	ID, At            string
	Outcome           string // a class of the style sheet: good, refused or failed
	Asked, Sent, Came Content
}

// Read fills in what the page shows of the request, which came at a time.
func (r Request) Read(number int, came, now time.Time) Request {
	r.ID, r.At, r.Outcome = "request-"+strconv.Itoa(number), At(came, now), "good"
	r.Asked, r.Sent, r.Came = readable(r.ID+"-query", r.Query), readable(r.ID+"-body", r.Body),
		readable(r.ID+"-reply", r.Reply)
	if r.Status >= 400 && r.Status < 500 {
		r.Outcome = "refused"
	} else if r.Status == 0 || r.Status >= 500 {
		r.Outcome = "failed"
	}
	return r
}
