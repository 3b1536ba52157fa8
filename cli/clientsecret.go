//go:build !production

package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"guestpass/internal/credentials"
)

// clientSecretFlag is kept for those who have it in a script: an argument is in the process list, for everybody on the
// machine to see, and in the shell's history.
const clientSecretFlag = "client-secret"

// warnOfArgument warns of that, and says what to do instead.
func warnOfArgument(w io.Writer) {
	fmt.Fprintln(w, "guestpass: the value of --"+clientSecretFlag+" is visible to everybody on this machine in the "+
		"process list, and is kept in the shell's history: set GUESTPASS_TRY_CLIENT_SECRET, name a file with "+
		"--client-secret-file, or leave it out and type it when you are asked")
}

// moveClientSecret takes the secret out of the arguments of guestpass try and puts it into the
// environment, which only the user can read. It reports whether there was one.
func moveClientSecret(args, environ []string) (fewer, more []string, moved bool) {
	if len(args) < 2 || args[1] != "try" {
		return args, environ, false
	}
	more = append(more, environ...)
	for i := 0; i < len(args); i++ {
		name, value, joined := strings.Cut(args[i], "=")
		switch {
		case args[i] == "--":
			return append(fewer, args[i:]...), more, moved
		case name != "--"+clientSecretFlag, !joined && i+1 == len(args):
			fewer = append(fewer, args[i])
			continue
		case !joined:
			i++
			value = args[i]
		}
		more, moved = append(more, "GUESTPASS_TRY_CLIENT_SECRET="+value), true
	}
	return fewer, more, moved
}

// A secretSource says where guestpass try gets the client secret.
type secretSource struct {
	argument, file string
	variable       string // GUESTPASS_TRY_CLIENT_SECRET
	standard       string // of the client that is taken where none is named
	what, flag     string // "": client secret, client-secret-file
	stdin          io.Reader
	notes          io.Writer
}

// read returns the secret: from the argument, the file, the variable, or development, or as the person types it.
func (s secretSource) read(ctx context.Context) (string, error) {
	switch {
	case s.argument != "" && s.file != "":
		return "", usagef("--%s and --client-secret-file: choose one", clientSecretFlag)
	case s.argument != "":
		warnOfArgument(s.notes)
		return s.argument, nil
	case s.file == "-":
		return firstLine(s.stdin, "the standard input", s.named())
	case s.file != "":
		file, err := os.Open(s.file)
		if err != nil {
			return "", usagef("--%s: %w", cmp.Or(s.flag, "client-secret-file"), err)
		}
		defer file.Close()
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
			fmt.Fprintf(s.notes, "guestpass: other users of this machine may read %s: chmod 600 it\n", s.file)
		}
		return firstLine(file, s.file, s.named())
	case s.variable != "":
		return s.variable, nil
	case s.standard != "":
		return s.standard, nil
	}
	return s.ask(ctx)
}

// named says what kind of secret it is.
func (s secretSource) named() string { return cmp.Or(s.what, "client secret") }

// given reports whether there is a secret to read without asking.
func (s secretSource) given() bool {
	return s.argument != "" || s.file != "" || s.variable != "" || s.standard != ""
}

// firstLine reads a secret, which is one line with nothing after it.
func firstLine(r io.Reader, from, what string) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, longestSecret+1))
	if err != nil {
		return "", usagef("the %s cannot be read from %s: %w", what, from, err)
	}
	secret := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	if secret == "" {
		return "", usagef("%s has no %s in it", from, what)
	}
	if len(text) > longestSecret {
		return "", usagef("%s is longer than any %s: more than %d bytes", from, what, longestSecret)
	}
	if err := checkSecret(secret, from, what); err != nil {
		return "", err
	}
	return secret, nil
}

// checkSecret says what was copied along with a secret.
func checkSecret(secret, from, what string) error {
	if scheme, _, more := strings.Cut(secret, " "); more && strings.EqualFold(scheme, "Bearer") {
		return usagef("the %s from %s begins with Bearer: leave that word out", what, from)
	}
	if err := credentials.CheckText(secret); err != nil {
		return usagef("the %s from %s %w", what, from, err)
	}
	return nil
}

// ask reads the secret from the terminal, which does not show it.
func (s secretSource) ask(ctx context.Context) (string, error) {
	terminal, ok := s.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(terminal.Fd())) {
		return "", usagef("the connected app has a client secret: set GUESTPASS_TRY_CLIENT_SECRET, or name a file " +
			"that has it with --client-secret-file (- is the standard input); on a terminal you are asked")
	}
	before, err := term.GetState(int(terminal.Fd()))
	if err != nil {
		return "", fmt.Errorf("ask for the client secret: %w", err)
	}
	fmt.Fprint(s.notes, "Client Secret (it is not shown): ")
	typed := make(chan error, 1)
	var secret []byte
	go func() {
		var err error
		secret, err = term.ReadPassword(int(terminal.Fd()))
		typed <- err
	}()
	select {
	case <-ctx.Done(): // what waits for the terminal ends with the process
		_ = term.Restore(int(terminal.Fd()), before)
		fmt.Fprintln(s.notes)
		return "", ctx.Err()
	case err := <-typed:
		fmt.Fprintln(s.notes)
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("ask for the client secret: %w", err)
		}
		return firstLine(bytes.NewReader(secret), "the terminal", s.named())
	}
}
