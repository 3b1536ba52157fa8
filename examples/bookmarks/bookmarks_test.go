package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"guestpass/api"
	"guestpass/guestpasstest"
	"guestpass/resources/activity"
)

func TestABookmarkIsKeptOnceListedAndTakenBack(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"SQLite": func(*testing.T) string { return "" }, "Postgres": guestpasstest.Postgres,
	} {
		t.Run(name, func(t *testing.T) {
			w := guestpasstest.New(t, guestpasstest.Options{DatabaseURL: url(t),
				Resources: []api.Resource{bookmarks, activity.Resource()}})
			call := func(status int, person, method, path, body string) string {
				t.Helper()
				token := w.Token(person, "openid", "activity:read", "bookmarks:read", "bookmarks:write")
				reply := w.Call(method, path, token, body)
				if reply.Status != status {
					t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, reply.Status, reply.Body, status)
				}
				return reply.Body
			}
			const kept = `{"title":"The Go blog","url":"https://go.dev/blog/"}`
			call(201, guestpasstest.Grace, "POST", "/api/v1/bookmarks", kept)
			if again := call(201, guestpasstest.Grace, "POST", "/api/v1/bookmarks", kept); !strings.Contains(again,
				`"repeated":true`) {
				t.Errorf("kept twice: %s", again)
			}
			call(422, guestpasstest.Grace, "POST", "/api/v1/bookmarks", `{"title":"no","url":"javascript:alert(1)"}`)
			list := call(200, guestpasstest.Grace, "GET", "/api/v1/bookmarks", "")
			if strings.Count(list, "bmk_") != 1 {
				t.Errorf("Grace sees %s", list)
			}
			if list := call(200, guestpasstest.Hank, "GET", "/api/v1/bookmarks", ""); strings.Contains(list, "bmk_") {
				t.Errorf("another organization sees %s", list)
			}
			for _, left := range []int{0, 1} { // the undo, and the undo of the undo
				var record struct {
					Activities []struct {
						ID       string `json:"activity_id"`
						Undoable bool
					}
				}
				list := call(200, guestpasstest.Grace, "GET", "/api/v1/activity", "")
				if err := json.Unmarshal([]byte(list), &record); err != nil || !record.Activities[0].Undoable {
					t.Fatalf("%+v, %v", record, err)
				}
				call(200, guestpasstest.Grace, "POST", "/api/v1/activity/"+record.Activities[0].ID+"/undo", "")
				list = call(200, guestpasstest.Grace, "GET", "/api/v1/bookmarks", "")
				if strings.Count(list, "bmk_") != left {
					t.Errorf("want %d: %s", left, list)
				}
			}
		})
	}
}

// TestTheProgramWalksTheLoop builds it, starts `dev`, and is the GPT with `try`.
func TestTheProgramWalksTheLoop(t *testing.T) {
	program := filepath.Join(t.TempDir(), "bookmarks")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	dev := exec.Command(program, "dev", "--addr", "localhost:0", "--emulator-addr", "localhost:0")
	said, err := dev.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := dev.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = dev.Process.Signal(syscall.SIGTERM)
		_, _ = io.Copy(io.Discard, said)
		_ = dev.Wait()
	})
	addresses := map[string]string{}
	line := regexp.MustCompile(`\b(app|emulator) +(http://\S+)`)
	for lines := bufio.NewScanner(said); len(addresses) < 2 && lines.Scan(); {
		if found := line.FindStringSubmatch(lines.Text()); found != nil {
			addresses[found[1]] = found[2]
		}
	}
	out, err := exec.Command(program, "try", "--url", addresses["app"], "--emulator", addresses["emulator"], "--as",
		"grace@acme.example").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"bookmarks:read bookmarks:write", "listBookmarks {}", "addBookmark",
		`201 {"bookmark_id":"bmk_`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the output lacks %q:\n%s", want, out)
		}
	}
}
