package cli

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"guestpass/store"
)

// personFlags say whose data it is.
type personFlags struct{ organization, member, user string }

func (p *personFlags) add(command *cobra.Command) {
	command.Flags().StringVar(&p.organization, "organization", "", "id of the organization, organization-…")
	command.Flags().StringVar(&p.member, "member", "", "id of its member, member-…")
	command.Flags().StringVar(&p.user, "user", "", "id of the user, user-…, in a Consumer project")
}

func (p *personFlags) person() (store.Person, error) {
	person := store.Person{Owner: cmp.Or(p.organization, p.user), ID: cmp.Or(p.member, p.user)}
	whole := p.organization != "" && p.member != ""
	if whole == (p.user != "") || !whole && cmp.Or(p.organization, p.member) != "" {
		return person, usagef("name one person: --organization ID and --member ID or, in a Consumer project, --user ID")
	}
	if err := person.Check(); err != nil {
		return person, usagef("%w", err)
	}
	return person, nil
}

func personCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use:   "person",
		Short: "Export what is kept of one person, or erase it",
		Long: `For what privacy law asks: a copy of what is kept of a person, and to have it erased. Both
look at every table of the database that GUESTPASS_DATABASE_URL names, also at those of
your own resources. Servers may go on meanwhile.`,
		Example: "  guestpass person export --organization organization-live-… --member member-live-… > ada.jsonl\n" +
			"  guestpass person erase --user user-live-… --yes",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	command.AddCommand(personExport(environ), personErase(environ))
	return command
}

func personExport(environ []string) *cobra.Command {
	var of personFlags
	command := &cobra.Command{
		Use: "export", Short: "Print every row that tells of a person, as JSON lines",
		Long: `Prints every row of every table that names a person, or is theirs alone: a line of JSON for
each, with the table's name. Times are milliseconds since 1970. Rows of others that name the
person are among them, such as tasks that somebody else assigned: read them before you
hand them on.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			person, err := of.person()
			if err != nil {
				return err
			}
			return withTables(cmd, environ, func(ctx context.Context, database *store.Store) error {
				return exportPerson(ctx, database, person, cmd.OutOrStdout())
			})
		},
	}
	of.add(command)
	return command
}

func exportPerson(ctx context.Context, database *store.Store, person store.Person, to io.Writer) error {
	out := bufio.NewWriter(to)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	err := lines.Encode(map[string]string{"person": person.ID, "owner": person.Owner,
		"exported_at": database.Now().Format(time.RFC3339)})
	if err != nil {
		return err
	}
	if err := database.Export(ctx, person, func(table string, row store.PersonalRow) error {
		return lines.Encode(struct {
			Table string            `json:"table"`
			Row   store.PersonalRow `json:"row"`
		}{table, row})
	}); err != nil {
		return err
	}
	return out.Flush()
}

func personErase(environ []string) *cobra.Command {
	var of personFlags
	var yes bool
	command := &cobra.Command{
		Use: "erase", Short: "Take a person out of all tables, for good",
		Long: `Removes what is a person's alone, and has a pseudonym take their place in what belongs to an
organization (docs/keeping.md says what of what), in one transaction. Revocations go on
to count. Without --yes it says what it would do. Delete the person in Stytch first: what
they do afterwards is kept anew.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			person, err := of.person()
			if err != nil {
				return err
			}
			if !yes {
				return withTables(cmd, environ, func(ctx context.Context, database *store.Store) error {
					return announceErasure(ctx, database, person)
				})
			}
			return withStoreToChange(cmd, environ, func(ctx context.Context, database *store.Store) error {
				erased, err := database.Erase(ctx, person)
				showRows(cmd.OutOrStdout(), erased.Rows)
				if err == nil {
					fmt.Fprint(cmd.OutOrStdout(), afterErasure)
				}
				return err
			})
		},
	}
	of.add(command)
	command.Flags().BoolVar(&yes, "yes", false, "erase; there is no way back but a backup")
	return command
}

const afterErasure = `
Not erased, as it is elsewhere: the person at Stytch; backups, and archives of the record
of changes; logs of servers and proxies; exports. docs/keeping.md says what to do.
`

// announceErasure says what an erasure would find, and fails.
func announceErasure(ctx context.Context, database *store.Store, person store.Person) error {
	rows := map[string]int64{}
	if err := database.Export(ctx, person, func(table string, _ store.PersonalRow) error {
		rows[table]++
		return nil
	}); err != nil {
		return err
	}
	if len(rows) == 0 {
		return errors.New("no table names this person: there is nothing to erase")
	}
	var names []string
	for _, table := range slices.Sorted(maps.Keys(rows)) {
		names = append(names, fmt.Sprintf("%s %d", table, rows[table]))
	}
	return usagef("nothing is erased yet: these tables have rows that name the person, which are removed or get a "+
		"pseudonym: %s; delete the person in Stytch first, make an export if you owe them one, and say --yes",
		strings.Join(names, ", "))
}

func showRows(out io.Writer, rows map[string]int64) {
	if len(rows) == 0 {
		fmt.Fprintln(out, "nothing was there to erase")
		return
	}
	for _, table := range slices.Sorted(maps.Keys(rows)) {
		fmt.Fprintf(out, "%s: %d rows removed or changed\n", table, rows[table])
	}
}

// withStoreToChange is withTables for commands that change what is there, beside servers.
func withStoreToChange(cmd *cobra.Command, environ []string, f func(context.Context, *store.Store) error) error {
	o, err := databaseOf(cmd, environ)
	if err != nil {
		return err
	}
	database, err := store.Beside(cmd.Context(), o)
	if errors.Is(err, store.ErrOutdated) {
		return fmt.Errorf("%s (%w)", migrateUp, err)
	}
	if err != nil {
		return fmt.Errorf("open the database of GUESTPASS_DATABASE_URL: %w", err)
	}
	return errors.Join(f(cmd.Context(), database), database.Close())
}
