package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass/internal/postgrestest"
	"guestpass/resources/tasks/table"
	"guestpass/store"
)

func openFile(t *testing.T, path string) *store.Store {
	t.Helper()
	return open(t, "sqlite:"+path, &clock{now: time.Now()})
}

// refused opens in vain and returns the reason.
func refused(t *testing.T, url string) string {
	t.Helper()
	s, err := store.Open(t.Context(), withTasks(url))
	if err == nil {
		_ = s.Close()
		t.Fatalf("%s was opened", url)
	}
	return err.Error()
}

func files(t *testing.T, folder string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestAFileThatCannotBeUsedIsNamedWithItsCause(t *testing.T) {
	folder := t.TempDir()
	put := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := filepath.Join(folder, "round")
	if err := os.Symlink("round", link); err != nil {
		t.Fatal(err)
	}
	linkTo := func(target string) string {
		path := filepath.Join(folder, "link to "+filepath.Dir(target))
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	beside := func(suffix string) string {
		path := filepath.Join(folder, "beside"+suffix)
		if err := os.Mkdir(path+suffix, 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	whole := filepath.Join(folder, "whole.db")
	openFile(t, whole).Close()
	damaged, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	for path, cause := range map[string]string{
		filepath.Join(folder, "nowhere", "at", "x.db"): "its folder " + filepath.Join(folder, "nowhere", "at") +
			" does not exist",
		filepath.Join(put("text", "x"), "x.db"): filepath.Join(folder, "text") + " is no folder",
		folder:                                  "it is no file, but a folder",
		put("words", strings.Repeat("no database ",
			100)): "it is no SQLite database, or an encrypted one",
		put("damaged", string(slices.Concat(damaged[:100], make([]byte, 8000)))): "it is damaged",
		link:             "symbolic links",
		"/dev/null":      "it is no file, but a device",
		beside("-wal"):   "-wal, a name that is needed for a file beside it, is a folder",
		beside("-lock"):  "-lock, a name that is needed for a file beside it, is a folder",
		linkTo("gone/x"): "it is a link to " + filepath.Join(folder, "gone", "x") + ", whose folder does not exist",
	} {
		if got := refused(t, "sqlite:"+path); !strings.Contains(got, "the SQLite file "+path+": ") ||
			!strings.Contains(got, cause) {
			t.Errorf("%s: %s, want %s", path, got, cause)
		}
	}
}

// TestWhatAUserMayNotIsNamed is run by root as somebody else, whom rights concern.
func TestWhatAUserMayNotIsNamed(t *testing.T) {
	if os.Getuid() == 0 {
		runAsNobody(t)
		return
	}
	for what, tt := range map[string]struct {
		prepare func(folder, path string) error
		cause   string
	}{
		"read-only file": {func(_, path string) error { return os.Chmod(path, 0o400) },
			"it cannot be changed: the file, its folder or the disk is read-only"},
		"unreadable file": {func(_, path string) error { return os.Chmod(path, 0) }, "permission denied"},
		"read-only folder": {func(folder, _ string) error { return os.Chmod(folder, 0o500) },
			"it cannot be locked for this process: open "},
		"unreadable folder": {func(folder, _ string) error { return os.Chmod(folder, 0) }, "permission denied"},
	} {
		folder, err := os.MkdirTemp("", "guestpass-test-")
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, "test.db")
		openFile(t, path).Close()
		_ = os.Remove(path + "-lock")
		if err := tt.prepare(folder, path); err != nil {
			t.Fatal(err)
		}
		if got := refused(t, "sqlite:"+path); !strings.Contains(got, path) || !strings.Contains(got, tt.cause) {
			t.Errorf("%s: %s", what, got)
		}
		if strings.HasPrefix(what, "read-only") { // which takes nothing from who only reads
			s, err := store.Connect(t.Context(), withTasks("sqlite:"+path))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Migrations(t.Context()); err != nil {
				t.Errorf("%s: status: %v", what, err)
			}
			_ = s.Close()
		}
		_ = os.Chmod(folder, 0o700)
		_ = os.RemoveAll(folder)
	}
}

func TestUnfitURLsAreRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, url := range []string{"sqlite:", "sqlite://guestpass.db", "sqlite:file://host/guestpass.db",
		"sqlite::memory:", "sqlite:file::memory:?cache=shared",
		"sqlite:guestpass.db?mode=ro", "sqlite:file:", "sqlite:x\x00y", "sqlite:postgres://u:hunter2@127.0.0.1/db",
		"sqlite:postgresql:hunter2", "sqlite:sqlite:hunter2",
		"sqlite:file:postgres://u:hunter2@127.0.0.1/db", `sqlite:"postgres://u:hunter2@127.0.0.1/db"`,
		"sqlite:///postgres://u:hunter2@127.0.0.1/db"} {
		if err := store.CheckURL(url); err == nil || !strings.HasPrefix(err.Error(), "must be sqlite:PATH") ||
			strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", url, err)
		}
		if got := refused(t, url); strings.Contains(got, "hunter2") {
			t.Errorf("%s: %s", url, got)
		}
	}
	if names := files(t, "."); names != nil {
		t.Errorf("files were made: %q", names)
	}
	if _, err := store.Open(t.Context(), store.Options{URL: "sqlite:guestpass.db", Schema: "guestpass"}); err == nil {
		t.Error("SQLite has a schema")
	}
}

func TestASecondProcessOnTheFileIsRefused(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	openFile(t, "guestpass.db")
	for name, target := range map[string]string{"link.db": "guestpass.db", "link2.db": "link.db", "folder": folder} {
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	for _, spelling := range []string{"guestpass.db", "./guestpass.db", filepath.Join(folder, "guestpass.db"), "///" +
		folder + "/x/../guestpass.db", "link.db", "link2.db", "folder/link.db",
		"file:guestpass.db", "file://" + folder + "/guestpass.db", "//localhost" + folder + "/guestpass.db"} {
		got := refused(t, "sqlite:"+spelling)
		if !strings.Contains(got, folder+"/guestpass.db: another process") ||
			!strings.Contains(got, fmt.Sprintf("(%sprocess id %d)", ofCommand("store.test, "), os.Getpid())) {
			t.Errorf("%s: %s", spelling, got)
		}
	}
}

// ofCommand is what Linux tells of a process, and other systems do not.
func ofCommand(text string) string {
	if runtime.GOOS != "linux" {
		return ""
	}
	return text
}

func TestAFileOfTwoNamesIsRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	s := openFile(t, "guestpass.db")
	create(t, s, "acme", table.Task{Title: "kept"})
	if err := os.Link("guestpass.db", "second.db"); err != nil {
		t.Fatal(err)
	}
	if got := refused(t, "sqlite:second.db"); !strings.Contains(got, "second.db: it has 2 names (hard links)") ||
		!strings.Contains(got, "remove the other names") {
		t.Error(got)
	}
	_ = s.Close()
	refused(t, "sqlite:guestpass.db") // who comes by the other name next would not see its changes
	if err := os.Remove("second.db"); err != nil {
		t.Fatal(err)
	}
	if n := found(t, openFile(t, "guestpass.db"), "kept"); n != 1 {
		t.Errorf("found %d times", n)
	}
}

// TestAFileByAnotherPathIsTheSameFile moves it away under the process that uses it, which has no other name for it;
// a folder that is mounted twice has.
func TestAFileByAnotherPathIsTheSameFile(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has a lock that is not SQLite's own kind")
	}
	t.Chdir(t.TempDir())
	openFile(t, "guestpass.db")
	if err := os.Rename("guestpass.db", "moved.db"); err != nil {
		t.Fatal(err)
	}
	if got := refused(t, "sqlite:moved.db"); !strings.Contains(got, "moved.db: another process") {
		t.Error(got)
	}
}

