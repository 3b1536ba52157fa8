package packaged_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// root is that of the repository.
const root = "../.."

// pack runs scripts/packaging as make does, for this machine's architecture.
func pack(t *testing.T, what, out string, args ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by make quick: it builds the program for others")
	}
	tool := filepath.Join(t.TempDir(), "packaging")
	// the cache of test results knows what a test reads, not what the go command does
	if _, err := os.ReadDir(filepath.Join(root, "scripts", "packaging")); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-C", filepath.Join(root, "scripts", "packaging"), "-o", tool, ".")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, text)
	}
	args = append([]string{what, "-out", out, "-platforms", "linux/" + runtime.GOARCH}, args...)
	command := exec.Command(tool, args...)
	command.Dir = root
	command.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=1796083200")
	if text, err := command.CombinedOutput(); err != nil {
		t.Fatalf("make %s: %v\n%s", what, err, text)
	}
}

// An image is what is in the file for docker load.
type image struct {
	configuration struct {
		Config struct {
			User, WorkingDir, StopSignal string
			Env, Entrypoint, Cmd         []string
			Labels                       map[string]string
			Volumes, ExposedPorts        map[string]struct{}
			Healthcheck                  struct{ Test []string }
		} `json:"config"`
	}
	name  string
	files map[string]*tar.Header
}

// unpack reads an image and writes its files below the folder, as a container has them.
func unpack(t *testing.T, archive, folder string) (i image) {
	t.Helper()
	parts := map[string][]byte{}
	file, err := os.Open(archive)
	must(t, err)
	defer file.Close()
	eachFile(t, file, func(header *tar.Header, content []byte) { parts[header.Name] = content })
	var manifest []struct {
		Config           string
		RepoTags, Layers []string
	}
	must(t, json.Unmarshal(parts["manifest.json"], &manifest))
	if len(manifest) != 1 || len(manifest[0].Layers) != 1 || len(manifest[0].RepoTags) != 1 {
		t.Fatalf("the manifest is %s", parts["manifest.json"])
	}
	i.name, i.files = manifest[0].RepoTags[0], map[string]*tar.Header{}
	must(t, json.Unmarshal(parts[manifest[0].Config], &i.configuration))
	layer, err := gzip.NewReader(bytes.NewReader(parts[manifest[0].Layers[0]]))
	must(t, err)
	eachFile(t, layer, func(header *tar.Header, content []byte) {
		i.files[header.Name] = header
		path := filepath.Join(folder, header.Name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		if header.Typeflag == tar.TypeDir {
			must(t, os.MkdirAll(path, 0o755))
		} else {
			must(t, os.WriteFile(path, content, header.FileInfo().Mode()))
		}
	})
	return i
}

func eachFile(t *testing.T, from io.Reader, visit func(*tar.Header, []byte)) {
	t.Helper()
	for reader := tar.NewReader(from); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		must(t, err)
		content, err := io.ReadAll(reader)
		must(t, err)
		visit(header, content)
	}
}

// TestTheImageSurvivesKill9UnderAReadOnlyRoot builds the image and looks at it, then runs it as a container would be
// run: with its own files alone, which cannot be written, as its user without rights, and with a volume for its data.
// It is killed while people write; what was acknowledged is there afterwards.
func TestTheImageSurvivesKill9UnderAReadOnlyRoot(t *testing.T) {
	folder := t.TempDir()
	out, again := filepath.Join(folder, "image"), filepath.Join(folder, "again")
	for _, to := range []string{out, again} {
		pack(t, "image", to, "-version", "v1.2.3", "-commit", "0123456789abcdef")
	}
	if digests, other := readFile(t, out+"/oci/index.json"), readFile(t, again+"/oci/index.json"); digests != other {
		t.Errorf("made again it is another: %s, %s", digests, other)
	}
	files := filepath.Join(folder, "root")
	i := unpack(t, filepath.Join(out, "guestpass-"+runtime.GOARCH+".tar"), files)
	i.isAsItShould(t)
	text, err := exec.Command("unshare", "--mount", "setpriv", "--no-new-privs", "true").CombinedOutput()
	if err != nil {
		t.Skipf("the rest needs root and util-linux, for a file system that cannot be written: %v %s", err, text)
	}
	c := newContainer(t, i, files)
	c.start(t)
	for _, args := range [][]string{{"health", "--wait", "1m"}, {"version"}} {
		text, err := c.command(args...).CombinedOutput()
		if err != nil || args[0] == "version" &&
			!strings.Contains(string(text), "1.2.3\ncommit     0123456789abcdef\n") {
			t.Fatalf("guestpass %q: %v\n%s", args, err, text)
		}
	}
	c.cannotWriteItsFiles(t)
	var acknowledged []string
	for range 3 {
		acknowledged = append(acknowledged, c.writeUntilKilled(t)...)
		c.start(t)
		if text, err := c.command("health", "--wait", "1m").CombinedOutput(); err != nil {
			t.Fatalf("after kill -9: %v\n%s", err, text)
		}
	}
	if len(acknowledged) < 30 {
		t.Errorf("only %d writes were acknowledged", len(acknowledged))
	}
	for _, id := range acknowledged {
		if status, body := c.call(t, "GET", "/api/v1/tasks/"+id, ""); status != http.StatusOK {
			t.Errorf("%s is lost: %d %s", id, status, body)
		}
	}
}

