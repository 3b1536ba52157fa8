// Package envfile reads and writes files of settings: one NAME=VALUE a line, with comments, as a .env file has them. It
// never executes what it reads. It knows the syntax, and nothing of which settings there are.
//
// A POSIX shell and systemd's EnvironmentFile read such files too, and not everything alike. A value counts only if
// both read the same; of any other, [Variable.Err] says how to write it. Its errors never repeat a value: it may be a
// secret.
package envfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"guestpass/internal/ownfile"
)

// maxBytes bounds what is read of a file that is something else.
const maxBytes = 64 << 10

// A File is what a file of settings says.
type File struct {
	Name      string // as whoever asked for the file called it
	Variables []Variable
	mode      fs.FileMode
	odd       int            // the first line that is neither NAME=VALUE nor a comment; 0: there is none
	says      bool           // it has NAME=VALUE
	assigned  map[string]int // lines that are no NAME=VALUE and seem to say a variable, by its spelling
}

// A Variable is one NAME=VALUE of a file.
type Variable struct {
	Name, Value string
	Line        int   // where it begins, from 1
	Err         error // why the value cannot be taken, in words that follow the name; nil: it can be
}

// Read reads a file that somebody named. A pipe will do as well: it is read until its writer has closed it, or the
// context ends. A file that has other lines alone is some other file, and refused.
func Read(ctx context.Context, name string) (*File, error) {
	type result struct {
		file *File
		err  error
	}
	done := make(chan result, 1)
	go func() { // opening and reading a pipe know no context
		f, err := readNamed(name)
		done <- result{f, err}
	}()
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("%s is not read to its end: %w", name, ctx.Err())
	case r := <-done:
		return r.file, r.err
	}
}

func readNamed(name string) (*File, error) {
	file, err := os.Open(name) // #nosec G304 -- the person who calls names the file
	if err != nil {
		return nil, err
	}
	defer file.Close()
	f, err := read(file, name)
	if err == nil && f.odd > 0 && !f.says {
		return nil, fmt.Errorf("%s:%d: is neither NAME=VALUE nor a comment, which begins with #, and nor is any other "+
			"line", name, f.odd)
	}
	return f, err
}

// Beside reads the file of that name in a folder for a program that was not told to; nil if there is none. Whoever can
// write the file decides what the program does: so a file of another user, or one that everybody may change, is
// refused. A folder of that name is no file.
func Beside(folder, name string) (*File, error) {
	path := filepath.Join(folder, name)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir():
		return nil, nil
	case err == nil && !info.Mode().IsRegular(): // opening it could wait for ever
		return nil, fmt.Errorf("%s is no regular file", path)
	case err != nil:
		return nil, err
	}
	file, err := os.Open(path) // #nosec G304 -- a fixed name in the working directory, and its owner is checked
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err = file.Stat(); err != nil {
		return nil, err
	}
	if err := ownfile.Trusted(info); err != nil {
		return nil, fmt.Errorf("%s %w", path, err)
	}
	return read(file, path)
}

func read(file *os.File, name string) (*File, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s is a directory: name a file in it", name)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err != nil {
		return nil, err
	}
	f, err := Parse(name, text)
	if f != nil {
		f.mode = info.Mode()
	}
	return f, err
}

// Exposed reports whether users other than the owner may read or write the file.
func (f *File) Exposed() bool { return exposed(f.mode) }

func exposed(mode fs.FileMode) bool {
	return mode.IsRegular() && mode.Perm()&0o077 != 0 && runtime.GOOS != "windows" // whose modes say nothing
}
