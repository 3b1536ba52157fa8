package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
)

// goWords are those that only somebody who reads our sources understands.
var goWords = regexp.MustCompile(
	`json:|strconv|[uU]nmarshal|\bGo\b|struct\b|\bu?int(8|16|32|64)?\b|\bfloat(32|64)?\b|[a-z]+\.[A-Z][a-z]+|` +
		`mail:|time:|\bpars(e|ing)\b|reflect|\bnil\b|runtime|map\[|interface|invalid ` +
		`syntax|2006-01-02|15:04|unsupported|\\u0000`)

type inner struct {
	Count int32       `json:"count,omitempty" doc:"A number"`
	Sizes []uint16    `json:"sizes,omitempty" doc:"Numbers"`
	Grid  [][]float32 `json:"grid,omitempty" doc:"Numbers"`
	Maybe *string     `json:"maybe,omitempty" nullable:"true" doc:"A text or null"`
}

type kindsBody struct {
	Small   int8      `json:"small,omitempty" doc:"A number"`
	Whole   int64     `json:"whole,omitempty" doc:"A number"`
	Natural uint64    `json:"natural,omitempty" doc:"A number"`
	Real    float64   `json:"real,omitempty" doc:"A number"`
	Short   float32   `json:"short,omitempty" doc:"A number"`
	Yes     bool      `json:"yes,omitempty" doc:"A truth value"`
	At      time.Time `json:"at,omitzero" doc:"A time"`
	Mail    string    `json:"mail,omitempty" format:"email" doc:"An address"`
	Link    string    `json:"link,omitempty" format:"uri" doc:"A link"`
	Ref     string    `json:"ref,omitempty" format:"uri-reference" doc:"A link"`
	Key     string    `json:"key,omitempty" format:"uuid" doc:"A UUID"`
	Wait    string    `json:"wait,omitempty" format:"duration" doc:"A duration"`
	Regexp  string    `json:"regexp,omitempty" format:"regex" doc:"A regular expression"`
	Choice  int       `json:"choice,omitempty" enum:"1,2" doc:"A number"`
	List    []inner   `json:"list,omitempty" doc:"A list"`
	Only    *inner    `json:"only,omitempty" doc:"One"`
}

type kindsParameters struct {
	ID    int       `path:"id" doc:"A number"`
	Small int       `query:"small" doc:"A number"`
	Whole int64     `query:"whole" doc:"A number"`
	Count uint      `query:"count" doc:"A number"`
	Real  float64   `query:"real" doc:"A number"`
	Yes   bool      `query:"yes" doc:"A truth value"`
	At    time.Time `query:"at" doc:"A time"`
	Link  url.URL   `query:"link" doc:"A link"`
	Text  string    `query:"text" doc:"A text"`
	Ids   []int     `query:"ids" doc:"Numbers"`
	More  []int     `query:"more,explode" doc:"Numbers"`
}

type kindsOutput struct {
	Body struct {
		Kinds string `json:"kinds" doc:"What was understood"`
	}
}

func understood(what any) (*kindsOutput, error) {
	text, err := json.Marshal(what)
	out := &kindsOutput{}
	out.Body.Kinds = string(text)
	return out, err
}

// kinds are operations whose inputs have every kind of value.
func kinds(o *guestpass.Options) {
	o.Resources = ownOperations(func(s *api.Service) {
		api.Register(s, api.Operation{ID: "findKinds", Method: http.MethodPost, Path: "/api/v1/kinds/find",
			Summary: "Find kinds", Description: "Returns what it was sent.",
			Access: auth.Public, Effect: api.Read}, func(_ context.Context, in *struct{ Body kindsBody }) (*kindsOutput,
			error) {
			return understood(in.Body)
		})
		api.Register(s, api.Operation{ID: "getKinds", Method: http.MethodGet, Path: "/api/v1/kinds/{id}",
			Summary: "Get kinds", Description: "Returns what it was sent.",
			Access: auth.Public}, func(_ context.Context, in *kindsParameters) (*kindsOutput,
			error) {
			return understood(in)
		})
	})
}