func (i image) isAsItShould(t *testing.T) {
	t.Helper()
	if got := fmt.Sprintf("%+v", i.configuration.Config); got != "{User:65532:65532 WorkingDir:/var/lib/guestpass "+
		"StopSignal:SIGTERM Env:[PATH=/usr/local/bin GUESTPASS_ADDR=:8080] Entrypoint:[/usr/local/bin/guestpass] "+
		"Cmd:[serve] Labels:map[org.opencontainers.image.created:2026-12-01T00:00:00Z "+
		"org.opencontainers.image.description:Gives ChatGPT, Claude and other assistants a guest pass to an app "+
		"org.opencontainers.image.licenses:MIT org.opencontainers.image.revision:0123456789abcdef "+
		"org.opencontainers.image.title:Guestpass org.opencontainers.image.version:1.2.3] "+
		"Volumes:map[/var/lib/guestpass:{}] ExposedPorts:map[8080/tcp:{}] "+
		"Healthcheck:{Test:[CMD /usr/local/bin/guestpass health]}}" {
		t.Errorf("the configuration is %s", got)
	}
	if i.name != "guestpass:1.2.3" {
		t.Errorf("its name is %s", i.name)
	}
	for path, header := range i.files {
		switch data := path == "var/lib/guestpass/"; {
		case data && (header.Uid != 65532 || header.Gid != 65532 || header.Mode != 0o700):
			t.Errorf("%s is of %d with mode %o", path, header.Uid, header.Mode)
		case !data && path != "tmp/" && (header.Uid != 0 || header.Mode&0o022 != 0):
			t.Errorf("%s can be written: it is of %d with mode %o", path, header.Uid, header.Mode)
		}
	}
	if len(i.files) != 6 {
		t.Errorf("it has the files %v", i.files)
	}
}

// A container runs the program of an image, in the network of this machine.
type container struct {
	image   image
	files   string
	volume  string
	environ []string
	at      string
	token   string
	client  *http.Client
	guard   *exec.Cmd
	pid     int
}

func newContainer(t *testing.T, i image, files string) *container {
	t.Helper()
	who, addr := newAccount(t), freeAddress(t)
	c := &container{image: i, files: files, volume: t.TempDir(), at: "http://" + addr, token: who.token,
		client: http.DefaultClient}
	must(t, os.Chown(c.volume, 65532, 65532))
	must(t, os.Chmod(c.volume, 0o700)) // #nosec G302 -- as the image has it
	c.environ = append(append(i.configuration.Config.Env, "GUESTPASS_ADDR="+addr), strings.Fields(who.settings)...)
	return c
}

// inContainer sees the files of an image alone, and may write to the volume; where all of that is, are arguments.
const inContainer = `set -e; files=$0 volume=$1 user=$2 directory=$3; shift 3
mount --bind "$files" "$files"; mount --bind "$volume" "$files$directory"; mount -o remount,ro,bind "$files"
cd /; exec setpriv --no-new-privs chroot --userspec="$user" "$files" "$@"`

// guard says which process the program is, kills it when its own input ends, however the test has ended, and ends when
// the program does.
const guard = `exec 9<&0; "$@" </dev/null 9<&- & program=$!; echo $program
(cat <&9 >/dev/null 2>&1; kill -9 $program) >/dev/null 2>&1 & wait $program`