func TestABackupWantsTheNameOfAFile(t *testing.T) {
	t.Chdir(t.TempDir())
	s := openFile(t, "guestpass.db")
	for name, want := range map[string]string{"": "name a file", "copies/": "name a file",
		"nowhere/x.db":      "there is no folder nowhere",
		"guestpass.db/x.db": "there is no folder guestpass.db"} {
		if err := s.Backup(t.Context(), name); err == nil || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "partial") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestALinkToAFileThatIsYetToComeIsTheSameFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Symlink("guestpass.db", "link.db"); err != nil {
		t.Fatal(err)
	}
	openFile(t, "link.db")
	refused(t, "sqlite:guestpass.db")
}

// TestOtherProcessesReadBesideTheOneThatWrites is a process that is killed, which leaves its
// lock file and what is in the log.
func TestOtherProcessesReadBesideTheOneThatWrites(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "guestpass.db")
	holder := startHolder(t, path)
	if got := refused(t, "sqlite:"+path); !strings.Contains(got, fmt.Sprintf("(%sprocess id %d)",
		ofCommand("store.test, "), holder.Process.Pid)) {
		t.Errorf("%s", got)
	}
	reading, err := store.Connect(t.Context(), withTasks("sqlite:"+path))
	if err != nil {
		t.Fatal(err)
	}
	if steps, err := reading.Migrations(t.Context()); err != nil || len(steps) == 0 || !steps[0].Applied ||
		found(t, reading, "kept") != 1 {
		t.Errorf("%+v, %v", steps, err)
	}
	if err := reading.Write(t.Context(), func(*store.Tx) error { return nil }); err == nil {
		t.Error("what was opened for reading was written to")
	}
	backup := filepath.Join(folder, "backup.db")
	if err := reading.Backup(t.Context(), backup); err != nil {
		t.Error(err)
	}
	_ = reading.Close()
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = holder.Wait()
	for _, file := range []string{path, backup} {
		if n := found(t, openFile(t, file), "kept"); n != 1 {
			t.Errorf("%s: found %d times", file, n)
		}
	}
}