func TestNumbersCountByTheirValue(t *testing.T) {
	w := newWorld(t, kinds)
	for _, tt := range []struct {
		value, written string // "" if it is no integer
	}{
		{"1", "1"}, {"1.0", "1"}, {"1e2", "100"}, {"1E+2", "100"}, {"120e-1", "12"}, {"-3.0", "-3"}, {"-0",
			"0"}, {"-0.0", "0"}, {"0e5", "0"},
		{"9223372036854775807", "9223372036854775807"}, {"-9223372036854775808",
			"-9223372036854775808"}, {"9007199254740993", "9007199254740993"},
		{"1.5", ""}, {"1e-1", ""}, {"1e400", ""}, {"-1e400", ""}, {"1e-400", ""}, {"1e30", ""}, {"9223372036854775808",
			""}, {"-9223372036854775809", ""},
		{"1e99999999999999999999", ""}, {"9223372036854775808.0", ""},
	} {
		escaped := url.QueryEscape(tt.value)
		for place, r := range map[string]reply{
			"body.whole":  w.call("POST", "/api/v1/kinds/find", "", `{"whole":`+tt.value+`}`),
			"query.whole": w.call("GET", "/api/v1/kinds/1?whole="+escaped, "", ""),
			"query.more":  w.call("GET", "/api/v1/kinds/1?more=7&more="+escaped, "", ""),
			"path.id":     w.call("GET", "/api/v1/kinds/"+tt.value, "", ""),
		} {
			if tt.written == "" {
				if r.status != 422 && r.status != 400 || !strings.Contains(r.body, `"location":"`+place+`"`) ||
					goWords.MatchString(r.body) {
					t.Errorf("%s at %s: %d %s", tt.value, place, r.status, r.body)
				}
				continue
			}
			shown := map[string]string{"body.whole": `"whole\":%s`, "query.whole": `"Whole\":%s,`,
				"query.more": `"More\":[7,%s]`, "path.id": `"ID\":%s,`}[place]
			if shown = fmt.Sprintf(shown, tt.written); place == "body.whole" && tt.written == "0" {
				shown = `{}`
			}
			if r.status != 200 || !strings.Contains(r.body, shown) {
				t.Errorf("%s at %s: %d %s, want %s", tt.value, place, r.status, r.body, shown)
			}
		}
	}
	for _, spelling := range []string{"+5", "007", "0x10", "1_000", "NaN", "Inf", "0x1p-2", " 5", "5 ", "٣"} {
		for _, name := range []string{"whole", "real", "ids"} {
			if r := w.call("GET", "/api/v1/kinds/1?"+name+"="+url.QueryEscape(spelling), "", ""); r.status != 422 ||
				!strings.Contains(r.body, `"query.`+name+`"`) {
				t.Errorf("%s=%s: %d %s", name, spelling, r.status, r.body)
			}
		}
	}
	for _, spelling := range []string{"T", "1", "TRUE", "yes"} {
		if r := w.call("GET", "/api/v1/kinds/1?yes="+spelling, "", ""); r.status != 422 ||
			!strings.Contains(r.body, "true or false") {
			t.Errorf("yes=%s: %d %s", spelling, r.status, r.body)
		}
	}
}

const halfCharacter = `has half of a character, a \\u escape of a surrogate without the other; write the ` +
	`character itself`

