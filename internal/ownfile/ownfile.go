// Package ownfile keeps files that are for one user alone, with secrets in them: it replaces them as a whole, and tells
// whether others decide what one says. It does not know what the files are for.
package ownfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// partialMark stands between the name of a file and what makes the name of its successor unique while that is written.
const partialMark = ".partial-"

// create makes the file that is to replace another one, with mode 0600.
func create(name string) (*os.File, error) {
	folder := filepath.Dir(name)
	partial, err := os.CreateTemp(folder, filepath.Base(name)+partialMark)
	if failed := new(fs.PathError); errors.As(err, &failed) { // it names a file that nobody knows
		err = fmt.Errorf("no file can be made in the folder %s: %w", folder, failed.Err)
	}
	return partial, err
}

// Check returns why [Replace] could not make a file of that name; nil if it could. It makes one beside it for a moment.
func Check(name string) error {
	partial, err := create(name)
	if err != nil {
		return err
	}
	return errors.Join(partial.Close(), os.Remove(partial.Name()))
}

// Replace gives a file its text as a whole: whoever reads it has the old one or the new one, also after the machine has
// stopped. Only its owner may read it then (0600). The file may be missing.
func Replace(name string, text []byte) error {
	partial, err := create(name)
	if err != nil {
		return err
	}
	_, err = partial.Write(text)
	if err == nil {
		err = partial.Sync()
	}
	if closed := partial.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(partial.Name(), name)
	}
	if err != nil {
		_ = os.Remove(partial.Name())
	}
	return err
}

// stale is the age from which nobody writes a successor any more: that takes no minute.
const stale = time.Minute

// RemoveStale removes what earlier calls of [Replace] left that were killed: it may have secrets. What cannot be
// removed, such as another user's, stays.
func RemoveStale(name string) {
	folder := filepath.Dir(name)
	entries, err := os.ReadDir(folder)
	if err != nil { // writing there will say why
		return
	}
	for _, entry := range entries {
		rest, left := strings.CutPrefix(entry.Name(), filepath.Base(name)+partialMark)
		if !left || rest == "" || strings.Trim(rest, "0123456789") != "" || !entry.Type().IsRegular() {
			continue
		}
		info, err := entry.Info()
		if err == nil && time.Since(info.ModTime()) > stale && Trusted(info) == nil {
			_ = os.Remove(filepath.Join(folder, entry.Name()))
		}
	}
}
