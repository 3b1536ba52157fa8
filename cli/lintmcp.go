//go:build !production

package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"guestpass/gpttest"
	"guestpass/mcptest"
	mcplint "guestpass/mcptest/lint"
	"guestpass/openapi/lint"
)

const serverHelp = `A URL at which a server answers a message of MCP, or refuses it with 401 and serves no
document, is held against what MCP clients need; --mcp, a token, a sign-in and --writes do so
without asking. Each finding says who breaks on it and what to change, and what could not be
looked at is named. Without a token, and if nobody signs in, that is most of a server that
wants one. Only tools that say readOnlyHint are called, unless --writes is given. The token
goes to that server alone, by https unless it is on this machine. docs/lint.md tells more.`

// serverSettings are those of guestpass lint for an MCP server.
type serverSettings struct {
	force, signIn, writes bool
	token, tokenFile      string
	as, emulator          string
	clientID              string
	in                    io.Reader
	notes                 io.Writer // of the sign-in
}

func (s *serverSettings) addFlags(flags *pflag.FlagSet) {
	flags.BoolVar(&s.force, "mcp", false, "take the URL for an MCP server without asking it")
	flags.StringVar(&s.token, "token", "", "look at an MCP server with this access token; everybody on this machine "+
		"sees it in the process list")
	flags.StringVar(&s.tokenFile, "token-file", "", "`FILE` that has the access token in it; - for the standard input")
	flags.BoolVar(&s.signIn, "sign-in", false, "sign in to an MCP server in your browser, as guestpass try does")
	flags.StringVar(&s.as, "as", "", "sign in as this person of the Stytch emulator, in a headless Chromium")
	flags.StringVar(&s.emulator, "emulator", defaultEmulatorURL, "the Stytch emulator, whose inbox --as reads")
	flags.StringVar(&s.clientID, "client-id", "", "sign in as this client, where none can register itself")
	flags.BoolVar(&s.writes, "writes", false, "call tools that may change something, too: they may send "+
		"invitations or pay for something, in earnest")
}

// check refuses flags that make no sense together.
func (s *serverSettings) check(args []string, fix string) error {
	signsIn := s.signIn || s.as != ""
	given := s.force || s.writes || s.withToken()
	for _, name := range args {
		if u, err := url.Parse(name); strings.Contains(name, "://") && (err != nil || u.User != nil) {
			return usagef("an address has a user or password in it, or cannot be read: leave them out, and name a " +
				"file that has an access token with --token-file")
		}
	}
	switch {
	case s.token != "" && s.tokenFile != "", signsIn && (s.token != "" || s.tokenFile != ""):
		return usagef("--token, --token-file and --sign-in exclude each other")
	case s.clientID != "" && !signsIn:
		return usagef("--client-id is for signing in: give --sign-in too")
	case given && fix != "":
		return usagef("--fix writes a copy of a document: an MCP server has none")
	case given && len(args) != 1:
		return usagef("a token, a sign-in, --mcp and --writes are for one MCP server: name its URL alone")
	case given && !strings.Contains(args[0], "://"):
		return usagef("a token, a sign-in, --mcp and --writes take the URL of a server, not a file")
	case s.as != "" && !strings.Contains(s.as, "@"):
		return usagef("--as must be an e-mail address, such as ada@acme.example")
	case given:
		s.force = true // nobody has a token for a document
		if err := mcplint.CheckAddress(args[0], s.withToken()); err != nil {
			return usageError{err}
		}
	}
	return nil
}

// withToken reports whether there is a token to look with, or will be.
func (s *serverSettings) withToken() bool {
	return s.signIn || s.as != "" || s.token != "" || s.tokenFile != ""
}

// isServer tells an MCP server from a document, by what is answered: a server answers a message of MCP, or refuses it
// with 401 and has no document for GET.
func (s *serverSettings) isServer(ctx context.Context, name string) bool {
	if s.force || !strings.Contains(name, "://") {
		return s.force
	}
	address, _, _ := strings.Cut(name, "#") // a server's is refused later, and says why
	speaks, sure := mcplint.Speaks(ctx, address)
	if !speaks || sure {
		return speaks
	}
	response, err := getDocument(ctx, newDocumentClient(nil), name)
	if err != nil {
		return true
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return true
	}
	begin, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10)) // what broke off says as much
	return !isDocumentType(response.Header.Get("Content-Type")) && !namesItself.Match(begin)
}

// namesItself matches the member by which a document says what it is, wherever it is served as plain text.
var namesItself = regexp.MustCompile(`(?m)(^|[{,])[ \t]*["']?(openapi|swagger)["']?[ \t]*:`)

