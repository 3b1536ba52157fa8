//go:build !production

package cli

import (
	"context"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"guestpass/internal/envfile"
)

// inFolder goes to a new folder with a file of settings of that text.
func inFolder(t *testing.T, name, text string) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// lines writes variables as a file has them.
func lines(variables map[string]string) (text string) {
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		text += name + "='" + variables[name] + "'\n"
	}
	return text
}

func TestSettingsComeFromAFile(t *testing.T) {
	file := live()
	file["GUESTPASS_TITLE"] = "Of the file"
	for _, tt := range []struct {
		name, file string
		environ    []string
		args       []string
		want       string
	}{
		{"the one beside the caller", ".env", nil, nil, `"title": "Of the file"`},
		{"one that is named", "other.env", nil, []string{"--env-file", "other.env"}, `"title": "Of the file"`},
		{"the environment wins", ".env", []string{"GUESTPASS_TITLE=Of the environment"}, nil,
			`"title": "Of the environment"`},
		{"flags win", ".env", nil, []string{"--public-url", "https://of-the-flag.example.com"},
			`https://of-the-flag.example.com/`},
		{"the one that is named, alone", ".env", []string{"GUESTPASS_TITLE=Named"},
			[]string{"--env-file", os.DevNull}, "http://localhost:8080"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inFolder(t, tt.file, lines(file))
			code, stdout, stderr := execute(t, tt.environ, append([]string{"openapi"}, tt.args...)...)
			if code != 0 || !strings.Contains(stdout, tt.want) {
				t.Errorf("exit code %d, %.300s\n%s", code, stdout, stderr)
			}
			unasked := tt.file == ".env" && len(tt.args) != 2 || tt.name == "flags win"
			if strings.Contains(stderr, "settings are read from .env\n") != unasked {
				t.Errorf("it is told: %s", stderr)
			}
		})
	}
}

// Every command that reads the server's settings reads them from the file, and no other does.
func TestWhichCommandsReadTheFile(t *testing.T) {
	for command, reads := range map[string]bool{
		"serve": true, "dev": true, "openapi": true, "gpt": true, "config": true, "try": true, "backup x": true,
		"migrate status": true, "migrate down-to 6": true, "audit verify": true, "restore x": true,
		"person export": true, "person erase": true, "health": true, "version": false,
		"stytch --addr 0.0.0.0:0": false, "lint --explain G999": false, "completion bash": false,
	} {
		inFolder(t, ".env", "GUESTPASS_ACESS=roles\n")
		code, stdout, stderr := execute(t, nil, strings.Fields(command)...)
		if told := strings.Contains(stdout+stderr, "GUESTPASS_ACESS (.env:1)"); told != reads || told && code != 2 {
			t.Errorf("%s: exit code %d, %s", command, code, stderr)
		}
	}
}

