package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"guestpass/internal/certificates"
	"guestpass/store"
)

// defaultDatabase is used if GUESTPASS_DATABASE_URL is not set.
const defaultDatabase = "sqlite:guestpass.db"

func openStore(ctx context.Context, o store.Options) (*store.Store, error) {
	database, err := store.Open(ctx, o)
	if err != nil {
		return nil, notOpened(o, err)
	}
	return database, nil
}

// notOpened says of a database that a start has to leave as it is who makes it ready: `guestpass migrate up` makes no
// SQLite file.
func notOpened(o store.Options, err error) error {
	err = fmt.Errorf("open the database of GUESTPASS_DATABASE_URL: %w", err)
	switch {
	case o.AsItIs && errors.Is(err, store.ErrNoFile):
		err = fmt.Errorf("%w; GUESTPASS_MIGRATE is off, so that a start makes none: start once without it", err)
	case o.AsItIs && errors.Is(err, store.ErrOutdated):
		err = fmt.Errorf("%w; GUESTPASS_MIGRATE is off: run `guestpass migrate up` first, as a role that may change "+
			"tables", err)
	}
	return err
}

// database returns the options of the store that the settings name.
func (c config) database(log *slog.Logger) store.Options {
	schemas := c.schemas()
	if slices.Contains(c.TLS, autoTLS) {
		schemas = append(schemas, certificates.Schema())
	}
	return store.Options{URL: or(c.DatabaseURL, defaultDatabase), Schema: c.DatabaseSchema, Log: log,
		Schemas: schemas, Quota: c.quota(), Keep: time.Duration(c.KeepDays) * 24 * time.Hour,
		Connections: c.Connections, Idle: c.Idle, AsItIs: c.Migrate == "off",
		KeepConnections: time.Duration(c.KeepConnectionsDays) * 24 * time.Hour,
		KeepReplies:     time.Duration(c.KeepRepliesHours) * time.Hour, Archive: c.ArchiveDir}
}

func (c config) quota() store.Quota {
	q := store.Quota{Activities: int64(c.ActivityQuota), Bytes: int64(c.MegabyteQuota) << 20,
		Things: map[string]int64{}}
	for kind, number := range c.Quotas {
		q.Things[kind] = int64(*number)
	}
	return q
}

// databaseOf returns the database of the environment, for commands that need no other settings.
func databaseOf(cmd *cobra.Command, environ []string) (o store.Options, err error) {
	c, err := readConfig(environ, cmd.Flags())
	return c.database(newLog(cmd.ErrOrStderr(), c.level())), err
}

// withStore runs f on the database of the environment as it is, beside whoever uses it.
func withStore(cmd *cobra.Command, environ []string, f func(context.Context, *store.Store) error) error {
	o, err := databaseOf(cmd, environ)
	if err != nil {
		return err
	}
	database, err := store.Connect(cmd.Context(), o)
	if err != nil {
		return fmt.Errorf("open the database of GUESTPASS_DATABASE_URL: %w", err)
	}
	defer database.Close()
	return f(cmd.Context(), database)
}

// withTables is withStore for commands that need Guestpass's tables. If there are none yet, or reading fails because
// they are of an earlier version, it says what brings them up to date.
func withTables(cmd *cobra.Command, environ []string, f func(context.Context, *store.Store) error) error {
	return withStore(cmd, environ, func(ctx context.Context, database *store.Store) error {
		steps, err := database.Migrations(ctx)
		missing := slices.ContainsFunc(steps, store.Migration.Missing)
		if err == nil && missing && !slices.ContainsFunc(steps, func(s store.Migration) bool { return s.Applied }) {
			return errors.New("the database of GUESTPASS_DATABASE_URL has no tables of Guestpass yet: " + migrateUp)
		}
		done := f(ctx, database)
		if done == nil || errors.Is(done, errQuiet) || err != nil || !missing {
			return done
		}
		return fmt.Errorf("the tables in the database of GUESTPASS_DATABASE_URL are not up to date: %s "+
			"(%w)", migrateUp, done)
	})
}

func auditCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use:   "audit",
		Short: "Check the record of what was done",
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	command.AddCommand(auditVerify(environ))
	return command
}

func auditVerify(environ []string) *cobra.Command {
	var archives []string
	command := &cobra.Command{
		Use:   "verify",
		Short: "Find altered or missing rows in the activity record",
		Long: `Reads the activity record of the database that GUESTPASS_DATABASE_URL names, and
recomputes the hash that binds each row to those before it. Exit code 1 if a row was
altered, is missing, or was put in. Servers may go on writing meanwhile.

With --archive it also reads what was removed from the record and kept in such a folder
(GUESTPASS_ARCHIVE_DIR), and holds it against what the database says of those rows.

The hashes have no secret: who can write to the database, and knows this program, can
make a new record that fits. Copy the last hash of each owner elsewhere to notice that.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withTables(cmd, environ, func(ctx context.Context, database *store.Store) error {
				var archived store.Archived
				if len(archives) > 0 { // first: what is moved there meanwhile is more than the database says then
					var err error
					if archived, err = database.VerifyArchived(ctx, archives...); err != nil {
						return err
					}
				}
				rows, breaks, err := database.VerifyActivity(ctx)
				if err != nil {
					return err
				}
				return showVerified(cmd.OutOrStdout(), rows+archived.Rows, append(archived.Breaks, breaks...),
					archived.Notes)
			})
		},
	}
	command.Flags().StringArrayVar(&archives, "archive", nil,
		"folder of archived rows; one for each instance that has its own")
	return command
}

func showVerified(out io.Writer, rows int, breaks []store.Break, notes []string) error {
	for _, note := range notes {
		fmt.Fprintf(out, "note: %s\n", note)
	}
	for _, b := range breaks {
		fmt.Fprintf(out, "%s, row %d: %s\n", b.Owner, b.Seq, b.What)
	}
	if len(breaks) > 0 {
		fmt.Fprintf(out, "%d rows, %d places where the record is not as it was written\n", rows, len(breaks))
		return errQuiet
	}
	fmt.Fprintf(out, "%d rows, all as they were written\n", rows)
	return nil
}