// command runs the program with these arguments.
func (c *container) command(args ...string) *exec.Cmd {
	config := c.image.configuration.Config
	words := append([]string{"--mount", "sh", "-c", inContainer, c.files, c.volume, config.User, config.WorkingDir},
		config.Entrypoint...)
	command := exec.Command("unshare", append(words, args...)...)
	// chroot leads to /, and not to the working directory
	command.Env = append(c.environ, "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
		"GUESTPASS_DATABASE_URL=sqlite:"+config.WorkingDir+"/guestpass.db")
	return command
}

// start has it serve.
func (c *container) start(t *testing.T) {
	t.Helper()
	serve := c.command(c.image.configuration.Config.Cmd...)
	c.guard = exec.Command("sh", append([]string{"-c", guard, "guard"}, serve.Args...)...)
	c.guard.Env, c.guard.SysProcAttr = serve.Env, &syscall.SysProcAttr{Setpgid: true}
	alive, err := c.guard.StdinPipe()
	must(t, err)
	said, err := c.guard.StdoutPipe()
	must(t, err)
	log, err := c.guard.StderrPipe()
	must(t, err)
	must(t, c.guard.Start())
	t.Cleanup(func() { _ = alive.Close() })
	line, err := bufio.NewReader(said).ReadString('\n')
	must(t, err)
	c.pid, err = strconv.Atoi(strings.TrimSpace(line))
	must(t, err)
	lines := bufio.NewReader(log)
	var all strings.Builder
	for !strings.Contains(all.String(), `"msg":"serving"`) {
		line, err := lines.ReadString('\n')
		if all.WriteString(line); err != nil {
			t.Fatalf("it has ended: %s", &all)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
}

// cannotWriteItsFiles looks at how the program that serves is confined, as the kernel sees it.
func (c *container) cannotWriteItsFiles(t *testing.T) {
	t.Helper()
	process := "/proc/" + strconv.Itoa(c.pid)
	status, err := os.ReadFile(process + "/status")
	must(t, err)
	for _, want := range []string{"Name:\tguestpass\n", "Uid:\t65532\t65532\t65532\t65532\n",
		"CapEff:\t0000000000000000\n", "NoNewPrivs:\t1\n"} {
		if !strings.Contains(string(status), want) {
			t.Errorf("the process lacks %q:\n%s", want, status)
		}
	}
	mounts, err := os.ReadFile(process + "/mounts")
	must(t, err)
	if !regexp.MustCompile(`(?m)^\S+ / \S+ ro,`).Match(mounts) {
		t.Errorf("its root can be written:\n%s", mounts)
	}
	if _, err := os.Stat(filepath.Join(c.volume, "guestpass.db")); err != nil {
		t.Errorf("its data is not in the volume: %v", err)
	}
	// the bundle that it trusts is its own
	if _, err := os.Stat(filepath.Join(c.files, "etc")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the image has a folder etc: %v", err)
	}
}

// writeUntilKilled has four people write at once, kills the server in the middle, and returns what was acknowledged.
func (c *container) writeUntilKilled(t *testing.T) (acknowledged []string) {
	t.Helper()
	var mu sync.Mutex // guards acknowledged
	var writers sync.WaitGroup
	enough := make(chan struct{})
	for range 4 {
		writers.Go(func() {
			for {
				status, body := c.call(t, "POST", "/api/v1/tasks", `{"title":"written"}`)
				var task struct {
					ID string `json:"task_id"`
				}
				if status != http.StatusCreated || json.Unmarshal([]byte(body), &task) != nil {
					return
				}
				mu.Lock()
				if acknowledged = append(acknowledged, task.ID); len(acknowledged) == 20 {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	select {
	case <-enough:
	case <-time.After(time.Minute):
		t.Error("nothing was written for a minute")
	}
	must(t, syscall.Kill(c.pid, syscall.SIGKILL))
	_ = c.guard.Wait() // its exit code says that it was killed
	writers.Wait()
	return acknowledged
}

// call returns 0 if no answer came.
func (c *container) call(t *testing.T, method, path, body string) (status int, text string) {
	r, err := http.NewRequestWithContext(t.Context(), method, c.at+path, strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", "application/json")
	response, err := c.client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(content)
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	must(t, err)
	return string(text)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