func TestWhatIsWrongInTheFileIsToldWithItsLine(t *testing.T) {
	const saysIt = "there is no variable "
	for _, tt := range []struct{ text, want string }{
		{"# x\nGUESTPASS_ACESS=roles\n", saysIt + "GUESTPASS_ACESS (.env:2); did you mean GUESTPASS_ACCESS?"},
		{"STYTCH_SECRETS=x\n", saysIt + "STYTCH_SECRETS (.env:1); did you mean STYTCH_SECRET?"},
		{"GUESTPASS_NOSUCHTHING=x\n", saysIt + "GUESTPASS_NOSUCHTHING (.env:1): leave it out"},
		{"GUESTPASS_MCP=maybe\n", "GUESTPASS_MCP (.env:1) must be on or off"},
		{"GUESTPASS_MCP=\n", "GUESTPASS_MCP (.env:1) is set, but has nothing in it"},
		{"GUESTPASS_MCP=$x\n", "GUESTPASS_MCP (.env:1) has $ in it"},
		{"GUESTPASS_TITLE=Acme Tasks\n", "GUESTPASS_TITLE (.env:1) has a blank in it"},
		{"GUESTPASS_MCP=on\n\nGUESTPASS_MCP=off", "GUESTPASS_MCP (.env:3) is there twice, in line 1 as well"},
		{"GUESTPASS_MCP=on\n\x00hunter2", "the settings cannot be read: .env:2: is no text"},
		{"GUESTPASS_MCP hunter2\n", "GUESTPASS_MCP (.env:1) is in a line that is neither NAME=VALUE nor a comment"},
		{"GUESTPASS-MCP=on\n", saysIt + "GUESTPASS-MCP (.env:1); did you mean GUESTPASS_MCP?"},
		{"export\tGUESTPASS_ACCESS=hunter2\n", "GUESTPASS_ACCESS (.env:1) is in a line that is neither"},
		{"FOO=1\n\ufeffGUESTPASS_ACCESS=roles\n", "GUESTPASS_ACCESS (.env:2) is in a line that is neither"},
		{"guestpass-access=roles\n", "GUESTPASS_ACCESS (.env:1) is in a line that is neither"},
		{"GUESTPASS_MCP=on\nset GUESTPASS_MCP=off\n", "GUESTPASS_MCP (.env:2) is in a line that is neither"},
		{"# Mac\rGUESTPASS_MCP=off\r", "GUESTPASS_MCP (.env:1) is in a line that is neither"},
		{"GUESTPASS_TITLE=Acme\r\n", "GUESTPASS_TITLE (.env:1) has a carriage return in its line"},
		{"GUESTPASS_TITLE=secret-live-hunter2\n", "GUESTPASS_TITLE (.env:1) holds a secret"},
		{"STYTCH_SECRET=secret-test-hunter2\n", "STYTCH_SECRET (.env:1) is of the test environment"},
		{"GUESTPASS_DATABASE_URL=mysql://hunter2@db/x\nGUESTPASS_MCP=1", "GUESTPASS_MCP (.env:2) must be on or off"},
	} {
		file := live()
		for name := range file {
			if strings.Contains(tt.text, name+"=") {
				delete(file, name)
			}
		}
		inFolder(t, ".env", tt.text)
		var environ []string
		for name, value := range file {
			environ = append(environ, name+"="+value)
		}
		code, stdout, stderr := execute(t, environ, "serve")
		if code != 2 || !strings.Contains(stderr, tt.want) || strings.Contains(stdout+stderr, "hunter2") {
			t.Errorf("%q: exit code %d, %s\nwant %s", tt.text, code, stderr, tt.want)
		}
	}
}

// A file that belongs to other programs as well, and lines in it that only they can read, are no fault.
func TestLinesOfOtherProgramsAreLeftAlone(t *testing.T) {
	inFolder(t, ".env", "export PORT=3000\nDATABASE_URL=\"$PG/app\" # ours\nKEY=\"-----BEGIN\nx\n-----END\"\n"+
		"GUESTPASS_TITLE='Acme Tasks'\nPORT=4000\nPGPASSWORD=x\nmy.var=x\nexport PATH\nCITY=Malm\xf6\nMOTTO='it\n")
	code, stdout, stderr := execute(t, nil, "openapi")
	if code != 0 || !strings.Contains(stdout, `"title": "Acme Tasks"`) || os.Getenv("PGPASSWORD") == "x" {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

// What pgx reads of the environment, no file of settings can say, and its reader is told so.
func TestWhatPgxReadsIsForTheEnvironment(t *testing.T) {
	folder, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/jackc/pgx/v5/pgconn").Output()
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(folder)), "config.go"))
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`"(PG[A-Z_]+)":`).FindAllSubmatch(source, -1)
	if len(names) < 20 {
		t.Fatalf("pgx reads %d variables: say here how it names them now", len(names))
	}
	for _, name := range names {
		if !forEnvironment(string(name[1])) {
			t.Errorf("pgx reads %s, and a file that has it is not warned of", name[1])
		}
	}
}

// The file that the page shows, and the one of going live, are read as they stand there.
func TestTheFilesOfThePagesAreRead(t *testing.T) {
	for _, page := range []string{"settings.md", "going-live.md"} {
		_, block, _ := strings.Cut(readFile(t, filepath.Join("..", "docs", page)), "\nGUESTPASS_PUBLIC_URL=")
		block, _, _ = strings.Cut("GUESTPASS_PUBLIC_URL="+block, "```")
		file, err := envfile.Parse(page, []byte(block))
		if err != nil || len(file.Variables) < 4 {
			t.Fatalf("%s: %+v, %v", page, file, err)
		}
		for _, v := range file.Variables {
			if v.Err != nil || v.Value == "" {
				t.Errorf("%s: %s %v", page, v.Name, v.Err)
			}
		}
	}
}

