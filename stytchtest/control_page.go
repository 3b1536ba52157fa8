package stytchtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"guestpass/stytchtest/internal/keys"
	"guestpass/stytchtest/internal/loopback"
	"guestpass/stytchtest/internal/page"
)

// page shows the emulator to a person. It reads only.
func (e *Emulator) page(w http.ResponseWriter, r *http.Request) {
	if err := e.pageView(r).Write(w); err != nil {
		e.log.Error("page", "error", err)
	}
}

// pageAction does what a button of the page says and leads back to the buttons, where
// [page.Said] tells what was done.
func (e *Emulator) pageAction(w http.ResponseWriter, r *http.Request) {
	action := chi.URLParam(r, "action")
	back, anchor := url.Values{"done": {action}}, "controls"
	switch action {
	case "reset":
		e.Reset()
	case "rotate":
		e.RotateKeys()
	case "advance":
		given := strings.TrimSpace(r.PostFormValue("by"))
		by, err := time.ParseDuration(given)
		if err != nil || !e.advance(by) {
			back = url.Values{"problem": {given}}
			break
		}
		back.Set("by", by.String())
	case "clear-faults":
		e.ClearFaults()
	case "revoke-consent", "revoke-token", "revoke-tokens", "delete-client":
		anchor = "apps"
		if !e.pageClient(action, r.PostFormValue("which")) {
			back.Set("done", "gone")
		}
	default:
		e.routeNotFound(w, r)
		return
	}
	if r.PostFormValue("watch") != "" {
		back.Set("watch", "1")
	}
	http.Redirect(w, r, "/?"+back.Encode()+"#"+anchor, http.StatusSeeOther)
}

// pageClient does what a button at a client says, to the one that it names. It reports whether there was something to
// do still.
func (e *Emulator) pageClient(action, which string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch action {
	case "revoke-consent":
		personID, clientID, _ := strings.Cut(which, " ")
		p := e.state.person(personID)
		return p != nil && e.disconnect(p, clientID) == nil
	case "revoke-token":
		return e.state.revokeToken(which)
	case "revoke-tokens":
		e.state.revokeTokens(which)
		return true
	}
	known := e.state.app(which) != nil
	e.state.deleteApp(which)
	return known
}

func (e *Emulator) pageView(r *http.Request) page.View {
	e.mu.Lock()
	defer e.mu.Unlock()
	now, query := e.now(), r.URL.Query()
	v := page.View{Project: viewProject(e.state.project), Consumer: e.vertical.name == consumer.name,
		KeptIn: e.options.KeptIn, Watch: query.Get("watch") == "1",
		Base: loopback.Scheme(r) + "://" + r.Host, Issuer: e.base(r),
		Now: now.Format(time.TimeOnly), Zone: now.Format("MST"), Date: now.Format("2 January 2006"),
		Chaos: e.chaos, People: e.viewPeople(), Keys: e.viewKeys(), Inbox: e.viewInbox(),
		Requests: page.Newest(e.requests, 15, func(r Request) page.Request { return viewRequest(r, now) }),
		Tokens:   page.Newest(e.issued, 8, e.viewToken)}
	v.Apps, v.Registered = e.viewApps()
	v.Done, v.Problem = page.Said(query)
	if e.state.Advanced > 0 {
		v.Ahead = page.Span(e.state.Advanced)
	} else if e.state.Advanced < 0 {
		v.Behind = page.Span(e.state.Advanced)
	}
	for _, f := range e.faults.Left() {
		v.Faults = append(v.Faults, page.ViewFault(f))
	}
	return v
}

func viewProject(p Project) page.Project {
	v := page.Project{ID: p.ID, Secret: p.Secret, PublicToken: p.PublicToken, Name: p.Name, Vertical: p.Vertical,
		AuthorizationURL: p.AuthorizationURL, Slug: p.Slug, Environment: p.Environment, WorkspaceKey: p.WorkspaceKey,
		WorkspaceSecret: p.WorkspaceSecret}
	for _, u := range p.RedirectURLs {
		v.RedirectURLs = append(v.RedirectURLs, u.URL)
	}
	return v
}

// viewApps returns the apps that somebody has made, with those that are no more but have tokens, and the ones that
// registered or described themselves. The caller holds mu.
func (e *Emulator) viewApps() (made []page.App, registered page.List[page.App]) {
	var came []page.App
	for _, c := range e.state.clients(e.now()) {
		switch v := e.viewApp(c); {
		case c.Registered.IsZero():
			made = append(made, v)
		default:
			came = append(came, v)
		}
	}
	return made, page.Newest(came, len(came), func(v page.App) page.App { return v })
}

// viewApp names the people of the client. The caller holds mu.
func (e *Emulator) viewApp(c *client) page.App {
	now := e.now()
	v := page.App{ClientID: c.ID, Gone: true}
	if a := e.state.app(c.ID); a != nil {
		v = page.App{ClientID: a.ClientID, ClientSecret: a.ClientSecret, NextSecret: a.NextSecret,
			Name: a.Name, Type: a.Type, MetadataURL: a.MetadataURL, RedirectURLs: slices.Clone(a.RedirectURLs),
			PostLogoutRedirectURLs: slices.Clone(a.PostLogoutRedirectURLs), Audience: a.Audience,
			Template: a.Template, Minutes: a.Minutes}
	}
	if !c.Registered.IsZero() {
		v.Registered = page.At(c.Registered, now)
	}
	for _, given := range c.Consents {
		shown := page.Consent{PersonID: given.PersonID, Person: e.nameOf(given.PersonID), Scopes: given.Scope}
		if !given.Since.IsZero() {
			shown.Since = page.At(given.Since, now)
		}
		v.Consents = append(v.Consents, shown)
	}
	slices.Reverse(c.Tokens) // as Newest wants them
	v.Tokens = page.Newest(c.Tokens, 5, func(t good) page.GoodToken {
		return page.GoodToken{ID: t.ID, Kind: t.Kind, Person: e.nameOf(t.PersonID), Scopes: t.Scope,
			Audience: strings.Join(t.Audience, " "), Until: page.At(t.Expires, now),
			Left: page.Span(page.Rounded(t.Expires.Sub(now)))}
	})
	return v
}

