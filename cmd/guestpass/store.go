package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"guestpass/internal/store"
)

// defaultDatabase is used where GUESTPASS_DATABASE_URL says nothing.
const defaultDatabase = "sqlite:guestpass.db"

func openStore(ctx context.Context, o store.Options) (*store.Store, error) {
	o.More = schemas()
	database, err := store.Open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("open the database of GUESTPASS_DATABASE_URL: %w", err)
	}
	return database, nil
}

// withStore runs f on the database of the environment as it is.
func withStore(cmd *cobra.Command, environ []string, f func(context.Context, *store.Store) error) error {
	c, err := readConfig(environ)
	if err != nil {
		return err
	}
	address := or(c.DatabaseURL, defaultDatabase)
	if err := store.CheckURL(address); err != nil {
		return usagef("GUESTPASS_DATABASE_URL %w", err)
	}
	database, err := store.Connect(cmd.Context(), store.Options{URL: address, Log: newLog(cmd.ErrOrStderr()), More: schemas()})
	if err != nil {
		return fmt.Errorf("open the database of GUESTPASS_DATABASE_URL: %w", err)
	}
	defer database.Close()
	return f(cmd.Context(), database)
}

func migrateCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database's schema up to date, or show its state",
		Long: `The schema of the database that GUESTPASS_DATABASE_URL names. serve and dev bring it
up to date by themselves when they start; this is for doing it beforehand.`,
		Example: "  guestpass migrate status\n  guestpass migrate up",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	command.AddCommand(&cobra.Command{
		Use: "up", Short: "Apply what is missing", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, environ, func(ctx context.Context, database *store.Store) error {
				if err := database.MigrateUp(ctx); err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), "the schema is up to date")
				return nil
			})
		},
	}, &cobra.Command{
		Use: "status", Short: "Show which steps are applied", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, environ, func(ctx context.Context, database *store.Store) error {
				steps, err := database.Migrations(ctx)
				if err != nil {
					return err
				}
				for _, step := range steps {
					state := "missing"
					if step.Applied {
						state = "applied"
					}
					fmt.Fprintf(cmd.OutOrStdout(), "%-8s %s\n", state, step.Name)
				}
				return nil
			})
		},
	})
	return command
}

func auditCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use:   "audit",
		Short: "Check the record of what was done",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	command.AddCommand(&cobra.Command{
		Use:   "verify",
		Short: "Find altered or missing rows in the activity record",
		Long: `Reads the activity record of the database that GUESTPASS_DATABASE_URL names, and
recomputes the hash that binds each row to those before it. Exit code 1 if a row was
altered, is missing, or was put in. Servers may go on writing meanwhile.

The hashes have no secret: who can write to the database, and knows this program, can
make a new record that fits. Copy the last hash of each owner elsewhere to notice that.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, environ, func(ctx context.Context, database *store.Store) error {
				rows, breaks, err := database.VerifyActivity(ctx)
				if err != nil {
					return err
				}
				for _, b := range breaks {
					fmt.Fprintf(cmd.OutOrStdout(), "%s, row %d: %s\n", b.Owner, b.Seq, b.What)
				}
				if len(breaks) > 0 {
					fmt.Fprintf(cmd.OutOrStdout(), "%d rows, %d places where the record is not as it was written\n", rows, len(breaks))
					return errQuiet
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%d rows, all as they were written\n", rows)
				return nil
			})
		},
	})
	return command
}
