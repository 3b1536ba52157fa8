package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// Bounds of one question whether the server is ready. What it answers has some hundred bytes.
const (
	healthTimeout  = 5 * time.Second
	healthInterval = 200 * time.Millisecond // between questions, with --wait
	longestWait    = 10 * time.Minute
	maxHealth      = 64 << 10
)

func healthCommand(environ []string) *cobra.Command {
	var wait time.Duration
	var pid int
	command := &cobra.Command{
		Use:   "health",
		Short: "Ask the server of this machine whether it is ready",
		Long: `Asks /readyz of the server that runs with the same settings on this machine, or in this
container: where GUESTPASS_ADDR says, with TLS if GUESTPASS_TLS says so. Exit code 0 means
that it is ready; else 1, and a line says which part is not. For health checks of containers,
and for systemd.

With --wait it asks until the server is ready, or for so long. With --pid the server must be
that process: it asks no longer than the process is there, and takes no answer of another.`,
		Example: "  guestpass health\n  guestpass health --wait 1m",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := readConfig(environ, cmd.Flags())
			if err != nil {
				return err
			}
			if wait < 0 || wait > longestWait {
				return usagef("--wait is %s: it must be from 0s to %s", wait, longestWait)
			}
			if cmd.Flags().Changed("pid") && (pid < 1 || pid > math.MaxInt32) {
				return usagef("--pid is %d: it must be the id of a process", pid)
			}
			return c.becomesReady(cmd.Context(), wait, pid)
		},
	}
	settingFlag(command, "addr", "GUESTPASS_ADDR", "address on which it listens")
	command.Flags().DurationVar(&wait, "wait", 0, "ask again for so long until it is ready")
	command.Flags().IntVar(&pid, "pid", 0, "the server's process; stop waiting when it has ended")
	return command
}

// becomesReady asks until the server is ready, once at least, and then for so long, unless its process has ended. 0 is
// any process.
func (c config) becomesReady(ctx context.Context, wait time.Duration, pid int) error {
	ask, err := c.askReady(pid)
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, cmp.Or(wait, healthTimeout))
	defer cancel()
	var last error
	for {
		err := ask(bounded)
		switch {
		case pid != 0 && ended(pid):
			return fmt.Errorf("the server, process %d, has ended; its log says why", pid)
		case err == nil || wait == 0:
			return err
		case last == nil || bounded.Err() == nil: // else it was interrupted, and what came before says more
			last = err
		}
		select {
		case <-time.After(healthInterval):
		case <-bounded.Done():
			return errors.Join(last, ctx.Err())
		}
	}
}

// ended reports whether a process is known to be no more. One of another user, which may not be asked, is there.
func ended(pid int) bool {
	process, err := os.FindProcess(pid)
	if err != nil {
		return true
	}
	defer func() { _ = process.Release() }()
	return errors.Is(process.Signal(syscall.Signal(0)), os.ErrProcessDone)
}

// askReady returns a function that asks once. The server must be the process; 0 is any.
func (c config) askReady(pid int) (func(context.Context) error, error) {
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil || port == "0" {
		return nil, usageError{c.fault("GUESTPASS_ADDR", "leaves the port to the system: nobody else can know it; "+
			"say which")}
	}
	switch host { // all addresses of this machine: an image may have no /etc/hosts that knows localhost
	case "", "0.0.0.0":
		host = "127.0.0.1"
	case "::":
		host = "::1"
	}
	scheme, transport := "http", &http.Transport{Proxy: nil, DisableKeepAlives: true}
	if c.speaksTLS() {
		scheme = "https"
		public, err := parseOrigin(c.PublicURL)
		if err != nil {
			return nil, usageError{c.fault("GUESTPASS_PUBLIC_URL", "is needed to speak TLS with the server: %w", err)}
		}
		// #nosec G402 -- it asks this machine, tells no secret, and whether others trust the certificate asks doctor
		transport.TLSClientConfig = &tls.Config{ServerName: public.Hostname(), InsecureSkipVerify: true}
	}
	client := &http.Client{Timeout: healthTimeout, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	address := scheme + "://" + net.JoinHostPort(host, port) + "/readyz"
	return func(ctx context.Context) error { return askHealth(ctx, client, address, pid) }, nil
}

func askHealth(ctx context.Context, client *http.Client, address string, pid int) error {
	asked := address
	if pid != 0 {
		asked += "?pid=" + strconv.Itoa(pid)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, asked, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	var waited net.Error
	var failed *net.OpError
	switch {
	case errors.As(err, &waited) && waited.Timeout() && !(errors.As(err, &failed) && failed.Op == "dial"):
		return fmt.Errorf("%s does not answer in time, and yet somebody listens there: see the log of the server, "+
			"which may still be starting", address)
	case err != nil:
		return fmt.Errorf("nobody answers: %w; is `guestpass serve` running, with these settings?", err)
	}
	defer response.Body.Close()
	parts := map[string]any{}
	err = json.NewDecoder(io.LimitReader(response.Body, maxHealth)).Decode(&parts)
	switch {
	case err != nil:
		return fmt.Errorf("%s answered %s, and not as Guestpass does: another program listens there", address,
			response.Status)
	case pid != 0 && parts["pid"] != "this": // an older version does not say
		return fmt.Errorf("the server that answers at %s is another process", address)
	case response.StatusCode == http.StatusOK:
		return nil
	}
	delete(parts, "pid")
	var not []string
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		if parts[name] != "ok" {
			not = append(not, fmt.Sprintf("%s is %v", name, parts[name]))
		}
	}
	return fmt.Errorf("not ready: %s; the server's log says why", strings.Join(not, ", "))
}
