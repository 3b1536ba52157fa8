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
	"runtime"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"guestpass/internal/pattern"
)

// ErrNoFile is Connect's answer if there is no SQLite file yet.
var ErrNoFile = errors.New("does not exist yet")

// sqliteFile is the one file of a SQLite database, whichever way it is spelt.
type sqliteFile struct {
	path  string
	locks []*flock.Flock // none: the file is only read
}

// sqlitePath returns the path in a sqlite: URL, whose scheme is cut off.
func sqlitePath(rest string) (string, error) {
	path := strings.TrimPrefix(rest, "file:")
	if after, ok := strings.CutPrefix(path, "//"); ok {
		path = strings.TrimPrefix(after, "localhost")
		if !strings.HasPrefix(path, "/") {
			return "", errors.New("must be sqlite:PATH without //: sqlite:guestpass.db, or " +
				"sqlite:/var/lib/guestpass/guestpass.db")
		}
	}
	switch {
	case path == "":
		return "", errURL
	case strings.Contains(path, "://"), otherScheme.MatchString(path): // it may hold a password
		return "", errors.New("must be sqlite:PATH or another URL, not sqlite: before one: leave sqlite: out, or " +
			"write sqlite:./NAME for a file of such a name")
	case strings.HasPrefix(path, ":memory:"):
		return "", errors.New("must be sqlite:PATH with the path of a file: nothing would be kept in memory")
	case strings.ContainsAny(path, "?\x00"):
		return "", errors.New("must be sqlite:PATH without options")
	}
	return path, nil
}

var otherScheme = pattern.New(`^(?i:postgres|postgresql|sqlite|sqlite3|file|mysql|https?):`)

// realPath follows links, also one to a file that is not there yet: SQLite makes its other
// files beside what it finds at the end.
func realPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	for range 40 {
		target, err := os.Readlink(path)
		if err != nil { // no link
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("it is a link to %s, whose folder does not exist", path)
	}
	if err != nil {
		return "", fmt.Errorf("it cannot be found: %w", err)
	}
	return filepath.Join(folder, filepath.Base(path)), nil
}

// openSQLite opens the file; with write for this process alone, else for reading beside it.
func (s *Store) openSQLite(ctx context.Context, rest string, write bool) error {
	s.database = SQLite
	path, err := sqlitePath(rest)
	if err != nil {
		return fmt.Errorf("the database URL %w", err)
	}
	s.file = &sqliteFile{path: path}
	if err := s.file.find(write && !s.asItIs); err != nil {
		return err
	}
	if !write {
		return s.openReaders(ctx)
	}
	if err := s.checkOwnFile(ctx); err != nil {
		return err
	}
	if err := s.file.keepPrivate(ctx, s.log); err != nil {
		return err
	}
	if err := s.file.lockOut(); err != nil {
		return err
	}
	if err := s.openWriter(ctx); err != nil {
		_ = s.file.close()
		return err
	}
	return nil
}

// checkOwnFile refuses a file of another program before anything is changed in it or made beside it.
func (s *Store) checkOwnFile(ctx context.Context) error {
	header, err := s.file.header()
	if err != nil || len(header) == 0 { // SQLite says why, or there is nothing yet
		return nil
	}
	seen := &Store{log: s.log, schemas: s.schemas, database: SQLite, file: s.file, write: noWriter{}}
	if seen.read, err = sql.Open("sqlite", s.file.dsnToLook(header)); err != nil {
		return err
	}
	defer seen.read.Close()
	err = seen.examineAll(ctx)
	var lite *sqlite.Error
	// opening for writing mends it, or says it better
	if errors.As(err, &lite) && lite.Code()&0xff != sqlite3.SQLITE_NOTADB {
		return nil
	}
	return err
}

// header returns the first bytes of the file.
func (f *sqliteFile) header() ([]byte, error) {
	file, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	header := make([]byte, 100)
	n, err := io.ReadFull(file, header)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return header[:n], err
}

// dsnToLook returns a connection string with which SQLite makes no files. For a database with a write-ahead log it
// would make that even to read, unless told that nobody writes, which is true as long as there is no log.
func (f *sqliteFile) dsnToLook(header []byte) string {
	const writeVersion, walVersion = 18, 2 // of SQLite's file format
	dsn := f.dsn("ro", "query_only(1)")
	if _, err := os.Stat(f.path + "-wal"); err != nil && len(header) > writeVersion &&
		header[writeVersion] == walVersion {
		dsn += "&immutable=1"
	}
	return dsn
}

