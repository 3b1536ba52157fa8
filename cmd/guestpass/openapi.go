package main

import (
	"github.com/spf13/cobra"

	"guestpass/internal/server"
)

func openapiCommand(environ []string) *cobra.Command {
	var of documentFlags
	var yaml bool
	var stored string
	command := &cobra.Command{
		Use:   "openapi",
		Short: "Print the document that the GPT editor imports, or check a copy of it",
		Long: `Prints the same bytes that the server publishes at /openapi.json (or, with --yaml,
at /openapi.yaml) for the same settings.
` + documentDefault + `

A GPT keeps the document that was imported once. --check compares a copy, such as
the text in the editor saved to a file or the document that a server publishes,
with what this program would publish, and says what differs. Exit code 0: it is the
same; 1: it is out of date, so import again; 2: it cannot be told.`,
		Example: "  guestpass openapi\n  guestpass openapi --public-url https://gpt.example.com\n  guestpass openapi --check pasted.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			app, err := of.publisher(environ)
			if err != nil {
				return err
			}
			if stored != "" {
				return checkCopy(cmd.Context(), app.Document(), stored, cmd.OutOrStdout())
			}
			body := app.Document().JSON()
			if yaml {
				body = app.Document().YAML()
			}
			_, err = cmd.OutOrStdout().Write(body)
			return err
		},
	}
	of.add(command)
	command.Flags().BoolVar(&yaml, "yaml", false, "print YAML instead of JSON")
	command.Flags().StringVar(&stored, "check", "", "compare the copy at this `URL|FILE` instead of printing")
	return command
}

// documentFlags are the settings of a document that commands take as flags.
type documentFlags struct{ publicURL, access, vertical string }

func (f *documentFlags) add(command *cobra.Command) {
	command.Flags().StringVar(&f.publicURL, "public-url", "", "origin under which the world sees the server (GUESTPASS_PUBLIC_URL)")
	command.Flags().StringVar(&f.access, "access", "", "scopes or roles (GUESTPASS_ACCESS)")
	command.Flags().StringVar(&f.vertical, "vertical", "", "b2b or consumer (STYTCH_VERTICAL)")
}

// publisher is a server that is only asked for what it publishes. Nothing is contacted.
func (f documentFlags) publisher(environ []string) (*server.Server, error) {
	c, err := readConfig(environ)
	if err != nil {
		return nil, err
	}
	c.PublicURL, c.Access, c.Vertical = or(f.publicURL, c.PublicURL), or(f.access, c.Access), or(f.vertical, c.Vertical)
	if c.ProjectID == "" {
		c = c.withoutProject()
	}
	if err := c.check(); err != nil {
		return nil, usagef("no document:\n%w", err)
	}
	return newServer(c.options())
}
