package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"guestpass/store"
)

// migrateUp says what to do if tables are missing.
const migrateUp = "run `guestpass migrate up`, or start a server, which does the same unless GUESTPASS_MIGRATE is off"

func migrateCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database's schema up to date, or show its state",
		Long: `The schema of the database that GUESTPASS_DATABASE_URL names. serve and dev bring it
up to date by themselves when they start; this is for doing it beforehand, or for going
back. None of it makes a SQLite file that is not there.`,
		Example: "  guestpass migrate status\n  guestpass migrate up\n  guestpass migrate down-to tasks/6",
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	command.AddCommand(migrateUpCommand(environ), migrateStatus(environ), migrateDown(environ))
	return command
}

func migrateUpCommand(environ []string) *cobra.Command {
	return &cobra.Command{
		Use: "up", Short: "Apply what is missing", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := withStore(cmd, environ, func(context.Context, *store.Store) error { return nil }); err != nil {
				return thatIsThere(err)
			}
			o, err := databaseOf(cmd, environ)
			if err != nil {
				return err
			}
			o.AsItIs = false
			database, err := openStore(cmd.Context(), o)
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "the schema is up to date")
			return database.Close()
		},
	}
}

// thatIsThere says of a file that is not there who makes it.
func thatIsThere(err error) error {
	if errors.Is(err, store.ErrNoFile) {
		return fmt.Errorf("%w: a start of the server makes it, with the whole schema", err)
	}
	return err
}

func migrateStatus(environ []string) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show which steps are applied",
		Long: `Shows each step of the schema, applied or missing. Exit code 1 if one is missing. Nothing
is made or changed, and servers may go on meanwhile.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return thatIsThere(withStore(cmd, environ, func(ctx context.Context, database *store.Store) error {
				steps, err := database.Migrations(ctx)
				if err != nil {
					return err
				}
				return showMigrations(cmd.OutOrStdout(), steps)
			}))
		},
	}
}

func migrateDown(environ []string) *cobra.Command {
	var yes bool
	command := &cobra.Command{
		Use: "down-to VERSION...", Short: "Undo the steps after a version",
		Long: `Undoes the steps of the schema after VERSION, for a program that is older: 6 is step 6 of
Guestpass's own tables, tasks/6 step 6 of those of tasks, and 0 is before the first step.
guestpass migrate status shows the steps. Stop all servers first, and make a backup. Where
rows are lost, it names them and does nothing, unless --yes is said.`,
		Example: "  guestpass migrate down-to tasks/6\n  guestpass migrate down-to 6 tasks/6 --yes",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("name a VERSION, such as 6 or tasks/6; see `%s --help`", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := targets(args)
			if err != nil {
				return err
			}
			if !yes {
				if err := withStore(cmd, environ, func(ctx context.Context, database *store.Store) error {
					return confirmDown(ctx, database, to)
				}); err != nil {
					return thatIsThere(err)
				}
			}
			o, err := databaseOf(cmd, environ)
			if err != nil {
				return err
			}
			done, err := store.Down(cmd.Context(), o, to)
			if err != nil {
				return thatIsThere(fmt.Errorf("go down: %w", err))
			}
			for _, step := range done.Steps {
				fmt.Fprintf(cmd.OutOrStdout(), "undone  %s\n", step.Name)
			}
			fmt.Fprintln(cmd.OutOrStdout(), "start the older program: this one applies the steps again")
			return nil
		},
	}
	command.Flags().BoolVar(&yes, "yes", false, "lose what is named without it")
	return command
}

// targets reads VERSION arguments: by the name of a schema, "" for the store's own.
func targets(args []string) (map[string]int64, error) {
	to := map[string]int64{}
	for _, arg := range args {
		name, number, found := strings.Cut(arg, "/")
		if !found {
			name, number = "", arg
		}
		version, err := strconv.ParseUint(number, 10, 31)
		if err != nil || found && name == "" {
			return nil, usagef("%q is no VERSION: write 6, or tasks/6 for the tables of tasks", arg)
		}
		if _, twice := to[name]; twice {
			return nil, usagef("%q is the second VERSION of the same tables: leave one out", arg)
		}
		to[name] = int64(version) // #nosec G115 -- of 31 bits
	}
	return to, nil
}

// confirmDown fails if rows would be lost.
func confirmDown(ctx context.Context, database *store.Store, to map[string]int64) error {
	planned, err := database.PlanDown(ctx, to)
	if err != nil || len(planned.Lost) == 0 {
		return err
	}
	return usagef("nothing is undone yet. These would be lost:\n  %s\nMake a backup (guestpass backup), and say --yes",
		strings.Join(planned.Lost, "\n  "))
}

func showMigrations(out io.Writer, steps []store.Migration) (err error) {
	for _, step := range steps {
		state, place := "applied", ""
		if !step.Applied {
			state, err = "missing", errors.New("steps are missing: "+migrateUp)
		}
		if step.Place != "" {
			place = " by an earlier version in " + step.Place + ", and taken over at the next start"
		}
		fmt.Fprintf(out, "%s  %s%s\n", state, step.Name, place)
	}
	return err
}
