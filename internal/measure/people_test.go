package measure_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"guestpass/internal/postgrestest"
	"guestpass/stytchtest"
)

var (
	peopleInto = flag.String("people", "", "have 10,000 people use one instance, and write what comes of it here")
	peopleFor  = flag.Duration("people-for", 10*time.Minute, "how long they do, on each database")
	peopleRate = flag.Int("people-rate", 333, "calls a second of all together: 333 is two a minute each")
	stepFor    = flag.Duration("step-for", 20*time.Second, "how long each step of the rising load lasts")
)

const (
	organizations   = 200
	people          = 10_000
	tasksAtStart    = 50   // of each organization
	workers         = 400  // calls that may be under way at once
	rise            = 1.25 // from one step to the next
	patience        = time.Second
	toleratedOfMany = 1000 // one call of so many may fail before a step counts as broken
)

// BenchmarkPeople has 10,000 people of 200 organizations use one instance: four calls of five read, one writes. Calls
// come at their time whether those before them have ended or not, and their latency counts from then. After that the
// load rises until the 99th percentile is above a second, or more than one call of a thousand fails.
//
// Two settings are not the defaults, since one machine is all the clients: the limits of an address and of a
// connected app.
func BenchmarkPeople(b *testing.B) {
	if *peopleInto == "" {
		b.Skip("left out without -people FILE: make people runs it")
	}
	postgres, err := postgrestest.Start()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = postgres.Stop() })
	seed := crowdedSeed()
	stytch := stytchtest.NewServer(b, stytchtest.Options{Seed: &seed})
	var text strings.Builder
	text.WriteString("| database | calls a second | kind | calls | p50 | p99 | longest | not as wanted | memory |\n" +
		"|---|---|---|---|---|---|---|---|---|\n")
	var broke []string
	for _, on := range [][2]string{{"SQLite", "sqlite:" + filepath.Join(b.TempDir(), "people.db")},
		{"Postgres", postgres.Database(b)}} {
		name, database := on[0], on[1]
		c := newCrowd(b, startOurs(b, stytch, seed, database, "GUESTPASS_LIMIT_MEMBER=60",
			"GUESTPASS_LIMIT_ORGANIZATION=600"), stytch, seed)
		steady := c.load(*peopleRate, *peopleFor)
		text.WriteString(steady.table(name, c.server.memory()))
		broke = append(broke, name+": "+c.rise())
		c.server.kill()
	}
	slices.Sort(broke)
	report := text.String() + "\n" + strings.Join(broke, "\n") + "\n"
	if err := os.WriteFile(*peopleInto, []byte(report), 0o600); err != nil {
		b.Fatal(err)
	}
}

func crowdedSeed() stytchtest.Seed {
	seed := stytchtest.Development()
	organization, member := seed.Organizations[0], seed.Members[0]
	for i := range organizations {
		organization.ID = fmt.Sprintf("organization-test-cccccccc-0000-4000-8000-%012d", i)
		organization.Name, organization.Slug = fmt.Sprintf("Company %d", i), fmt.Sprintf("company-%d", i)
		seed.Organizations = append(seed.Organizations, organization)
	}
	for i := range people {
		member.ID = fmt.Sprintf("member-test-cccccccc-0000-4000-9000-%012d", i)
		member.OrganizationID = fmt.Sprintf("organization-test-cccccccc-0000-4000-8000-%012d", i%organizations)
		member.Email, member.Name = fmt.Sprintf("person%d@company.example", i), fmt.Sprintf("Person %d", i)
		seed.Members = append(seed.Members, member)
	}
	return seed
}

// A crowd is everybody, with what they have made.
type crowd struct {
	b       *testing.B
	server  *program
	tokens  []string // of person i, who is in organization i % organizations
	written atomic.Int64
	mu      sync.Mutex // guards tasks
	tasks   [organizations][]string
}

