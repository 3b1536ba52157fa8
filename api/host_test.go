package api_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/danielgtaylor/huma/v2/validation"
	"github.com/go-chi/chi/v5"

	"guestpass/api"
	"guestpass/auth"
)

// Tests of this file set what Huma keeps for the whole program, as a program may of which Guestpass is one part. They
// put it back, and no test of this package runs beside another.

// settings are the variables of Huma's packages that a program may set, but for the messages of package validation.
var settings = map[string]any{
	"huma.DefaultArrayNullable": &huma.DefaultArrayNullable, "huma.DefaultFormats": &huma.DefaultFormats,
	"huma.DefaultJSONFormat": &huma.DefaultJSONFormat, "huma.ErrSchemaInvalid": &huma.ErrSchemaInvalid,
	"huma.ErrUnknownAcceptContentType": &huma.ErrUnknownAcceptContentType,
	"huma.ErrUnknownContentType":       &huma.ErrUnknownContentType, "huma.ErrorFormatter": &huma.ErrorFormatter,
	"huma.GenerateOperationID": &huma.GenerateOperationID, "huma.GenerateSummary": &huma.GenerateSummary,
	"huma.NewError": &huma.NewError, "huma.NewErrorWithContext": &huma.NewErrorWithContext,
	"huma.ValidateStrictCasing": &huma.ValidateStrictCasing, "humachi.MultipartMaxMemory": &humachi.MultipartMaxMemory,
}

// asSet are the settings' values; functions by their addresses.
func asSet() map[string]string {
	values := map[string]string{}
	for name, variable := range settings {
		values[name] = fmt.Sprintf("%v", reflect.ValueOf(variable).Elem().Interface())
	}
	return values
}

// putBack gives the settings the values that they have now, at the end of the test.
func putBack(t *testing.T) {
	t.Helper()
	for _, variable := range settings {
		v := reflect.ValueOf(variable).Elem()
		value := reflect.New(v.Type()).Elem()
		value.Set(v)
		t.Cleanup(func() { v.Set(value) })
	}
	for _, message := range messages {
		text := *message
		t.Cleanup(func() { *message = text })
	}
}

// messages are some of Huma's, which a program may have in its own language.
var messages = []*string{&validation.MsgUnexpectedProperty, &validation.MsgExpectedString,
	&validation.MsgExpectedInteger, &validation.MsgExpectedArray, &validation.MsgExpectedMinLength,
	&validation.MsgExpectedMaximumNumber, &validation.MsgExpectedOneOf, &validation.MsgExpectedRFC5322Email,
	&validation.MsgExpectedRFC5322EmailBare, &validation.MsgExpectedRequiredProperty}

// hostError is how the program around answers that something is wrong: never with 422.
type hostError struct {
	code   int
	Fault  string   `json:"fault"`
	Places []string `json:"places,omitempty"`
}

func (e *hostError) Error() string               { return e.Fault }
func (e *hostError) GetStatus() int              { return e.code }
func (e *hostError) ContentType(_ string) string { return "application/vnd.host+json" }

func newHostError(status int, message string, errs ...error) huma.StatusError {
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	e := &hostError{code: status, Fault: message}
	for _, err := range errs {
		var detail *huma.ErrorDetail
		if errors.As(err, &detail) {
			e.Places = append(e.Places, detail.Location+": "+detail.Message)
		}
	}
	slices.Sort(e.Places)
	return e
}

// setAsHost sets everything to something else than it is.
func setAsHost() {
	huma.NewError = newHostError
	huma.NewErrorWithContext = func(_ huma.Context, status int, message string, errs ...error) huma.StatusError {
		return newHostError(status, message, errs...)
	}
	huma.DefaultArrayNullable, huma.ValidateStrictCasing = true, false
	huma.ErrorFormatter = func(format string, _ ...any) string { return "formatted " + format[:3] }
	huma.DefaultJSONFormat = huma.Format{
		Marshal:   func(w io.Writer, v any) error { _, err := fmt.Fprint(w, v); return err },
		Unmarshal: func(data []byte, v any) error { return json.Unmarshal(append([]byte(" "), data...), v) }}
	huma.DefaultFormats = map[string]huma.Format{"text/odd": huma.DefaultJSONFormat}
	huma.GenerateOperationID = func(string, string, any) string { return "generated" }
	huma.GenerateSummary = huma.GenerateOperationID
	huma.ErrUnknownContentType, huma.ErrUnknownAcceptContentType = errors.New("what is this"), errors.New("no such")
	huma.ErrSchemaInvalid, humachi.MultipartMaxMemory = errors.New("what a schema"), 1
	for _, message := range messages {
		*message = "host's words, with %v"
	}
}

