package server_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"guestpass/internal/postgrestest"
	"guestpass/stytchtest"
)

// TestMain looks, once all tests have run, whether Stytch's browser SDK really drove what
// the emulator's table of endpoints says it drives.
func TestMain(m *testing.M) {
	flag.Parse()
	status := m.Run()
	postgrestest.StopShared()
	if chromeStarted.Load() {
		if browser, err := chrome(); err == nil {
			_ = chromedp.Cancel(browser)
		}
	}
	if status == 0 && everythingRan() {
		if missing := undriven(); len(missing) > 0 {
			fmt.Fprintf(os.Stderr, "no page has had a good answer from these, which are said to be tested by "+
				"%s:\n%s\n", browserSDK, strings.Join(missing, "\n"))
			status = 1
		}
	}
	os.Exit(status)
}

// everythingRan reports whether no flag chose among the tests.
func everythingRan() bool {
	if testing.Short() {
		return false
	}
	for _, name := range []string{"test.run", "test.skip", "test.list"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return true
}

const (
	browserSDK = "vanilla-js"     // as Endpoint.Clients and Request.Client have it
	unrecorded = "/sdk/v1/events" // telemetry, which an emulator does not remember
)

// driven are the endpoints that pages have had a good answer from, over all tests.
var (
	drivenMutex sync.Mutex
	driven      = map[string]bool{}
)

// collect notes what the pages of a world have asked. The browser itself follows a
// provider's address, without a word of the SDK.
func collect(s *stytchtest.Server) {
	drivenMutex.Lock()
	defer drivenMutex.Unlock()
	for _, r := range s.Requests() {
		if r.Status >= 200 && r.Status < 400 && (r.Client == browserSDK || r.Client == "mozilla") {
			driven[r.Method+" "+r.Route] = true
		}
	}
}

func undriven() (missing []string) {
	for _, seed := range []stytchtest.Seed{stytchtest.Development(), stytchtest.DevelopmentConsumer()} {
		e, err := stytchtest.New(stytchtest.Options{Seed: &seed})
		if err != nil {
			panic(err) // the seeds are pinned
		}
		for _, endpoint := range e.Endpoints() {
			name := endpoint.Method + " " + endpoint.Path
			if slices.Contains(endpoint.Clients, browserSDK) && endpoint.Path != unrecorded && !driven[name] {
				missing = append(missing, name)
			}
		}
	}
	return missing
}
