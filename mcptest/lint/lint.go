// Package lint holds an MCP server, anybody's, against what clients need of it, from outside: what a person would
// come across who connects ChatGPT, Claude, Cursor, VS Code and others one by one. [Check] finds it, [Explain] tells
// of a rule.
//
// A rule is kept, broken or not looked at, and then there is a reason: nothing is passed in silence. Whatever the
// server answers, there is a report and never a crash or an endless wait: time, sizes and the number of requests are
// bounded, no redirect is followed, and the token goes to the server alone. No tool is called that may change
// something, unless [Options].Writes is set. The package knows neither Guestpass's operations nor its server.
package lint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"guestpass/mcptest"
)

// Finding is one place where a rule is broken.
type Finding struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	Place    string   `json:"place"`   // for people: "GET", "createTask.inputSchema", "metadata"
	Problem  string   `json:"problem"` // what was seen
	Breaks   string   `json:"breaks"`  // which clients, and how
	Remedy   string   `json:"remedy"`  // what to change
}

// Skip is why rules were not looked at.
type Skip struct {
	Rules  []string `json:"rules"`
	Reason string   `json:"reason"`
}

// Report is what was found. Each rule is in it once: broken, kept or skipped. What was not seen of the server is left
// out.
type Report struct {
	Unseen   string    `json:"unseen,omitempty"`   // why nothing could be said to the server; "" if it could
	Server   string    `json:"server,omitempty"`   // its name and version, as it says
	Versions []string  `json:"versions,omitempty"` // of the protocol, that it spoke
	Tools    *int      `json:"tools,omitempty"`    // nil: the list was not read
	Called   []string  `json:"called"`             // tools that were called
	Findings []Finding `json:"findings"`
	Kept     []string  `json:"kept"`
	Skipped  []Skip    `json:"skipped"`
}

// Options change what is looked at.
type Options struct {
	// Client holds the token to look with, and renews it. Nil looks as somebody who has none.
	Client *mcptest.Client
	// SignIn is why nobody could sign in; nil if nobody tried, or it went well.
	SignIn error
	// SignedIn says that Client got its token by signing in, as a client does.
	SignedIn bool
	// Writes calls tools that may change something, too.
	Writes bool
	// HTTP sends the requests, and follows no redirect. Nil means that of NewHTTPClient.
	HTTP *http.Client
	// Time bounds each request. 0: 10 s, as long as Claude waits for metadata.
	Time time.Duration
	// Total bounds the whole check. What was not looked at until then is said to be so. 0: 3 minutes.
	Total time.Duration
	// Progress is told before each step how many of all were made. Nil tells nobody.
	Progress func(done, all int)
}

// Bounds of a check.
const (
	defaultTime    = 10 * time.Second
	defaultTotal   = 3 * time.Minute
	endTime        = 5 * time.Second // for ending the sessions
	callTimes      = 3               // as long: a call; hosts wait for 60 s at most
	maxDocument    = 64 << 10        // bytes of metadata
	maxMessage     = 4 << 20         // bytes of an answer
	mostUnanswered = 3               // requests that were not answered in time, and then no more are sent
	mostListed     = 20              // findings of one rule; one more tells how many there are
	mostCalled     = 10              // tools
	mostPages      = 20              // of a list
	mostTools      = 2000            // of a list; clients stop far below
)

// NoServerError says that nobody speaks MCP at the address.
type NoServerError struct{ Address, Answer string }

func (e *NoServerError) Error() string {
	return "there is no MCP server at " + e.Address + ": a message was answered " + e.Answer
}

// ErrToken says that the server takes the token for no good, so that most could not be looked at.
var ErrToken = errors.New("the server does not take the token")

// Speaks reports whether a server at the address answers a message of MCP, or refuses it for want of a token. sure is
// false for such a refusal, which servers of other kinds make too.
func Speaks(ctx context.Context, address string) (speaks, sure bool) {
	v, err := newVisit(ctx, address, Options{})
	if err != nil {
		return false, false
	}
	defer v.end(ctx)
	switch v.contact() {
	case open:
		return true, true
	case closed:
		return true, false
	}
	return false, false
}