// Systemd says which users may read a credential, by more than its mode.
func TestACredentialIsNotWarnedOf(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, "guestpass.env")
	if err := os.WriteFile(name, []byte("GUESTPASS_TITLE=Acme\n"), 0o440); err != nil { // #nosec G306 -- as it is
		t.Fatal(err)
	}
	for directory, warned := range map[string]bool{"": true, filepath.Dir(folder): true, folder + "/": false} {
		code, _, stderr := execute(t, []string{"CREDENTIALS_DIRECTORY=" + directory}, "openapi", "--env-file", name)
		if code != 0 || strings.Contains(stderr, "chmod 600 it") != warned {
			t.Errorf("with credentials in %q: exit code %d, %s", directory, code, stderr)
		}
	}
}

func TestAFileThatIsNotTrustedIsNotReadUnasked(t *testing.T) {
	inFolder(t, ".env", "GUESTPASS_TITLE=Acme\n")
	if err := os.Chmod(".env", 0o646); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := execute(t, nil, "openapi")
	if code != 2 || stdout != "" ||
		!strings.Contains(stderr, ".env can be changed by every user of this machine; it is read because") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	for _, name := range []string{".env", os.DevNull} {
		code, stdout, stderr = execute(t, nil, "openapi", "--env-file", name)
		if code != 0 || strings.Contains(stdout, `"title": "Acme"`) != (name == ".env") {
			t.Errorf("%s: exit code %d, %s", name, code, stderr)
		}
		if strings.Contains(stderr, "other users of this machine may read .env: chmod 600 it") != (name == ".env") {
			t.Errorf("%s: %s", name, stderr)
		}
	}
	for name, want := range map[string]string{"missing.env": "no such file", ".": "is a directory", "": "it is empty"} {
		code, _, stderr := execute(t, nil, "config", "--env-file", name)
		if code != 2 || !strings.Contains(stderr, want) {
			t.Errorf("%q: exit code %d, %s", name, code, stderr)
		}
	}
	code, _, stderr = execute(t, nil, "config", "--env-file", ".env", "--env-file", ".env")
	if code != 2 || !strings.Contains(stderr, "it is there twice") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

// Where a server was started decides what it reads, so its log says so. dev needs no settings, and takes these.
func TestTheLogSaysWhichFileWasRead(t *testing.T) {
	inFolder(t, ".env", "GUESTPASS_TITLE='Of the file'\nGUESTPASS_ADDR=localhost:1\nPORT=1\nGOGC=50\n"+
		"OTEL_SERVICE_NAME=acme\n")
	ctx, stop := context.WithCancel(t.Context())
	log, done := newFollower(), make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"dev", "--emulator-addr", "localhost:0"}, []string{"GUESTPASS_ADDR=localhost:0"},
			io.Discard, log)
	}()
	found := log.wait(t, `"msg":"settings read","file":"([^"]+)","taken":\["GUESTPASS_TITLE"\]`)
	here, err := os.Getwd()
	if err != nil || found[1] != filepath.Join(here, ".env") {
		t.Errorf("it read %s, %v", found[1], err)
	}
	log.wait(t, `set them in the environment","file":"[^"]+","variables":\["GOGC","OTEL_SERVICE_NAME"\]`)
	address := log.wait(t, `"msg":"serving","addr":"([^"]+)"`)[1]
	if page := get(t, "http://"+address+"/"); !strings.Contains(page, "Of the file") {
		t.Errorf("the page has another title:\n%s", page)
	}
	stop()
	if code := <-done; code != 0 {
		t.Errorf("exit code %d: %s", code, log)
	}
	inFolder(t, ".env", "STYTCH_PROJECT_ID=project-live-11111111-1111-4111-8111-111111111111\n")
	if code, _, stderr := execute(t, nil, "dev"); code != 2 ||
		!strings.Contains(stderr, "STYTCH_PROJECT_ID (.env:1) is a live project") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}
