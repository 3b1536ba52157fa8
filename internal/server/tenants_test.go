package server_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"guestpass/api"
	"guestpass/stytchtest"
)

// TestAttackOtherTokensOnEveryOperation presents what else the issuer gives out, and tokens
// for others, to each operation, beside a token that is let in.
func TestAttackOtherTokensOnEveryOperation(t *testing.T) {
	for name, tt := range map[string]struct {
		seed    stytchtest.Seed
		subject string
	}{"B2B": {stytchtest.Development(), ada}, "Consumer": {stytchtest.DevelopmentConsumer(), userAda}} {
		t.Run(name, func(t *testing.T) {
			a := newTarget(t, tt.subject, tt.seed)
			everywhere := strings.Join(everything, " ")
			good, outcomes := a.bad(object{"scope": everywhere}), a.outcomes()
			const otherProject = "project-test-99999999-9999-4999-8999-999999999999"
			wrong := map[string]string{
				"session JWT": a.mint(stytchtest.MintRequest{Kind: "session", Subject: tt.subject}),
				"ID token":    a.mint(stytchtest.MintRequest{Kind: "id", Subject: tt.subject}),
				"M2M token": a.bad(object{"sub": "m2m-client-test-eeeeeeee-0000-4000-8000-000000000001",
					"client_id": removed, organizationClaim: removed,
					"scope": everywhere}),
				"refresh token": a.refreshToken(tt.seed),
				"another project": a.bad(object{"iss": "stytch.com/" + otherProject, "aud": []string{otherProject},
					"scope": everywhere}),
				"another client": a.bad(object{"client_id": "connected-app-test-99999999-0000-4000-8000-000000000001",
					"scope": everywhere}),
			}
			operations, refused := 0, 0
			for _, op := range a.app.Operations() {
				if op.Access.IsPublic() {
					continue
				}
				operations++
				path := regexp.MustCompile(`\{\w+\}`).ReplaceAllString(op.Path, "x")
				for kind, token := range wrong {
					if fault := outcomes[invalidToken].differs(t, a.call(op.Method, path, token, "{}")); fault != "" {
						t.Errorf("%s with %s: %s", op.ID, kind, fault)
						continue
					}
					refused++
				}
				session := a.call(op.Method, path, "", "{}",
					func(r *http.Request) { r.Header.Set("Cookie", a.signIn(tt.subject).cookie) })
				if fault := outcomes[noCredentials].differs(t, session); fault != "" {
					t.Errorf("%s with the cookie of a session: %s", op.ID, fault)
				}
				if r := a.call(op.Method, path, good, "{}"); r.status == 401 || r.status == 403 {
					t.Errorf("%s: the good token is refused: %d %s", op.ID, r.status, r.body)
				}
			}
			t.Logf("%d operations, %d kinds of other tokens: refused %d of %d", operations, len(wrong), refused,
				operations*len(wrong))
		})
	}
}

// refreshToken returns one that was issued, for a consent without a browser.
func (a *target) refreshToken(seed stytchtest.Seed) string {
	a.t.Helper()
	app := seed.ConnectedApps[0]
	path, body := "/v1/b2b/idp/oauth/authorize", map[string]any{"organization_id": acme, "member_id": a.subject}
	if strings.HasPrefix(a.subject, "user-") {
		path, body = "/v1/idp/oauth/authorize", map[string]any{"user_id": a.subject}
	}
	maps.Copy(body, map[string]any{"client_id": app.ClientID, "redirect_uri": "http://localhost:8090/callback",
		"response_type": "code", "consent_granted": true,
		"scopes": []string{"openid", "offline_access"}, "state": "s"})
	token := a.redeem(a.platform(path, body)["authorization_code"].(string)).RefreshToken
	if token == "" {
		a.t.Fatal("no refresh token was issued")
	}
	return token
}

