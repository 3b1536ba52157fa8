//go:build !production

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"guestpass"
	"guestpass/auth"
	"guestpass/internal/ownfile"
	"guestpass/internal/setup"
	"guestpass/stytchtest"
)

// stateFile is where guestpass setup keeps the emulated project, beside the file of settings.
const stateFile = "guestpass-emulator.json"

const setupWithout = `

Without either, and for a server on this machine, the emulator of Stytch stands in: its project
is kept in ` + stateFile + `, and guestpass serve runs it.`

// emulatorRuns is an exception in the help of guestpass doctor.
const emulatorRuns = `, unless guestpass setup was run without a Stytch account: then
guestpass serve runs the emulator, which has to answer`

// standingIn is what a run knows of the emulator that stands in.
type standingIn struct {
	addr     string
	somebody string // who can sign in there
}

const (
	emulatorAddrFlag    = "emulator-addr"
	defaultEmulatorAddr = "localhost:8081"
)

// emulatorFlag says where the emulator listens that stands in.
func emulatorFlag(command *cobra.Command, s *setupRun) {
	command.Flags().StringVar(&s.addr, emulatorAddrFlag, defaultEmulatorAddr,
		"address of the Stytch emulator, where it stands in; one that runs there is set up; loopback only")
}

// standIn has the emulator stand in for Stytch: the one that runs there already, or one of its own until it is
// finished.
func (s *setupRun) standIn(ctx context.Context, out io.Writer) error {
	base := or(s.config.BaseURL, "http://"+or(s.addr, defaultEmulatorAddr))
	at, err := url.Parse(base)
	if err != nil || !loopback(at.Hostname()) {
		return usagef("--emulator-addr is %q: the emulator listens on this machine only; write localhost:PORT, such "+
			"as localhost:8081", s.addr)
	}
	s.config.PublicURL = or(s.config.PublicURL, "http://"+s.config.Addr)
	s.environment = or(s.environment, "test") // it has no other
	project, err := runningEmulator(ctx, base)
	runs := err == nil
	switch {
	case errors.Is(err, syscall.ECONNREFUSED) && s.config.BaseURL != "" && s.config.Emulator == "":
		return usagef("no emulator answers at STYTCH_BASE_URL: start it, such as by `guestpass stytch`, or leave the " +
			"setting out")
	case errors.Is(err, syscall.ECONNREFUSED):
		if project, base, err = s.startEmulator(ctx, at.Host); err != nil {
			return err
		}
	case err != nil:
		return usagef("the emulator cannot stand in at %s: %w; choose another address with --emulator-addr", base, err)
	case s.config.Emulator != "":
		s.remember("GUESTPASS_EMULATOR", s.config.Emulator)
	case s.config.BaseURL == "" && !s.cmd.Flags().Changed(emulatorAddrFlag):
		return usagef("an emulator runs at %s already, such as that of `guestpass dev`, which forgets its project "+
			"when it stops: stop it first, or say with --"+emulatorAddrFlag+" %s that it is the one to set up; "+
			"another address gets an emulator of its own", base, at.Host)
	}
	if err := s.sameProject(project, base, runs); err != nil {
		return err
	}
	s.base, s.config.Domains, s.somebody = base, []string{base}, "ada@acme.example"
	if project.Vertical != string(auth.B2B) {
		s.somebody = "ada@example.com"
	}
	s.remember("STYTCH_BASE_URL", base)
	s.workspace = openWorkspace(base, project.WorkspaceKey, project.WorkspaceSecret)
	fmt.Fprintf(out, "No account of Stytch's is named: the emulator on this machine stands in, at %s\n\n", base)
	return nil
}

// sameProject refuses an emulated project that is not the one of the settings. Of several emulators each has a project
// with the same id: its secret tells which one it is.
func (s *setupRun) sameProject(project stytchtest.Project, base string, runs bool) error {
	c := s.config
	if kind := c.given["STYTCH_VERTICAL"]; kind != "" && c.Vertical != project.Vertical && !project.NoProject {
		return s.otherKind(project.Vertical)
	}
	known := func(secret stytchtest.Secret) bool { return secret.Secret == c.Secret }
	unset := c.Secret == "" || c.given["STYTCH_SECRET"] == byEnvironment // which says nothing of the folder's project
	if c.Emulator == "" || unset || slices.ContainsFunc(project.Secrets, known) {
		return nil
	}
	if runs {
		return usagef("the emulator that runs at %s has another project than %s, such as that of `guestpass dev`: "+
			"stop it first", base, s.file())
	}
	return usageError{c.fault("STYTCH_SECRET", "is none of the project in %s: delete both files to begin anew, or "+
		"work in another folder", c.Emulator)}
}