// server looks at an MCP server.
func (s *serverSettings) server(ctx context.Context, address string) (lintResult, error) {
	r := lintResult{Document: address, Findings: []lint.Finding{}}
	o := mcplint.Options{Writes: s.writes, Progress: progress(s.notes)}
	o.Client = mcptest.New(address, mcptest.Options{HTTP: mcplint.NewHTTPClient(address)})
	token, err := s.readToken()
	switch {
	case err != nil:
		return r, err
	case token != "":
		o.Client.SetToken(&mcptest.Token{AccessToken: token})
	case s.signIn || s.as != "":
		switch o.Client, err = s.enter(ctx, address); {
		case errors.Is(err, errQuiet) || ctx.Err() != nil:
			return r, fmt.Errorf("%s was not looked at: nobody signed in", address)
		case errors.As(err, new(inboxError)) || errors.Is(err, gpttest.ErrNoBrowser): // not the server's
			return r, fmt.Errorf("%s was not looked at: %w", address, err)
		case err != nil && o.Client == nil:
			return r, err
		}
		o.SignIn, o.SignedIn = err, err == nil && o.Client.SignedIn()
	}
	report, err := mcplint.Check(ctx, address, o)
	if report != nil {
		r.server = report
		if report.Unseen != "" && !s.withToken() {
			r.more = ": add --sign-in, or --token-file"
		}
		for _, f := range report.Findings {
			r.Findings = append(r.Findings, lint.Finding{Rule: f.Rule, Severity: lint.Severity(f.Severity),
				Place: f.Place, Problem: f.Problem, Remedy: f.Remedy})
		}
	}
	if err != nil {
		return r, fmt.Errorf("%s: %w", address, err)
	}
	return r, nil
}

// readToken returns "" if no token was given.
func (s *serverSettings) readToken() (string, error) {
	switch {
	case s.token != "":
		fmt.Fprintln(s.notes, "guestpass: the value of --token is visible to everybody on this machine in the process "+
			"list, and is kept in the shell's history: name a file with --token-file (- is the standard input)")
		return s.token, checkSecret(s.token, "--token", "access token")
	case s.tokenFile == "":
		return "", nil
	}
	return secretSource{file: s.tokenFile, flag: "token-file", stdin: s.in, notes: s.notes,
		what: "access token"}.read(context.Background())
}

// enter signs in as guestpass try does, and says the steps beside the findings.
func (s *serverSettings) enter(ctx context.Context, address string) (*mcptest.Client, error) {
	t := &try{url: address, mcp: true, as: s.as, emulator: s.emulator, clientID: s.clientID,
		print: newPrinter(s.notes, false)}
	profile := mcptest.Profile{Title: "guestpass lint", RedirectURI: "a page of its own", Tolerant: true}
	back, err := t.returns(ctx, profile)
	if err != nil {
		return nil, err
	}
	defer back.close()
	client := mcptest.New(address, mcptest.Options{Profile: profile, HTTP: mcplint.NewHTTPClient(address),
		ClientID: s.clientID, DocumentURL: back.document})
	return client, t.signIn(ctx, client, profile, back)
}

// MarshalJSON writes what was found at an MCP server in the members that documents have, and more.
func (r lintResult) MarshalJSON() ([]byte, error) {
	type plain lintResult
	if r.server == nil {
		return json.Marshal(plain(r))
	}
	return json.Marshal(struct {
		Document string `json:"document"`
		*mcplint.Report
		Error string `json:"error,omitempty"`
	}{r.Document, r.server, r.Error})
}

