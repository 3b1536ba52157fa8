// Command vulnerabilities looks up in the Go vulnerability database what the program and
// its tests import and require, and fails for everything that nobody has reviewed. It is
// run in the root of the repository, by `make check`.
//
// It asks for imported packages and not for called functions: middleware that is passed on
// as a value is called where govulncheck does not see it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// database is the module that carries the reports. Unlike the database's own host, it comes
// from where all other modules come from and stays in the module cache. A later version is
// named by `go list -m golang.org/x/vulndb@master`.
const database = "golang.org/x/vulndb@v0.0.0-20261105234957-e22db6528018"

// reviewed are findings that do no harm, each with the reason. After the report's name
// comes the package, or the module if the package with the weakness is not imported.
var reviewed = map[string]string{}

const (
	control      = "scripts/vulnerabilities/testdata/control"
	controlFinds = 7

	// An old database is a warning only, or an old checkout could not be tested any more.
	maxAge = 120 * 24 * time.Hour
)

func main() {
	if err := run(context.Background(), os.Stdout, time.Now()); err != nil {
		fmt.Fprintln(os.Stderr, "vulnerabilities:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, now time.Time) error {
	reports, made, err := download(ctx)
	if err != nil {
		return err
	}
	age := now.Sub(made)
	fmt.Fprintf(out, "vulnerability database of %s, %d days old\n", made.Format(time.DateOnly), int(age.Hours()/24))
	if age > maxAge {
		fmt.Fprintf(out, "warning: the database is old: put a later version of golang.org/x/vulndb into "+
			"scripts/vulnerabilities/main.go\n")
	}

	// An empty or misread database would find nothing anywhere.
	known, err := scan(ctx, reports, "-C", control)
	if err != nil {
		return err
	}
	known = slices.DeleteFunc(known, func(f finding) bool { return f.standard() || f.Package == "" })
	if len(known) < controlFinds {
		return fmt.Errorf("%d of at least %d vulnerabilities found in %s: the database is not what it should be",
			len(known), controlFinds, control)
	}
	fmt.Fprintf(out, "control: %d findings where at least %d have to be\n", len(known), controlFinds)

	tested, err := scan(ctx, reports, "-test")
	if err != nil {
		return err
	}
	production, err := scan(ctx, reports, "-tags", "production")
	if err != nil {
		return err
	}
	return judge(out, append(tested, production...), reviewed)
}

// judge fails for findings that are not reviewed, and for reviews of what is not there.
//
// The standard library is the machine's and not the repository's: what is wrong with it is
// told, but a machine without a later Go can still run the checks.
func judge(out io.Writer, findings []finding, reviewed map[string]string) error {
	var problems []error
	seen, standard, fixed := map[string]bool{}, map[string]bool{}, ""
	for _, f := range findings {
		switch key := f.String(); {
		case f.standard():
			if f.Package != "" {
				standard[f.OSV] = true
				if release := "go" + strings.TrimPrefix(f.Fixed, "v"); version.Compare(release, fixed) > 0 {
					fixed = release
				}
			}
		case seen[key]:
		case reviewed[key] != "":
			seen[key] = true
			fmt.Fprintf(out, "%s %s: reviewed: %s\n", f, f.Version, reviewed[key])
		default:
			seen[key] = true
			problems = append(problems, fmt.Errorf("%s %s is vulnerable: %s, see https://pkg.go.dev/vuln/%s", f,
				f.Version, f.remedy(), f.OSV))
		}
	}
	for key := range reviewed {
		if !seen[key] {
			problems = append(problems,
				fmt.Errorf("%s is reviewed but not there: remove it from scripts/vulnerabilities/main.go", key))
		}
	}
	if len(standard) > 0 {
		fmt.Fprintf(out, "warning: this Go's standard library has %d known vulnerabilities in imported packages, "+
			"build with %s or later: %s\n",
			len(standard), fixed, strings.Join(slices.Sorted(maps.Keys(standard)), " "))
	}
	return errors.Join(problems...)
}

// download returns the folder with the reports, and when they were put together.
func download(ctx context.Context) (reports string, made time.Time, err error) {
	output, failed := command(ctx, "mod", "download", "-json", database)
	var module struct{ Dir, Info, Error string }
	if err := json.Unmarshal(output, &module); err != nil {
		return "", made, fmt.Errorf("read what go mod download says of %s: %w", database, errors.Join(failed, err))
	}
	if failed != nil {
		return "", made, fmt.Errorf("%w: %s", failed, module.Error)
	}
	content, err := os.ReadFile(module.Info)
	if err != nil {
		return "", made, err
	}
	var info struct{ Time time.Time }
	if err := json.Unmarshal(content, &info); err != nil {
		return "", made, fmt.Errorf("read %s: %w", module.Info, err)
	}
	return filepath.Join(module.Dir, "data", "osv"), info.Time, nil
}

// finding is a vulnerability of a package, or with an empty Package of a required module.
type finding struct {
	OSV, Module, Version, Package, Fixed string
}

func (f finding) standard() bool { return f.Module == "stdlib" || f.Module == "toolchain" }

func (f finding) remedy() string {
	if f.Fixed == "" {
		return "no version is without it"
	}
	return "take " + f.Fixed
}

func (f finding) String() string {
	if f.Package != "" {
		return f.OSV + " " + f.Package
	}
	return f.OSV + " " + f.Module
}

// scan returns what govulncheck finds, each finding once.
func scan(ctx context.Context, reports string, arguments ...string) ([]finding, error) {
	arguments = append([]string{"tool", "govulncheck", "-scan", "package", "-format", "json", "-db",
		"file://" + filepath.ToSlash(reports)}, arguments...)
	output, err := command(ctx, append(arguments, "./...")...)
	if err != nil {
		return nil, err
	}
	found := map[finding]bool{}
	for decoder := json.NewDecoder(strings.NewReader(string(output))); ; {
		var message struct {
			Finding *struct {
				OSV   string `json:"osv"`
				Fixed string `json:"fixed_version"`
				Trace []struct{ Module, Version, Package string }
			}
		}
		if err := decoder.Decode(&message); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("read what govulncheck says: %w", err)
		}
		if f := message.Finding; f != nil && len(f.Trace) > 0 {
			found[finding{f.OSV, f.Trace[0].Module, f.Trace[0].Version, f.Trace[0].Package, f.Fixed}] = true
		}
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b finding) int {
		return strings.Compare(a.String(),
			b.String())
	}), nil
}

func command(ctx context.Context, arguments ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", arguments...) // #nosec G204 -- the arguments are made in this file
	cmd.Stderr = os.Stderr
	output, err := cmd.Output()
	if err != nil {
		return output, fmt.Errorf("go %s: %w", strings.Join(arguments, " "), err)
	}
	return output, nil
}