// Inputs of the operations of the tests below, and of the program around.
type (
	parcel struct {
		Title   string           `json:"title" minLength:"2" doc:"A title"`
		Size    int8             `json:"size,omitempty" maximum:"1000" doc:"A size"`
		Mail    string           `json:"mail,omitempty" format:"email" doc:"An address"`
		State   string           `json:"state,omitempty" enum:"open,done" doc:"A state"`
		Labels  []string         `json:"labels,omitempty" maxItems:"2" doc:"Labels"`
		Matrix  [][]int          `json:"matrix,omitempty" doc:"Numbers"`
		Stops   []stop           `json:"stops,omitempty" doc:"Stops"`
		Open    *open            `json:"open,omitempty" doc:"With any names"`
		Maybe   []string         `json:"maybe,omitempty" nullable:"true" doc:"Texts, or null"`
		At      time.Time        `json:"at,omitzero" doc:"A time"`
		Counted map[string][]int `json:"counted,omitempty" doc:"Numbers by name"`
	}
	open struct {
		_     struct{} `additionalProperties:"true"`
		Name  string   `json:"name,omitempty" doc:"A name"`
		Names []string `json:"names" required:"false" doc:"Names"`
	}
	stop struct {
		Name  string   `json:"name" doc:"A name"`
		Hours []string `json:"hours,omitempty" doc:"Hours"`
	}
	parcelFilter struct {
		Limit int       `query:"limit" minimum:"1" maximum:"9" default:"3" doc:"How many"`
		Since time.Time `query:"since" doc:"A time"`
		From  url.URL   `query:"from" doc:"A link"`
		State []string  `query:"state" enum:"open,done" doc:"States"`
		How   string    `query:"how" doc:"What the handler does"`
	}
	parcels struct {
		Body struct {
			Parcels []parcel `json:"parcels" doc:"Parcels"`
		}
	}
	found struct {
		Body struct {
			Parcel parcel `json:"parcel" doc:"The parcel"`
			Shelf  shelf  `json:"shelf" doc:"Where it is"`
		}
	}
	shelf struct {
		Number int `json:"number" doc:"Its number"`
	}
	refusing struct{ Agent string }
)

func (*refusing) Resolve(huma.Context) []error {
	return []error{&huma.ErrorDetail{Location: "header.User-Agent", Message: "is too old"}}
}

// parcelService has operations that take and answer all kinds of things, and fail in all ways.
func parcelService() *api.Service {
	s := api.New(api.Options{})
	op := api.Operation{ID: "listParcels", Method: http.MethodGet, Path: "/api/v1/parcels", Summary: "List parcels",
		Description: "Lists parcels.", Access: auth.Public}
	api.Register(s, op, func(_ context.Context, in *parcelFilter) (*parcels, error) {
		switch in.How {
		case "panic":
			panic("a secret")
		case "missing":
			return nil, huma.Error404NotFound("there is no such parcel", errors.New("a secret"))
		case "broken":
			return nil, huma.Error500InternalServerError("a secret")
		case "plain":
			return nil, errors.New("a secret")
		case "late":
			return nil, huma.ErrorWithHeaders(
				huma.Error429TooManyRequests("too many"),
				http.Header{"Retry-After": {"7"}},
			)
		}
		out := &parcels{}
		out.Body.Parcels = []parcel{{Title: fmt.Sprint(in.Limit)}}
		return out, nil
	})
	op.ID, op.Path, op.Method, op.Effect = "findParcels", op.Path+"/find/{id}", http.MethodPost, api.Read
	api.Register(s, op, func(_ context.Context, in *struct {
		ID   string `path:"id" maxLength:"3" doc:"Identifier"`
		Body parcel
	}) (*found, error) {
		out := &found{}
		out.Body.Parcel = in.Body
		return out, nil
	})
	op.ID, op.Path, op.Method = "refuseParcels", "/api/v1/refused", http.MethodGet
	api.Register(s, op, func(context.Context, *refusing) (*parcels, error) { return &parcels{}, nil })
	return s
}

