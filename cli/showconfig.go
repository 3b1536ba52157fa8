package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"guestpass/internal/credentials"
)

func configCommand(environ []string) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "config",
		Short: "Print the settings in force, and where each comes from",
		Long: `Prints every setting as guestpass serve would read it here: its value, and whether the
environment, a line of the file of settings or the default says so. Secrets are left out,
also passwords within URLs. Variables that are set but mean nothing are told as well.

Exit code 0: each value can be used; 2: one is refused, or a variable is misspelt. Whether
the values suit each other is told by serve when it starts.`,
		Example:     "  guestpass config\n  guestpass config --env-file /etc/guestpass.env\n  guestpass config --json",
		Annotations: map[string]string{tellsFaults: "", logsFile: ""},
		Args:        noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			shown, err := configShown(environ, cmd.Flags())
			if err != nil {
				return err
			}
			if asJSON {
				encoder := json.NewEncoder(cmd.OutOrStdout())
				encoder.SetEscapeHTML(false)
				encoder.SetIndent("", "  ")
				err = encoder.Encode(shown)
			} else {
				err = shown.print(cmd.OutOrStdout())
			}
			if err == nil && shown.faulty() {
				err = usagef("not every setting can be used, see above")
			}
			return err
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

// shownConfig is what guestpass config prints.
type shownConfig struct {
	File     string         `json:"file,omitempty"` // the file of settings that was read
	Settings []shownSetting `json:"settings"`
	Unknown  []shownUnknown `json:"unknown,omitempty"`
}

type shownSetting struct {
	Name  string `json:"name"`
	Group string `json:"group"`
	// Value is without secrets. Fault takes its place if the value is refused: it may be a secret in the wrong place.
	Value string `json:"value"`
	Unset string `json:"unset,omitempty"` // what applies, in words, where there is no value
	From  string `json:"from"`            // "environment", "default", or FILE:LINE
	Over  string `json:"over,omitempty"`  // FILE:LINE that does not count, because the environment wins
	Fault string `json:"fault,omitempty"`
}

type shownUnknown struct {
	Name    string `json:"name"`
	From    string `json:"from"` // "environment", or FILE:LINE
	Meant   string `json:"meant,omitempty"`
	Refused bool   `json:"refused"` // commands refuse to start because of it
	// Elsewhere says that it would count in the environment, and does not count in a file.
	Elsewhere bool `json:"environment_only,omitempty"`
}

// configShown returns the settings as the environment and the file say them.
func configShown(environ []string, flags *pflag.FlagSet) (shown shownConfig, err error) {
	if _, _, err := readSettings(environ, flags); err != nil { // a secret in the wrong place
		return shown, err
	}
	values, given, unread := said(environ, flags)
	known := map[string]bool{}
	for _, s := range new(config).settings() {
		one := shownSetting{Name: s.name, Group: s.group, Value: s.otherwise, Unset: s.unset, From: "default"}
		if s.name == "GUESTPASS_TRUSTED_PROXIES" && strings.HasPrefix(values["GUESTPASS_PUBLIC_URL"], "http://") {
			one.Unset = noProxies // see checkProxies
		}
		if by, found := given[s.name]; found {
			one.From, one.Unset, one.Value = by, "", s.masked(values)
			if err := s.judge(values[s.name], unread[s.name]); err != nil {
				one.Value, one.Fault = "", err.Error()
			}
		}
		shown.Settings, known[s.name] = append(shown.Settings, one), true
	}
	for _, u := range unknownVariables(environ, flags) {
		shown.Unknown = append(shown.Unknown, shownUnknown{Name: u.name, From: or(u.place, byEnvironment),
			Meant: u.meant, Refused: u.refused()})
		known[u.name] = true
	}
	shown.add(fileOf(flags), known)
	return shown, nil
}

// masked returns the setting's value without secrets.
func (s setting) masked(values map[string]string) string {
	if s.mask != nil {
		return s.mask(values[s.name])
	}
	return credentials.Withhold(values[s.name], secretsOf(values, "")...)
}

// add adds what the file says in vain: what the environment says otherwise, and what belongs to other programs.
func (c *shownConfig) add(file *envFileValue, known map[string]bool) {
	for _, v := range file.variables() {
		c.File = file.file.Name
		if !known[v.Name] {
			c.Unknown = append(c.Unknown, shownUnknown{Name: v.Name, From: file.line(v),
				Elsewhere: forEnvironment(v.Name)})
		}
		for i, s := range c.Settings {
			if s.Name == v.Name && s.From == byEnvironment {
				c.Settings[i].Over = file.line(v)
			}
		}
	}
}

func (c shownConfig) faulty() bool {
	for _, s := range c.Settings {
		if s.Fault != "" {
			return true
		}
	}
	for _, u := range c.Unknown {
		if u.Refused {
			return true
		}
	}
	return false
}

func (c shownConfig) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "File of settings: %s\n", or(c.File, "none"))
	widest := 0
	for _, s := range c.Settings {
		widest = max(widest, len(s.Name))
	}
	group := ""
	for _, s := range c.Settings {
		if s.Group != group {
			group = s.Group
			fmt.Fprintf(&b, "\n%s:\n", group)
		}
		value, from := or(s.Value, s.Unset), s.From
		if s.Fault != "" {
			value = "REFUSED: it " + s.Fault
		}
		if s.Over != "" {
			from += ", over " + s.Over
		}
		fmt.Fprintf(&b, "  %-*s   %s   (%s)\n", widest, s.Name, value, from)
	}
	if len(c.Unknown) > 0 {
		b.WriteString("\nSet, but no settings:\n")
	}
	for _, u := range c.Unknown {
		why := didYouMean(u.Meant)
		if u.Elsewhere {
			why = ": it counts in the environment alone"
		}
		fmt.Fprintf(&b, "  %s (%s)%s\n", u.Name, u.From, why)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