// otherKind says that the emulated project stays of the kind as which it was made.
func (s *setupRun) otherKind(kind string) error {
	return usageError{s.config.fault("STYTCH_VERTICAL", "is %s, and the emulated project of this folder is of the "+
		"kind %s, which it stays: work in another folder, or delete %s and %s to begin anew", s.config.Vertical, kind,
		s.file(), or(s.config.Emulator, stateFile))}
}

func (s *setupRun) remember(name, value string) {
	s.more = append(s.more, setup.Setting{Name: name, Value: value})
}

// runningEmulator returns the project of an emulator that runs there.
func runningEmulator(ctx context.Context, base string) (stytchtest.Project, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/_emulator/state", nil)
	if err != nil {
		return stytchtest.Project{}, err
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	if err != nil {
		return stytchtest.Project{}, err
	}
	defer response.Body.Close()
	var seed stytchtest.Seed
	err = json.NewDecoder(io.LimitReader(response.Body, 16<<20)).Decode(&seed)
	if err != nil || response.StatusCode != http.StatusOK || seed.Project.WorkspaceKey == "" {
		return stytchtest.Project{}, errors.New("another program answers there")
	}
	return seed.Project, nil
}

// startEmulator runs the emulator until the run is finished, and keeps its project in a file.
func (s *setupRun) startEmulator(ctx context.Context, addr string) (p stytchtest.Project, base string, err error) {
	file := or(s.config.Emulator, filepath.Join(filepath.Dir(s.file()), stateFile))
	vertical := ""
	if s.config.given["STYTCH_VERTICAL"] != "" {
		vertical = s.config.Vertical
	}
	kept, err := openEmulator(file, vertical, addr, slog.New(slog.DiscardHandler))
	if wrong := (&otherVerticalError{}); errors.As(err, &wrong) {
		return p, "", s.otherKind(wrong.is)
	}
	if err != nil {
		return p, "", err
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- kept.serve(ctx) }()
	s.finish = func(applied bool) error {
		stop()
		err := <-ended
		if applied {
			err = errors.Join(err, kept.save())
		}
		return err
	}
	s.remember("GUESTPASS_EMULATOR", file)
	return kept.Export().Project, "http://" + named(addr, kept.listener.Addr().String()), nil
}

// A keptEmulator has its project in a file, which is written anew whenever a request has changed something, before the
// answer is sent: whatever ends the program, what was made is there.
type keptEmulator struct {
	*stytchtest.Emulator
	listener net.Listener
	log      *slog.Logger
	file     string

	mu    sync.Mutex // guards the file and saved
	saved []byte     // what is in the file; at first what the emulator began with
}

// An otherVerticalError says that a file has a project of another kind than the settings.
type otherVerticalError struct{ file, is, wanted string }

func (e *otherVerticalError) Error() string {
	return fmt.Sprintf("%s has a %s project, and STYTCH_VERTICAL says %s: set it to %s, or delete the file and the "+
		"file of settings and run `guestpass setup` again", e.file, e.is, e.wanted, e.is)
}

// openEmulator goes on with the project of a file. If there is none, it begins with an empty workspace, in which the
// people of the development seed will be found once a project is made.
func openEmulator(file, vertical, addr string, log *slog.Logger) (*keptEmulator, error) {
	ownfile.RemoveStale(file)
	seed, err := stytchtest.ReadSeed(file)
	if errors.Is(err, fs.ErrNotExist) {
		seed, err = developmentSeed(vertical), nil
		seed.Project.NoProject = true
	}
	if err == nil && vertical != "" && seed.Project.Vertical != vertical {
		err = &otherVerticalError{file, seed.Project.Vertical, vertical}
	}
	if errors.As(err, new(*otherVerticalError)) {
		return nil, usageError{err}
	}
	if err != nil {
		return nil, brokenState(file, err)
	}
	// Clients under development describe themselves on this machine.
	emulator, err := stytchtest.New(stytchtest.Options{Seed: &seed, Log: log, LoopbackDocuments: true,
		KeptIn: file})
	if err != nil {
		return nil, brokenState(file, err)
	}
	listener, err := emulator.Listen(addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, usagef("%s, where the emulator of %s listens, is in use by another program, such as `guestpass "+
			"dev`: stop it; or it is a `guestpass serve` or `guestpass setup` that runs with this very file", addr,
			file)
	}
	if err != nil {
		return nil, usagef("cannot start the emulator on %s: %w", addr, err)
	}
	kept := &keptEmulator{Emulator: emulator, listener: listener, log: log, file: file}
	kept.saved, err = kept.content()
	return kept, err
}

// brokenState says that a file has no project that the emulator could go on with.
func brokenState(file string, err error) error {
	return usagef("the emulated project in %s cannot be used: %w; put the file back as it was, or delete it and the "+
		"file of settings, and run `guestpass setup` to begin anew", file, err)
}

// ServeHTTP answers as the emulator does, and once a change is kept: whoever hears of it may rely on it.
func (e *keptEmulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions {
		e.Emulator.ServeHTTP(w, r)
		return
	}
	saved := &savedFirst{ResponseWriter: w, save: func() error {
		err := e.save()
		if err != nil {
			e.log.ErrorContext(r.Context(), "a change is not kept", "error", err)
		}
		return err
	}}
	e.Emulator.ServeHTTP(saved, r)
	saved.WriteHeader(http.StatusOK) // unless there is an answer
	_ = saved.save()                 // also of what came after the answer, or without one
}

// A savedFirst writes an answer once what it tells is saved; if that goes wrong, it writes another one.
type savedFirst struct {
	http.ResponseWriter
	save      func() error
	begun, no bool
}

// Unwrap is for http.ResponseController.
func (w *savedFirst) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *savedFirst) WriteHeader(status int) {
	if w.begun {
		return
	}
	w.begun = true
	if err := w.save(); err != nil {
		w.no = true
		http.Error(w.ResponseWriter, "the change cannot be kept: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *savedFirst) Write(text []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.no {
		return len(text), nil
	}
	return w.ResponseWriter.Write(text)
}

func (e *keptEmulator) serve(ctx context.Context) error {
	return parts{listener: e.listener, handler: e}.serve(e.log)(ctx)
}

func (e *keptEmulator) content() ([]byte, error) { return json.MarshalIndent(e.Export(), "", "  ") }

// save replaces the file as a whole, if anything has changed. Its secrets are good for nothing but this emulator, and
// are nobody else's business.
func (e *keptEmulator) save() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	content, err := e.content()
	if err != nil {
		return fmt.Errorf("keep the emulated project: %w", err)
	}
	if bytes.Equal(content, e.saved) {
		return nil
	}
	if err := ownfile.Replace(e.file, content); err != nil {
		return fmt.Errorf("keep the emulated project: %w", err)
	}
	e.saved = content
	return nil
}

