package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"guestpass"
	"guestpass/auth"
	"guestpass/internal/plugin"
)

func pluginCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use:   "plugin DIR",
		Short: "Write the packages in which ChatGPT, Codex and Claude take the tools",
		Long: `Writes into the folder DIR, from the declared operations and the server's settings:

  openai/       the plugin for Codex, and for ChatGPT's directory
  claude/       the plugin for Claude
  NAME-VERSION.zip                the first one, as OpenAI's portal takes it
  REVIEW.md                       what the portal's forms ask: a reason for each annotation,
                                  five prompts that lead to calls and three that do not
  chatgpt-app-submission.json     the same for the form that takes a file
  listing.json                    what only you can give; made once, to be filled in

Fill in listing.json and run it again. The same input gives the same bytes. What OpenAI
would refuse is named as its portal names it; until nothing is, there is no ZIP, and the
exit code is 1. What its reviewers may object to is listed apart. The folders can be
installed from all the same, to try them.

It contacts nobody, and uploads nothing. docs/from-gpt-to-plugin.md goes step by step.
` + documentDefault,
		Example: "  guestpass plugin plugin\n  guestpass plugin plugin --public-url https://gpt.example.com",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("`%s` takes one folder to write into; see `%s --help`", cmd.CommandPath(),
					cmd.CommandPath())
			}
			return nil
		},
		Annotations: map[string]string{needsAll: ""},
		RunE: func(cmd *cobra.Command, args []string) error {
			return writePlugin(cmd, environ, args[0])
		},
	}
	documentFlags(command)
	return command
}

func writePlugin(cmd *cobra.Command, environ []string, dir string) error {
	app, c, err := publisherOf(cmd, environ, func(o *guestpass.Options) {
		if len(o.MCPOperations) > 0 { // the document and the skill are of the tools alone
			o.Operations = o.MCPOperations
		}
	})
	if err != nil {
		return err
	}
	if app.Tools() == nil {
		return usagef("this server has no tools, and a plugin is made of them: see GUESTPASS_MCP and GUESTPASS_MODULES")
	}
	root, err := pluginFolder(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	listing, err := readListing(root)
	if err != nil {
		return usagef("%s: %w", filepath.Join(dir, plugin.ListingFile), err)
	}
	made, err := plugin.New(pluginOptions(app, c, listing, root.FS()))
	if err != nil {
		return err
	}
	if err := replaceFiles(root, made); err != nil {
		return err
	}
	if err := printPlugin(cmd.OutOrStdout(), dir, made); err != nil {
		return err
	}
	if len(made.Refused) > 0 {
		return errQuiet
	}
	return nil
}

func pluginOptions(app *guestpass.Server, c config, listing plugin.Listing, files fs.FS) plugin.Options {
	o := plugin.Options{URL: c.PublicURL + "/mcp", Document: app.Document().JSON(), Tools: app.Tools(),
		Skill: app.Document().Skill(), Starters: app.GPT().Starters,
		Password: slices.Contains(c.LoginMethods, "password"), Challenge: c.PluginChallenge != "",
		Consumer: auth.Vertical(c.Vertical) == auth.Consumer, Described: c.Description != "", AppURL: c.AppURL,
		Listing: listing, Files: files}
	for _, op := range app.Operations() {
		o.Order = append(o.Order, op.ID)
		if op.Undoes {
			o.Undoes = append(o.Undoes, op.ID)
		}
	}
	return o
}

// pluginFolder opens the folder, and makes it if it is not there. Another folder than one of its own is left alone: the
// command removes what it has written before.
func pluginFolder(dir string) (*os.Root, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, usageError{err}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, usageError{err}
	}
	_, err = root.Lstat(plugin.ListingFile)
	if err == nil {
		return root, nil
	}
	if entries, unread := fs.ReadDir(root.FS(), "."); unread != nil || len(entries) > 0 {
		return nil, errors.Join(usagef("%s is not empty and has no %s: name a new folder, or the one that this "+
			"command made", dir, plugin.ListingFile), unread, root.Close())
	}
	return root, nil
}

// readListing returns what the person says. A folder without a listing.json gets one.
func readListing(root *os.Root) (plugin.Listing, error) {
	file, err := root.Open(plugin.ListingFile)
	if errors.Is(err, fs.ErrNotExist) {
		if err := root.WriteFile(plugin.ListingFile, plugin.EmptyListing(), 0o644); err != nil {
			return plugin.Listing{}, err
		}
		return plugin.ReadListing(bytes.NewReader(plugin.EmptyListing()))
	}
	if err != nil {
		return plugin.Listing{}, err
	}
	defer file.Close()
	return plugin.ReadListing(file)
}

// replaceFiles writes the package in place of what was there. An archive that would be refused must not be uploaded by
// mistake, so an earlier one of this version goes too.
func replaceFiles(root *os.Root, made *plugin.Package) error {
	for _, name := range append(made.Folders(), made.Archive) {
		if err := root.RemoveAll(name); err != nil {
			return err
		}
	}
	for _, name := range made.Names() {
		if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		if err := root.WriteFile(name, made.Files[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}

func printPlugin(w io.Writer, dir string, made *plugin.Package) error {
	var b strings.Builder
	for _, name := range append([]string{plugin.ListingFile}, made.Names()...) {
		fmt.Fprintln(&b, filepath.Join(dir, filepath.FromSlash(name)))
	}
	list := func(title string, findings []plugin.Finding) {
		if len(findings) == 0 {
			return
		}
		fmt.Fprintf(&b, "\n%s\n", title)
		for _, f := range findings {
			fmt.Fprintf(&b, "  %s\n", f)
		}
	}
	list("OpenAI would refuse it", made.Refused)
	list("OpenAI's reviewers may object", made.Objections)
	list("Only you can give, in "+filepath.Join(dir, plugin.ListingFile)+" or where it says", made.Missing)
	if len(made.Refused) == 0 {
		fmt.Fprintf(&b, "\n%s can be uploaded.\n", filepath.Join(dir, made.Archive))
	} else {
		b.WriteString("\nThere is no ZIP until OpenAI would take it: fill in the listing, and run this again.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
