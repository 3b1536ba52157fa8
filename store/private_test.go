//go:build unix

package store

import (
	"bytes"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// withUmask runs f as whoever started the program may have set it.
func withUmask(mask int, f func()) {
	before := syscall.Umask(mask)
	defer syscall.Umask(before)
	f()
}

func modeOf(t *testing.T, name string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

// TestTheDatabaseIsItsOwnersAlone looks at every file there is, whatever it is for, while the
// database is in use, after a backup, and when it was closed. It changes the process's umask, and so
// does not run beside others.
func TestTheDatabaseIsItsOwnersAlone(t *testing.T) {
	for _, mask := range []int{0, 0o002, 0o022, 0o077, 0o177, 0o277, 0o777} {
		folder := t.TempDir()
		path := filepath.Join(folder, "data", "guestpass.db")
		look := func(when string, want int) {
			t.Helper()
			seen := 0
			err := filepath.WalkDir(filepath.Dir(path), func(name string, entry fs.DirEntry, err error) error {
				seen++
				wanted := fs.FileMode(0o600)
				if err == nil && entry.IsDir() {
					wanted = 0o700
				}
				if mode := modeOf(t, name); mode != wanted {
					t.Errorf("umask %04o, %s: %s is %04o", mask, when, name, mode)
				}
				return err
			})
			if err != nil || seen < want {
				t.Errorf("umask %04o, %s: %d files and folders, %v", mask, when, seen, err)
			}
		}
		withUmask(mask, func() {
			s, err := Open(t.Context(), Options{URL: "sqlite:" + path, Schemas: []Schema{things}})
			if err != nil {
				t.Fatalf("umask %04o: %v", mask, err)
			}
			err = s.Write(t.Context(), func(tx *Tx) error {
				_, err := createThing(tx, "acme", "x")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			look("in use", 5) // the folder, the database, -wal, -shm, -lock
			if err := s.Backup(t.Context(), filepath.Join(filepath.Dir(path), "backup.db")); err != nil {
				t.Fatal(err)
			}
			look("after a backup", 6)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			look("closed", 4)
		})
	}
}

// opened opens the database and returns what the log says.
func opened(t *testing.T, path string) (said string, err error) {
	t.Helper()
	var log bytes.Buffer
	s, err := Open(t.Context(), Options{URL: "sqlite:" + path, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err == nil {
		err = s.Close()
	}
	return log.String(), err
}

func TestAnOpenDatabaseIsClosedAndToldOf(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "guestpass.db")
	if said, err := opened(t, path); err != nil || strings.Contains(said, "level=WARN") {
		t.Fatalf("%v, %s", err, said)
	}
	for _, name := range []string{path, path + "-lock"} {
		for _, mode := range []fs.FileMode{0o644, 0o660, 0o666, 0o604, 0o640} {
			if err := os.Chmod(name, mode); err != nil {
				t.Fatal(err)
			}
			said, err := opened(t, path)
			if err != nil || !strings.Contains(said, "other users could read or write a file of the database") ||
				!strings.Contains(said, name) || modeOf(t, name) != 0o600 {
				t.Errorf("%s, %04o: %v, %s, now %04o", name, mode, err, said, modeOf(t, name))
			}
		}
	}
	for mode, told := range map[fs.FileMode]bool{0o777: true, 0o775: true, 0o757: true, 0o755: false, 0o700: false,
		fs.ModeSticky | 0o777: false} {
		if err := os.Chmod(folder, mode); err != nil {
			t.Fatal(err)
		}
		if said, err := opened(t, path); err != nil || strings.Contains(said,
			"may write to the database's folder") != told ||
			modeOf(t, folder) != mode.Perm() {
			t.Errorf("the folder at %v: %v, %s", mode, err, said)
		}
	}
}

// Where others may write, they may have been there first.
func TestWhatOthersHavePutThereIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only the administrator can give files away")
	}
	const nobody = 65534
	for _, suffix := range []string{"", "-wal", "-shm", "-journal", "-lock"} {
		folder := t.TempDir()
		elsewhere := filepath.Join(t.TempDir(), "elsewhere")
		if err := os.Symlink(elsewhere, filepath.Join(folder, "x.db"+suffix)); err != nil {
			t.Fatal(err)
		}
		if suffix != "" { // the database itself may be a link: that is how people move it
			if _, err := opened(t, filepath.Join(folder, "x.db")); err == nil || !strings.Contains(err.Error(),
				"symbolic link") {
				t.Errorf("a link for %q: %v", suffix, err)
			}
			if _, err := os.Lstat(elsewhere); err == nil {
				t.Errorf("a link for %q was followed", suffix)
			}
		}
	}
	// as a user who is not the administrator: files of another one
	for _, suffix := range []string{"", "-wal", "-lock"} {
		folder, err := os.MkdirTemp("", "guestpass-test-")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(folder) })
		path := filepath.Join(folder, "x.db")
		if err := os.WriteFile(path+suffix, nil, 0o666); err != nil { // root's
			t.Fatal(err)
		}
		if err := errorsOf(os.Chmod(folder, 0o777), os.Chmod(path+suffix, 0o666)); err != nil {
			t.Fatal(err)
		}
		asUser(t, nobody, func() {
			if _, err := opened(t, path); err == nil || !strings.Contains(err.Error(), "belongs to another user") {
				t.Errorf("another user's %q: %v", suffix, err)
			}
		})
	}
}

func errorsOf(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// asUser runs f with the rights of another user, on all threads.
func asUser(t *testing.T, uid int, f func()) {
	t.Helper()
	if err := syscall.Setresuid(-1, uid, -1); err != nil {
		t.Skip(err)
	}
	defer func() {
		if err := syscall.Setresuid(-1, 0, -1); err != nil {
			t.Fatal(err)
		}
	}()
	f()
}

// A folder that is missing is made if the one above it is there: more would make a slip a place.
func TestTheFolderIsMade(t *testing.T) {
	folder := t.TempDir()
	if _, err := opened(t, filepath.Join(folder, "a", "b", "x.db")); err == nil ||
		!strings.Contains(err.Error(), "does not exist") {
		t.Errorf("two folders are missing: %v", err)
	}
	if _, err := Connect(t.Context(), Options{URL: "sqlite:" + filepath.Join(folder, "a", "x.db")}); err == nil {
		t.Error("reading makes a folder")
	}
	if entries, _ := os.ReadDir(folder); len(entries) != 0 {
		t.Errorf("%v were made", entries)
	}
}

// What SECURITY.md says of somebody who has the file or a copy of it: nothing in it is encrypted,
// and what was deleted is there as well, to be restored or undone.
func TestWhoHasTheFileReadsIt(t *testing.T) {
	folder := t.TempDir()
	s, err := Open(t.Context(), Options{URL: "sqlite:" + filepath.Join(folder, "x.db"), Schemas: []Schema{things}})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Write(t.Context(), func(tx *Tx) error {
		id, err := createThing(tx, "acme", "words-of-a-thing")
		if err != nil {
			return err
		}
		_, err = tx.Exec("UPDATE things SET deleted_at = 1 WHERE id = $1", id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := errorsOf(s.Backup(t.Context(), filepath.Join(folder, "backup.db")), s.Close()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"x.db", "backup.db"} {
		if content, err := os.ReadFile(filepath.Join(folder, name)); err != nil || !bytes.Contains(content,
			[]byte("words-of-a-thing")) {
			t.Errorf("%s: %v, and no words of the thing: SECURITY.md says otherwise", name, err)
		}
	}
}
