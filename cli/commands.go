package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// forDevelopment names the commands that a program built for production lacks.
var forDevelopment = []string{"dev", "try", "stytch", "lint", "new"}

// checkCommand refuses the name of a command that does not exist, wherever it stands: if help is asked for, cobra shows
// its help and says nothing of the name.
func checkCommand(root *cobra.Command, args []string) error {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(args...)
	if len(args) > 0 && (args[0] == "help" || strings.HasPrefix(args[0], "__")) { // cobra's own, for shells
		if args[0] != "help" {
			return nil
		}
		args = args[1:]
	}
	command, rest, err := root.Find(args)
	if err != nil || !command.HasAvailableSubCommands() {
		return nil // told by cobra, or the command's own arguments
	}
	name := firstName(command, rest)
	if name == "" {
		return nil
	}
	path := strings.TrimPrefix(command.CommandPath()+" "+name, root.Name()+" ")
	if !command.HasParent() && slices.Contains(forDevelopment, name) {
		return usagef("this program was built for production, without the command %q: `make build` in Guestpass's "+
			"source "+
			"builds one that has it", path)
	}
	if meant := nearCommand(root, command, name); meant != "" {
		return usagef("there is no command %q: did you mean `%s`?", path, meant)
	}
	return usagef("there is no command %q; see `%s --help`", path, command.CommandPath())
}

// firstName returns the first word that is neither a flag nor the value of one; "" if there is none.
func firstName(command *cobra.Command, words []string) string {
	for i := 0; i < len(words); i++ {
		name, isFlag := strings.CutPrefix(words[i], "--")
		if !isFlag && !strings.HasPrefix(words[i], "-") {
			return words[i]
		}
		flag := command.Flags().Lookup(name)
		if flag == nil {
			flag = command.PersistentFlags().Lookup(name)
		}
		if flag != nil && flag.NoOptDefVal == "" { // its value is the next word
			i++
		}
	}
	return ""
}

// nearCommand returns how to call the command that was meant, or "". It looks beside the misspelt name, then below.
func nearCommand(root, parent *cobra.Command, name string) string {
	for _, commands := range [][]*cobra.Command{parent.Commands(), below(root)} {
		calls, names := map[string]string{}, []string{}
		for _, command := range commands {
			if command.IsAvailableCommand() {
				calls[command.Name()] = command.CommandPath()
				names = append(names, command.Name())
			}
		}
		if meant := near(name, names); meant != "" {
			return calls[meant]
		}
	}
	return ""
}

// below returns the subcommands of all commands.
func below(root *cobra.Command) (commands []*cobra.Command) {
	for _, command := range root.Commands() {
		if command.Name() != "completion" { // of every shell
			commands = append(commands, command.Commands()...)
		}
	}
	return commands
}