// startHolder starts a process that has the file open: this test program again.
func startHolder(t *testing.T, path string) *exec.Cmd {
	t.Helper()
	command := exec.Command(os.Args[0], "-test.run", "^TestHoldForTheOthers$")
	command.Env = append(os.Environ(), "HOLD="+path)
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill() })
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		if scanner.Text() == "holding" {
			return command
		}
	}
	t.Fatal("the process did not start")
	return nil
}

// TestHoldForTheOthers is no test but the process that is killed.
func TestHoldForTheOthers(t *testing.T) {
	path := os.Getenv("HOLD")
	if path == "" {
		return
	}
	s, err := store.Open(context.Background(), withTasks("sqlite:"+path))
	if err != nil {
		t.Fatal(err)
	}
	create(t, s, "acme", table.Task{Title: "kept"})
	fmt.Println("holding")
	<-t.Context().Done() // until it is killed
}

func TestAPlainCopyAfterAStopIsWhole(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "guestpass.db")
	s := openFile(t, path)
	create(t, s, "acme", table.Task{Title: "kept"})
	reading, err := store.Connect(t.Context(), withTasks("sqlite:"+path)) // because of which the log stays
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() == 0 {
		t.Fatalf("nothing is in the log: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	duplicate := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(duplicate, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if n := found(t, openFile(t, duplicate), "kept"); n != 1 {
		t.Errorf("found %d times", n)
	}
}