// Check looks at the server. A report beside an error says what could be seen until then.
func Check(ctx context.Context, address string, o Options) (*Report, error) {
	v, err := newVisit(ctx, address, o)
	if err != nil {
		return nil, err
	}
	given := ctx
	defer v.end(given)
	total, cancel := context.WithTimeout(ctx, v.options.Total)
	defer cancel()
	v.ctx = total
	switch v.contact() {
	case absent:
		if v.first.err != nil {
			return nil, v.first.err
		}
		return nil, &NoServerError{v.address, v.first.described()}
	case moved:
		v.fail("M031", "POST", "a message is answered %s", v.first.described())
		v.mute = "the server redirects messages: give the address that they lead to"
	case closed:
		v.protected = true
		v.mute = "the server asks for a token"
		if o.SignIn != nil {
			v.mute = "the server asks for a token, and signing in did not succeed"
		}
	}
	if v.mute == "" || v.protected && v.token != "" {
		err = v.begin()
	}
	for i, c := range checks {
		if given.Err() != nil {
			return v.report(), given.Err()
		}
		if v.ctx.Err() != nil {
			v.skip(v.outOfTime(), c.rules...)
			continue
		}
		if o.Progress != nil {
			o.Progress(i, len(checks))
		}
		v.run(c)
	}
	return v.report(), err
}

// outOfTime is why rules are not looked at any more.
func (v *visit) outOfTime() string {
	return fmt.Sprintf("out of time: the check may take %s in all", v.options.Total)
}

// situation is what a server makes of the first message.
type situation int

const (
	absent situation = iota // it is none of MCP
	open                    // it answers
	closed                  // it wants a token
	moved                   // it is somewhere else
)

// visit is one look at a server.
type visit struct {
	ctx     context.Context
	options Options
	address string // as it was given
	url     *url.URL
	http    *http.Client
	token   string
	tokens  []string // of secretTokens

	first      answer // to a message without a token
	protected  bool
	mute       string // why nothing can be said to the server; "" if it can
	legacy     bool   // it speaks a version with initialize
	modern     bool   // it speaks 2026-07-28
	version    string // of the legacy era
	session    string
	sessions   []string // handed out, and to be ended
	beginning  answer   // to initialize
	discovered answer   // to server/discover
	notified   answer   // to notifications/initialized
	list       list
	called     []call

	metadata metadata

	unanswered int
	waited     int    // for a busy server
	busy       string // why no more is sent to it; "" while more is
	closes     bool   // it closes connections that it does not say it closes
	lost       bool   // a request of the check that runs was not answered
	outcomes   map[string]*outcome
}

// outcome is what became of a rule.
type outcome struct {
	findings []Finding
	more     int // findings that are not listed
	skipped  string
}

func newVisit(ctx context.Context, address string, o Options) (*visit, error) {
	token := ""
	if o.Client != nil {
		if t := o.Client.Token(); t != nil {
			token = t.AccessToken
		}
	}
	u, err := readAddress(address, token != "")
	if err != nil {
		return nil, err
	}
	o.Time, o.Total = cmp.Or(o.Time, defaultTime), cmp.Or(o.Total, defaultTotal)
	v := &visit{ctx: ctx, options: o, address: address, url: u, http: o.HTTP, token: token,
		outcomes: map[string]*outcome{}}
	if o.HTTP == nil {
		v.http = NewHTTPClient(address)
	}
	return v, nil
}

// CheckAddress says why the server at an address cannot be looked at: with a token, if there is or will be one. The
// error does not repeat a password in it.
func CheckAddress(address string, token bool) error {
	_, err := readAddress(address, token)
	return err
}

func readAddress(address string, token bool) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		if u == nil || u.User != nil { // an address that cannot be read may have a password too
			return nil, errors.New("this is not the address of a server: it must begin with http:// or https://")
		}
		return nil, fmt.Errorf("%q is not the address of a server: it must begin with http:// or https://", address)
	case u.User != nil || u.Fragment != "":
		return nil, errors.New("the address must have neither a user or password nor a fragment (#…)")
	case token && u.Scheme == "http" && !isThisMachine(u):
		return nil, fmt.Errorf("%s is another machine and not https: whoever is on the way there could read the "+
			"token; give its https:// address", u.Host)
	}
	return u, nil
}

// check looks at rules. Those that it does not break are kept.
type check struct {
	rules []string
	needs []need
	look  func(*visit)
}

// need is what a check cannot do without: it returns "", or why it is not there.
type need func(*visit) string

func (v *visit) run(c check) {
	for _, needed := range c.needs {
		if reason := needed(v); reason != "" {
			v.skip(reason, c.rules...)
			return
		}
	}
	v.lost = false
	c.look(v)
	for _, rule := range c.rules {
		if _, judged := v.outcomes[rule]; judged {
			continue
		}
		if v.ctx.Err() != nil {
			v.skip(v.outOfTime(), rule)
			continue
		}
		if v.lost {
			v.skip(cmp.Or(v.busy, "a request was not answered"), rule)
			continue
		}
		v.outcomes[rule] = &outcome{}
	}
}

// fail says that a rule is broken.
func (v *visit) fail(rule, place, format string, args ...any) {
	r, _ := Explain(rule)
	v.failAs(r.Severity, rule, place, format, args...)
}