func newCrowd(b *testing.B, server *program, stytch *stytchtest.Server, seed stytchtest.Seed) *crowd {
	b.Helper()
	c := &crowd{b: b, server: server}
	for _, member := range seed.Members[len(seed.Members)-people:] {
		c.tokens = append(c.tokens, mint(b, stytch, member.ID))
	}
	link, err := connect(strings.TrimPrefix(server.url, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = link.Close() }()
	for i := range organizations * tasksAtStart {
		if outcome := c.send(link, i%people, "createTask"); outcome != "" {
			b.Fatalf("task %d: %s\n%s", i, outcome, server.said())
		}
	}
	return c
}

// mix is of a hundred calls how many are of which kind.
var mix = []struct {
	kind  string
	of100 int
}{{"getTask", 30}, {"listTasks", 25}, {"search", 5}, {"getUserInfo", 10}, {"listMembers", 5}, {"listActivity", 5},
	{"createTask", 10}, {"updateTask", 7}, {"addTaskComment", 3}}

func anyKind() string {
	left := rand.IntN(100)
	for _, m := range mix {
		if left -= m.of100; left < 0 {
			return m.kind
		}
	}
	return mix[0].kind
}

// send has the person make a call of that kind, and returns what was wrong with the reply.
func (c *crowd) send(link *connection, person int, kind string) string {
	r := c.request(person, kind)
	status, body, err := link.ask(r.text("localhost"))
	switch {
	case err != nil:
		return "connection"
	case status != r.want:
		var problem struct{ Detail string }
		_ = json.Unmarshal(body, &problem)
		return fmt.Sprintf("%d %s", status, problem.Detail)
	case kind == "createTask":
		var made struct {
			ID string `json:"task_id"`
		}
		if json.Unmarshal(body, &made) != nil || made.ID == "" {
			return "no task"
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.tasks[person%organizations] = append(c.tasks[person%organizations], made.ID)
	}
	return ""
}

func (c *crowd) request(person int, kind string) request {
	r := request{method: http.MethodGet, token: c.tokens[person], want: http.StatusOK}
	number := c.written.Add(1)
	switch kind {
	case "getTask":
		r.path = "/api/v1/tasks/" + c.aTask(person)
	case "listTasks":
		r.path = "/api/v1/tasks?limit=20"
	case "search":
		r.path = "/api/v1/tasks?search=plants"
	case "getUserInfo":
		r.path = "/api/v1/userinfo"
	case "listMembers":
		r.path = "/api/v1/members?limit=20"
	case "listActivity":
		r.path = "/api/v1/activity?limit=20"
	case "createTask":
		r.method, r.path, r.want = http.MethodPost, "/api/v1/tasks", http.StatusCreated
		r.body = fmt.Sprintf(`{"title":"Water the plants, number %d"}`, number)
	case "updateTask":
		r.method, r.path = http.MethodPatch, "/api/v1/tasks/"+c.aTask(person)
		r.body = fmt.Sprintf(`{"title":"Water the plants again, number %d"}`, number)
	case "addTaskComment":
		r.method, r.path, r.want = http.MethodPost, "/api/v1/tasks/"+c.aTask(person)+"/comments", http.StatusCreated
		r.body = fmt.Sprintf(`{"text":"Done, number %d"}`, number)
	}
	return r
}

func (c *crowd) aTask(person int) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	of := c.tasks[person%organizations]
	return of[rand.IntN(len(of))]
}

// An outcome of a load is kept by kind.
type outcome struct {
	rate    float64 // calls a second that were answered
	offered int
	took    map[string][]time.Duration
	wrong   map[string]int
}

type arrival struct {
	due    time.Time
	person int
	kind   string
}

// load has calls arrive at the rate, each of somebody.
func (c *crowd) load(rate int, lasts time.Duration) *outcome {
	o := &outcome{offered: rate, took: map[string][]time.Duration{}, wrong: map[string]int{}}
	arrivals := make(chan arrival, rate*int(max(1, lasts/time.Second)+1))
	var mu sync.Mutex // guards o
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			c.work(arrivals, func(a arrival, fault string) {
				took := time.Since(a.due)
				mu.Lock()
				defer mu.Unlock()
				o.took[a.kind] = append(o.took[a.kind], took)
				if fault != "" {
					o.wrong[a.kind+": "+fault]++
				}
			})
		})
	}
	began := time.Now()
	for i := range int(float64(rate) * lasts.Seconds()) {
		due := began.Add(time.Duration(i) * time.Second / time.Duration(rate))
		if wait := time.Until(due); wait > 0 {
			<-time.After(wait)
		}
		arrivals <- arrival{due, rand.IntN(people), anyKind()}
	}
	close(arrivals)
	group.Wait()
	o.rate = float64(len(o.all())) / time.Since(began).Seconds()
	return o
}

// work makes the calls on one connection, and on another if that breaks.
func (c *crowd) work(arrivals <-chan arrival, done func(arrival, string)) {
	var link *connection
	for a := range arrivals {
		if link == nil {
			var err error
			if link, err = connect(strings.TrimPrefix(c.server.url, "http://")); err != nil {
				done(a, "no connection")
				continue
			}
		}
		fault := c.send(link, a.person, a.kind)
		if done(a, fault); fault == "connection" {
			_ = link.Close()
			link = nil
		}
	}
	if link != nil {
		_ = link.Close()
	}
}

func (o *outcome) all() (all []time.Duration) {
	for _, took := range o.took {
		all = append(all, took...)
	}
	return all
}

func (o *outcome) failed() (failed int) {
	for _, n := range o.wrong {
		failed += n
	}
	return failed
}

func (o *outcome) table(database string, memory int) string {
	var text strings.Builder
	row := func(kind string, took []time.Duration, wrong int) {
		c := cost{took: took}
		fmt.Fprintf(&text, "| %s | %.0f | %s | %d | %s | %s | %s | %d | %d MiB |\n", database, o.rate, kind, len(took),
			short(c.percentile(0.5)), short(c.percentile(0.99)), short(slices.Max(took)), wrong, memory)
	}
	row("all", o.all(), o.failed())
	for _, m := range mix {
		wrong := 0
		for fault, n := range o.wrong {
			if strings.HasPrefix(fault, m.kind+": ") {
				wrong += n
			}
		}
		row(m.kind, o.took[m.kind], wrong)
	}
	return text.String()
}

// rise finds where the instance breaks, and says what did first.
func (c *crowd) rise() string {
	for rate := float64(*peopleRate) * rise; ; rate *= rise {
		o := c.load(int(rate), *stepFor)
		late := cost{took: o.all()}.percentile(0.99)
		if late <= patience && o.failed()*toleratedOfMany <= len(o.all()) {
			continue
		}
		said := fmt.Sprintf("%d calls a second are too many: %.0f are answered, p99 is %s, memory %d MiB.",
			o.offered, o.rate, short(late), c.server.memory())
		most := func(x, y string) int { return o.wrong[y] - o.wrong[x] }
		for _, fault := range slices.SortedFunc(maps.Keys(o.wrong), most) {
			said += fmt.Sprintf(" %d × %s.", o.wrong[fault], fault)
		}
		median := func(kind string) time.Duration { return cost{took: o.took[kind]}.percentile(0.5) }
		slowest := func(x, y string) int { return int(median(y) - median(x)) }
		for _, kind := range slices.SortedFunc(maps.Keys(o.took), slowest) {
			said += fmt.Sprintf(" %s: half above %s.", kind, short(median(kind)))
		}
		return said
	}
}