// A knock is a request, with how its answer begins and what it names, in any program.
type knock struct{ name, method, target, body, want, media string }

const (
	list = "/api/v1/parcels"
	find = "/api/v1/parcels/find/p1"
)

var knocks = []knock{
	{"what is right", "POST", find, `{"title":"Books","labels":[],"maybe":null,"matrix":[[1],[2]]}`, "200 Books", ""},
	{"a type with a parameter", "POST", find, `{"title":"Books"}`, "200 Books", "application/json; a=b+c"},
	{"another type of content", "POST", find, `{"title":"Books"}`, "415 not JSON", "text/plain"},
	{"a text that is too short", "POST", find, `{"title":"B"}`, "422 body.title|>= 2", ""},
	{"a text of another form", "POST", find, `{"title":"Books","mail":"Ada","state":"lost"}`,
		"422 body.mail|one e-mail address|body.state|open, done", ""},
	{"a number that is too large", "POST", find, `{"title":"Books","size":2000}`, "422 body.size|<= 1000", ""},
	{"a number that the field cannot keep", "POST", find, `{"title":"Books","size":200}`, "422 body.size|to 127", ""},
	{"a time that there is not", "POST", find, `{"title":"Books","at":"yesterday"}`, "422 body.at", ""},
	{"another type", "POST", find, `{"title":7,"labels":"red","stops":[{"name":"a"},{"name":"b","hours":[1]}]}`,
		"422 body.title|body.labels|expected array|body.stops[1].hours[0]|expected string", ""},
	{"a member that is missing", "POST", find, `{}`, "422 title to be present", ""},
	{"an unknown member", "POST", find, `{"title":"Books","weight":3}`, "422 body.weight|unexpected property", ""},
	{
		"another letter case",
		"POST",
		find,
		`{"Title":"Books"}`,
		"422 body.Title|unexpected property|title to be present",
		"",
	},
	{"another letter case beside the right one", "POST", find,
		`{"title":"Books","TITLE":"","stops":[{"name":"a","Name":"b"}]}`, "422 body.TITLE|body.stops[0].Name", ""},
	{"another letter case where any name is", "POST", find, `{"title":"Books","open":{"name":"a","x":1,"NAME":"b"}}`,
		"422 body.open.NAME|unexpected property", ""},
	{"null for a list", "POST", find, `{"title":"Books","labels":null}`, "422 body.labels|must not be null", ""},
	{"null for lists further in", "POST", find,
		`{"title":"Books","stops":[{"name":"a","hours":null}],"counted":{"a":null}}`, "422 body.counted.a", ""},
	{"null for a list in a list", "POST", find, `{"title":"Books","matrix":[null]}`, "422 body.matrix[0]", ""},
	{"null for a list that may not be left out", "POST", find, `{"title":"Books","open":{"names":null}}`,
		"422 body.open.names", ""},
	{"a list that is too long", "POST", find, `{"title":"Books","labels":["a","b","c"]}`, "422 body.labels|<= 2", ""},
	{"no JSON", "POST", find, `{"title":`, "400 not whole", ""},
	{"no body", "POST", find, ``, "400 required", ""},
	{"a body that is too long", "POST", find, strings.Repeat(" ", api.MaxBody+1), "413 131072 bytes", ""},
	{"a body that breaks off", "POST", find, breaksOff, "400 breaks off", ""},
	{"a body that nobody wants", "GET", list, `{"title":"Books"}`, "422 not taken", ""},
	{"faults in path and body", "POST", list + "/find/parcel", `{"title":"B"}`, "422 path.id|body.title", ""},
	{"an unknown query parameter", "GET", list + "?size=3", "", "422 query.size|unknown query parameter", ""},
	{"a query parameter in another letter case", "GET", list + "?Limit=3", "", "422 query.Limit|unknown", ""},
	{"query parameters that are wrong", "GET", list + "?limit=30&since=yesterday&from=%3A&state=open,lost", "",
		"422 query.limit|query.since|a date and time|query.from|a URL|query.state[1]", ""},
	{"a default", "GET", list, "", `200 "title":"3"`, ""},
	{"a panic", "GET", list + "?how=panic", "", "panic: a secret", ""},
	{"an error of Huma's", "GET", list + "?how=missing", "", "404 there is no such parcel", ""},
	{"an error of Huma's that is ours alone to know", "GET", list + "?how=broken", "", "500 internal error", ""},
	{"an error of Go's", "GET", list + "?how=plain", "", "500 internal error", ""},
	{"an error with headers", "GET", list + "?how=late", "", "429 application/problem+json 7|too many", ""},
	{"another path", "GET", "/api/v1/nowhere", "", "404 nothing at this path", ""},
	{"another method", "PUT", list, "", "405 PUT is not possible", ""},
}

