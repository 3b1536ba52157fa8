package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"guestpass/store"
)

// stream is the FILE that stands for standard output, or input.
const stream = "-"

// oneFile wants one argument.
func oneFile(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return usagef("name a %s, or %s; see `%s --help`", what, stream, cmd.CommandPath())
		case len(args) > 1:
			return usagef("name one %s, not %d; see `%s --help`", what, len(args), cmd.CommandPath())
		}
		return nil
	}
}

func backupCommand(environ []string) *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE|-",
		Short: "Copy the database to a new file, while servers run",
		Long: `Copies the SQLite database that GUESTPASS_DATABASE_URL names to FILE, as it is at one
moment, and reads the copy through before it takes its name. Servers may go on writing
meanwhile. An existing file is not overwritten, and only its owner may read the copy.
For - the copy goes to standard output, once it was read through beside the database.
Of a Postgres, the program's own pg_dump makes copies; this says how.`,
		Example: "  guestpass backup /var/backups/guestpass-$(date +%F).db\n" +
			"  guestpass backup - | age -r age1… > guestpass.db.age",
		Args: oneFile("FILE for the copy"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == stream && onTerminal(cmd.OutOrStdout()) {
				return usagef("a copy is nothing to read on a terminal: lead standard output to a file or a program")
			}
			return withTables(cmd, environ, func(ctx context.Context, database *store.Store) error {
				if args[0] == stream {
					return database.BackupTo(ctx, exact(cmd.OutOrStdout()))
				}
				if err := database.Backup(ctx, args[0]); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s is a whole copy\n", args[0])
				return nil
			})
		},
	}
}

func restoreCommand(environ []string) *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE|-",
		Short: "Put a copy in the database's place, where there is none",
		Long: `Puts a copy that guestpass backup made in the place of the SQLite database that
GUESTPASS_DATABASE_URL names. There may be no database in that place, and no server
that uses it. Before anything is there, the copy is read through: it must be undamaged,
Guestpass's own, of no later version, and its record of changes as it was written.
Into a Postgres, the program's own pg_restore puts copies; this says how.`,
		Example: "  guestpass restore /var/backups/guestpass-2026-12-01.db\n" +
			"  age -d guestpass.db.age | guestpass restore -",
		Args: oneFile("FILE to restore"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := databaseOf(cmd, environ)
			if err != nil {
				return err
			}
			from := cmd.InOrStdin()
			if args[0] != stream {
				file, err := store.OpenCopy(args[0])
				if err != nil {
					return err
				}
				defer file.Close()
				from = file
			} else if file, ok := from.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
				return usagef("standard input is a terminal: lead a copy to it, or name a FILE")
			}
			restored, err := store.Restore(cmd.Context(), o, from)
			if err != nil {
				return err
			}
			showRestored(cmd.OutOrStdout(), restored, time.Now())
			return nil
		},
	}
}

func showRestored(out io.Writer, r store.Restored, now time.Time) {
	fmt.Fprintf(out, "%s is restored: undamaged, %d rows of the record, all as they were written\n", r.File, r.Rows)
	if !r.Newest.IsZero() {
		fmt.Fprintf(out, "the newest that it knows of is of %s\n", r.Newest.Format(time.RFC3339))
	}
	if len(r.Missing) > 0 {
		fmt.Fprintf(out, "it is of an earlier version: the next start applies %d steps of the schema\n", len(r.Missing))
	}
	fmt.Fprintf(out, `
What was revoked since the copy was made, it does not know. Start the server with

  GUESTPASS_TOKENS_ISSUED_AFTER=%s

so that tokens issued before are refused: apps renew theirs by themselves, but for what was
revoked. Take the setting away once those have ended, after GUESTPASS_MAX_TOKEN_LIFETIME
at the latest. Whose data was erased since is there again: erase it again.
`, now.UTC().Format(time.RFC3339))
}
