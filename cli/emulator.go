//go:build !production

package cli

import (
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
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"guestpass"
	"guestpass/auth"
	"guestpass/internal/setup"
	"guestpass/stytchtest"
)

// stateFile is where guestpass setup keeps the emulated project, beside the file of settings.
const stateFile = "guestpass-emulator.json"

const setupWithout = `

Without either, the emulator of Stytch on this machine stands in: its project is kept in
` + stateFile + `, and guestpass serve runs it.`

// standingIn is what a run knows of the emulator that stands in.
type standingIn struct {
	addr     string
	somebody string // who can sign in there
}

// emulatorFlag says where the emulator listens that stands in.
func emulatorFlag(command *cobra.Command, s *setupRun) {
	command.Flags().StringVar(&s.addr, "emulator-addr", "localhost:8081",
		"address of the Stytch emulator, where it stands in; loopback only")
}

// standIn has the emulator stand in for Stytch: the one that runs there already, or one of its own until it is
// finished.
func (s *setupRun) standIn(ctx context.Context, out io.Writer) error {
	base := or(s.config.BaseURL, "http://"+or(s.addr, "localhost:8081"))
	at, err := url.Parse(base)
	if err != nil || !loopback(at.Hostname()) {
		return usagef("--emulator-addr is %q: the emulator listens on this machine only; write localhost:PORT, such "+
			"as localhost:8081", s.addr)
	}
	s.config.PublicURL = or(s.config.PublicURL, "http://"+s.config.Addr)
	project, err := runningEmulator(ctx, base)
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
	}
	s.base, s.config.Domains, s.somebody = base, []string{base}, "ada@acme.example"
	if project.Vertical != string(auth.B2B) {
		s.somebody = "ada@example.com"
	}
	s.remember("STYTCH_BASE_URL", base)
	s.open(project.WorkspaceKey, project.WorkspaceSecret)
	fmt.Fprintf(out, "No account of Stytch's is named: the emulator on this machine stands in, at %s\n\n", base)
	return nil
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

// A keptEmulator has its project in a file.
type keptEmulator struct {
	*stytchtest.Emulator
	listener net.Listener
	log      *slog.Logger
	file     string
}

// openEmulator goes on with the project of a file. If there is none, it begins with an empty workspace, in which the
// people of the development seed will be found once a project is made.
func openEmulator(file, vertical, addr string, log *slog.Logger) (*keptEmulator, error) {
	seed, err := stytchtest.ReadSeed(file)
	if errors.Is(err, fs.ErrNotExist) {
		seed, err = developmentSeed(vertical), nil
		seed.Project.NoProject = true
	}
	if err == nil && vertical != "" && seed.Project.Vertical != vertical {
		err = fmt.Errorf("%s has a %s project, and STYTCH_VERTICAL says %s: correct the setting, or delete the file",
			file, seed.Project.Vertical, vertical)
	}
	if err != nil {
		return nil, usageError{err}
	}
	// Clients under development describe themselves on this machine.
	emulator, err := stytchtest.New(stytchtest.Options{Seed: &seed, Log: log, LoopbackDocuments: true})
	if err != nil {
		return nil, usageError{err}
	}
	listener, err := emulator.Listen(addr)
	if err != nil {
		return nil, usagef("cannot start the emulator on %s: %w", addr, err)
	}
	return &keptEmulator{emulator, listener, log, file}, nil
}

func (e *keptEmulator) serve(ctx context.Context) error {
	return parts{e.listener, e, 0}.serve(e.log)(ctx)
}

// save replaces the file as a whole. Its secrets are good for nothing but this emulator, and are nobody else's
// business.
func (e *keptEmulator) save() error {
	content, err := json.MarshalIndent(e.Export(), "", "  ")
	if err != nil {
		return fmt.Errorf("keep the emulated project: %w", err)
	}
	partial, err := os.CreateTemp(filepath.Dir(e.file), filepath.Base(e.file)+".partial-")
	if err != nil {
		return fmt.Errorf("keep the emulated project: %w", err)
	}
	_, err = partial.Write(content)
	err = errors.Join(err, partial.Close())
	if err == nil {
		err = os.Rename(partial.Name(), e.file)
	}
	if err != nil {
		_ = os.Remove(partial.Name())
		return fmt.Errorf("keep the emulated project: %w", err)
	}
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