// as reports whether the answer is the one that the knock wants.
func (k knock) as(answer string) bool {
	status, names, _ := strings.Cut(k.want, " ")
	for name := range strings.SplitSeq(names, "|") {
		if !strings.Contains(answer, name) {
			return false
		}
	}
	code, err := strconv.Atoi(status)
	return strings.HasPrefix(answer, status) &&
		(err != nil || code < 400 || strings.HasPrefix(answer, status+" application/problem+json "))
}

// breaksOff stands for a body that ends in an error.
const breaksOff = "\x00"

// on is the answer, or what the handler panicked with.
func (k knock) on(h http.Handler) (answer string) {
	r := httptest.NewRequest(k.method, k.target, strings.NewReader(k.body))
	if k.body == breaksOff {
		r = httptest.NewRequest(k.method, k.target, iotest.ErrReader(io.ErrUnexpectedEOF))
	}
	r.Header.Set("Content-Type", cmp.Or(k.media, "application/json"))
	w := httptest.NewRecorder()
	defer func() {
		if cause := recover(); cause != nil {
			answer = fmt.Sprint("panic: ", cause)
		}
	}()
	h.ServeHTTP(w, r)
	return fmt.Sprint(w.Code, " ", w.Header().Get("Content-Type"), " ", w.Header().Get("Retry-After"), " ", w.Body)
}

func answers(h http.Handler) map[string]string {
	all := map[string]string{}
	for _, k := range knocks {
		all[k.name] = k.on(h)
	}
	return all
}

