package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/guestpasstest"
	"guestpass/store"
	"guestpass/stytchtest"
)

// reading is a resource with one operation of that name, which anybody may call.
func reading(name string, change ...func(*api.Resource)) api.Resource {
	r := api.Resource{Name: name, Register: func(s *api.Service) {
		own[nothing, ok](s, thing(func(op *api.Operation) {
			op.ID, op.Path, op.Access = "get_"+name, "/api/v1/"+name, auth.Public
		}))
	}}
	for _, f := range change {
		f(&r)
	}
	return r
}

func basic(r *api.Resource) { r.Basic = true }

func served(s *api.Service) string {
	var names []string
	for _, op := range s.Operations() {
		names = append(names, op.ID)
	}
	return strings.Join(names, " ")
}

func TestModulesChooseAmongResources(t *testing.T) {
	for name, tt := range map[string]struct {
		modules []string
		want    string
	}{
		"nothing said":            {nil, "get_basic get_one get_two get_three"},
		"none":                    {[]string{}, ""},
		"one":                     {[]string{"two"}, "get_basic get_two"},
		"in the resources' order": {[]string{"three", "one"}, "get_basic get_one get_three"},
		"a basic one":             {[]string{"basic"}, "get_basic"},
	} {
		s := api.New(
			api.Options{Modules: tt.modules, Resources: []api.Resource{reading("basic", basic), reading("one"),
				reading("two"), reading("three")}},
		)
		var resources []string
		for _, r := range s.Resources() {
			resources = append(resources, "get_"+r.Name)
		}
		if err := s.Err(); err != nil || served(s) != tt.want || strings.Join(resources, " ") != tt.want {
			t.Errorf("%s: %s of %v, want %s, %v", name, served(s), resources, tt.want, err)
		}
	}
}

// A misspelt option is told: it would serve less, or by other rules, than was meant.
func TestMisspeltOptionsAreTold(t *testing.T) {
	for want, o := range map[string]api.Options{
		`"two" of Modules is no resource: there are basic, one`: {Modules: []string{"two"}},
		`the mode of access is "role": say scopes or roles`:     {Access: "role"},
	} {
		o.Resources = []api.Resource{reading("basic", basic), reading("one")}
		if err := api.New(o).Err(); err == nil || err.Error() != want {
			t.Errorf("told %v, want %s", err, want)
		}
	}
}

// What is about the others registers when all of them have, wherever it stands, and once for each that is served.
func TestWhatIsAboutOthersRegistersLast(t *testing.T) {
	for name, tt := range map[string]struct {
		modules []string
		want    string
	}{"all": {nil, "get_early get_one get_late get_two"}, "some": {[]string{"one"}, "get_one get_late"},
		"none": {[]string{}, ""}} {
		var seen []string
		last := func(r *api.Resource) {
			declare := r.Register
			r.RegisterLast = func(s *api.Service) {
				seen = append(seen, served(s))
				declare(s)
			}
			r.Register = nil
		}
		early := func(r *api.Resource) {
			r.RegisterLast = func(s *api.Service) { seen = append(seen, served(s)) }
		}
		resources := []api.Resource{reading("late", last, basic), reading("early", early), reading("one")}
		s := api.New(api.Options{Modules: tt.modules, Resources: append(resources, reading("two", last))})
		if err := s.Err(); err != nil || served(s) != tt.want {
			t.Errorf("%s: %s, want %s, %v", name, served(s), tt.want, err)
		}
		if name == "all" && fmt.Sprintf("%q", seen) !=
			`["get_early get_one" "get_early get_one get_late" "get_early get_one get_late"]` {
			t.Errorf("they see %q", seen)
		}
	}
}

func TestTheTablesOfResourcesAreNamedAndBounded(t *testing.T) {
	files := fstest.MapFS{"00001_x.sql": {Data: []byte("-- +goose Up\n")}}
	schemas := api.Schemas([]api.Resource{
		{Name: "without", Quotas: []api.Quota{{Kind: "without", Default: 1}}},
		{Name: "plain", Schema: store.Schema{Files: files},
			Quotas: []api.Quota{{Kind: "a", Default: 2}, {Kind: "b", Default: 3}}},
		{Name: "renamed", Schema: store.Schema{Name: "earlier", Files: files}},
	})
	told := ""
	for _, s := range schemas {
		told += fmt.Sprintln(s.Name, s.Quotas)
	}
	if told != "plain map[a:2 b:3]\nearlier map[]\n" {
		t.Errorf("%s", told)
	}
}