func TestRefusalsOfBodiesNameThePlace(t *testing.T) {
	w := newWorld(t, kinds)
	for _, tt := range []struct {
		body, place, message string
		status               int
	}{
		{`{"list":[{"count":1},{"sizes":[1,70000]}]}`, "body.list[1].sizes[1]",
			"must be a whole number from 0 to 65535", 422},
		{`{"only":{"grid":[[1],[1e39]]}}`, "body.only.grid[1][0]", "is a larger number than can be kept here", 422},
		{`{"only":{"grid":[[1],[1e400]]}}`, "body.only.grid[1][0]", "is a larger number than can be kept here", 400},
		{`{"small":300}`, "body.small", "must be a whole number from -128 to 127", 422},
		{`{"natural":2e19}`, "body.natural", "must be a whole number from 0 to 18446744073709551615", 422},
		{`{"mail":"Ada <ada@acme.example>"}`, "body.mail", "must be one e-mail address, such as name@example.com", 422},
		{`{"list":[{"count":1,"c\u006funt":2}]}`, "body.list[0].count", "is given twice; send it once", 400},
		{`{"a b":1,"a b":2}`, "body.…", "is given twice; send it once", 400},
		{"\ufeff{}", "body", "begins with a byte order mark; send UTF-8 without one", 400},
		{"{\"mail\":\"\xff\"}", "body", "is not valid UTF-8", 400},
		{`{"small":1`, "body", "is not whole: the JSON ends too early", 400},
		{` `, "body", "is not whole: the JSON ends too early", 400},
		{`{"small":01}`, "body", "is not JSON from byte 11 of the body on; write names and texts in double quotes, " +
			"numbers in digits, and a comma only between two members", 400},
		{`{"mail":}`, "body.mail", "is not JSON from byte 9 of the body on; write names and texts in double quotes, " +
			"numbers in digits, and a comma only between two members", 400},
		{`{"list":[{"count":1},{"count":x}]}`, "body.list[1].count",
			"is not JSON from byte 31 of the body on; write names and texts in double quotes, numbers in digits, " +
				"and a comma only between two members", 400},
		{`{small:1}`, "body", "is not JSON from byte 2 of the body on; write names and texts in double quotes, " +
			"numbers in digits, and a comma only between two members", 400},
		{`{"small":1,}`, "body", "is not JSON from byte 12 of the body on; write names and texts in double quotes, " +
			"numbers in digits, and a comma only between two members", 400},
		{`{"yes":True}`, "body.yes", "is not JSON from byte 8 of the body on; write names and texts in double " +
			"quotes, numbers in digits, and a comma only between two members", 400},
		{`{"mail":"a\ud800"}`, "body.mail", halfCharacter, 400},
		{`{"list":[{},{"\udc00\ud800":"\ud83d\ude00"}]}`, "body.list[1].…", halfCharacter, 400},
		{`{"small":1,"mail":"\\ud800 \ud83d\ude00 \uDBFFx"}`, "body.mail", halfCharacter, 400},
		{`{} {}`, "body", "has more after the JSON value", 400},
	} {
		r := w.call("POST", "/api/v1/kinds/find", "", tt.body)
		if want := fmt.Sprintf(`{"location":"%s","message":"%s"}`, tt.place, tt.message); r.status != tt.status ||
			!strings.Contains(r.body, want) {
			t.Errorf("%s: %d %s, want %d %s", tt.body, r.status, r.body, tt.status, want)
		}
	}
}

func TestBoundsAreToldInPlainNumbers(t *testing.T) {
	w := newWorld(t, kinds)
	token := w.token(ada, everything...)
	tooFar := "is a number further from 0 than can be kept here"
	for _, tt := range []struct {
		method, path, body string
		status             int
		words              string
	}{
		{"PATCH", "/api/v1/tasks/task_x", `{"notes":"a","version":9007199254740992}`, 422,
			`"expected number <= 9007199254740991"`},
		{"GET", "/api/v1/tasks?limit=1e400", "", 422, tooFar}, {"GET", "/api/v1/tasks?limit=-1e400", "", 422,
			tooFar}, {"GET", "/api/v1/tasks?limit=1e30", "", 422, tooFar},
		{"GET", "/api/v1/tasks?limit=1e-400", "", 422, "must be a whole number"}, {"GET", "/api/v1/kinds/1?real=1e400",
			"", 422, tooFar},
		{"POST", "/api/v1/tasks", `{"title":"` + strings.Repeat("a", api.MaxBody) + `"}`, 413,
			`"detail":"the body is longer than 131072 bytes","hint":"Send at most 131072 bytes."`},
		{"POST", "/api/v1/tasks", strings.Repeat(" ", 3*api.MaxBody), 413,
			`"detail":"the body is longer than 131072 bytes"`},
	} {
		if r := w.call(tt.method, tt.path, token, tt.body); r.status != tt.status ||
			!strings.Contains(r.body, tt.words) {
			t.Errorf("%s %s %.60s: %d %s", tt.method, tt.path, tt.body, r.status, r.body)
		}
	}
}

