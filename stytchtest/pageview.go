package stytchtest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A pageView is all that the page shows, taken at one moment.
type pageView struct {
	Project       Project
	Consumer      bool
	Watch         bool
	Done, Problem string // what a button did, or could not do
	Base, Issuer  string
	Now, Zone     string
	Date          string
	Ahead, Behind string // of the real time; "" for neither
	Chaos         Chaos
	Faults        []faultView
	Inbox         pageList[mailView]
	People        []groupView
	Apps          []ConnectedApp
	Consents      []consentView
	Keys          []keyView
	Requests      pageList[requestView]
	Tokens        pageList[tokenView]
}

// A pageList is the newest of something, and what is a little older.
type pageList[T any] struct {
	Total    int
	New, Old []T
}

// Shown is how many of all the page has.
func (l pageList[T]) Shown() int { return len(l.New) + len(l.Old) }

// listed is how many of a list the page has, unfolded or not; JSON has all of them.
const listed = 50

// newest makes the list of what is newest last.
func newest[T, V any](all []T, unfolded int, view func(T) V) pageList[V] {
	list := pageList[V]{Total: len(all)}
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
	faultView struct{ Path, What, Left string }
	mailView  struct {
		Mail
		ID, What, At string
		Left         string // "": used already, replaced by a newer one, or too old
	}
	// A groupView is an organization with its members, or all users.
	groupView struct {
		Organization *Organization
		People       []personView
	}
	personView struct {
		ID, Name, Status, Password, ExternalID, Metadata string
		Emails                                           []Email
		Roles                                            []string // without the one that everybody has
		Providers                                        []OAuthProvider
	}
	consentView struct{ Person, App, Scopes string }
	keyView     struct{ ID, Until string } // Until "": it signs
)

func (e *Emulator) pageView(r *http.Request) pageView {
	e.mu.Lock()
	defer e.mu.Unlock()
	now, seed, query := e.now(), e.state.seed(), r.URL.Query()
	c := &call{r: r}
	v := pageView{Project: seed.Project, Consumer: e.vertical.name == consumer.name, Watch: query.Get("watch") == "1",
		Base: scheme(r) + "://" + r.Host, Issuer: e.base(c), Now: now.Format(time.TimeOnly), Zone: now.Format("MST"),
		Date:  now.Format("2 January 2006"),
		Chaos: e.chaos.Chaos, Apps: seed.ConnectedApps, People: e.peopleView(), Consents: e.consentViews(),
		Requests: newest(e.requests, 15, func(r Request) requestView { return viewRequest(r, now) }),
		Tokens:   newest(e.issued, 8, e.viewToken)}
	v.Done, v.Problem = said(query)
	if e.state.Advanced > 0 {
		v.Ahead = span(e.state.Advanced)
	} else if e.state.Advanced < 0 {
		v.Behind = span(e.state.Advanced)
	}
	mails := slices.Clone(e.state.Inbox)
	slices.Reverse(mails)
	number := len(mails) + 1
	v.Inbox = newest(mails, 4, func(m Mail) mailView { number--; return e.viewMail(m, number) })
	for _, f := range e.faults {
		if f.Count == 0 || f.spent < f.Count {
			v.Faults = append(v.Faults, viewFault(f))
		}
	}
	for _, k := range slices.Backward(e.published()) {
		key := keyView{ID: k.id}
		if !k.retired.IsZero() {
			key.Until = k.retired.Add(keyOverlap).In(now.Location()).Format("2 January 2006")
		}
		v.Keys = append(v.Keys, key)
	}
	return v
}

func viewFault(f *Fault) faultView {
	v := faultView{Path: f.Path, What: "answers as usual", Left: "until cleared"}
	switch {
	case f.Kind == kindDrop:
		v.What = "drops the connection"
	case f.Kind == kindReset:
		v.What = "resets the connection"
	case f.Kind == kindTrickle:
		v.What = "answers a byte a second"
	case f.Status != 0:
		v.What = "answers " + strconv.Itoa(f.Status)
		if f.Kind == kindHTML {
			v.What += " with HTML"
		}
	}
	if f.Delay > 0 {
		v.What += ", after " + f.Delay.String()
	}
	if f.Count > 0 {
		v.Left = strconv.Itoa(f.Count-f.spent) + " of " + strconv.Itoa(f.Count)
	}
	return v
}

var mailKinds = map[string]string{"otp": "sign-in code", "magic_link": "sign-in link", "invite": "invitation",
	"reset_password": "password reset"}

// viewMail looks whether the mail is still of use. The caller holds mu.
func (e *Emulator) viewMail(m Mail, number int) mailView {
	now := e.now()
	v := mailView{Mail: m, ID: "mail-" + strconv.Itoa(number), What: mailKinds[m.Kind], At: at(m.SentAt, now)}
	var expires time.Time
	for _, c := range e.state.Codes {
		if m.Code != "" && c.Code == m.Code && c.Email == m.To {
			expires = c.Expires
		}
	}
	if u, err := url.Parse(m.Link); err == nil {
		if l := e.state.Links[u.Query().Get("token")]; l != nil {
			expires = l.Expires
		}
	}
	if now.Before(expires) {
		v.Left = span(rounded(expires.Sub(now)))
	}
	return v
}

// peopleView has everybody who belongs somewhere. The caller holds mu.
func (e *Emulator) peopleView() (groups []groupView) {
	of := func(organizationID string) (people []personView) {
		for _, p := range e.state.people {
			if p.organizationID == organizationID {
				people = append(people, e.viewPerson(p))
			}
		}
		return people
	}
	if e.vertical.name == consumer.name {
		return []groupView{{People: of("")}}
	}
	for _, o := range e.state.organizations {
		copied := *o
		groups = append(groups, groupView{&copied, of(o.ID)})
	}
	return groups
}

func (e *Emulator) viewPerson(p *person) personView {
	v := personView{ID: p.id, Name: p.fullName(), Status: p.status, Password: p.password, ExternalID: p.externalID,
		Emails: p.emails, Providers: p.providers,
		Roles: slices.DeleteFunc(slices.Clone(p.roles), func(role string) bool { return role == e.vertical.role })}
	if len(p.trusted)+len(p.untrusted) > 0 {
		v.Metadata = indented(map[string]any{"trusted_metadata": p.trusted, "untrusted_metadata": p.untrusted})
	}
	return v
}

// Headcount is how many people there are.
func (v pageView) Headcount() (n int) {
	for _, g := range v.People {
		n += len(g.People)
	}
	return n
}

// consentViews are in the order of people and apps. The caller holds mu.
func (e *Emulator) consentViews() (list []consentView) {
	for _, p := range e.state.people {
		for _, a := range e.state.apps {
			if scopes, consented := e.state.Consents[consentKey{p.id, a.ClientID}]; consented {
				list = append(list, consentView{p.email(), a.Name, strings.Join(scopes, " ")})
			}
		}
	}
	return list
}