// emulator starts the emulator of GUESTPASS_EMULATOR beside the server, as guestpass dev has it.
func (c config) emulator(log *slog.Logger) (*companion, error) {
	at, err := url.Parse(c.BaseURL)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(c.Emulator); err != nil {
		return nil, usageError{c.fault("GUESTPASS_EMULATOR", "names a file that cannot be read: run `guestpass setup` "+
			"first: %w", err)}
	}
	kept, err := openEmulator(c.Emulator, c.Vertical, at.Host, log.With("part", "emulator"))
	if err != nil {
		return nil, err
	}
	log.Info("the emulator stands in for Stytch", "url", c.BaseURL, "file", c.Emulator)
	return &companion{
		options: func(o guestpass.Options) guestpass.Options {
			o.Emulator, o.Local, o.Now = c.BaseURL, true, kept.Now // POST /_emulator/clock moves both
			return o
		},
		serve: []func(context.Context) error{kept.serve},
		close: func() error { return errors.Join(ignoreClosed(kept.listener.Close()), kept.save()) },
	}, nil
}

// ignoreClosed is for a listener that its server has closed.
func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// thisCall returns how to call this program, to be pasted.
func thisCall() string { return thisProgram() }

// nextTry returns the command that plays an assistant.
func (s standingIn) nextTry() string {
	if s.somebody == "" {
		return "try --mcp"
	}
	return "try --mcp --as " + s.somebody
}
