package server_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"guestpass/stytchtest"
)

// TestMain looks, once all tests have run, whether Stytch's browser SDK really drove what
// the emulator's table of endpoints says it drives.
func TestMain(m *testing.M) {
	flag.Parse()
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == parallel.DefValue {
		_ = parallel.Value.Set(strconv.Itoa(2 * runtime.GOMAXPROCS(0))) // they mostly wait for a browser
	}
	status := m.Run()
	_ = os.RemoveAll(programFolder)
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

// inBrowsers are the names of the tests that drive programs of others: browsers, clients. The Makefile runs them
// without the race detector, which takes most of the machine and finds in them what it finds in all others.
const inBrowsers = "^Test(EndToEnd|InABrowser|RealClient)"

// everythingRan reports whether no flag left out a test that drives a browser.
func everythingRan() bool {
	chosen := func(name string) string {
		if f := flag.Lookup("test." + name); f != nil {
			return f.Value.String()
		}
		return ""
	}
	run := chosen("run")
	return !testing.Short() && (run == "" || run == inBrowsers) && chosen("skip") == "" && chosen("list") == ""
}

func TestTheMakefileRunsEveryTest(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"\nBROWSERS := " + inBrowsers + "\n", "-skip '$(BROWSERS)' ./internal/server\n",
		"-run '$(BROWSERS)' ./internal/server\n"} {
		if !strings.Contains(string(makefile), line) {
			t.Errorf("the Makefile lacks %q", line)
		}
	}
}

// needsBrowser fails a test whose name does not say that it drives a browser, and ends it in make quick.
func needsBrowser(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by make quick: it needs a browser")
	}
	if !regexp.MustCompile(inBrowsers).MatchString(t.Name()) {
		t.Fatalf("name it TestInABrowser…, so that it is run without the race detector")
	}
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
