package main

import (
	"github.com/spf13/cobra"

	"guestpass/internal/server"
)

func openapiCommand(environ []string) *cobra.Command {
	var publicURL, access, vertical string
	var yaml bool
	command := &cobra.Command{
		Use:   "openapi",
		Short: "Print the document that the GPT editor imports",
		Long: `Prints the same bytes that the server publishes at /openapi.json (or, with --yaml,
at /openapi.yaml) for the same settings.
` + documentDefault,
		Example: "  guestpass openapi\n  guestpass openapi --public-url https://gpt.example.com",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := readConfig(environ)
			if err != nil {
				return err
			}
			c.PublicURL, c.Access, c.Vertical = or(publicURL, c.PublicURL), or(access, c.Access), or(vertical, c.Vertical)
			app, err := c.publisher()
			if err != nil {
				return err
			}
			body := app.Document().JSON()
			if yaml {
				body = app.Document().YAML()
			}
			_, err = cmd.OutOrStdout().Write(body)
			return err
		},
	}
	command.Flags().StringVar(&publicURL, "public-url", "", "origin under which the world sees the server (GUESTPASS_PUBLIC_URL)")
	command.Flags().StringVar(&access, "access", "", "scopes or roles (GUESTPASS_ACCESS)")
	command.Flags().StringVar(&vertical, "vertical", "", "b2b or consumer (STYTCH_VERTICAL)")
	command.Flags().BoolVar(&yaml, "yaml", false, "print YAML instead of JSON")
	return command
}

// publisher is a server that is only asked for its document. Nothing is contacted.
func (c config) publisher() (*server.Server, error) {
	if c.ProjectID == "" {
		c = c.withoutProject()
	}
	if err := c.check(); err != nil {
		return nil, usagef("no document:\n%w", err)
	}
	return newServer(c.options())
}