// leaves is a resource that counts what it is told to, of two kinds.
var leaves = api.Resource{Name: "leaves",
	Schema: store.Schema{Files: fstest.MapFS{"00001_leaves.sql": {
		Data: []byte("-- +goose Up\nCREATE TABLE leaves (id TEXT);")}}},
	Quotas: []api.Quota{{Kind: "leaves", Default: 4, Room: "Rake some"}},
	Register: func(s *api.Service) {
		type input struct {
			Kind string `path:"kind" maxLength:"20" doc:"Of what"`
		}
		api.Register(s, api.Operation{ID: "addLeaf", Method: http.MethodPost, Path: "/api/v1/leaves/{kind}",
			Summary: "Add a leaf", Description: "Adds one.", Access: auth.Scope("tasks:write"), Effect: api.Write},
			func(ctx context.Context, in *input) (*ok, error) {
				return api.InTransaction(ctx, s, func(tx *store.Tx) (*ok, error) {
					identity := auth.From(ctx)
					tx.Use(identity.Owner(), identity.Subject, store.Usage{Kind: in.Kind, Number: 1})
					tx.Changed(store.NewID("lea_"), nil, in)
					return &ok{}, nil
				})
			})
	}}

// A quota that is used up is told in the resource's words, whose it is, and with the setting that raises it.
func TestAQuotaIsToldInTheWordsOfItsResource(t *testing.T) {
	if got := (api.Quota{Kind: "leaves"}).Setting(); got != "GUESTPASS_QUOTA_LEAVES" {
		t.Errorf("%s", got)
	}
	w := guestpasstest.New(t, guestpasstest.Options{Resources: []api.Resource{leaves},
		Quota: store.Quota{Things: map[string]int64{"twigs": 2}}})
	ada, grace := w.As(guestpasstest.Ada), w.As(guestpasstest.Grace)
	add := func(p *guestpasstest.Person, kind string, times int) {
		t.Helper()
		for range times {
			p.Do(200, "POST", "/api/v1/leaves/"+kind, "")
		}
	}
	add(ada, "leaves", 2)
	add(ada, "twigs", 1)
	add(grace, "stones", 3) // nobody counts them
	const ofAPerson = "for one person, which is half of what their organization may"
	for _, tt := range []struct {
		who          *guestpasstest.Person
		kind         string
		before       int // how many others are added before
		detail, room string
		used, limit  float64
	}{
		{ada, "leaves", 0, "there are 2 leaves, and 2 is the most " + ofAPerson, "Rake some", 2, 2},
		{ada, "twigs", 0, "there are 1 twigs, and 1 is the most " + ofAPerson, "Delete twigs that are not needed any " +
			"more, if the person wants that, then try again", 1, 1},
		{grace, "leaves", 2, "there are 4 leaves, and 4 is the most for one owner", "Rake some", 4, 4},
	} {
		add(grace, tt.kind, tt.before)
		refused := tt.who.Do(507, "POST", "/api/v1/leaves/"+tt.kind, "")
		quota := refused["quota"].(map[string]any)
		hint := "Nothing was changed. " + tt.room + "; or have whoever runs this server raise GUESTPASS_QUOTA_" +
			strings.ToUpper(tt.kind) + "."
		if refused["detail"] != tt.detail || refused["hint"] != hint || quota["name"] != tt.kind ||
			quota["used"] != tt.used || quota["limit"] != tt.limit {
			t.Errorf("%v", refused)
		}
	}
	w.As(guestpasstest.Hank).Do(200, "POST", "/api/v1/leaves/leaves", "") // another organization has its own
	consumer := guestpasstest.New(t, guestpasstest.Options{Vertical: auth.Consumer, Resources: []api.Resource{leaves}})
	user := consumer.As(guestpasstest.UserAda)
	for range 4 {
		user.Do(200, "POST", "/api/v1/leaves/leaves", "")
	}
	if detail := user.Do(507, "POST", "/api/v1/leaves/leaves", "")["detail"]; detail !=
		"there are 4 leaves, and 4 is the most for one owner" {
		t.Errorf("of a user: %v", detail)
	}
}