func TestABackupIsOfOneMomentWhileOthersWrite(t *testing.T) {
	folder := t.TempDir()
	s := openFile(t, filepath.Join(folder, "guestpass.db"))
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	begun := make(chan struct{})
	group.Go(func() {
		for i := 0; ctx.Err() == nil; i++ { // each change makes a task and a row on record
			_ = s.Write(t.Context(), func(tx *store.Tx) error {
				task := table.Task{Title: "会议", State: "open", Priority: 2}
				if _, err := table.CreateTask(tx, "acme", task); err != nil {
					return err
				}
				_, err := tx.Record(store.Activity{Owner: "acme", Subject: "member-1", Operation: "createTask",
					Outcome: store.Done})
				return err
			})
			if i == 20 {
				close(begun)
			}
		}
	})
	<-begun
	reading, err := store.Connect(t.Context(), store.Options{URL: "sqlite:" + filepath.Join(folder, "guestpass.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	for i := range 5 {
		file := filepath.Join(folder, fmt.Sprint("backup", i, ".db"))
		if err := reading.Backup(t.Context(), file); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
		if err := reading.Backup(t.Context(), file); err == nil ||
			!strings.Contains(err.Error(), file+" exists already") {
			t.Errorf("overwriting: %v", err)
		}
		backup := openFile(t, file)
		rows, breaks, err := backup.VerifyActivity(t.Context())
		page, pageErr := table.List(t.Context(), backup, "acme",
			table.TaskQuery{Sort: "created", Search: "会议", Limit: 1})
		if err != nil || pageErr != nil || len(breaks) > 0 || rows < 20 || page.Total != rows && page.Total != -1 {
			t.Errorf("%d tasks, %d rows, %v, %v, %v", page.Total, rows, breaks, err, pageErr)
		}
	}
	stop()
	group.Wait()
	if names := files(t, folder); slices.ContainsFunc(names,
		func(name string) bool { return strings.Contains(name, "partial") }) {
		t.Errorf("%q", names)
	}
}

func TestABackupThatFailsLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "guestpass.db")
	s := openFile(t, path)
	for range 200 {
		create(t, s, "acme", table.Task{Title: "x", Notes: strings.Repeat("x", 4000)})
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(content) / 4; i < len(content)/2; i++ {
		content[i] = 0xA5
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	reading, err := store.Connect(t.Context(), withTasks("sqlite:"+path))
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	before := files(t, folder)
	for _, file := range []string{filepath.Join(folder, "backup.db"), filepath.Join(folder, "nowhere", "backup.db"),
		path} {
		if err := reading.Backup(t.Context(), file); err == nil || file != path &&
			strings.Contains(err.Error(), "read-only") {
			t.Errorf("%s was made", file)
		}
	}
	if after := files(t, folder); !slices.Equal(after, before) {
		t.Errorf("%q, before %q", after, before)
	}
}

// TestNothingIsLeftOfABackupThatIsEnded: of one to a stream nothing has a name while somebody reads it, who may go, and
// what a kill has left goes with a later one.
func TestNothingIsLeftOfABackupThatIsEnded(t *testing.T) {
	t.Chdir(t.TempDir())
	s := openFile(t, "guestpass.db")
	before := files(t, ".")
	var reads looksBeside
	if err := s.BackupTo(t.Context(), &reads); err != nil || reads.names == nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && !slices.Equal(reads.names, before) {
		t.Errorf("%q, before %q", reads.names, before)
	}
	for _, left := range []string{"guestpass-backup-1", "guestpass-backup-2", "guestpass-backup-mine", "other-1"} {
		if err := os.WriteFile("."+left, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if long := time.Now().Add(-2 * day); left != "guestpass-backup-2" { // which somebody may write
			if err := os.Chtimes("."+left, long, long); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.BackupTo(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
	want := append([]string{".guestpass-backup-2", ".guestpass-backup-mine", ".other-1"}, before...)
	if after := files(t, "."); !slices.Equal(after, want) {
		t.Errorf("%q, want %q", after, want)
	}
	const url = "file:copies" // which SQLite takes a name for
	if err := errors.Join(os.Mkdir(url, 0o700), s.Backup(t.Context(), filepath.Join(url, "x.db"))); err != nil {
		t.Error(err)
	}
}

// looksBeside looks which files there are while it is written to.
type looksBeside struct{ names []string }

func (l *looksBeside) Write(p []byte) (int, error) {
	entries, err := os.ReadDir(".")
	l.names = nil
	for _, entry := range entries {
		l.names = append(l.names, entry.Name())
	}
	return len(p), err
}

func TestThereIsNothingToReadAndNothingIsMade(t *testing.T) {
	folder := t.TempDir()
	if _, err := store.Connect(t.Context(),
		store.Options{URL: "sqlite:" + filepath.Join(folder, "x.db")}); !errors.Is(err, store.ErrNoFile) {
		t.Errorf("%v", err)
	}
	if names := files(t, folder); names != nil {
		t.Errorf("%q", names)
	}
	path := filepath.Join(folder, "guestpass.db")
	openFile(t, path).Close()
	before := files(t, folder)
	s, err := store.Connect(t.Context(), withTasks("sqlite:"+path))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Migrations(t.Context()); err != nil {
		t.Error(err)
	}
	_ = s.Close()
	if after := files(t, folder); !slices.Equal(after, before) {
		t.Errorf("%q, before %q", after, before)
	}
}

func TestAPostgresIsCopiedByItsOwnProgram(t *testing.T) {
	url := postgrestest.Shared(t).Database(t)
	withPassword := strings.Replace(url, "postgres@", "postgres:hunter2@", 1) +
		"&password=hunter3&default_query_exec_mode=exec"
	open(t, url, &clock{now: time.Now()})
	s, err := store.Connect(t.Context(), store.Options{URL: withPassword})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	file := filepath.Join(t.TempDir(), "it's.dump")
	err = s.Backup(t.Context(), file)
	if err == nil || strings.Contains(err.Error(), "hunter") {
		t.Fatalf("%v", err)
	}
	_, command, found := strings.Cut(err.Error(), "owns the tables: pg_dump ")
	if !found {
		t.Fatal(err)
	}
	if out, err := exec.Command("sh", "-c", postgrestest.Program(t, "pg_dump")+" "+
		command).CombinedOutput(); err != nil {
		t.Fatalf("pg_dump %s: %v: %s", command, err, out)
	}
	if info, err := os.Stat(file); err != nil || info.Size() < 1000 {
		t.Errorf("%v, %v", info, err)
	}
}

// TestAPostgresIsRestoredAsTheManualSays runs the commands of docs/keeping.md, as the role that the
// manual prescribes: it has a schema that an administrator made for it, and may not make one.
func TestAPostgresIsRestoredAsTheManualSays(t *testing.T) {
	admin := postgrestest.Shared(t).Database(t)
	server := openRaw(t, "pgx", admin)
	server.exec("DROP ROLE IF EXISTS keeper", "CREATE ROLE keeper LOGIN",
		"CREATE SCHEMA guestpass AUTHORIZATION keeper")
	t.Cleanup(func() { server.exec("DROP OWNED BY keeper", "DROP ROLE keeper") })
	address := strings.Replace(admin, "postgres@", "keeper@", 1)
	if _, err := openRaw(t, "pgx", address).Exec("CREATE SCHEMA another"); err == nil {
		t.Fatal("the role may make schemas")
	}
	folder := t.TempDir()
	manual := func(command string) (string, error) {
		script := exec.Command("sh", "-ec", strings.ReplaceAll(command,
			"'postgres://guestpass@db.example.com/guestpass?sslmode=verify-full'", "'"+address+"'"))
		script.Dir = folder
		script.Env = append(os.Environ(), "PATH="+filepath.Dir(postgrestest.Program(t, "pg_dump"))+":"+
			os.Getenv("PATH"))
		output, err := script.CombinedOutput()
		return string(output), err
	}
	text, err := os.ReadFile("../docs/keeping.md")
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		if strings.Contains(block[1], "postgres://") {
			commands = append(commands, block[1])
		}
	}
	if len(commands) != 2 {
		t.Fatalf("the manual has %q", commands)
	}
	backUp, restore := commands[0], commands[1]

	titles := func() string {
		return server.one("SELECT coalesce(string_agg(title, ', ' ORDER BY title), '') FROM guestpass.tasks")
	}
	s := open(t, address, &clock{now: time.Now()})
	create(t, s, "acme", table.Task{Title: "before"})
	if output, err := manual(backUp); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if info, err := os.Stat(filepath.Join(folder, "guestpass.dump")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy is %v, %v", info, err)
	}
	create(t, s, "acme", table.Task{Title: "since"})
	_ = s.Close()

	whole, err := os.ReadFile(filepath.Join(folder, "guestpass.dump"))
	if err != nil {
		t.Fatal(err)
	}
	write := func(dump []byte) {
		if err := os.WriteFile(filepath.Join(folder, "guestpass.dump"), dump, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(whole[:len(whole)-len(whole)/4])
	if output, err := manual(restore); err == nil || titles() != "before, since" {
		t.Errorf("half a dump leaves %s: %v, %s", titles(), err, output)
	}
	write(whole)
	if output, err := manual(restore); err != nil || titles() != "before" {
		t.Errorf("restored are %s: %v, %s", titles(), err, output)
	}
	s = open(t, address, &clock{now: time.Now()})
	create(t, s, "acme", table.Task{Title: "after"})
	_ = s.Close()
	if got := titles(); got != "after, before" {
		t.Errorf("after a start there are %s", got)
	}

	// Into a new schema, as after a disk was lost.
	server.exec("DROP SCHEMA guestpass CASCADE")
	if output, err := manual(restore); err == nil {
		t.Errorf("restored without a schema: %s", output)
	}
	server.exec("CREATE SCHEMA guestpass AUTHORIZATION keeper")
	if output, err := manual(restore); err != nil || titles() != "before" {
		t.Errorf("restored into a new schema are %s: %v, %s", titles(), err, output)
	}
}

// TestARefusedFileOfAnotherProgramStaysAsItIs looks at every byte, and for files beside it.
func TestARefusedFileOfAnotherProgramStaysAsItIs(t *testing.T) {
	for what, statements := range map[string][]string{
		"tasks":             {"CREATE TABLE tasks (a)"},
		"with a log":        {"PRAGMA journal_mode = WAL", "CREATE TABLE tasks (a)"},
		"versions of goose": {"CREATE TABLE tasks (a)", "CREATE TABLE goose_db_version (a)"},
		"migrations":        {"CREATE TABLE guestpass_migrations (a)"},
		"other names":       {"CREATE TABLE mine (a)", "CREATE TABLE users (a)"},
		"a view":            {"CREATE VIEW mine AS SELECT 1 AS a"},
		"no migrations":     {"CREATE TABLE guestpass_migrations (version_id, is_applied)"},
	} {
		folder := t.TempDir()
		path := filepath.Join(folder, "host.db")
		host := openRaw(t, "sqlite", path)
		host.SetMaxOpenConns(1)
		host.exec(statements...)
		_ = host.Close()
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := refused(t, "sqlite:"+path); !strings.Contains(got, path+": it has tables of another program (") {
			t.Errorf("%s: %s", what, got)
		}
		if after, err := os.ReadFile(path); err != nil || !slices.Equal(after, before) {
			t.Errorf("%s: the file was changed, %v", what, err)
		}
		reading, err := store.Connect(t.Context(), withTasks("sqlite:"+path))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := reading.Migrations(t.Context()); err == nil ||
			!strings.Contains(err.Error(), "tables of another program") {
			t.Errorf("%s: status: %v", what, err)
		}
		_ = reading.Close()
		if names := files(t, folder); len(names) != 1 {
			t.Errorf("%s: %q", what, names)
		}
	}
}