// A tenant is an owner of records: an organization, or a user. Whatever is written for it
// has its word.
type tenant struct {
	name   string
	people []actor
	own    []string            // words by which its rows are known: its people, and its word
	ids    map[string][]string // of its records, by their first three letters
}

func (o *tenant) word() string { return "of-" + o.name }

// A crowd calls operations at random, with the identifiers and cursors of everybody.
type crowd struct {
	*world
	random  *rand.Rand
	tenants []*tenant
	owner   map[string]*tenant // of the records, by identifier
	cursors []string

	answered, astray, rows int
}

// recordID is of a task, a comment or an activity.
var recordID = regexp.MustCompile(`\b(?:tsk|cmt|act)_[a-z0-9]{16}\b`)

func pick[T any](c *crowd, from []T) T { return from[c.random.IntN(len(from))] }

// body returns what the operation takes, with the word of who calls.
func (c *crowd) body(op api.Operation, by *tenant) string {
	once := fmt.Sprintf(`,"request_id":"%d"`, c.random.IntN(200))
	if c.random.IntN(2) == 0 {
		once = ""
	}
	text := fmt.Sprintf("%s %d", by.word(), c.random.IntN(1000))
	switch op.ID {
	case "createTask":
		return fmt.Sprintf(`{"title":%q,"labels":[%q]%s}`, text, by.word(), once)
	case "updateTask":
		return fmt.Sprintf(`{"title":%q,"notes":%q}`, text, text)
	case "addTaskComment":
		return fmt.Sprintf(`{"text":%q%s}`, text, once)
	case "inviteMember":
		return fmt.Sprintf(`{"email":"%d@%s.example","name":%q}`, c.random.IntN(10), by.name,
			pick(c, []string{by.word(), by.word() + " " + by.name}))
	}
	return ""
}

// query narrows a list: to words, people and pages of anybody's.
func (c *crowd) query(op api.Operation, other *tenant) string {
	q := url.Values{}
	if op.Method != http.MethodGet || strings.HasSuffix(op.Path, "}") || op.ID == "getUserInfo" ||
		op.ID == "getNextSteps" {
		return ""
	}
	q.Set("limit", fmt.Sprint(pick(c, []int{1, 2, 5, 50})))
	switch c.random.IntN(4) {
	case 0:
		if len(c.cursors) > 0 {
			q.Set("cursor", pick(c, c.cursors))
		}
	case 1:
		if op.ID == "listTasks" || op.ID == "listMembers" {
			q.Set("search", other.word())
		}
	case 2:
		if op.ID == "listTasks" {
			q.Set("label", other.word())
		}
	}
	return "?" + q.Encode()
}

// once makes one call and looks through the reply for rows of other tenants.
func (c *crowd) once(t *testing.T) {
	t.Helper()
	by, other := pick(c, c.tenants), pick(c, c.tenants)
	op, person := pick(c, c.app.Operations()), pick(c, by.people)
	path, astray := op.Path, false
	if start := strings.IndexByte(path, '{'); start >= 0 {
		end := strings.IndexByte(path, '}') + 1
		id := "tsk_aaaaaaaaaaaaaaaa" // which never was
		known := map[string][]string{"{task_id}": other.ids["tsk"], "{activity_id}": other.ids["act"],
			"{member_id}": other.own[1:]}[path[start:end]]
		if len(known) > 0 && c.random.IntN(10) > 0 {
			id, astray = pick(c, known), other != by
		}
		path = path[:start] + id + path[end:]
	}
	r := httptest.NewRequest(op.Method, "http://localhost"+path+c.query(op, other), strings.NewReader(c.body(op, by)))
	r.Header.Set("Authorization", "Bearer "+person.token)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	c.app.ServeHTTP(w, r)
	reply := w.Body.String()
	switch {
	case w.Code >= 500 || w.Code == 401 || w.Code == 429:
		t.Errorf("%s %s by %s: %d %s", r.Method, r.URL, by.name, w.Code, reply)
	case w.Code < 300:
		c.answered++
	}
	if astray {
		c.astray++
		if w.Code != 404 && w.Code != 409 && w.Code != 422 {
			t.Errorf("%s %s, which is %s's, by %s: %d %s", r.Method, r.URL, other.name, by.name, w.Code, reply)
		}
	}
	c.look(t, fmt.Sprint(r.Method, " ", r.URL), by, w.Code, reply)
}