// wrongKinds are values of every kind; most are wrong wherever they stand.
var wrongKinds = []string{`null`, `true`, `0`, `-1`, `1.5`, `300`, `4294967296`, `9223372036854775808`, `1e39`, `1e308`,
	`1e400`, `-1e-400`, `""`, `"x"`, `"100%"`,
	`"2026-01-02T03:04:05,5Z"`, `"2026-01-02T3:04:05Z"`, `"2026-13-45"`, `":"`, `"%zz"`, `"("`, `[]`, `[1]`, `["x"]`,
	`[[]]`, `[{}]`, `{}`, `{"x":1}`, `{"count":"x"}`, `{"count":4294967296}`}

// Every input of every operation gets values of every kind. No answer may speak of Go, and each
// refusal of a value names where it stood.
func TestNoAnswerSpeaksOfGo(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by make quick: it sends thousands of requests")
	}
	t.Parallel()
	w := newWorld(t, kinds)
	token := w.token(ada, "openid", "profile", "email", "members:read", "members:invite", "tasks:read", "tasks:write",
		"activity:read")
	d := w.document()
	var walk walk
	for _, op := range inWalkOrder(w.app.Operations()) {
		arguments := walk.arguments(op)
		if op.ID == "getKinds" {
			arguments["id"] = "1"
		}
		path, body := op.Path, map[string]any{}
		for name, value := range arguments {
			if in := "{" + name + "}"; strings.Contains(path, in) {
				path = strings.ReplaceAll(path, in, fmt.Sprint(value))
			} else if op.Method != http.MethodGet {
				body[name] = value
			}
		}
		described := d.Paths[op.Path][strings.ToLower(op.Method)]
		for _, p := range described.Parameters {
			for _, value := range wrongKinds {
				value = strings.Trim(value, `"`)
				r := w.call(op.Method, strings.ReplaceAll(op.Path, "{"+p.Name+"}", url.PathEscape(value)), token, "{}")
				if p.In == "query" {
					r = w.call(op.Method, path+"?"+p.Name+"="+url.QueryEscape(value), token, "")
				}
				w.speaksPlainly(r, op.ID+" with "+p.Name+"="+value, p.In+"."+p.Name, "query", "body")
			}
		}
		sent, _ := json.Marshal(body)
		for place, variant := range d.variants(described.RequestBody.Content["application/json"].Schema, "body", 0) {
			for _, value := range wrongKinds {
				text := variant(value)
				var changed map[string]json.RawMessage
				if json.Unmarshal([]byte(text), &changed) == nil { // with what else the operation wants
					whole := map[string]json.RawMessage{}
					_ = json.Unmarshal(sent, &whole)
					maps.Copy(whole, changed)
					full, _ := json.Marshal(whole)
					text = string(full)
				}
				places := []string{place}
				if value == "null" && place != "body" && !strings.HasSuffix(place, ".maybe") {
					w.refusesNull(op, path, token, text, place)
				}
				w.speaksPlainly(w.call(op.Method, path, token, text), op.ID+" with "+text, places...)
			}
		}
		if len(body) > 0 || op.Method == http.MethodGet {
			walk.learn([]byte(w.call(op.Method, path, token, string(sent)).body))
		}
	}
	if strings.Contains(w.log.String(), "request failed") {
		t.Error("a request failed")
	}
}

// refusesNull reports what takes null for a value that was left out.
func (w *world) refusesNull(op api.Operation, path, token, body, place string) {
	w.t.Helper()
	if r := w.call(op.Method, path, token, body); r.status != 422 ||
		!strings.Contains(r.body, `"location":"`+place+`"`) {
		w.t.Errorf("%s with %s: %d %s", op.ID, body, r.status, r.body)
	}
}

