package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Backup writes a copy of a SQLite database as it is at one moment to a new file, which only its owner may read, and
// checks it. Other processes may go on writing. The error for Postgres says how to copy such a database.
func (s *Store) Backup(ctx context.Context, file string) error {
	if file == "" || os.IsPathSeparator(file[len(file)-1]) {
		return errors.New("name a file for the copy")
	}
	if err := s.copiesItself(ctx, file); err != nil {
		return err
	}
	folder := filepath.Dir(file)
	if info, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return fmt.Errorf("make the copy %s: there is no folder %s", file, folder)
	}
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		return overwrites(file, err)
	}
	partial, err := s.copyInto(ctx, folder, file)
	if err != nil {
		return err
	}
	defer os.Remove(partial.Name())
	defer partial.Close()
	return publish(partial.Name(), file)
}

// BackupTo is Backup for a stream. The copy is made beside the database first, which needs as much space there again.
func (s *Store) BackupTo(ctx context.Context, to io.Writer) error {
	if err := s.copiesItself(ctx, ""); err != nil {
		return err
	}
	partial, err := s.copyInto(ctx, filepath.Dir(s.file.path), s.file.path)
	if err != nil {
		return err
	}
	defer os.Remove(partial.Name())
	defer partial.Close()
	_ = os.Remove(partial.Name()) // whoever reads it may go, which ends this program; not every system can
	if _, err := io.Copy(to, partial); err != nil {
		return fmt.Errorf("write the copy: %w", err)
	}
	return nil
}

// copiesItself returns an error for Postgres, which says how to copy such a database; to a stream where file is "".
func (s *Store) copiesItself(ctx context.Context, file string) error {
	if s.database == SQLite {
		return nil
	}
	there, err := s.tables(ctx, s.schema)
	if err != nil {
		return err
	}
	return fmt.Errorf("this copies SQLite files; copy a Postgres with its own program, and the role that owns "+
		"the tables: %s",
		s.dumpCommand(file, there[Schema{}.versionTable()] != nil))
}

// copyInto makes a copy in a folder, under a name that nobody takes for that of the file, and checks it.
func (s *Store) copyInto(ctx context.Context, folder, file string) (_ *os.File, err error) {
	if folder, err = filepath.Abs(folder); err != nil { // SQLite takes a name that begins with file: for a URL
		return nil, fmt.Errorf("make the copy: %w", err)
	}
	removeAbandoned(folder, partialBackup)
	partial, err := os.CreateTemp(folder, partialBackup) // 0600, says os
	if err != nil {
		return nil, fmt.Errorf("make the copy: %w", err)
	}
	defer func() {
		if err != nil {
			_ = partial.Close()
			_ = os.Remove(partial.Name())
		}
	}()
	if err := partial.Chmod(ownFile); err != nil { // the umask may have left it less
		return nil, fmt.Errorf("make the copy: %w", err)
	}
	if err := s.file.vacuumInto(ctx, partial.Name()); err != nil {
		return nil, fmt.Errorf("copy to %s: %w", file, s.classify(err))
	}
	if err := checkCopy(ctx, partial.Name()); err != nil {
		return nil, fmt.Errorf("the copy %s cannot be used: %w", file, err)
	}
	if err := partial.Sync(); err != nil {
		return nil, fmt.Errorf("make the disk keep the copy: %w", err)
	}
	return partial, nil
}

// What is written beside a database, or a copy, before it is whole, has names that begin so.
const partialBackup, partialRestore = ".guestpass-backup-", ".guestpass-restore-"

// abandoned is the age from which nobody goes on with such a file or folder.
const abandoned = 24 * time.Hour

// removeAbandoned removes what programs that were killed have left: it has all that the database has. What cannot be
// removed stays.
func removeAbandoned(folder, prefix string) {
	entries, err := os.ReadDir(folder)
	if err != nil { // writing there will say why
		return
	}
	for _, entry := range entries {
		number, is := strings.CutPrefix(entry.Name(), prefix)
		if !is || number == "" || strings.Trim(number, "0123456789") != "" || entry.Type()&fs.ModeSymlink != 0 {
			continue
		}
		info, err := entry.Info()
		if err == nil && time.Since(info.ModTime()) > abandoned && ownedByUs(info) {
			_ = os.RemoveAll(filepath.Join(folder, entry.Name()))
		}
	}
}

// vacuumInto copies on a connection of its own, as those that only read may not.
func (f *sqliteFile) vacuumInto(ctx context.Context, to string) error {
	db, err := sql.Open("sqlite", f.dsn("rw"))
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, "VACUUM INTO $1", to)
	return err
}

func overwrites(file string, err error) error {
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make the copy: %w", err)
	}
	return fmt.Errorf("%s exists already, and is not overwritten: name another file", file)
}

// publish gives the copy its name, unless a file of that name has appeared.
func publish(partial, file string) error {
	if err := os.Link(partial, file); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return overwrites(file, nil)
		}
		if err := os.Rename(partial, file); err != nil { // a file system without links
			return fmt.Errorf("name the copy: %w", err)
		}
	}
	folder, err := os.Open(filepath.Dir(file))
	if err != nil {
		return fmt.Errorf("make the disk keep the copy: %w", err)
	}
	defer folder.Close()
	_ = folder.Sync() // not every system can
	return nil
}

// checkCopy reads all of the copy.
func checkCopy(ctx context.Context, path string) error {
	copied := &sqliteFile{path: path}
	db, err := sql.Open("sqlite", copied.dsn("ro"))
	if err != nil {
		return err
	}
	defer db.Close()
	s := &Store{database: SQLite, read: db, file: copied}
	return s.CheckIntegrity(ctx)
}

// dumpCommand returns the command to type. Tables that an earlier version has made are not in the schema yet.
func (s *Store) dumpCommand(file string, inSchema bool) string {
	options := ""
	if inSchema {
		options = " --schema=" + s.schema
	}
	if file != "" {
		options += " --file=" + shellQuote(file)
	}
	return fmt.Sprintf("pg_dump --format=custom%s %s", options, shellQuote(forPrograms(s.url)))
}

// forPrograms returns the URL of a Postgres as its own programs take it. It leaves out the password, which they ask for
// or read from a file of their own.
func forPrograms(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	query := u.Query()
	query.Del("password")
	query.Del("sslpassword")
	for name := range query { // pgx's own and ours, which they do not know
		if _, bound := defaultBounds[name]; bound || strings.HasPrefix(name, "pool_") ||
			name == "default_query_exec_mode" || name == "search_path" ||
			strings.HasSuffix(name, "_cache_capacity") {
			query.Del(name)
		}
	}
	u.RawQuery = query.Encode()
	return u.String()
}

func shellQuote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
