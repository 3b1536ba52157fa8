package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"guestpass/internal/envfile"
)

// envFileFlag names a file of settings.
const envFileFlag = "env-file"

// standardFile is read from the working directory if no other is named. Neither the folders above nor the one of the
// program are searched: who calls a command there knows the folder, and finds the file.
const standardFile = ".env"

// An envFileValue is the value of --env-file, and what the file says.
type envFileValue struct {
	name string // "" for the standard file
	file *envfile.File
}

// readingFiles gives commands that read the server's settings the flag, also for the commands below them.
func readingFiles(commands ...*cobra.Command) []*cobra.Command {
	for _, command := range commands {
		command.PersistentFlags().Var(new(envFileValue), envFileFlag,
			"file of settings; unless told otherwise "+standardFile+" in the working directory, if there is one")
	}
	return commands
}

// fileOf returns the value of the flag; nil for commands that read no settings.
func fileOf(flags *pflag.FlagSet) *envFileValue {
	if flags == nil {
		return nil
	}
	flag := flags.Lookup(envFileFlag)
	if flag == nil {
		return nil
	}
	value, _ := flag.Value.(*envFileValue)
	return value
}

func (v *envFileValue) String() string { return v.name }

// Type returns what help shows for the value.
func (v *envFileValue) Type() string { return "FILE" }

// Set keeps the name; load reads the file, once it is known that a command is carried out.
func (v *envFileValue) Set(name string) error {
	switch {
	case name == "":
		return errors.New("it is empty: name a file, or leave it out")
	case v.name != "":
		return errors.New("it is there twice: name one file")
	}
	v.name = name
	return nil
}

// load reads the file. What a person must know of it goes to the command's error output.
func (v *envFileValue) load(cmd *cobra.Command, environ []string) (err error) {
	switch {
	case v == nil, v.name == os.DevNull:
		return nil
	case v.name != "":
		v.file, err = envfile.Read(cmd.Context(), v.name)
		if _, makes := cmd.Annotations[makesFile]; makes && errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	default:
		v.file, err = envfile.Beside(".", standardFile)
		if err != nil {
			err = fmt.Errorf("%w; it is read because it is in the working directory: --%s names another file, or %s "+
				"for none", err, envFileFlag, os.DevNull)
		}
	}
	switch {
	case err != nil && cmd.Context().Err() != nil: // somebody ended the program, and called nothing wrong
		return err
	case err != nil:
		return usagef("the settings cannot be read: %w", err)
	}
	if v.file == nil {
		return nil
	}
	if _, logs := cmd.Annotations[logsFile]; !logs && v.name == "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "guestpass: settings are read from %s\n", v.file.Name)
	}
	if v.file.Exposed() && !credential(v.file.Name, environ) {
		fmt.Fprintf(cmd.ErrOrStderr(), "guestpass: other users of this machine may read %s: chmod 600 it\n",
			v.file.Name)
	}
	return nil
}

// credential reports whether systemd has put the file there, for this process alone. Newer versions say by an access
// control list who may read it, which looks like a mode for a group.
func credential(name string, environ []string) bool {
	folder := variables(environ)["CREDENTIALS_DIRECTORY"]
	return folder != "" && filepath.Dir(name) == filepath.Clean(folder)
}

// makesFile is the annotation of commands that write the file, so that it need not be there.
const makesFile = "makes the file of settings"

// target returns the name of the file that such a command writes.
func (v *envFileValue) target() string { return or(v.name, standardFile) }

// logsFile is the annotation of commands that log which file they read.
const logsFile = "logs the file of settings"

// log tells which file was read, so that nobody has to guess in which folder the program was started.
func (v *envFileValue) log(log *slog.Logger, c config) {
	if v == nil || v.file == nil {
		return
	}
	taken, inVain := []string{}, []string{}
	for _, variable := range v.file.Variables {
		switch {
		case c.given[variable.Name] == v.line(variable):
			taken = append(taken, variable.Name)
		case forEnvironment(variable.Name):
			inVain = append(inVain, variable.Name)
		}
	}
	slices.Sort(inVain)
	inVain = slices.Compact(inVain)
	path, err := filepath.Abs(v.file.Name)
	if err != nil {
		path = v.file.Name
	}
	log.Info("settings read", "file", path, "taken", taken)
	if len(inVain) > 0 {
		log.Warn("a file of settings cannot say these: set them in the environment", "file", path, "variables", inVain)
	}
}

// forEnvironment reports whether a variable is no setting and yet has a meaning here: Go's own, those of OpenTelemetry
// and those of pgx. They are read from the environment, whatever a file says.
func forEnvironment(name string) bool {
	return slices.Contains(onlyInEnvironment, name) || strings.HasPrefix(name, "OTEL_") ||
		strings.HasPrefix(name, "PGSSL")
}

var onlyInEnvironment = []string{"GOGC", "GOMEMLIMIT", "GOMAXPROCS", "GODEBUG", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGPASSFILE", "PGAPPNAME", "PGCONNECT_TIMEOUT",
	"PGTARGETSESSIONATTRS", "PGSERVICE", "PGSERVICEFILE", "PGTZ", "PGOPTIONS", "PGMINPROTOCOLVERSION",
	"PGMAXPROTOCOLVERSION", "PGCHANNELBINDING", "PGREQUIREAUTH"}

// variables returns what the file says.
func (v *envFileValue) variables() []envfile.Variable {
	if v == nil || v.file == nil {
		return nil
	}
	return v.file.Variables
}

// elsewhere returns where the file seems to say a variable in a line that does not count; "" for nowhere.
func (v *envFileValue) elsewhere(name string) string {
	if v == nil || v.file == nil {
		return ""
	}
	line := v.file.AssignedElsewhere(name)
	if line == 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d", v.file.Name, line)
}

// line returns where the file says a variable.
func (v *envFileValue) line(variable envfile.Variable) string {
	return fmt.Sprintf("%s:%d", v.file.Name, variable.Line)
}
