package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// The linker sets these where a build cannot ask Git, such as of a source archive, or has a better name than the commit
// for the version: -ldflags "-X guestpass/cli.linkedVersion=… -X guestpass/cli.linkedCommit=…". A commit that ends in
// -dirty had changes that were not committed.
var linkedVersion, linkedCommit string

// unknownVersion is the version of a build of which nobody said one.
const unknownVersion = "0.1.0-dev"

// version returns what the build is called: in the document, by MCP, and by guestpass version.
func version() string { return about().Version }

// An edition is what is known of how this program was built.
type edition struct {
	Version    string   `json:"version"`
	Commit     string   `json:"commit,omitempty"`
	Modified   bool     `json:"modified"` // the commit had changes that were not committed
	Go         string   `json:"go"`
	Platform   string   `json:"platform"`
	Production bool     `json:"production"`
	Modules    []module `json:"modules"`
}

type module struct {
	Path     string `json:"path"`
	Version  string `json:"version"`
	Replaced string `json:"replaced_by,omitempty"` // by this path, and perhaps version
}

// about returns what the linker was told, and else what the Go tool recorded.
func about() edition {
	e := edition{Version: linkedVersion, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Production: builtForProduction}
	e.Commit, e.Modified = strings.CutSuffix(linkedCommit, "-dirty")
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = new(debug.BuildInfo)
	}
	if e.Version == "" && info.Main.Version != "(devel)" {
		e.Version = info.Main.Version
	}
	e.Version = or(e.Version, unknownVersion)
	for _, recorded := range info.Settings {
		switch {
		case linkedCommit != "":
		case recorded.Key == "vcs.revision":
			e.Commit = recorded.Value
		case recorded.Key == "vcs.modified":
			e.Modified = recorded.Value == "true"
		}
	}
	e.Modules = []module{}
	for _, dep := range info.Deps {
		m := module{Path: dep.Path, Version: dep.Version}
		if dep.Replace != nil {
			m.Replaced = strings.TrimSpace(dep.Replace.Path + " " + dep.Replace.Version)
		}
		e.Modules = append(e.Modules, m)
	}
	return e
}

func versionCommand() *cobra.Command {
	var modules, asJSON bool
	command := &cobra.Command{
		Use:   "version",
		Short: "Print version, commit and what it was built with",
		Long: `Prints the version, the commit that it was built from, and the version of Go; with --modules
also those of the libraries in it, and with --json all of it for programs.`,
		Example:     "  guestpass version --modules",
		Annotations: map[string]string{tellsFaults: ""}, // who asks this may be about to mend the settings
		Args:        noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				encoder := json.NewEncoder(exact(cmd.OutOrStdout()))
				encoder.SetEscapeHTML(false)
				encoder.SetIndent("", "  ")
				return encoder.Encode(about())
			}
			return about().print(cmd.OutOrStdout(), modules)
		},
	}
	command.Flags().BoolVar(&modules, "modules", false, "print the versions of the modules in it as well")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON, with the modules")
	return command
}

func (e edition) print(out io.Writer, modules bool) error {
	commit := or(e.Commit, "not recorded in this build")
	if e.Modified {
		commit += ", with changes that are not committed"
	}
	kind := "with the commands for development"
	if e.Production {
		kind = "for production"
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "guestpass\t%s\ncommit\t%s\ngo\t%s\nplatform\t%s\nbuilt\t%s\n", e.Version, commit, e.Go,
		e.Platform, kind)
	if modules {
		fmt.Fprintln(table)
		for _, m := range e.Modules {
			fmt.Fprintf(table, "%s\t%s\n", m.Path, strings.TrimSpace(m.Version+" "+m.Replaced))
		}
	}
	return table.Flush()
}