// tellServer prints the findings grouped by rule, the worst first, then what was not looked at.
func (r lintResult) tellServer(out io.Writer) {
	broken := map[mcplint.Severity]int{}
	for rest := r.server.Findings; len(rest) > 0; {
		first, n := rest[0], 1
		for n < len(rest) && rest[n].Rule == first.Rule && rest[n].Severity == first.Severity {
			n++
		}
		broken[first.Severity]++
		tellRule(out, rest[:n])
		rest = rest[n:]
	}
	fmt.Fprintln(out)
	unseen := 0
	for _, skipped := range r.server.Skipped {
		unseen += len(skipped.Rules)
		fmt.Fprintf(out, "not checked, %s: %s\n", skipped.Reason, strings.Join(inRanges(skipped.Rules), " "))
	}
	called := "no tool was called"
	if len(r.server.Called) > 0 {
		called = "called: " + strings.Join(r.server.Called, ", ")
	}
	if r.server.Unseen != "" {
		why := strings.TrimPrefix(r.server.Unseen, "the server ")
		fmt.Fprintf(out, "%s %s, so its name, versions and tools were not seen\n", r.Document, why)
	} else {
		tools := "a list of tools that could not be read"
		if r.server.Tools != nil {
			tools = count(*r.server.Tools, "tool")
		}
		fmt.Fprintf(out, "%s is %s, speaks %s, has %s; %s\n", r.Document,
			cmp.Or(r.server.Server, "a server without a name"), strings.Join(r.server.Versions, " and "), tools, called)
	}
	fmt.Fprintf(out, "%s, %s, %s; of %d rules %d were kept and %d not checked%s. `guestpass lint --explain RULE` "+
		"tells more\n", count(broken[mcplint.Error], "error"), count(broken[mcplint.Warning], "warning"),
		count(broken[mcplint.Note], "note"), len(mcplint.Rules()), len(r.server.Kept), unseen, r.more)
}

// invocation tells a program what was not checked, and why.
func (r lintResult) invocation() sarifInvocation {
	i := sarifInvocation{Successful: r.Error == "", Notifications: []sarifNotification{}}
	if r.Error != "" {
		i.Notifications = append(i.Notifications, sarifNotification{"error", sarifText{r.Error}})
	}
	for _, skipped := range r.server.Skipped {
		i.Notifications = append(i.Notifications, sarifNotification{"note", sarifText{"not checked, " + skipped.Reason +
			": " + strings.Join(inRanges(skipped.Rules), " ")}})
	}
	return i
}

// inRanges writes rules that follow each other in the table as the first and the last.
func inRanges(rules []string) (ranges []string) {
	ids := serverRuleIDs()
	for len(rules) > 0 {
		n, at := 1, slices.Index(ids, rules[0])
		for n < len(rules) && at+n < len(ids) && ids[at+n] == rules[n] {
			n++
		}
		if n < 3 {
			ranges, rules = append(ranges, rules[0]), rules[1:]
			continue
		}
		ranges, rules = append(ranges, rules[0]+"–"+rules[n-1]), rules[n:]
	}
	return ranges
}

// placesShown bounds the places of one problem that are listed for a person; the rest is counted.
const placesShown = 4

// tellRule prints the findings of one rule: a problem that many tools have is one line.
func tellRule(out io.Writer, findings []mcplint.Finding) {
	first := findings[0]
	rule, _ := mcplint.Explain(first.Rule)
	fmt.Fprintf(out, "\n%-7s %s  %s\n", first.Severity, first.Rule, rule.Title)
	var problems []string
	places := map[string][]string{}
	for _, f := range findings {
		if places[f.Problem] == nil {
			problems = append(problems, f.Problem)
		}
		places[f.Problem] = append(places[f.Problem], f.Place)
	}
	for _, problem := range problems {
		where := places[problem]
		place := strings.Join(where[:min(len(where), placesShown)], ", ")
		if len(where) > placesShown {
			place += fmt.Sprintf(" and %d more", len(where)-placesShown)
		}
		if place != "" {
			place += ": "
		}
		fmt.Fprintf(out, "        %s%s\n", place, problem)
	}
	fmt.Fprintf(out, "          breaks  %s\n          change  %s\n", first.Breaks, first.Remedy)
}

// explainServer tells of a rule for MCP servers; known is false if there is none of that id.
func explainServer(out io.Writer, id string) (known bool) {
	rule, known := mcplint.Explain(id)
	if known {
		fmt.Fprintf(out, "%s (%s, %s): %s\n\nBreaks  %s\nChange  %s\nKnown   %s\n\nKnown: S is the specification or "+
			"an RFC; A a vendor's documentation, M measured on a live service, C several public reports, D a single "+
			"report\n",
			rule.ID, rule.Degree(), rule.Group, rule.Title, rule.Breaks, rule.Remedy, rule.Evidence)
	}
	return known
}

func serverRuleIDs() (ids []string) {
	for _, r := range mcplint.Rules() {
		ids = append(ids, r.ID)
	}
	return ids
}

// serverRules are those of MCP servers for SARIF, if one is among the results.
func serverRules(results []lintResult) (list []sarifRule) {
	if !slices.ContainsFunc(results, func(r lintResult) bool { return r.server != nil }) {
		return nil
	}
	for _, r := range mcplint.Rules() {
		list = append(list, sarifRule{r.ID, sarifText{r.Title}, sarifText{"Breaks: " + r.Breaks + "."},
			sarifText{r.Remedy}})
	}
	return list
}
