package cli

import (
	"github.com/spf13/cobra"

	"guestpass"
)

func openapiCommand(environ []string) *cobra.Command {
	var yaml bool
	var stored, version string
	command := &cobra.Command{
		Use:   "openapi",
		Short: "Print the document that the GPT editor imports, or check a copy of it",
		Long: `Prints the same bytes that the server publishes at /openapi.json (or, with --yaml,
at /openapi.yaml) for the same settings. --version 3.0 prints /openapi-3.0.json instead,
and --version 2.0 /swagger.json, for importers that refuse 3.1: see docs/importers.md.
` + documentDefault + `

A GPT keeps the document that was imported once. --check compares a copy, such as
the text in the editor saved to a file or the document that a server publishes,
with what this program would publish, and says what differs. Exit code 0: it is the
same; 1: it is out of date, so import again; 2: it cannot be told.`,
		Example: "  guestpass openapi\n  guestpass openapi --public-url https://gpt.example.com\n  guestpass " +
			"openapi --check pasted.json\n  guestpass openapi --version 2.0 > apiDefinition.swagger.json",
		Annotations: map[string]string{needsAll: ""},
		Args:        noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version != "3.1" && (yaml || stored != "") {
				return usagef("--yaml and --check are for version 3.1, which the GPT editor imports")
			}
			app, _, err := publisher(cmd, environ)
			if err != nil {
				return err
			}
			if app.Document() == nil {
				return usagef("this server has no operations of its own: GUESTPASS_MODULES says none")
			}
			if stored != "" {
				return checkCopy(cmd.Context(), app.Document(), stored, cmd.OutOrStdout())
			}
			text, known := map[string]func() []byte{"3.1": app.Document().JSON, "3.0": app.Document().JSON30,
				"2.0": app.Document().Swagger}[version]
			if !known {
				return usagef("--version is %q, it must be 3.1, 3.0 or 2.0", version)
			}
			if yaml {
				text = app.Document().YAML
			}
			body := text()
			_, err = exact(cmd.OutOrStdout()).Write(body)
			return err
		},
	}
	documentFlags(command)
	command.Flags().BoolVar(&yaml, "yaml", false, "print YAML instead of JSON")
	command.Flags().StringVar(&version, "version", "3.1", "version of OpenAPI to print: 3.1, 3.0 or 2.0")
	choices(command, "version", "3.1", "3.0", "2.0")
	command.Flags().StringVar(&stored, "check", "", "compare the copy at this `URL|FILE` instead of printing")
	return command
}

// documentFlags gives a command the flags that are settings of a document.
func documentFlags(command *cobra.Command) {
	settingFlag(command, "public-url", "GUESTPASS_PUBLIC_URL", "origin under which the world sees the server")
	settingFlag(command, "access", "GUESTPASS_ACCESS", "scopes or roles")
	choices(command, "access", accessModes...)
	settingFlag(command, "vertical", "STYTCH_VERTICAL", "b2b or consumer")
	choices(command, "vertical", verticals...)
}

// publisher returns a server that is only asked for what it publishes, and its settings. It contacts nothing.
func publisher(command *cobra.Command, environ []string) (*guestpass.Server, config, error) {
	return publisherOf(command, environ, func(*guestpass.Options) {})
}

// publisherOf is publisher of a server that differs in some options.
func publisherOf(command *cobra.Command, environ []string, change func(*guestpass.Options)) (*guestpass.Server, config,
	error) {
	published := func(c config) config {
		if c.ProjectID == "" && !c.wrong["STYTCH_PROJECT_ID"] {
			return c.withoutProject()
		}
		return c
	}
	c, err := readWhole(environ, command.Flags(), "no document",
		func(c config) error { return published(c).check() })
	if err != nil {
		return nil, c, err
	}
	c = published(c)
	options := c.options()
	options.Log = newLog(command.ErrOrStderr(), c.level()) // what could be declared better
	change(&options)
	app, err := newServer(options)
	return app, c, err
}