// look wants nothing of others in a reply, and keeps what is new for later calls.
func (c *crowd) look(t *testing.T, what string, by *tenant, status int, reply string) {
	t.Helper()
	for _, other := range c.tenants {
		for _, word := range other.own {
			if other != by && strings.Contains(reply, word) {
				c.rows++
				t.Errorf("%s by %s shows %q: %d %s", what, by.name, word, status, reply)
			}
		}
	}
	for _, id := range recordID.FindAllString(reply, -1) {
		switch owner := c.owner[id]; {
		case owner == nil: // the first to see it: whoever else does is wrong
			c.owner[id], by.ids[id[:3]] = by, append(by.ids[id[:3]], id)
		case owner != by:
			c.rows++
			t.Errorf("%s by %s shows %s: %d %s", what, by.name, id, status, reply)
		}
	}
	if _, after, found := strings.Cut(reply, `"next_cursor":"`); found {
		cursor, _, _ := strings.Cut(after, `"`)
		if c.cursors = append(c.cursors, cursor); len(c.cursors) > 100 {
			c.cursors = slices.Delete(c.cursors, 0, 50)
		}
	}
}

var foreignRequests = flag.Int("foreign-requests", 400, "how many random calls TestAttackForeignRequests makes, half "+
	"of them in each kind of project")

// TestAttackForeignRequests has the people of several tenants call all operations at random,
// with the identifiers, words and cursors of all. No reply has a row of another tenant, and no
// record of another tenant is changed: at the end each has its own tenant's word.
func TestAttackForeignRequests(t *testing.T) {
	t.Run("B2B", func(t *testing.T) {
		w := newWorld(t, quiet)
		checkTenants(t, w, &tenant{name: "acme", people: []actor{w.as(ada), w.as(grace)}, own: []string{"of-acme", ada,
			grace}},
			&tenant{name: "globex", people: []actor{w.as(hank)}, own: []string{"of-globex", hank}})
	})
	t.Run("Consumer", func(t *testing.T) {
		w := newConsumerWorld(t, quiet)
		checkTenants(t, w, &tenant{name: "ada", people: []actor{w.as(userAda)}, own: []string{"of-ada", userAda}},
			&tenant{name: "grace", people: []actor{w.as(userGrace)}, own: []string{"of-grace", userGrace}})
	})
}

func checkTenants(t *testing.T, w *world, tenants ...*tenant) {
	c := &crowd{world: w, random: rand.New(rand.NewPCG(1, 2)), tenants: tenants, owner: map[string]*tenant{}}
	calls := *foreignRequests / 2
	for _, owner := range tenants {
		owner.ids = map[string][]string{}
	}
	for range calls {
		c.once(t)
	}
	if c.answered < calls/4 || c.astray < calls/20 {
		t.Errorf("of %d calls %d succeeded and %d were for another tenant's record: too few to "+
			"tell", calls, c.answered, c.astray)
	}
	kept := 0
	for _, owner := range tenants {
		for _, id := range owner.ids["tsk"] {
			r := w.call("GET", "/api/v1/tasks/"+id, owner.people[0].token, "")
			if c.look(t, "GET "+id, owner, r.status, r.body); r.status != 200 && r.status != 404 || r.status == 200 &&
				!strings.Contains(r.body, owner.word()) {
				t.Errorf("%s of %s is now %s", id, owner.name, r.body)
			}
			kept++
		}
	}
	t.Logf("%d random calls, %d of them carried out, %d for another tenant's record: %d foreign rows; all of %d "+
		"tasks as their tenant left them", calls, c.answered, c.astray, c.rows, kept)
}
