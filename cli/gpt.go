package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"guestpass/openapi"
)

func gptCommand(environ []string) *cobra.Command {
	var asJSON, instructions bool
	command := &cobra.Command{
		Use:   "gpt",
		Short: "Print what a builder pastes into the GPT editor",
		Long: `Prints the address to import, the OAuth values, instructions made of the operations,
conversation starters, and the domains that a workspace has to allow, for the same
settings as the server. The landing page shows the same, with buttons to copy.

ChatGPT runs custom GPTs until 11 December 2026, in some workspaces until 11 February
2027. What stays is MCP: ChatGPT, Claude and others need the URL of the tools alone,
which is printed first.
` + documentDefault,
		Example: "  guestpass gpt --public-url https://gpt.example.com\n  guestpass gpt --instructions | xclip " +
			"-selection clipboard",
		Annotations: map[string]string{needsAll: ""},
		Args:        noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON && instructions {
				return usagef("--json and --instructions: choose one")
			}
			app, c, err := publisher(cmd, environ)
			if err != nil {
				return err
			}
			if app.Document() == nil {
				return usagef("this server has no operations of its own: GUESTPASS_MODULES says none")
			}
			gpt, out := app.GPT(), cmd.OutOrStdout()
			withApp(gpt.OAuth, c)
			switch {
			case asJSON:
				encoder := json.NewEncoder(out)
				encoder.SetEscapeHTML(false)
				encoder.SetIndent("", "  ")
				return encoder.Encode(gpt)
			case instructions:
				_, err = fmt.Fprintln(out, gpt.Instructions)
			default:
				err = printGPT(out, gpt, c)
			}
			return err
		},
	}
	documentFlags(command)
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	command.Flags().BoolVar(&instructions, "instructions", false, "print the instructions only")
	return command
}

// withApp names the connected app that guestpass setup has made, where only the settings of guestpass try have it.
func withApp(fields []openapi.Field, c config) {
	for i, field := range fields {
		switch {
		case field.Name == "Client ID" && field.Value == "" && c.TryClientID != "":
			fields[i] = openapi.Field{Name: field.Name, Value: c.TryClientID}
		case field.Name == "Client Secret" && c.TryClientSecret != "":
			fields[i].Hint = "GUESTPASS_TRY_CLIENT_SECRET of your settings; it is not shown here."
		}
	}
}

func printGPT(w io.Writer, gpt openapi.GPT, c config) error {
	var b strings.Builder
	section := func(title string) { fmt.Fprintf(&b, "\n%s\n", strings.ToUpper(title)) }
	if c.MCP == "on" {
		section("For MCP clients, without a GPT")
		fmt.Fprintf(&b, "  %s/mcp\n\n", c.PublicURL)
		fmt.Fprintln(&b, "  ChatGPT runs custom GPTs until 11 December 2026; the landing page says how to connect this")
	}
	section("Import from URL")
	fmt.Fprintf(&b, "  %s\n", gpt.ImportURL)
	section("Authentication: OAuth")
	for _, field := range gpt.OAuth {
		fmt.Fprintf(&b, "  %-22s %s\n", field.Name, or(field.Value, field.Hint))
	}
	section("Privacy policy")
	fmt.Fprintf(&b, "  %s\n", gpt.PrivacyURL)
	section("Conversation starters")
	fmt.Fprintf(&b, "  %s\n", strings.Join(gpt.Starters, "\n  "))
	section("Domains for a workspace that restricts actions")
	fmt.Fprintf(&b, "  %s\n\n  A firewall in front of the server must let in the addresses of %s\n",
		strings.Join(gpt.Domains, "\n  "), openapi.EgressURL)
	section("Instructions")
	fmt.Fprintf(&b, "%s\n", gpt.Instructions)
	if strings.HasPrefix(gpt.ImportURL, "http://") {
		b.WriteString("\nnote: ChatGPT cannot reach this address: give a public https one with --public-url\n")
	}
	_, err := io.WriteString(w, strings.TrimPrefix(b.String(), "\n"))
	return err
}