// scoped has words for one of its scopes, and none for the other.
var scoped = api.Resource{Name: "scoped", Scopes: []api.Scope{{Name: "things:read", Description: "See <your> things"}},
	Register: func(s *api.Service) {
		own[nothing, ok](s, thing(nil))
		own[nothing, ok](s, thing(func(op *api.Operation) {
			op.ID, op.Path, op.Summary = "listThings", "/api/v1/things", "List them"
		}))
		own[nothing, ok](s, thing(func(op *api.Operation) {
			op.ID, op.Path, op.Summary, op.Access = "countThings", "/api/v1/count", "Count them", auth.Scope(
				"things:count",
			)
		}))
	}}

func TestTheWordsForScopesAreShownWherePeopleDecide(t *testing.T) {
	w := guestpasstest.New(t, guestpasstest.Options{Resources: []api.Resource{scoped}})
	w.ChangeProject(func(seed *stytchtest.Seed) {
		for i := range seed.Policy.Scopes {
			seed.Policy.Scopes[i].Description = ""
		}
	})
	var document struct {
		Components struct {
			Schemes map[string]struct {
				Flows map[string]struct{ Scopes map[string]string }
			} `json:"securitySchemes"`
		}
	}
	if err := json.Unmarshal([]byte(w.Call("GET", "/openapi.json", "", "").Body), &document); err != nil {
		t.Fatal(err)
	}
	words := document.Components.Schemes["oauth2"].Flows["authorizationCode"].Scopes
	if words["things:read"] != "See <your> things" || words["things:count"] != "Count them" || words["openid"] == "" {
		t.Errorf("the document has %q", words)
	}
	privacy := w.Call("GET", "/privacy", "", "").Body
	if !strings.Contains(privacy, "See &lt;your&gt; things") || !strings.Contains(privacy, "Count them") {
		t.Errorf("the privacy page has\n%s", privacy)
	}
	metadata := w.Call("GET", "/.well-known/oauth-protected-resource", "", "").Body
	if !strings.Contains(metadata, `"things:read","things:count"`) {
		t.Errorf("the metadata have %s", metadata)
	}
	consent := func() string {
		app := stytchtest.Development().ConnectedApps[0]
		return w.Call("GET", "/idp?client_id="+app.ClientID+"&redirect_uri="+app.RedirectURLs[0]+
			"&response_type=code&state=s&scope=openid+things:read+things:count", "", "").Body
	}
	if page := consent(); !strings.Contains(page, `"things:count":{"words":"Count them","effect":"read"},`+
		`"things:read":{"words":"See \u003cyour\u003e things","effect":"read"}`) {
		t.Errorf("the consent page has\n%s", page)
	}
	w.ChangeProject(func(seed *stytchtest.Seed) {
		for i := range seed.Policy.Scopes {
			if seed.Policy.Scopes[i].Name == "things:read" {
				seed.Policy.Scopes[i].Description = "Words of the project"
			}
		}
	})
	w.Stytch.Advance(61e9)
	if page := consent(); !strings.Contains(page, "Words of the project") || strings.Contains(page, "See ") {
		t.Errorf("with the project's words the consent page has\n%s", page)
	}
}

// Words of what is switched off are for nobody.
func TestTheScopesOfModulesThatAreOffHaveNoWords(t *testing.T) {
	w := guestpasstest.New(t, guestpasstest.Options{Resources: []api.Resource{scoped, reading("other")},
		Change: func(o *guestpass.Options) { o.Modules = []string{"other"} }})
	for _, path := range []string{"/openapi.json", "/privacy", "/", "/.well-known/oauth-protected-resource"} {
		if r := w.Call("GET", path, "", ""); r.Status != 200 || strings.Contains(r.Body, "things") {
			t.Errorf("%s: %d %s", path, r.Status, r.Body)
		}
	}
}

func TestAScopeWithoutWordsIsAFault(t *testing.T) {
	for _, tt := range []struct{ name, words, fault string }{
		{"things:read", " ", "does not say what it allows"},
		{"things read", "See them", "must have a name of letters"},
		{"things:read", strings.Repeat("ä", 201), "must say what it allows in 200 characters"},
	} {
		told := faultsOf(api.Resource{Name: "own", Scopes: []api.Scope{{Name: tt.name, Description: tt.words}},
			Register: func(*api.Service) {}})
		want := fmt.Sprintf("resource \"own\": its scope %q %s", tt.name, tt.fault)
		if len(told) != 1 || !strings.HasPrefix(told[0], want) {
			t.Errorf("told %q, want %s", told, want)
		}
	}
	if err := (api.Scope{Name: "things:read", Description: strings.Repeat("ä", 200)}).CheckForm(); err != nil {
		t.Error(err)
	}
}
