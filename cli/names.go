package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"guestpass/internal/credentials"
)

// needsAll is the annotation of commands that read the settings by readWhole.
const needsAll = "needs all settings"

// tellsFaults is the annotation of commands that show what is wrong with the settings.
const tellsFaults = "tells what is wrong with the settings"

// readsNothing is the annotation of commands that need no settings if they are called with an argument.
const readsNothing = "reads no settings with an argument"

// checkCall checks what a command is called with, for all commands alike: flags, and settings even if the command does
// not need them.
func checkCall(cmd *cobra.Command, args, environ []string) error {
	if !cmd.HasParent() || forShells(cmd) { // it only prints help, or what to complete
		return nil
	}
	if err := checkFlags(cmd.Flags()); err != nil {
		return err
	}
	if _, without := cmd.Annotations[readsNothing]; without && len(args) > 0 {
		return nil
	}
	if err := fileOf(cmd.Flags()).load(cmd, environ); err != nil {
		return err
	}
	if _, tells := cmd.Annotations[tellsFaults]; tells {
		return nil
	}
	if err := checkNames(environ, cmd); err != nil {
		return err
	}
	if _, whole := cmd.Annotations[needsAll]; !whole {
		if _, err := readConfig(environ, cmd.Flags()); err != nil {
			return err
		}
	}
	words := slices.Clone(args)
	cmd.Flags().Visit(func(flag *pflag.Flag) { words = append(words, flag.Value.String()) })
	if slices.ContainsFunc(words, func(word string) bool { return len(urlSecrets(word)) > 0 }) {
		fmt.Fprintln(cmd.ErrOrStderr(),
			"guestpass: the password in the URL is visible to everybody on this machine in "+
				"the process list, and is kept in the shell's history")
	}
	return nil
}

// checkNames refuses variables that were meant to be settings but are not: the setting would silently not apply. Other
// programs have variables that begin with STYTCH_, too, so it only mentions those that resemble none of ours.
func checkNames(environ []string, cmd *cobra.Command) error {
	for _, u := range unknownVariables(environ, cmd.Flags()) {
		if u.refused() {
			return usagef("there is no variable %s%s", u.where(), u.advice())
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "guestpass: the variable %s means nothing here%s\n", u.where(),
			didYouMean(u.meant))
	}
	return nil
}

// An unknownVariable is set, and looks like a setting, but is none.
type unknownVariable struct {
	name  string
	place string // the line of the file; "" for the environment
	meant string // the setting that was probably meant, or ""
	slip  bool   // it is a letter or two from a setting
}

// refused reports whether nobody else can have meant the variable.
func (u unknownVariable) refused() bool {
	return strings.HasPrefix(strings.ToUpper(u.name), "GUESTPASS_") || u.slip
}

func (u unknownVariable) where() string {
	if u.place == "" {
		return u.name
	}
	return u.name + " (" + u.place + ")"
}

// advice follows a sentence that refuses the variable.
func (u unknownVariable) advice() string {
	if u.meant == "" {
		return ": leave it out; docs/settings.md lists those that there are"
	}
	return didYouMean(u.meant)
}

// ofShells are variables by which the scripts of guestpass completion speak to the program. PowerShell keeps the first.
var ofShells = []string{"GUESTPASS_ACTIVE_HELP", "GUESTPASS_COMPLETION_DESCRIPTIONS"}

// forShells reports whether a command is cobra's own, which shells call while somebody types another.
func forShells(cmd *cobra.Command) bool {
	return strings.HasPrefix(cmd.Name(), "__") || cmd.Parent().Name() == "completion"
}

// unknownVariables returns those of the environment, by name, and then those of the file, by line.
func unknownVariables(environ []string, flags *pflag.FlagSet) (unknown []unknownVariable) {
	var known []string
	for _, s := range new(config).settings() {
		known = append(known, s.name)
	}
	look := func(name, place string) {
		if name == "" || slices.Contains(known, name) {
			return
		}
		capital := strings.ToUpper(name)
		u := unknownVariable{name: name, place: place, slip: slip(capital, known)}
		if u.refused() || strings.HasPrefix(capital, "STYTCH_") {
			u.meant = nearVariable(capital, known)
			unknown = append(unknown, u)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(variables(environ))) {
		if !slices.Contains(ofShells, name) {
			look(name, "")
		}
	}
	file := fileOf(flags)
	for _, v := range file.variables() {
		look(v.Name, file.line(v))
	}
	return unknown
}

// slip reports whether the name is a letter or two from one of the names, whatever it begins with. Names of another
// length are further away, which spares a start the comparison of every variable with every setting.
func slip(name string, names []string) bool {
	length := utf8.RuneCountInString(name)
	return slices.ContainsFunc(names, func(other string) bool {
		longer := utf8.RuneCountInString(other) - length
		return -2 <= longer && longer <= 2 && distance(name, other) <= 2
	})
}

// nearVariable returns the variable that was meant, or "". A beginning that all of a kind share does not make two of
// them alike.
func nearVariable(name string, known []string) string {
	for _, prefix := range []string{"GUESTPASS_", "STYTCH_"} {
		rest, found := strings.CutPrefix(name, prefix)
		if !found {
			continue
		}
		var rests []string
		for _, other := range known {
			if other, found := strings.CutPrefix(other, prefix); found {
				rests = append(rests, other)
			}
		}
		if meant := near(rest, rests); meant != "" {
			return prefix + meant
		}
	}
	if slip(name, known) {
		return near(name, known)
	}
	return ""
}

// near returns the nearest of the names, or "" if none is near: no more than a third of the letters may differ.
func near(name string, names []string) string {
	best := ""
	for _, other := range names {
		far := distance(name, other)
		if 3*far <= max(len([]rune(name)), len([]rune(other))) && (best == "" || far < distance(name, best)) {
			best = other
		}
	}
	return best
}

// didYouMean returns words that follow a sentence about a name that does not exist.
func didYouMean(meant string) string {
	if meant == "" {
		return ""
	}
	return "; did you mean " + meant + "?"
}

// distance counts the letters that are wrong, missing or too many. Two neighbours that changed
// places count as one.
func distance(a, b string) int {
	from, to := []rune(a), []rune(b)
	before, last, row := make([]int, len(to)+1), make([]int, len(to)+1), make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i := range from {
		before, last, row = last, row, before
		row[0] = i + 1
		for j := range to {
			wrong := 1
			if from[i] == to[j] {
				wrong = 0
			}
			row[j+1] = min(last[j]+wrong, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && from[i] == to[j-1] && from[i-1] == to[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(to)]
}

// checkFlags refuses values that no flag may have.
func checkFlags(flags *pflag.FlagSet) error {
	var faults []error
	flags.Visit(func(flag *pflag.Flag) {
		value := flag.Value.String()
		switch {
		case flag.Value.Type() != "string":
		case strings.TrimSpace(value) == "":
			faults = append(faults, fmt.Errorf("--%s has nothing in it: give it a value, or leave it out", flag.Name))
		case flag.Name != clientSecretFlag && credentials.HasSecret(value):
			faults = append(faults, fmt.Errorf("--%s holds a secret (it is not repeated here), and the process list "+
				"shows it to everybody on this machine: replace it where it comes from", flag.Name))
		default:
			if err := checkLine(value); err != nil {
				faults = append(faults, fmt.Errorf("--%s %w", flag.Name, err))
			}
		}
	})
	if len(faults) > 0 {
		return usageError{errors.Join(faults...)}
	}
	return nil
}
