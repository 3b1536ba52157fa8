//go:build !production

package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	mcplint "guestpass/mcptest/lint"
	"guestpass/openapi/lint"
)

type lintSettings struct {
	json, sarif, remote      bool
	fix, explain, failOn, of string
	profile                  lint.Profile // named by of
	server                   serverSettings
}

func lintCommand() *cobra.Command {
	var l lintSettings
	command := &cobra.Command{
		Use:   "lint URL|FILE...",
		Short: "Find what the GPT editor would not take in an OpenAPI document, or clients in an MCP server",
		Long: `Holds OpenAPI documents, JSON or YAML, against what is known of GPT Actions: what the
editor refuses or drops, and what makes calls fail or models fumble. A FILE of - is the
standard input. Exit code 1 if anything is as severe as --fail-on says, 2 if a document
cannot be read.

--fix compares its copy with the original, references followed. It lists what the copy says
otherwise about the API, and what it left as it was since mending it would have lost something.

--for names another importer, whose rules hold instead. Beside each is where a Guestpass
server has the document for it:
` + importersHelp() + `
References to other documents are followed with --remote only, by https, and never to a
private address.

` + serverHelp,
		Example: "  guestpass lint openapi.yaml\n  guestpass lint https://gpt.example.com/openapi.json --json\n  " +
			"guestpass lint https://tasks.example.com/mcp --sign-in\n  " +
			"guestpass lint openapi.yaml --fix fixed.yaml\n  guestpass lint swagger.json --for power-platform\n" +
			"  guestpass lint --explain G051",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			l.server.in, l.server.notes = cmd.InOrStdin(), cmd.ErrOrStderr()
			if err := l.choose(); err != nil {
				return err
			}
			return l.run(cmd.Context(), args, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	flags := command.Flags()
	flags.BoolVar(&l.json, "json", false, "print the findings as JSON")
	flags.BoolVar(&l.sarif, "sarif", false, "print the findings as SARIF 2.1.0")
	flags.BoolVar(&l.remote, "remote", false, "fetch documents that a $ref names")
	flags.StringVar(&l.fix, "fix", "", "write a copy in which is mended what can be, to this `FILE` (- is the "+
		"standard output)")
	flags.StringVar(&l.explain, "explain", "", "tell why there is a `RULE`, and how to keep it; all tells "+
		"of each")
	flags.StringVar(&l.of, "for", lint.GPT, "the `IMPORTER` whose rules hold")
	flags.StringVar(&l.failOn, "fail-on", "error", "the least severity that counts as failure: error, warning or note")
	choices(command, "for", importers()...)
	choices(command, "fail-on", "error", "warning", "note")
	l.server.addFlags(flags)
	return command
}

// severities are the severities in order, the worst first.
var severities = []lint.Severity{lint.Error, lint.Warning, lint.Note}

func (l lintSettings) run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	limit := slices.Index(severities, lint.Severity(l.failOn))
	switch {
	case l.explain != "":
		return explain(out, l.explain)
	case len(args) == 0:
		return usagef("name a document, by URL or FILE; see `guestpass lint --help`")
	case limit < 0:
		return usagef("--fail-on is %q, it must be error, warning or note", l.failOn)
	case l.json && l.sarif:
		return usagef("--json and --sarif exclude each other")
	case l.fix == "-" && (l.json || l.sarif):
		return usagef("--fix - writes the copy to the standard output, where the findings go: name a FILE instead")
	case l.fix != "" && len(args) > 1:
		return usagef("--fix takes one document, not %d", len(args))
	}
	if err := l.server.check(args, l.fix); err != nil {
		return err
	}
	results, failed := make([]lintResult, len(args)), error(nil)
	for i, name := range args {
		var err error
		if results[i], err = l.one(ctx, name, in); ctx.Err() != nil {
			return errors.New("interrupted")
		} else if err != nil {
			results[i].Error = err.Error()
			failed = errors.Join(failed, err)
		}
	}
	if failed != nil {
		return usageError{errors.Join(failed, l.printOthers(out, results))}
	}
	if l.fix != "" {
		if err := results[0].writeFixed(l.fix, out); err != nil {
			return err
		}
	}
	if l.fix != "-" {
		if err := l.print(out, results); err != nil {
			return err
		}
	}
	for _, r := range results {
		if slices.ContainsFunc(r.Findings, func(f lint.Finding) bool {
			return slices.Index(severities,
				f.Severity) <= limit
		}) {
			return errQuiet
		}
	}
	return nil
}

// lintResult is what was found in one document; after a fix, in the copy.
type lintResult struct {
	Document string         `json:"document"`
	Profile  string         `json:"profile,omitempty"` // of the importer
	Copy     string         `json:"copy,omitempty"`    // whose lines the findings name, if it was fixed
	Findings []lint.Finding `json:"findings"`
	Changes  []lint.Change  `json:"changes,omitempty"` // what the copy says otherwise
	Kept     []lint.Change  `json:"kept,omitempty"`    // what was put back
	Error    string         `json:"error,omitempty"`   // why it could not be read, or not be mended
	fixed    []byte
	before   int             // findings, if it was fixed
	server   *mcplint.Report // of an MCP server, of which Findings are a part
	more     string          // what to add to see more of it
}

func (l lintSettings) one(ctx context.Context, name string, in io.Reader) (lintResult, error) {
	if l.server.isServer(ctx, name) {
		switch {
		case l.fix != "":
			return lintResult{Document: name}, fmt.Errorf("%s cannot be mended: it is an MCP server", name)
		case l.profile.Name != lint.GPT:
			return lintResult{Document: name}, fmt.Errorf("%s is an MCP server: --for is for documents", name)
		}
		return l.server.server(ctx, name)
	}
	r := lintResult{Document: name, Profile: l.profile.Name, Findings: []lint.Finding{}}
	o := lint.Options{For: &l.profile}
	if l.remote {
		o.Fetch = fetchReference
	}
	source, served, err := readDocument(ctx, name, in)
	r.Findings = append(r.Findings, served...)
	switch {
	case err != nil:
		return r, err
	case source == nil && l.fix != "":
		return r, fmt.Errorf("%s cannot be mended: %s", name, served[0].Problem)
	case source == nil:
		return r, nil
	}
	if strings.Contains(name, "://") {
		o.Address = name
	}
	r.Findings = append(r.Findings, lint.Check(ctx, source, o)...)
	if l.fix != "" {
		r.before = len(r.Findings)
		mended, err := lint.Fix(ctx, source, o)
		if err != nil {
			return r, fmt.Errorf("%s cannot be mended: %w", name, err)
		}
		r.fixed, r.Changes, r.Kept, r.Copy = mended.Document, mended.Changes, mended.Kept, l.fix
		r.Findings = append(append([]lint.Finding{}, served...), mended.Left...)
	}
	return r, nil
}

func (r lintResult) writeFixed(name string, out io.Writer) error {
	if name == "-" {
		_, err := exact(out).Write(r.fixed)
		return err
	}
	// #nosec G302 G304 -- a document is for everybody; the person who calls names it
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return usagef("%s is there already: name a file that is not", name)
	}
	if err != nil {
		return err
	}
	_, err = file.Write(r.fixed)
	return errors.Join(err, file.Close())
}

