package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// choices has shells complete the values of a flag that takes few.
func choices(command *cobra.Command, flag string, values ...string) {
	// It fails for a flag that does not exist, or has choices already: TestBashCompletesWhatThereIs would find none.
	_ = command.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// completeNoFiles has shells offer no names of files where nobody wants one: for flags whose help speaks of no FILE or
// FOLDER, and for commands without arguments.
func completeNoFiles(command *cobra.Command) {
	command.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		value, _ := pflag.UnquoteUsage(flag)
		_, chosen := command.GetFlagCompletionFunc(flag.Name)
		if !chosen && !strings.Contains(value, "FILE") && !strings.Contains(value, "FOLDER") {
			_ = command.RegisterFlagCompletionFunc(flag.Name, cobra.NoFileCompletions)
		}
	})
	if !takesFiles(command) && command.ValidArgsFunction == nil {
		command.ValidArgsFunction = cobra.NoFileCompletions
	}
	for _, below := range command.Commands() {
		completeNoFiles(below)
	}
}

// takesFiles reports whether an argument of the command may name a file or a folder.
func takesFiles(command *cobra.Command) bool {
	return strings.Contains(command.Use, "FILE") || strings.Contains(command.Use, "DIR") ||
		strings.Contains(command.Use, "NAME")
}
