package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"guestpass/internal/doctor"
	"guestpass/internal/doctor/outside"
	"guestpass/internal/inside"
	"guestpass/internal/text"
	"guestpass/store"
)

// doctorTimeout is for all checks of one call.
const doctorTimeout = time.Minute

type doctorSettings struct{ json, strict bool }

func doctorCommand(environ []string) *cobra.Command {
	var d doctorSettings
	command := &cobra.Command{
		Use:   "doctor [URL]",
		Short: "Find what keeps people and assistants from connecting",
		Long: `Checks a server, and changes nothing.

Without URL it looks from inside, with the settings of guestpass serve: at the settings
themselves, at what the Stytch project has, and at database and Redis. The server need
not run` + emulatorRuns + `.
With STYTCH_WORKSPACE_KEY_ID and STYTCH_WORKSPACE_SECRET it also reads what only Stytch's
management API tells.

With URL, the origin of a server, it looks from outside and needs no settings: at DNS,
certificate and TLS, the document, the metadata, and how an MCP client begins.

Each check is one line: what was found and, if it fails, what was expected and what to do.
A check that is skipped says why. Exit code 2 if a check fails or could not be made, with
--strict 1 if there are no more than warnings, else 0.`,
		Example: "  guestpass doctor\n  guestpass doctor https://gpt.example.com\n" +
			"  guestpass doctor --json --strict",
		Annotations: map[string]string{tellsFaults: "", readsNothing: ""},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("name one URL, not %d; see `guestpass doctor --help`", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), doctorTimeout)
			defer cancel()
			if len(args) == 1 {
				site, err := outside.Parse(args[0])
				if err != nil {
					return usagef("%q %w", outside.Shown(args[0]), err)
				}
				return d.tell(cmd.OutOrStdout(), outside.Look(ctx, site))
			}
			return d.tell(cmd.OutOrStdout(), fromInside(ctx, environ, cmd.Flags()))
		},
	}
	command.Flags().BoolVar(&d.json, "json", false, "print the findings as JSON")
	command.Flags().BoolVar(&d.strict, "strict", false, "warnings count: exit code 1")
	return command
}

// fromInside makes the checks for which the settings are needed. The server is made to know what its operations need;
// it serves nobody.
func fromInside(ctx context.Context, environ []string, flags *pflag.FlagSet) iter.Seq[doctor.Finding] {
	c, faults, err := readSettings(environ, flags)
	if err == nil { // else there are none to hold against each other
		faults = append(faults, c.check(), c.checkProxies())
	}
	for _, u := range unknownVariables(environ, flags) {
		if u.refused() {
			faults = append(faults, fmt.Errorf("there is no variable %s%s", u.where(), u.advice()))
		}
	}
	if len(c.given) == 0 {
		faults = append(faults, errors.New("no settings are here: run this where "+standardFile+" is, or name the "+
			"file of settings with --"+envFileFlag))
	}
	if err := errors.Join(err, errors.Join(faults...)); err != nil {
		return doctor.Inside(ctx, doctor.Server{Fault: err})
	}
	app, err := newServer(c.options())
	if err != nil {
		return doctor.Inside(ctx, doctor.Server{Fault: err})
	}
	patient := inside.Doctor(app)
	patient.Database = func(ctx context.Context) error { return store.Examine(ctx, c.database(nil)) }
	patient.Management = c.managed(ctx)
	patient.Emulated, patient.TryClientID = c.Emulator != "", c.TryClientID
	return func(yield func(doctor.Finding) bool) {
		defer app.Close()
		doctor.Inside(ctx, patient)(yield)
	}
}

// errAsked is a failure of a check: exit code 2.
var errAsked = usageError{errQuiet}

// tell prints the findings and returns what the exit code says of them.
func (d doctorSettings) tell(out io.Writer, found iter.Seq[doctor.Finding]) error {
	var findings []doctor.Finding
	if d.json {
		findings = slices.Collect(found)
		encoder := json.NewEncoder(exact(out))
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(findings); err != nil {
			return err
		}
	} else {
		findings = printFindings(out, found)
	}
	switch doctor.Worst(findings) {
	case doctor.OK, doctor.Skipped:
		return nil
	case doctor.Warning:
		if d.strict {
			return errQuiet
		}
		return nil
	}
	return errAsked
}

// mostNames are named of the checks that are skipped for one reason.
const mostNames = 5

// together returns findings that are skipped, with those in one that say the same.
func together(findings []doctor.Finding) (fewer []doctor.Finding) {
	skipped := map[string][]string{} // the names of the checks by what is said of them
	said := func(f doctor.Finding) string { return f.Found + f.Remedy }
	for _, f := range findings {
		skipped[said(f)] = append(skipped[said(f)], f.Check)
	}
	for _, f := range findings {
		names := skipped[said(f)]
		if f.Check != names[0] {
			continue
		}
		if f.Check = strings.Join(names, ", "); len(names) > mostNames {
			f.Check = fmt.Sprintf("%d further checks", len(names))
		}
		fewer = append(fewer, f)
	}
	return fewer
}

// printFindings prints a line for each as soon as it is there, then those that were skipped, one line for what was for
// the same reason, and one for all.
func printFindings(out io.Writer, found iter.Seq[doctor.Finding]) (findings []doctor.Finding) {
	counts := map[doctor.Severity]int{}
	var skipped []doctor.Finding
	show := func(f doctor.Finding) { fmt.Fprintf(out, "%-8s %s\n", f.Severity, text.Line(f.String())) }
	for f := range found {
		findings = append(findings, f)
		if counts[f.Severity]++; f.Severity == doctor.Skipped {
			skipped = append(skipped, f)
			continue
		}
		show(f)
	}
	for _, f := range together(skipped) {
		show(f)
	}
	var said []string
	for _, severity := range []doctor.Severity{doctor.Fatal, doctor.Error, doctor.Unknown, doctor.Warning,
		doctor.Skipped, doctor.OK} {
		if counts[severity] > 0 {
			said = append(said, fmt.Sprintf("%d %s", counts[severity], severity))
		}
	}
	fmt.Fprintf(out, "\n%d checks: %s\n", len(findings), strings.Join(said, ", "))
	return findings
}