func (l lintSettings) print(out io.Writer, results []lintResult) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	switch {
	case l.json:
		return encoder.Encode(results)
	case l.sarif:
		return encoder.Encode(sarif(results))
	}
	for _, r := range results {
		r.tell(out, l.fix)
	}
	return nil
}

// printOthers prints what was found although some of the documents could not be read. For a program it also prints
// which, and why.
func (l lintSettings) printOthers(out io.Writer, results []lintResult) error {
	others := slices.DeleteFunc(slices.Clone(results), func(r lintResult) bool {
		return r.Error != "" && r.server == nil
	})
	switch {
	case l.json:
		return l.print(out, results)
	case len(others) == 0:
		return nil
	}
	return l.print(out, others)
}

// judged returns the name of the document that the findings are about.
func (r lintResult) judged() string { return cmp.Or(r.Copy, r.Document) }

// tell prints the findings grouped by rule, the worst first.
func (r lintResult) tell(out io.Writer, fixed string) {
	if r.server != nil {
		r.tellServer(out)
		return
	}
	if fixed != "" {
		fmt.Fprintf(out, "%s: %d findings; %d are left in %s\n", r.Document, r.before, len(r.Findings), fixed)
		tellChanges(out, "What the copy says otherwise (lines of "+r.Document+")", r.Changes)
		tellChanges(out, "What could not be mended (lines of "+r.Document+")", r.Kept)
	}
	if len(r.Findings) == 0 {
		fmt.Fprintf(out, "%s: nothing to say against it%s\n", r.judged(), r.forOthers())
		return
	}
	if fixed != "" {
		fmt.Fprintf(out, "\nWhat is left (lines of %s):\n", r.judged())
	}
	counts := map[lint.Severity]int{}
	for _, f := range r.Findings {
		counts[f.Severity]++
	}
	for _, severity := range severities {
		for _, rule := range lint.Rules() {
			r.group(out, severity, rule)
		}
	}
	fmt.Fprintf(out, "\n%s: %s, %s, %s%s. `guestpass lint --explain RULE` tells more", r.judged(),
		count(counts[lint.Error], "error"), count(counts[lint.Warning], "warning"), count(counts[lint.Note], "note"),
		r.forOthers())
	if fixed == "" && r.Profile == lint.GPT {
		fmt.Fprint(out, "; `--fix FILE` mends what can be")
	}
	fmt.Fprintln(out)
}