// dsnToRead returns a connection string for reading beside a process that writes, for which SQLite makes files beside
// the database. If this user may not make any, the process that writes cannot either.
func (f *sqliteFile) dsnToRead() string {
	header, err := f.header()
	if err == nil && mayMakeFiles(filepath.Dir(f.path)) != nil {
		return f.dsnToLook(header)
	}
	return f.dsn("rw", "query_only(1)")
}

// mayMakeFiles tries, since rights alone do not tell: a file system may be mounted for reading.
func mayMakeFiles(folder string) error {
	probe, err := os.CreateTemp(folder, ".guestpass-")
	if err != nil {
		return err
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

func (s *Store) openReaders(ctx context.Context) (err error) {
	if s.read, err = sql.Open("sqlite", s.file.dsnToRead()); err != nil {
		return err
	}
	s.write = noWriter{}
	if err := s.QueryRow(ctx, "SELECT count(*) FROM sqlite_master").Scan(new(int)); err != nil {
		_ = s.read.Close()
		return err
	}
	return nil
}

func (s *Store) openWriter(ctx context.Context) (err error) {
	dsn := s.file.dsn("rwc", "journal_mode(WAL)", "synchronous(FULL)", "secure_delete(FAST)",
		"journal_size_limit(16777216)") // else the log stays as long as it ever was
	if s.read, err = sql.Open("sqlite", dsn); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(maxReaders)
	s.read.SetMaxIdleConns(maxReaders)
	s.reads = newStatements(s.read)
	one, err := sql.Open("sqlite", dsn)
	if err != nil {
		return err
	}
	one.SetMaxOpenConns(1)
	s.write = newGroupWriter(one)
	if err := s.tryToWrite(ctx); err != nil {
		_, _ = s.write.close(), s.read.Close()
		return err
	}
	return nil
}

// tryToWrite changes something and takes it back: SQLite opens a file that it may not change without a word.
func (s *Store) tryToWrite(ctx context.Context) error {
	takeBack := errors.New("take back")
	err := s.Write(ctx, func(tx *Tx) error {
		if _, err := tx.Exec("CREATE TABLE guestpass_try (x)"); err != nil {
			return err
		}
		return takeBack
	})
	if errors.Is(err, takeBack) {
		return nil
	}
	return err
}

func (f *sqliteFile) dsn(mode string, pragmas ...string) string {
	settings := url.Values{"_txlock": {"immediate"}, "mode": {mode},
		"_pragma": append(pragmas, "busy_timeout(5000)", "foreign_keys(1)", "temp_store(MEMORY)")}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: f.path}).EscapedPath(),
		RawQuery: settings.Encode()}).String()
}

// find returns the reason for what SQLite would only call "unable to open database file".
func (f *sqliteFile) find(write bool) (err error) {
	folder := filepath.Dir(f.path)
	switch info, err := os.Stat(folder); {
	case errors.Is(err, fs.ErrNotExist) && write && makeFolder(folder) == nil:
	case errors.Is(err, fs.ErrNotExist):
		return f.errorf("its folder %s does not exist", folder)
	case err != nil:
		return f.errorf("its folder cannot be looked into: %w", err)
	case !info.IsDir():
		return f.errorf("%s is no folder", folder)
	}
	path, err := realPath(f.path)
	if err != nil {
		return f.errorf("%w", err)
	}
	f.path = path
	if err := f.findCompanions(); err != nil {
		return err
	}
	switch info, err := os.Stat(f.path); {
	case errors.Is(err, fs.ErrNotExist) && write:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return f.errorf("it %w", ErrNoFile)
	case err != nil:
		return f.errorf("it cannot be opened: %w", err)
	case !info.Mode().IsRegular():
		return f.errorf("it is no file, but %s", kind(info.Mode()))
	case write && mounted(f.path):
		return f.errorf("it is mounted by itself, and SQLite keeps changes in files beside it that are not: mount " +
			"its folder instead")
	case write && links(info) > 1:
		return f.errorf("it has %d names (hard links), and SQLite keeps changes in files beside one of them, so "+
			"that a process that comes by another name "+
			"loses them: stop all processes, remove the other names, which find -samefile shows, and use symbolic "+
			"links instead", links(info))
	}
	return nil
}

// mounted reports whether something is mounted at the path, as containers do with single files. Only Linux tells.
func mounted(path string) bool {
	table, _ := os.ReadFile("/proc/self/mountinfo")
	return isMountPoint(string(table), path)
}

