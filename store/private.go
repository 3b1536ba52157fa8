package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

// Permissions of the database and the files beside it: for their owner alone. The umask belongs to whoever started the
// program, and knows nothing of what is in them.
const (
	ownFile   = 0o600
	ownFolder = 0o700
	others    = 0o077
)

// openOwn opens a file of ours, and makes it if there is none. It follows no link: in a folder that others may write
// to, one could lead anywhere.
func openOwn(name string, flags int) (*os.File, error) {
	// #nosec G304 -- beside the database, which the operator has named
	file, err := os.OpenFile(name, flags|os.O_CREATE|noFollow, ownFile)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.Size() == 0 && info.Mode().Perm() != ownFile && ownedByUs(info) {
		err = file.Chmod(ownFile) // it is new, and the umask has left something out
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// makeFolder makes the last folder of a path, for this user alone. Those above it must exist: a misspelt path is an
// error and not made.
func makeFolder(folder string) error {
	if err := os.Mkdir(folder, ownFolder); err != nil {
		return err
	}
	return os.Chmod(folder, ownFolder) // #nosec G302 -- a folder needs to be searched; whatever the umask
}

// keepPrivate makes the database file and the lock for this user alone, before SQLite makes them for whomever the umask
// admits: the files that SQLite makes beside the database get its permissions. It mends files that are more open
// already, and warns of them: nobody else needs them, and refusing them would stop every server with an older database.
// Of an open folder it only warns: others may keep their own things there. It refuses a file of another user, who could
// open it to anybody.
func (f *sqliteFile) keepPrivate(ctx context.Context, log *slog.Logger) error {
	for _, name := range []string{f.path, f.path + "-lock"} {
		file, err := openOwn(name, os.O_RDWR)
		if errors.Is(err, fs.ErrPermission) {
			continue // SQLite, or the lock, says better what may not be done
		}
		if err != nil {
			return f.errorf("it cannot be made: %w", err)
		}
		_ = file.Close()
	}
	for _, suffix := range append([]string{""}, companions...) {
		if err := f.keepOne(ctx, f.path+suffix, log); err != nil {
			return err
		}
	}
	folder := filepath.Dir(f.path)
	const sticky, writable = fs.ModeSticky, 0o022
	if info, err := os.Stat(folder); err == nil && info.Mode()&sticky == 0 && info.Mode().Perm()&writable != 0 {
		log.WarnContext(ctx, "other users may write to the database's folder, and so could put a file of their own "+
			"in its place: "+
			"chmod go-w it, or move the database to a folder of its own", "folder", folder,
			"mode", fmt.Sprintf("%04o", info.Mode().Perm()))
	}
	return nil
}

func (f *sqliteFile) keepOne(ctx context.Context, name string, log *slog.Logger) error {
	info, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return f.errorf("%s cannot be looked at: %w", name, err)
	case !ownedByUs(info):
		return f.errorf("%s belongs to another user, who can read it and change who else may: give it to the user "+
			"that "+
			"runs this with chown", name)
	case info.Mode().Perm()&others == 0:
		return nil
	}
	if err := os.Chmod(name, info.Mode().Perm()&^others); err != nil {
		return f.errorf("other users may read %s, and that cannot be changed: %w", name, err)
	}
	log.WarnContext(ctx, "other users could read or write a file of the database, and no longer can: what it holds "+
		"may be known to "+
		"them", "file", name, "mode", fmt.Sprintf("%04o", info.Mode().Perm()))
	return nil
}