func (v *visit) failAs(severity Severity, rule, place, format string, args ...any) {
	if v.lost && rule != "M030" {
		return // what one answer says beside one that did not come is too little
	}
	o := v.outcomes[rule]
	if o == nil || o.skipped != "" {
		o = &outcome{}
		v.outcomes[rule] = o
	}
	if len(o.findings) == mostListed {
		o.more++
		return
	}
	r, _ := Explain(rule)
	o.findings = append(o.findings, Finding{rule, severity, v.shown(place), fmt.Sprintf(format, args...), r.Breaks,
		r.Remedy})
}

// failOnce says it once for a place.
func (v *visit) failOnce(rule, place, format string, args ...any) {
	if !v.found(rule, place) {
		v.fail(rule, place, format, args...)
	}
}

// found reports whether a rule is broken at a place.
func (v *visit) found(rule, place string) bool {
	o := v.outcomes[rule]
	return o != nil && slices.ContainsFunc(o.findings, func(f Finding) bool { return f.Place == v.shown(place) })
}

// skip says why rules were not looked at. What was found before counts.
func (v *visit) skip(reason string, rules ...string) {
	for _, rule := range rules {
		if _, judged := v.outcomes[rule]; !judged {
			v.outcomes[rule] = &outcome{skipped: reason}
		}
	}
}

func (v *visit) report() *Report {
	r := &Report{Unseen: v.mute, Server: v.serverName(), Versions: v.versions(), Called: []string{},
		Findings: []Finding{}, Kept: []string{}, Skipped: []Skip{}}
	if tools := len(v.list.tools); v.list.pages > 0 {
		r.Tools = &tools
	}
	for _, c := range v.called {
		r.Called = append(r.Called, v.shown(c.tool.Name))
	}
	for _, rule := range rules {
		o := v.outcomes[rule.ID]
		switch {
		case o == nil:
			r.skip("the check ended before", rule.ID)
		case o.skipped != "":
			r.skip(o.skipped, rule.ID)
		case len(o.findings) == 0:
			r.Kept = append(r.Kept, rule.ID)
		default:
			r.Findings = append(r.Findings, o.findings...)
			if o.more > 0 {
				last := o.findings[len(o.findings)-1]
				last.Place, last.Problem = "", fmt.Sprintf("and %d more of this kind", o.more)
				r.Findings = append(r.Findings, last)
			}
		}
	}
	for i, f := range r.Findings {
		r.Findings[i].Place, r.Findings[i].Problem = v.clean(f.Place), v.clean(f.Problem)
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity))
	})
	return r
}

func (r *Report) skip(reason, rule string) {
	i := slices.IndexFunc(r.Skipped, func(s Skip) bool { return s.Reason == reason })
	if i < 0 {
		r.Skipped = append(r.Skipped, Skip{Reason: reason})
		i = len(r.Skipped) - 1
	}
	r.Skipped[i].Rules = append(r.Skipped[i].Rules, rule)
}

// hidden is what stands for a secret that a server repeats.
const hidden = "…"

// shortestSecret is the least length, in bytes, of what is hidden: anything shorter is in many words, and anybody could
// guess it.
const shortestSecret = 8

func (v *visit) hide(text string) string {
	return hideAll(text, slices.Concat(v.secretTokens(), v.sessions))
}

func hideAll(text string, secrets []string) string {
	for _, secret := range secrets {
		if len(secret) >= shortestSecret {
			text = strings.ReplaceAll(text, secret, hidden)
		}
	}
	return text
}

// secretTokens are the token, those before it, and those to renew it.
func (v *visit) secretTokens() []string {
	v.tokens = append(v.tokens, v.token)
	if v.options.Client != nil {
		if t := v.options.Client.Token(); t != nil {
			v.tokens = append(v.tokens, t.AccessToken, t.RefreshToken)
		}
	}
	slices.Sort(v.tokens)
	v.tokens = slices.Compact(v.tokens)
	return v.tokens
}

// hideIn hides tokens in headers, parts of which are shown in many places. Sessions are needed as they are.
func (v *visit) hideIn(h http.Header) http.Header {
	tokens := v.secretTokens()
	for _, values := range h {
		for i, value := range values {
			values[i] = hideAll(value, tokens)
		}
	}
	return h
}

// clean is what every text of the report goes through, whoever wrote it.
func (v *visit) clean(text string) string { return escaped(v.hide(text)) }

// shown returns a text of the server's as it may be shown: without secrets, short, and with what does not print
// escaped.
func (v *visit) shown(text string) string { return printable(v.hide(text)) }

// said returns the same to be quoted.
func (v *visit) said(text string) string { return cut(v.hide(text)) }