// isMountPoint looks for the path in a table as proc_pid_mountinfo(5) describes it.
func isMountPoint(table, path string) bool {
	for line := range strings.Lines(table) {
		const mountPoint = 4
		fields := strings.Fields(line)
		if len(fields) > mountPoint && mountEscapes.Replace(fields[mountPoint]) == path {
			return true
		}
	}
	return false
}

var mountEscapes = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// findCompanions checks what has the names of the files that are made beside this one.
func (f *sqliteFile) findCompanions() error {
	for _, suffix := range companions {
		name := f.path + suffix
		if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() {
			return f.errorf("%s, a name that is needed for a file beside it, is %s: move that away", name,
				kind(info.Mode()))
		}
	}
	return nil
}

// companions are the files beside one: SQLite's own, the lock, and the reserve.
var companions = []string{"-wal", "-shm", "-journal", lockSuffix, reserveSuffix}

const lockSuffix = "-lock"

// kind returns a word for something that is not a regular file.
func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	case mode&fs.ModeDevice != 0:
		return "a device"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	}
	return "of an unknown kind"
}

func (f *sqliteFile) errorf(format string, args ...any) error {
	return fmt.Errorf("the SQLite file %s: %w", f.path, fmt.Errorf(format, args...))
}

// lockOut keeps a second process away, which would not know of this one's changes under way. The locks are the system's
// and end with the process. Readers need none. One lock is on a file beside the database, one on the database itself,
// which has several paths if folders are mounted twice.
func (f *sqliteFile) lockOut() error {
	names := []string{f.path + lockSuffix}
	if runtime.GOOS == "linux" { // elsewhere this kind of lock is SQLite's own kind
		names = append(names, f.path)
	}
	for _, name := range names {
		lock := flock.New(name, flock.SetPermissions(0o600))
		held, err := lock.TryLock()
		if err == nil && !held {
			err = fmt.Errorf("another process%s uses it already: stop that one, or name another file; several "+
				"instances share a Postgres", holder(names[0]))
		} else if err != nil {
			err = fmt.Errorf("it cannot be locked for this process: %w", err)
		}
		if err != nil {
			_ = f.close()
			return f.errorf("%w", err)
		}
		f.locks = append(f.locks, lock)
	}
	if file, err := openOwn(names[0], os.O_WRONLY|os.O_TRUNC); err == nil {
		_, _ = file.WriteString(strconv.Itoa(os.Getpid()) + "\n") // for holder
		_ = file.Close()
	}
	return nil
}

// holder returns the name of the process that has the lock, if it has left one.
func holder(name string) string {
	text, _ := os.ReadFile(name) // #nosec G304 -- beside the file that the operator has named
	if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
		return fmt.Sprintf(" (%sprocess id %d)", commandOf(pid), pid)
	}
	return ""
}

// explain names the file, and what to do, in an error of SQLite that is about the file.
func (f *sqliteFile) explain(err error) error {
	var lite *sqlite.Error
	if !errors.As(err, &lite) {
		return err
	}
	causes := map[int]string{
		sqlite3.SQLITE_NOTADB:   "it is no SQLite database, or an encrypted one",
		sqlite3.SQLITE_CORRUPT:  "it is damaged; put back a copy that guestpass backup made",
		sqlite3.SQLITE_READONLY: "it cannot be changed: the file, its folder or the disk is read-only for this user",
		sqlite3.SQLITE_CANTOPEN: "it, or a file beside it, cannot be opened: this user may not, or the folder is gone",
		sqlite3.SQLITE_PERM:     "this user may not open it",
		sqlite3.SQLITE_FULL:     "the disk is full",
		sqlite3.SQLITE_IOERR: "the disk does not read or write it; SQLite wants a disk of this machine, not a " +
			"network's",
		sqlite3.SQLITE_BUSY:     "another program has it locked",
		sqlite3.SQLITE_PROTOCOL: "another program has it locked",
	}
	cause := causes[lite.Code()&0xff]
	if cause == "" {
		return err
	}
	return f.errorf("%s: %w", cause, err)
}

// close closes the file, and leaves it complete by itself.
func (f *sqliteFile) close() (err error) {
	if f == nil {
		return nil
	}
	for _, lock := range f.locks {
		err = errors.Join(err, lock.Unlock())
	}
	f.locks = nil
	return err
}

// noWriter is the writer of a store that only reads.
type noWriter struct{}

func (noWriter) run(context.Context, func(context.Context, *sql.Tx) error) error {
	return errors.New("the database was opened for reading")
}
func (noWriter) ping() error  { return nil }
func (noWriter) close() error { return nil }
