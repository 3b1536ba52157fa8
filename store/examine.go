package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ErrOutdated is the answer of Examine, of [Beside], and with Options.AsItIs of [Open], if the database lacks steps of
// the schema that Open would apply.
var ErrOutdated = errors.New("the tables are of an earlier version, or not there yet")

// Examine returns an error if a server could not work with the database as it is. It changes nothing, and servers may
// go on meanwhile. Where there is no SQLite file yet and one can be made, the error wraps [ErrNoFile].
func Examine(ctx context.Context, o Options) error {
	s, err := Connect(ctx, o)
	if errors.Is(err, ErrNoFile) {
		if cause := mayMakeFiles(filepath.Dir(s.file.path)); cause != nil {
			return s.file.errorf("it is not there yet, and cannot be made in its folder: %w", errors.Unwrap(cause))
		}
	}
	if err != nil {
		return err
	}
	defer s.Close()
	outdated := s.checkUpToDate(ctx)
	if outdated != nil && !errors.Is(outdated, ErrOutdated) {
		return outdated
	}
	return cmp.Or(errors.Join(s.checkWritable(ctx), s.file.checkWritable()), outdated)
}

// checkUpToDate returns an error that wraps [ErrOutdated] and names the steps of the schema that are missing.
func (s *Store) checkUpToDate(ctx context.Context) error {
	steps, err := s.Migrations(ctx)
	if err != nil {
		return err
	}
	var missing []string
	for _, step := range steps {
		if step.Missing() {
			missing = append(missing, step.Name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w: %s", ErrOutdated, strings.Join(missing, ", "))
	}
	return nil
}

// checkWritable returns an error if this user may not change the file, or make the files that SQLite needs beside it.
func (f *sqliteFile) checkWritable() error {
	if f == nil {
		return nil
	}
	file, err := os.OpenFile(f.path, os.O_RDWR, 0)
	if err != nil {
		return f.errorf("it cannot be opened for writing: %w", errors.Unwrap(err))
	}
	if err := file.Close(); err != nil {
		return err
	}
	if err := mayMakeFiles(filepath.Dir(f.path)); err != nil {
		return f.errorf("no file can be made beside it, where SQLite keeps changes: %w", errors.Unwrap(err))
	}
	return nil
}