func tellChanges(out io.Writer, title string, changes []lint.Change) {
	if len(changes) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s:\n", title)
	for _, c := range changes {
		fmt.Fprintf(out, "        line %d, %s: %s\n", c.Line, c.Place, c.What)
	}
}

func (r lintResult) group(out io.Writer, severity lint.Severity, rule lint.Rule) {
	remedy := ""
	for _, f := range r.Findings {
		if f.Rule != rule.ID || f.Severity != severity {
			continue
		}
		if remedy == "" {
			fmt.Fprintf(out, "\n%-7s %s  %s\n", severity, rule.ID, rule.Title)
		} else if remedy != f.Remedy {
			fmt.Fprintf(out, "          %s\n", remedy)
		}
		line := ""
		if f.Line > 0 {
			line = fmt.Sprintf("line %d, ", f.Line)
		}
		fmt.Fprintf(out, "        %s%s: %s\n", line, f.Place, f.Problem)
		remedy = f.Remedy
	}
	if remedy != "" {
		fmt.Fprintf(out, "          %s\n", remedy)
	}
}

// ruleIDs are those of documents and then of MCP servers.
func ruleIDs() (ids []string) {
	for _, r := range lint.Rules() {
		ids = append(ids, r.ID)
	}
	return append(ids, serverRuleIDs()...)
}

func explain(out io.Writer, id string) error {
	if id == "all" {
		for i, id := range ruleIDs() {
			if i > 0 {
				fmt.Fprintln(out)
			}
			if err := explain(out, id); err != nil {
				return err
			}
		}
		return nil
	}
	rule, ok := lint.Explain(id)
	if !ok && explainServer(out, id) {
		return nil
	}
	if !ok {
		return usagef("there is no rule %s%s", id, didYouMean(near(strings.ToUpper(id), ruleIDs())))
	}
	fmt.Fprintf(out, "%s (%s): %s\n\nWhy     %s\nHow     %s\nKnown   "+
		"%s\n", rule.ID, rule.Severity, rule.Title, rule.Why, rule.Remedy, rule.Evidence)
	switch {
	case rule.Live:
		fmt.Fprintln(out, "Shown   on a running server or in the GPT editor only: lint cannot see it in a document")
	case rule.Fixed:
		fmt.Fprintln(out, "Fix     --fix mends it where one thing only can be meant")
	}
	fmt.Fprintln(out, "\nKnown: M is the editor's message; A documentation of OpenAI or the other importer, B code "+
		"they ship, C several public reports, D a single report, I inference, T tried")
	return nil
}