func describedBy(t *testing.T, s *api.Service) string {
	t.Helper()
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(s.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// hostAPI is the program around, with an operation that is not ours.
func hostAPI() http.Handler {
	router := chi.NewMux()
	config := huma.DefaultConfig("Host", "1")
	config.Formats = map[string]huma.Format{"application/json": {Unmarshal: json.Unmarshal,
		Marshal: func(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) }}}
	config.Formats["json"] = config.Formats["application/json"]
	config.CreateHooks, config.RejectUnknownQueryParameters = nil, true
	service := humachi.New(router, config)
	huma.Register(service, huma.Operation{OperationID: "find", Method: http.MethodPost, Path: "/host/{how}",
		MaxBodyBytes: 100}, func(_ context.Context, in *struct {
		How  string `path:"how"`
		Body struct {
			Title  string   `json:"title" minLength:"2"`
			Labels []string `json:"labels,omitempty"`
		}
	}) (*struct{ Body string }, error) {
		if in.How == "missing" {
			return nil, huma.Error404NotFound("not here")
		}
		return &struct{ Body string }{in.Body.Title}, nil
	})
	return router
}

// What the program around sets does not matter, before and after, and what it is answered by itself is as it has set.
func TestAHostAndWeAnswerEachInOurOwnForm(t *testing.T) {
	putBack(t)
	huma.DefaultArrayNullable, huma.ValidateStrictCasing = false, true // as we want them to be
	alone := parcelService()
	want, document := answers(alone), describedBy(t, alone)
	for _, k := range knocks {
		if answer := want[k.name]; !k.as(answer) {
			t.Errorf("%s: %s, want %s", k.name, answer, k.want)
		}
	}
	host := []struct{ name, target, body, want string }{
		{
			"what is right, in another letter case",
			"/host/a",
			`{"Title":"Books","labels":null}`,
			"200 application/json",
		},
		{"a text that is too short", "/host/a", `{"title":"B"}`,
			`400 application/vnd.host+json  {"fault":"validation failed","places":["body.title: formatted hos"]}`},
		{
			"an unknown member",
			"/host/a",
			`{"title":"Books","weight":3}`,
			`400 application/vnd.host+json  {"fault":"validation failed",` +
				`"places":["body.weight: host's words, with %v"]}`,
		},
		{"no JSON", "/host/a", `{`, `400 application/vnd.host+json  {"fault":"validation failed","places":["body: `},
		{"a body that is too long", "/host/a", strings.Repeat(" ", 101),
			`413 application/vnd.host+json  {"fault":"request body is too large limit=100 bytes"}`},
		{
			"an unknown query parameter",
			"/host/a?b=c",
			`{"title":"Books"}`,
			`400 application/vnd.host+json  {"fault":"validation failed",` +
				`"places":["query.b: unknown query parameter"]}`,
		},
		{
			"what is missing",
			"/host/missing",
			`{"title":"Books"}`,
			`404 application/vnd.host+json  {"fault":"not here"}`,
		},
	}
	for _, first := range []string{"before New", "after New", "after Register and the first request"} {
		t.Run(first, func(t *testing.T) {
			putBack(t)
			var s *api.Service
			if first == "before New" {
				setAsHost()
			}
			if s = parcelService(); first == "after Register and the first request" {
				answers(s)
			}
			if first != "before New" {
				setAsHost()
			}
			set := asSet()
			around := http.NewServeMux()
			around.Handle("/host/", hostAPI())
			around.Handle("/api/", s)
			for _, tt := range host {
				if got := (knock{method: "POST", target: tt.target, body: tt.body}).on(
					around,
				); !strings.HasPrefix(
					got,
					tt.want,
				) {
					t.Errorf("the host, %s: %s", tt.name, got)
				}
			}
			for name, got := range answers(around) {
				if got != want[name] {
					t.Errorf("%s:\n%s\nalone:\n%s", name, got, want[name])
				}
			}
			if got := describedBy(t, s); got != document {
				t.Errorf("described as\n%s\nalone as\n%s", got, document)
			}
			if now := asSet(); !reflect.DeepEqual(now, set) {
				t.Errorf("set is %v, was %v", now, set)
			}
		})
	}
}

// What a Resolve method refuses is the one refusal that Huma makes.
func TestAnInputThatRefusesIsAnsweredInOurForm(t *testing.T) {
	refused := knock{method: "GET", target: "/api/v1/refused"}
	want := `422 application/problem+json  {"type":"about:blank","title":"Unprocessable Entity","status":422,` +
		`"detail":"validation failed","hint":"Correct what is named under errors and send it again.",` +
		`"errors":[{"location":"header.User-Agent","message":"is too old"}]}` + "\n"
	if got := refused.on(parcelService()); got != want {
		t.Errorf("alone: %s", got)
	}
	putBack(t)
	setAsHost() // of whose errors no more is known than their status and their text
	if got := refused.on(parcelService()); !strings.HasPrefix(got, "400 application/problem+json  ") ||
		!strings.Contains(got, `"status":400,"detail":"validation failed"`) {
		t.Errorf("in the host: %s", got)
	}
	huma.NewErrorWithContext = func(_ huma.Context, _ int, message string, _ ...error) huma.StatusError {
		return newHostError(http.StatusOK, message)
	}
	if got := refused.on(parcelService()); !strings.HasPrefix(got, "422 application/problem+json  ") ||
		!strings.Contains(got, `"status":422,"detail":"validation failed"`) {
		t.Errorf("in a host that answers all with 200: %s", got)
	}
}

// The host's type of errors is none of our schemas, whatever its name and whatever is in it.
func TestTheTypeOfAHostsErrorsTakesNoName(t *testing.T) {
	document := describedBy(t, parcelService())
	for _, errs := range []huma.StatusError{&Shelf{}, indescribable{}} {
		putBack(t)
		huma.NewError = func(int, string, ...error) huma.StatusError { return errs }
		if got := describedBy(t, parcelService()); got != document {
			t.Errorf("with %T described as\n%s\nwant\n%s", errs, got, document)
		}
	}
}

// Shelf has the name that a type of ours has in the document.
type Shelf struct {
	huma.ErrorModel
	Rows []string `json:"rows"`
}

type indescribable struct {
	Code int `json:"code" minimum:"one"`
}

func (indescribable) Error() string  { return "" }
func (indescribable) GetStatus() int { return 500 }

func TestNewChangesNoSettingOfHuma(t *testing.T) {
	before := asSet()
	s := parcelService()
	answers(s)
	describedBy(t, s)
	if after := asSet(); !reflect.DeepEqual(after, before) {
		t.Errorf("set is\n%v\nwas\n%v", after, before)
	}
}