func TestNullIsNoWordForNothing(t *testing.T) {
	w := newWorld(t, kinds)
	token := w.token(ada, everything...)
	var task struct {
		ID string `json:"task_id"`
	}
	_ = json.Unmarshal([]byte(w.call("POST", "/api/v1/tasks", token, `{"title":"Water the plants"}`).body), &task)
	for _, tt := range []struct{ method, path, body, place string }{
		{"PATCH", "/api/v1/tasks/" + task.ID, `{"notes":"n","version":null}`, "body.version"},
		{"PATCH", "/api/v1/tasks/" + task.ID, `{"due":null}`, "body.due"},
		{"PATCH", "/api/v1/tasks/" + task.ID, `{"notes":"n","labels": null}`, "body.labels"},
		{"POST", "/api/v1/tasks", `{"title":"null","due":null}`, "body.due"},
		{"POST", "/api/v1/tasks", `{"title":"a","request_id":null}`, "body.request_id"},
		{"POST", "/api/v1/kinds/find", `{"list":[{"count":1,"maybe":null},{"count":null}]}`, "body.list[1].count"},
		{"POST", "/api/v1/kinds/find", `{"only":null,"small":1}`, "body.only"},
		{"POST", "/api/v1/kinds/find", `{"only":{"sizes":null}}`, "body.only.sizes"},
	} {
		want := `"errors":[{"location":"` + tt.place + `","message":"must not be null; leave it out"}]`
		if r := w.call(tt.method, tt.path, token, tt.body); r.status != 422 || !strings.Contains(r.body, want) {
			t.Errorf("%s %s: %d %s", tt.method, tt.body, r.status, r.body)
		}
	}
	if r := w.call("GET", "/api/v1/tasks", token, ""); strings.Count(r.body, `"task_id"`) != 1 ||
		!strings.Contains(r.body, `"version":1`) {
		t.Errorf("something was done: %s", r.body)
	}
	for _, body := range []string{`{"only":{"maybe":null}}`, `{"list":[{"maybe":null,"count":2}]}`,
		`{"mail":"null@acme.example"}`} {
		if r := w.call("POST", "/api/v1/kinds/find", "", body); r.status != 200 {
			t.Errorf("%s: %d %s", body, r.status, r.body)
		}
	}
}

// speaksPlainly: places are those at which a refusal of the value may stand; at one of them, or inside.
func (w *world) speaksPlainly(r reply, what string, places ...string) {
	w.t.Helper()
	if r.status >= 500 || goWords.MatchString(r.body) && r.status >= 400 {
		w.t.Errorf("%s: %d %s", what, r.status, r.body)
	}
	if r.status != 422 && r.status != 400 {
		return
	}
	var problem struct {
		Hint   string
		Errors []struct{ Location, Message string }
	}
	_ = json.Unmarshal([]byte(r.body), &problem)
	if len(problem.Errors) == 0 || problem.Hint == "" {
		w.t.Errorf("%s: no place or no hint: %d %s", what, r.status, r.body)
	}
	for _, e := range problem.Errors {
		inside := false
		for _, place := range places {
			inside = inside || strings.HasPrefix(e.Location, place)
		}
		if !inside || e.Message == "" {
			w.t.Errorf("%s: at %s: %s", what, e.Location, e.Message)
		}
	}
}

// document is the published document, as far as these tests read it.
type document struct {
	Paths map[string]map[string]struct {
		Parameters  []struct{ Name, In string }
		RequestBody struct {
			Content map[string]struct{ Schema *schema }
		}
	}
	Components struct{ Schemas map[string]*schema }
}

type schema struct {
	Ref                  string `json:"$ref"`
	Properties           map[string]*schema
	Items                *schema
	AdditionalProperties json.RawMessage
}

func (w *world) document() (d document) {
	w.t.Helper()
	if err := json.Unmarshal(w.app.Document().JSON(), &d); err != nil {
		w.t.Fatal(err)
	}
	return d
}

// variants are bodies in which a value can be put anywhere that the schema names, by its place.
func (d document) variants(s *schema, place string, depth int) map[string]func(string) string {
	if s == nil || depth > 6 {
		return nil
	}
	if name, ok := strings.CutPrefix(s.Ref, "#/components/schemas/"); ok {
		return d.variants(d.Components.Schemas[name], place, depth+1)
	}
	found := map[string]func(string) string{place: func(value string) string { return value }}
	for name, property := range s.Properties {
		for at, inside := range d.variants(property, place+"."+name, depth+1) {
			found[at] = func(value string) string { return fmt.Sprintf(`{%q:%s}`, name, inside(value)) }
		}
	}
	for at, inside := range d.variants(s.Items, place+"[0]", depth+1) {
		found[at] = func(value string) string { return "[" + inside(value) + "]" }
	}
	return found
}
