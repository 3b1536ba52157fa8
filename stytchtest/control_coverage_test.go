package stytchtest_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"guestpass/stytchtest"
)

var update = flag.Bool("update", false, "write README's table of endpoints anew")

const stytchGo = "stytch-go" // as Endpoint.Clients and Request.Client have it

// TestMain looks, once all tests have run, whether each endpoint has given a good answer,
// and whether stytch-go really drove what the table of endpoints says it drives.
func TestMain(m *testing.M) {
	flag.Parse()
	status := m.Run()
	if status == 0 && everythingRan() {
		if missing := undriven(); len(missing) > 0 {
			fmt.Fprintf(os.Stderr, "no test has had a good answer from these, by the client that their routes "+
				"claim:\n%s\n", strings.Join(missing, "\n"))
			status = 1
		}
	}
	os.Exit(status)
}

// everythingRan is false where a flag chose among the tests.
func everythingRan() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return true
}

// driven are the endpoints that have given a good answer, over all tests, to anybody and
// to stytch-go.
var (
	drivenMutex sync.Mutex
	driven      = map[drive]bool{}
)

type drive struct{ client, vertical, method, route string }

const anyClient = "any client"

// unrecorded is left out of what an emulator remembers.
const unrecorded = "/sdk/v1/events"

// serve starts an emulator whose requests count as driven.
func serve(t testing.TB, o stytchtest.Options) *stytchtest.Server {
	t.Helper()
	s := stytchtest.NewServer(t, o)
	t.Cleanup(func() { collect(s) })
	return s
}

func collect(s *stytchtest.Server) {
	drivenMutex.Lock()
	defer drivenMutex.Unlock()
	vertical := s.Export().Project.Vertical
	for _, r := range s.Requests() {
		if r.Status >= 200 && r.Status < 400 {
			driven[drive{r.Client, vertical, r.Method, r.Route}] = true
			driven[drive{anyClient, vertical, r.Method, r.Route}] = true
		}
	}
}

func undriven() (missing []string) {
	for _, v := range verticals {
		for _, e := range v.endpoints() {
			client := anyClient
			if slices.Contains(e.Clients, stytchGo) {
				client = stytchGo
			}
			if d := (drive{client, v.name, e.Method, e.Path}); !driven[d] && e.Path != unrecorded {
				missing = append(missing, fmt.Sprintf("%s %s %s (%s)", d.vertical, d.method, d.route, d.client))
			}
		}
	}
	return missing
}

// A vertical has endpoints of its own, and others that both have.
type vertical struct {
	name string
	seed func() stytchtest.Seed
}

var verticals = []vertical{{"b2b", stytchtest.Development}, {"consumer", stytchtest.DevelopmentConsumer}}

func (v vertical) endpoints() []stytchtest.Endpoint {
	seed := v.seed()
	e, err := stytchtest.New(stytchtest.Options{Seed: &seed})
	if err != nil {
		panic(err) // the seed is pinned
	}
	return e.Endpoints()
}

func TestEndpointsAreListedOnce(t *testing.T) {
	for _, v := range verticals {
		seen := map[string]bool{}
		for _, e := range v.endpoints() {
			if key := e.Method + " " + e.Path; seen[key] {
				t.Errorf("%s: %s is there twice", v.name, key)
			} else {
				seen[key] = true
			}
		}
	}
}

const (
	tableBegin = "<!-- endpoints -->\n"
	tableEnd   = "<!-- /endpoints -->"
)

// TestREADMEListsEveryEndpoint compares, or with -update writes.
func TestREADMEListsEveryEndpoint(t *testing.T) {
	readme := string(must[[]byte](t)(os.ReadFile("README.md")))
	before, rest, ok := strings.Cut(readme, tableBegin)
	table, after, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		t.Fatalf("README.md has no %s … %s", strings.TrimSpace(tableBegin), tableEnd)
	}
	want := endpointsTable()
	if *update {
		if err := os.WriteFile("README.md", []byte(before+tableBegin+want+tableEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if table != want {
		t.Error("README's table of endpoints is not that of the routes: run the tests of this package with -update")
	}
}

// endpointsTable is Markdown: what both verticals have in one line.
func endpointsTable() string {
	type line struct {
		stytchtest.Endpoint
		verticals []string
	}
	var lines []*line
	for _, v := range verticals {
		for _, e := range v.endpoints() {
			i := slices.IndexFunc(lines, func(l *line) bool { return l.Method == e.Method && l.Path == e.Path })
			if i < 0 {
				i, lines = len(lines), append(lines, &line{Endpoint: e})
			}
			lines[i].verticals = append(lines[i].verticals, v.name)
		}
	}
	slices.SortStableFunc(lines, func(a, b *line) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path),
			cmp.Compare(a.Method, b.Method))
	})
	var table strings.Builder
	table.WriteString("| endpoint | vertical | tested by |\n|---|---|---|\n")
	for _, l := range lines {
		vertical := "both"
		if len(l.verticals) == 1 {
			vertical = l.verticals[0]
		}
		fmt.Fprintf(&table, "| `%s %s` | %s | %s |\n", l.Method, l.Path, vertical, cmp.Or(strings.Join(l.Clients, ", "),
			"plain HTTP"))
	}
	return table.String()
}