// nameOf returns the address of a person; the id of one who is gone. The caller holds mu.
func (e *Emulator) nameOf(personID string) string {
	if p := e.state.person(personID); p != nil {
		return p.email()
	}
	return personID
}

// viewKeys returns the published keys, the newest first. The caller holds mu.
func (e *Emulator) viewKeys() (list []page.Key) {
	now := e.now()
	for _, k := range slices.Backward(e.keys.Published(now)) {
		key := page.Key{ID: k.ID}
		if !k.Retired.IsZero() {
			key.Until = k.Retired.Add(keys.Overlap).In(now.Location()).Format("2 January 2006")
		}
		list = append(list, key)
	}
	return list
}

// viewInbox numbers mail from the oldest. The caller holds mu.
func (e *Emulator) viewInbox() page.List[page.Mail] {
	mails := slices.Clone(e.state.Inbox)
	slices.Reverse(mails)
	number := len(mails) + 1
	return page.Newest(mails, 4, func(m Mail) page.Mail { number--; return e.viewMail(m, number) })
}

// viewMail looks whether the mail is still of use. The caller holds mu.
func (e *Emulator) viewMail(m Mail, number int) page.Mail {
	now := e.now()
	v := page.Mail{To: m.To, Code: m.Code, Link: m.Link, ID: "mail-" + strconv.Itoa(number),
		What: page.MailKind(m.Kind), At: page.At(m.SentAt, now)}
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
		v.Left = page.Span(page.Rounded(expires.Sub(now)))
	}
	return v
}

// viewPeople returns everybody who belongs somewhere. The caller holds mu.
func (e *Emulator) viewPeople() (groups []page.Group) {
	of := func(organizationID string) (people []page.Person) {
		for _, p := range e.state.people {
			if p.organizationID == organizationID {
				people = append(people, e.viewPerson(p))
			}
		}
		return people
	}
	if e.vertical.name == consumer.name {
		return []page.Group{{People: of("")}}
	}
	for _, o := range e.state.organizations {
		shown := &page.Organization{ID: o.ID, Name: o.Name, Slug: o.Slug, EmailInvites: o.EmailInvites,
			EmailAllowedDomains: slices.Clone(o.EmailAllowedDomains), JITProvisioning: o.JITProvisioning,
			FirstPartyApps: o.FirstPartyApps, ThirdPartyApps: o.ThirdPartyApps,
			AllowedApps: slices.Clone(o.AllowedApps)}
		groups = append(groups, page.Group{Organization: shown, People: of(o.ID)})
	}
	return groups
}

func (e *Emulator) viewPerson(p *person) page.Person {
	v := page.Person{ID: p.id, Name: p.fullName(), Status: p.status, Password: p.password, ExternalID: p.externalID,
		Roles: slices.DeleteFunc(slices.Clone(p.roles), func(role string) bool { return role == e.vertical.role })}
	for _, address := range p.emails {
		v.Emails = append(v.Emails, page.Email{Address: address.Address, Verified: address.Verified})
	}
	for _, account := range p.providers {
		v.Providers = append(v.Providers, page.Account{Provider: account.Provider})
	}
	if len(p.trusted)+len(p.untrusted) > 0 {
		v.Metadata = page.Indented(map[string]any{"trusted_metadata": p.trusted, "untrusted_metadata": p.untrusted})
	}
	return v
}

func viewRequest(r Request, now time.Time) page.Request {
	return page.Request{Method: r.Method, Path: r.Path, Query: r.Query, Route: r.Route, Client: r.Client,
		Error: r.Error, Body: r.Body, Reply: r.Reply, Status: r.Status}.Read(r.number, r.Time, now)
}

// viewToken names the people and apps of the token. The caller holds mu.
func (e *Emulator) viewToken(t Token) page.Token {
	now := e.now()
	v := page.Token{ID: "token-" + strconv.Itoa(t.number), Kind: t.Kind, KeyID: t.KeyID,
		Issued: page.At(t.Time, now), Claims: page.Indented(t.Claims)}
	var claims struct {
		Subject  string   `json:"sub"`
		Client   string   `json:"client_id"`
		Audience []string `json:"aud"`
		Scope    string   `json:"scope"`
		Expires  float64  `json:"exp"`
		ID       string   `json:"jti"`
	}
	_ = json.Unmarshal([]byte(v.Claims), &claims) // a claim of another type, which a test may mint, stays empty
	v.Subject, v.Person, v.Client, v.Scope = claims.Subject, e.nameOf(claims.Subject), claims.Client, claims.Scope
	for _, id := range append(claims.Audience, claims.Client) {
		if app := e.state.app(id); app != nil {
			v.Client = app.Name
		}
	}
	if issued := e.state.Issued[claims.ID]; issued != nil {
		v.Revoked = issued.Revoked
	}
	if claims.Expires == 0 {
		return v
	}
	expires := time.Unix(int64(claims.Expires), 0)
	v.Expires, v.Ended = page.At(expires, now), !now.Before(expires)
	v.Left = page.Span(page.Rounded(expires.Sub(now)))
	return v
}
