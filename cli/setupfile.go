package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"

	"guestpass/internal/envfile"
	"guestpass/internal/setup"
)

// file returns the name of the file that is written.
func (s *setupRun) file() string { return fileOf(s.cmd.Flags()).target() }

// writable refuses a file that cannot take the settings: a secret that is made is shown by nobody again.
func (s *setupRun) writable(settings []setup.Setting) error {
	if s.dry {
		return nil
	}
	if err := envfile.Check(s.file(), variablesOf(settings)); err != nil {
		return usagef("the settings cannot be written, so nothing was changed: %w; --%s names another file", err,
			envFileFlag)
	}
	return nil
}

// keep writes settings into the file, at once.
func (s *setupRun) keep(settings []setup.Setting) error {
	_, err := envfile.Write(s.file(), variablesOf(settings))
	s.kept = s.kept || err == nil
	return err
}

func variablesOf(settings []setup.Setting) (variables []envfile.Variable) {
	for _, set := range settings {
		variables = append(variables, envfile.Variable{Name: set.Name, Value: set.Value})
	}
	return variables
}

// ofEnvironment returns what the environment says, in the form in which it would be written.
func (s *setupRun) ofEnvironment() (map[string]string, error) {
	c, _, err := readSettings(s.environ, nil)
	if err != nil {
		return nil, err
	}
	values, _, _ := said(s.environ, nil)
	for name, value := range map[string]string{"GUESTPASS_PUBLIC_URL": c.PublicURL,
		"STYTCH_DOMAIN": strings.Join(c.Domains, ",")} {
		if _, found := values[name]; found {
			values[name] = value
		}
	}
	return values, nil
}

// lockFile is there while setup is at work in a folder.
const lockFile = ".guestpass-setup.lock"

// alone keeps a second run out of the folder, which would make everything twice.
func (s *setupRun) alone() (release func(), err error) {
	if s.dry {
		return func() {}, nil
	}
	lock := flock.New(filepath.Join(filepath.Dir(s.file()), lockFile), flock.SetPermissions(0o600))
	switch held, err := lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("keep a second run out of this folder: %w", err)
	case !held:
		return nil, usagef("another `guestpass setup` is at work in the folder of %s: wait until it has ended",
			s.file())
	}
	return func() {
		_ = os.Remove(lock.Path())
		_ = lock.Unlock()
	}, nil
}
