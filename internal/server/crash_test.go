package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"guestpass"
	"guestpass/api"
	"guestpass/internal/postgrestest"
	"guestpass/resources"
	"guestpass/resources/tasks/table"
	"guestpass/store"
	"guestpass/stytchtest"
)

var crashes = flag.Int("crashes", 3, "how often TestNothingAcknowledgedIsLost kills the server, on each database")

// TestNothingAcknowledgedIsLost kills a server process in the middle of writes, again
// and again, and looks whether every write that was answered is there, once, and on
// record. A call whose answer did not come is repeated, as a client would.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by make quick: it kills servers")
	}
	t.Parallel()
	for name, url := range map[string]func(*testing.T) string{
		"SQLite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "crash.db") },
		"Postgres": func(t *testing.T) string { return postgrestest.Shared(t).Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			seed := stytchtest.Development()
			stytch := stytchtest.NewServer(t, stytchtest.Options{Seed: &seed})
			token, err := stytch.Mint(stytchtest.MintRequest{Kind: "access", Subject: ada, Scopes: everything})
			if err != nil {
				t.Fatal(err)
			}
			address, j := url(t), &journal{acknowledged: map[string]string{}}
			for round := range *crashes {
				j.round(t, startCrashing(t, stytch.URL, address), token, round)
				checkIntegrity(t, address, round)
			}
			j.check(t, address)
		})
	}
}

// journal is what clients know, outside of the server.
type journal struct {
	mu           sync.Mutex        // guards the rest
	acknowledged map[string]string // title → task id
	unknown      []string          // titles of calls without an answer
}

const writers = 8

// round writes until enough is answered for the kill to meet writes under way.
func (j *journal) round(t *testing.T, server *crashing, token string, round int) {
	t.Helper()
	j.mu.Lock()
	repeated := j.unknown
	j.unknown = nil
	j.mu.Unlock()
	for _, title := range repeated {
		j.create(server.url, token, title)
	}
	var group sync.WaitGroup
	enough := make(chan struct{}, writers*1000)
	for w := range writers {
		group.Go(func() {
			for i := 0; ; i++ {
				if !j.create(server.url, token, fmt.Sprintf("round %d writer %d number %d", round, w, i)) {
					return
				}
				enough <- struct{}{}
			}
		})
	}
	for range 40 + 7*(round%5) {
		<-enough
	}
	server.kill(t)
	group.Wait()
}

func checkIntegrity(t *testing.T, address string, round int) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: address, Schemas: api.Schemas(resources.All())})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.CheckIntegrity(t.Context()); err != nil {
		t.Errorf("after kill %d: %v", round+1, err)
	}
}

// create returns false when the server is gone.
func (j *journal) create(url, token, title string) bool {
	r, _ := http.NewRequest("POST", url+"/api/v1/tasks", strings.NewReader(`{"title":"`+title+`"}`))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	var task struct {
		ID string `json:"task_id"`
	}
	answered := false
	if err == nil {
		answered = response.StatusCode == http.StatusCreated && json.NewDecoder(response.Body).Decode(&task) == nil
		response.Body.Close()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if !answered {
		j.unknown = append(j.unknown, title)
		return false
	}
	j.acknowledged[title] = task.ID
	return true
}

// check reads the database as it was left.
func (j *journal) check(t *testing.T, address string) {
	t.Helper()
	s := openStore(t, address, nil)
	found := map[string]int{}
	for query := (table.TaskQuery{Sort: "created", Limit: 500}); ; {
		page, err := table.List(t.Context(), s, acme, query)
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range page.Tasks {
			found[task.Title]++
			if id, known := j.acknowledged[task.Title]; known && id != task.ID {
				t.Errorf("%s was answered with another identifier", task.Title)
			}
		}
		if len(page.Tasks) < query.Limit {
			break
		}
		query.After = page.Position(page.Tasks[len(page.Tasks)-1])
	}
	total := 0
	for title := range j.acknowledged {
		if found[title] == 0 {
			t.Errorf("lost: %s", title)
		}
	}
	for title, times := range found {
		total += times
		if times > 1 {
			t.Errorf("%d times: %s", times, title)
		}
	}
	rows, breaks, err := s.VerifyActivity(t.Context())
	if err != nil || len(breaks) > 0 || rows != total {
		t.Errorf("%d tasks, %d rows on record, %v, %v", total, rows, breaks, err)
	}
	t.Logf("%d kills, %d writes acknowledged, %d kept", *crashes, len(j.acknowledged), total)
}

// crashing is a server in a process of its own: this test program again.
type crashing struct {
	url     string
	command *exec.Cmd
}

// startCrashing starts it, by a command that ends in exec where one is given.
func startCrashing(t *testing.T, stytch, address string, through ...string) *crashing {
	t.Helper()
	line := append(through, os.Args[0], "-test.run", "^TestServeForTheCrashTest$")
	command := exec.Command(line[0], line[1:]...)
	command.Env = append(os.Environ(), "CRASH_STYTCH="+stytch, "CRASH_DATABASE="+address)
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill() })
	scanner := bufio.NewScanner(out)
	for scanner.Scan() {
		if url, ok := strings.CutPrefix(scanner.Text(), "serving "); ok {
			return &crashing{url, command}
		}
		t.Log(scanner.Text())
	}
	t.Fatal("the server did not start")
	return nil
}

// kill is SIGKILL: nothing of the process runs any more.
func (c *crashing) kill(t *testing.T) {
	t.Helper()
	if err := c.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.command.Wait()
}

// TestServeForTheCrashTest is no test but the process that is killed.
func TestServeForTheCrashTest(t *testing.T) {
	address := os.Getenv("CRASH_DATABASE")
	if address == "" {
		return // run with the others, it has nothing to do
	}
	seed := stytchtest.Development()
	database, err := store.Open(context.Background(), store.Options{URL: address,
		Schemas: api.Schemas(resources.All())})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url, stytch := "http://"+listener.Addr().String(), os.Getenv("CRASH_STYTCH")
	app, err := guestpass.New(guestpass.Options{PublicURL: url, ProjectID: seed.Project.ID, Secret: seed.Project.Secret,
		PublicToken: seed.Project.PublicToken, Vertical: "b2b", Domain: stytch, BaseURL: stytch, Store: database,
		Limits: roomy, ForwardTokens: true, Title: "Crash", Version: "test",
		Resources: resources.All()})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("serving " + url)
	running := &http.Server{Handler: app, ReadHeaderTimeout: 5 * time.Second}
	t.Fatal(running.Serve(listener))
}
