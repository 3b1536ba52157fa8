package api_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/openapi"
	"guestpass/resources/profile"
	"guestpass/store"
)

// A declarationMistake is one thing done wrong where an operation is declared, and the one fault that it gives.
type declarationMistake struct {
	name     string
	register func(*api.Service)
	fault    string // "" if it is right, for the reason that its name says
}

// thing is a good operation, but for what change makes of it.
func thing(change func(*api.Operation)) api.Operation {
	op := api.Operation{ID: "getThing", Method: http.MethodGet, Path: "/api/v1/thing", Summary: "Get it",
		Description: "Gets it.", Access: auth.Scope("things:read")}
	if change != nil {
		change(&op)
	}
	return op
}

type (
	nothing struct{}
	ok      struct {
		Body struct {
			OK bool `json:"ok" doc:"Always true"`
		}
	}
)

// own declares an operation of one's own.
func own[In, Out any](s *api.Service, op api.Operation) {
	api.Register(s, op, func(context.Context, *In) (*Out, error) { return new(Out), nil })
}

// declared is a mistake in the operation itself.
func declared(change func(*api.Operation)) func(*api.Service) {
	return func(s *api.Service) { own[nothing, ok](s, thing(change)) }
}

// havingDone declares an operation that changes something, with these words for what it has done.
func havingDone(done string) func(*api.Service) {
	return declared(func(op *api.Operation) { op.Method, op.Effect, op.Done = http.MethodPost, api.Write, done })
}

// taking is a mistake in the types of an operation that is else good.
func taking[In, Out any](change func(*api.Operation)) func(*api.Service) {
	return func(s *api.Service) { own[In, Out](s, thing(change)) }
}

func writing(op *api.Operation) {
	op.ID, op.Method, op.Effect = "changeThing", http.MethodPost, api.Write
}

func creating(op *api.Operation) {
	writing(op)
	op.Status = http.StatusCreated
}

func without(op *api.Operation) {
	writing(op)
	op.Status = http.StatusNoContent
}

// Inputs and outputs for the tables.
type (
	bodyOf[T any] struct{ Body T }
	valued[T any] struct {
		Value T `json:"value" doc:"A value"`
	}
	page struct {
		Limit int `query:"limit" doc:"How many"`
	}
	titled struct {
		Title string `json:"title" doc:"A title"`
	}
	onceOnly struct {
		Titled
		api.Once
	}
	Titled struct {
		Title string `json:"title" doc:"A title"`
	}
	repeatableOnly struct {
		Titled
		api.Repeatable
	}
	Sized struct {
		Size int `query:"size" doc:"A size"`
	}
	sized[T any] struct {
		Size T `query:"size" doc:"A size"`
	}
)

// resolving reads the request for itself.
type resolving struct{ agent string }

func (r *resolving) Resolve(ctx huma.Context) []error {
	r.agent = ctx.Header("User-Agent")
	return nil
}

const (
	atThing   = "GET /api/v1/thing (getThing): "
	atChange  = "POST /api/v1/thing (changeThing): "
	atNothing = " /api/v1/thing (getThing): "
)

var operationMistakes = []declarationMistake{
	{
		"no ID",
		declared(func(op *api.Operation) { op.ID = "" }),
		"GET /api/v1/thing (): has no ID: give it a camelCase",
	},
	{"an ID with a hyphen", declared(func(op *api.Operation) { op.ID = "get-thing" }),
		`GET /api/v1/thing (get-thing): its ID "get-thing" is not a letter and up to 63`},
	{"an ID that is taken", declared(func(op *api.Operation) { op.ID = "getnextsteps" }),
		"GET /api/v1/thing (getnextsteps): its ID is taken by GET /api/v1/next-steps"},
	{"no Method", declared(func(op *api.Operation) { op.Method, op.Effect = "", api.Read }),
		" /api/v1/thing (getThing): has no Method: say http.MethodGet"},
	{"a Method in small letters", declared(func(op *api.Operation) { op.Method, op.Effect = "get", api.Read }),
		`get /api/v1/thing (getThing): its Method "get" cannot be served: say one of GET, POST, PUT, PATCH, DELETE`},
	{"a Method that no GPT calls", declared(func(op *api.Operation) { op.Method, op.Effect = "HEAD", api.Read }),
		`HEAD /api/v1/thing (getThing): its Method "HEAD" cannot be served`},
	{"no Summary", declared(func(op *api.Operation) { op.Summary = " " }), atThing + "has no Summary"},
	{"no Description", declared(func(op *api.Operation) { op.Description = "" }), atThing + "has no Description"},
	{"a Summary that is too long", declared(func(op *api.Operation) { op.Summary = strings.Repeat("x", 301) }),
		"G032 GET /api/v1/thing: summary has 301 characters, at most 300: shorten it"},
	{"no Access", declared(func(op *api.Operation) { op.Access = auth.Access{} }),
		atThing + "has no Access and would admit nobody"},
	{"a scope of two words", declared(func(op *api.Operation) { op.Access = auth.Scope("things read") }),
		`G112 document, Scopes: "things read" is no scope name`},
	{"no Effect", declared(func(op *api.Operation) { op.Method = "POST" }),
		"POST" + atNothing + "has no Effect: say api.Read, api.Write or api.Destroy"},
	{"a GET that writes", declared(func(op *api.Operation) { op.Effect = api.Write }),
		atThing + "it changes something, and whatever prefetches may call a GET: say http.MethodPost"},
	{"a DELETE that reads", declared(func(op *api.Operation) { op.Method, op.Effect = "DELETE", api.Read }),
		"DELETE" + atNothing + "its Effect is api.Read, and DELETE means that something changes"},
	{"a POST that reads: it may have a body", declared(func(op *api.Operation) {
		op.Method, op.Effect = "POST", api.Read
	}), ""},
	{"External, and reads", declared(func(op *api.Operation) { op.External = true }),
		atThing + "it is External and only reads: leave External out"},
	{"201, and reads", declared(func(op *api.Operation) { op.Status = http.StatusCreated }),
		atThing + "its Status is 201, and it only reads: leave Status out"},
	{"Done of what only reads", declared(func(op *api.Operation) { op.Done = "Got it" }),
		atThing + "it has Done and only reads, which is not on record: leave Done out"},
	{"Done with a place that no field can fill", havingDone("Made {Title}"),
		"POST" + atNothing + "its Done has a place that is no field"},
	{"Done with half a place", havingDone("Made {title"), "POST" + atNothing + "its Done has a place that is no field"},
	{"Done in two lines", havingDone("Made\n{title}"), "POST" + atNothing + "its Done has a line end"},
	{"Done that says nothing", havingDone(" "), "POST" + atNothing + "its Done must have from 1 to 200 characters"},
	{"Done without end", havingDone(strings.Repeat("x", 201)),
		"POST" + atNothing + "its Done must have from 1 to 200 characters"},
	{"Done with places", havingDone("Made “{title}” of {spent_on} {v2}"), ""},
	{"the status of a failure", declared(func(op *api.Operation) { op.Status = http.StatusNotFound }),
		atThing + "its Status is 404, and it is that of success"},
	{"a path without a slash", declared(func(op *api.Operation) { op.Path = "api/v1/thing" }),
		"GET api/v1/thing (getThing): its path must begin with a slash"},
	{"a path outside of /api/", declared(func(op *api.Operation) { op.Path = "/v1/thing" }),
		"GET /v1/thing (getThing): its path is outside of /api/, where alone operations are served: write " +
			"/api/v1/thing"},
	{"a path with a query", declared(func(op *api.Operation) { op.Path = "/api/v1/thing?size=1" }),
		"GET /api/v1/thing?size=1 (getThing): its path has one of ? # * and blank: declare what varies"},
	{"a path with a brace too few", declared(func(op *api.Operation) { op.Path = "/api/v1/thing/{id" }),
		"GET /api/v1/thing/{id (getThing): its path has braces that do not pair: write {name} for what varies"},
	{"a method and path that are taken", declared(func(op *api.Operation) { op.Path = "/api/v1/next-steps" }),
		"GET /api/v1/next-steps (getThing): its method and path are taken by getNextSteps"},
	{"two paths that differ in the name of a parameter", func(s *api.Service) {
		type byThing struct {
			ID string `path:"thing_id" doc:"Identifier"`
		}
		type byID struct {
			ID string `path:"id" doc:"Identifier"`
		}
		own[byThing, ok](s, thing(func(op *api.Operation) { op.Path += "/{thing_id}" }))
		own[byID, ok](s, thing(func(op *api.Operation) { writing(op); op.Path += "/{id}" }))
	}, "POST /api/v1/thing/{id} (changeThing): its path differs from that of getThing, /api/v1/thing/{thing_id}, in"},
	{"a path whose parameter no field has", declared(func(op *api.Operation) { op.Path = "/api/v1/thing/{id}" }),
		"G043 GET /api/v1/thing/{id}: the path has {id}, but there is no such parameter"},
	{"no handler", func(s *api.Service) { api.Register[nothing, ok](s, thing(nil), nil) },
		atThing + "has no handler: give Register a function"},
}

// pageOf is a good page of a widget, but for what is in its head and in its body.
func pageOf(head, body string) string {
	return "<!doctype html>\n<html lang=en><head><title>Things</title>" + head + "</head><body>" + body +
		"</body></html>"
}

// showing declares a widget of the HTML.
func showing(html string) func(*api.Service) {
	return declared(func(op *api.Operation) { op.Widget = api.Widget{Name: "things", HTML: html} })
}

// showingIn has an operation and another one, both with a widget.
func showingIn(name, html string) func(*api.Service) {
	return func(s *api.Service) {
		own[nothing, ok](s, thing(func(op *api.Operation) {
			op.Widget = api.Widget{Name: "things", HTML: pageOf("", "a")}
		}))
		own[nothing, ok](s, thing(func(op *api.Operation) {
			op.ID, op.Path, op.Widget = "getOther", "/api/v1/other", api.Widget{Name: name, HTML: html}
		}))
	}
}

const atWidget = atThing + "its Widget "

var widgetMistakes = []declarationMistake{
	{"a widget", showing(pageOf("<style>a { background: url(data:x) url( '#y' ) URL(\"data:z\") }</style>", "<script>"+
		"fetch('https://example.com'); // the client blocks it\n</script><img src='data:image/png;base64,AA=='>"+
		"<a href='#top'>Top</a><svg xmlns='http://www.w3.org/2000/svg'><use href='#a'/></svg>"+api.WidgetFacts)), ""},
	{"a widget in capital letters", showing(strings.ToUpper(pageOf("", ""))), ""},
	{"two operations with one widget", showingIn("things", pageOf("", "a")), ""},
	{"two widgets of one name", showingIn("things", pageOf("", "b")),
		"GET /api/v1/other (getOther): its Widget has the Name things, as another page of getThing has"},
	{"a widget without a name", declared(func(op *api.Operation) { op.Widget.HTML = pageOf("", "") }),
		atWidget + `has the Name ""`},
	{"a widget whose name is no part of an address", declared(func(op *api.Operation) {
		op.Widget = api.Widget{Name: "My things", HTML: pageOf("", "")}
	}), atWidget + `has the Name "My things": give it`},
	{"a widget without HTML", showing(" \n"), atWidget + "has no HTML"},
	{"a widget that is too long", showing(pageOf("", strings.Repeat("x", api.MaxWidget))),
		atWidget + "has 65620 bytes, and the most are 65536"},
	{"a widget of another character set", showing(pageOf("", "\xff")), atWidget + "is not UTF-8"},
	{"a part of a document", showing(strings.TrimPrefix(pageOf("", ""), "<!doctype html>")),
		atWidget + "does not begin with <!doctype html>"},
	{"half a document", showing(strings.TrimSuffix(pageOf("", ""), "</html>")), atWidget + "has no <html>…</html>"},
	{"a document without a title", showing("<!doctype html><html><head></head><body></body></html>"),
		atWidget + "has no <title>…</title>"},
	{"a title of a drawing alone", showing("<!doctype html><html><head></head><body><svg><title>A</title></svg>" +
		"</body></html>"), atWidget + "has no <title>…</title>"},
	{"a document of an older HTML", showing(strings.Replace(pageOf("", ""), "html>",
		`html PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN">`, 1)), atWidget + "does not begin with <!doctype html>"},
	{"a document that says where it begins", showing("\ufeff" + strings.Replace(pageOf("", ""), "html>",
		`HTML SYSTEM "about:legacy-compat">`, 1)), ""},
	{"a frame", showing(pageOf("", "<iframe srcdoc=x></iframe>")), atWidget + "has <iframe>, which clients refuse"},
	{"another base", showing(pageOf("<base target=_blank>", "")), atWidget + "has <base>, which clients refuse"},
	{"a page that leads on", showing(pageOf("<meta http-equiv=Refresh content=0>", "")),
		atWidget + `has <meta http-equiv="Refresh">, and clients let no widget go`},
	{"facts of another spelling", showing(pageOf("", `<script type="application/json" id="guestpass">{}</script>`)),
		atWidget + "has an element of the id guestpass that is not written as the server looks for it"},
	{"facts in other quotes", showing(pageOf("", `<script id='guestpass' type="application/json">{}</script>`)),
		atWidget + "has an element of the id guestpass that is not written as the server looks for it"},
	{"facts that are there twice", showing(pageOf("", api.WidgetFacts+api.WidgetFacts)),
		atWidget + "has an element of the id guestpass that is not written as the server looks for it"},
}

var inputMistakes = []declarationMistake{
	{"a header", taking[struct {
		Name string `header:"X-Name" doc:"A name"`
	}, ok](nil), atThing + "header parameter X-Name: neither a GPT nor a tool can send it: tag it query, or put it"},
	{"a cookie", taking[struct {
		Name string `cookie:"name" doc:"A name"`
	}, ok](nil), atThing + "cookie parameter name: neither a GPT nor a tool can send it"},
	{"a field that is tagged twice", taking[struct {
		Name string `path:"name" query:"name" doc:"A name"`
	}, ok](func(op *api.Operation) { op.Path += "/{name}" }),
		"GET /api/v1/thing/{name} (getThing): field Name: it is tagged path and query: choose one"},
	{"an embedded pointer", taking[struct{ *Sized }, ok](nil), atThing + "field Sized: a pointer that is embedded"},
	{"a limit that is no int", taking[struct {
		Limit uint `query:"limit" doc:"How many"`
	}, ok](nil), atThing + "query parameter limit: is of type uint: PageOf reads an int"},
	{"an embedded struct that is not exported", taking[struct{ page }, ok](nil),
		atThing + "field page: the type of this embedded struct is not exported, so all that is in it is left out"},
	{"a field that is not exported", taking[struct {
		limit int `query:"limit"`
	}, ok](nil), atThing + "query parameter limit: it is not exported, so it is left out: call it Limit"},
	{"a field that nothing fills", taking[struct{ Limit int }, ok](nil),
		atThing + "field Limit: nothing fills it: tag it path or query, or put it into Body"},
	{"a field that nothing fills but the input itself", taking[resolving, ok](nil), ""},
	{"a channel that JSON leaves out on purpose", taking[bodyOf[struct {
		Titled
		Done chan int `json:"-"`
	}], ok](writing), ""},
	{"the members of a body outside of it", taking[titled, ok](writing),
		atChange + "field Title: nothing fills it: tag it path or query, or put it into Body"},
	{
		"an input that is no struct",
		taking[string, ok](nil),
		atThing + "its input: is of type string: declare a struct",
	},
	{"a pointer for a parameter", taking[sized[*int], ok](nil),
		atThing + "query parameter size: it is a pointer, and a parameter is none: leave out the *, and give it a " +
			"default if it may be left out"},
	{"a small type for a parameter", taking[sized[int32], ok](nil),
		atThing + "query parameter size: it is of type int32, which would take a larger number for another"},
	{
		"a raw parameter",
		taking[sized[api.Raw], ok](nil),
		atThing + "query parameter size: it is a Raw, and parameters are without what cannot be seen: put it into Body",
	},
	{"several raw parameters", taking[sized[[]api.Raw], ok](nil), atThing + "query parameter size: it is a Raw"},
	{"raw texts in a body", taking[bodyOf[valued[[]api.Raw]], ok](writing), ""},
	{"a struct for a parameter", taking[sized[titled], ok](nil),
		"G045 GET /api/v1/thing, parameter size: the parameter is neither a scalar nor a list of scalars"},
	{"a channel", taking[bodyOf[valued[chan int]], ok](writing),
		atChange + "body property value: it is of type chan int, which JSON cannot hold"},
	{"a function in a list", taking[bodyOf[valued[[]func()]], ok](writing),
		atChange + "body property value[]: it is of type func(), which JSON cannot hold"},
	{"a member of the body that is not exported", taking[bodyOf[struct {
		Titled
		note string `doc:"A note"`
	}], ok](writing), atChange + "body property note: it is not exported, so it is left out: call it Note"},
	{"an embedded struct in the body that is not exported", taking[bodyOf[struct {
		Titled
		page
	}], ok](writing), atChange + "body property page: the type of this embedded struct is not exported"},
	{"two members of one name", taking[bodyOf[struct {
		Name  string `json:"Title" doc:"A name"`
		Title string `doc:"A title"`
	}], ok](writing),
		atChange + "body property Title: the fields Name and Title have this name, so JSON leaves out one"},
	{"a pattern that is none", taking[struct {
		Name string `query:"name" pattern:"(" doc:"A name"`
	}, ok](nil), atThing + `query parameter name: the tag pattern:"(" is no regular expression`},
	{"required that is neither true nor false", taking[struct {
		Name string `query:"name" required:"yes" doc:"A name"`
	}, ok](nil), atThing + `query parameter name: the tag required:"yes" must be true or false`},
	{"a bound that is no number", taking[struct {
		Name string `query:"name" maxLength:"ten" doc:"A name"`
	}, ok](nil), atThing + "query parameter name: invalid int tag 'maxLength': ten"},
	{"a default of another type", taking[struct {
		Size int `query:"size" default:"ten" doc:"A size"`
	}, ok](nil), atThing + "query parameter size: "},
	{"a text that is neither line nor free", taking[struct {
		Name string `query:"name" text:"lines" doc:"A name"`
	}, ok](nil), atThing + `query parameter name: the tag text:"lines" must be line`},
	{"a list for a body", taking[bodyOf[[]titled], ok](writing),
		"G051 POST /api/v1/thing, body: the root of the body is of type array: wrap it in an object"},
	{"any value in a body", taking[bodyOf[valued[any]], ok](writing),
		"G057 POST /api/v1/thing, body property value: any value is admitted: say the type"},
	{"one name in query and body", taking[struct {
		Title string `query:"title" doc:"A title"`
		Body  titled
	}, ok](writing), "G042 POST /api/v1/thing, body property title: the name title is used in the query as well"},
}

// untold has inputs without doc tags, but for Told.
type untold struct {
	Size int `query:"size"`
	Told int `query:"told" doc:"A number"`
	Body struct {
		Note string `json:"note"`
	}
}

// Untold is the body of two operations.
type Untold struct {
	Note string `json:"note"`
}

// docs returns a change that describes inputs in an operation's Docs.
func docs(named ...string) func(*api.Operation) {
	return func(op *api.Operation) {
		writing(op)
		op.Docs = map[string]string{}
		for i := 0; i < len(named); i += 2 {
			op.Docs[named[i]] = named[i+1]
		}
	}
}

// sharing declares two operations with one type of body, of which the second has the text.
func sharing(text string) func(*api.Service) {
	return func(s *api.Service) {
		own[bodyOf[Untold], ok](s, thing(docs("note", "A note")))
		own[bodyOf[Untold], ok](s, thing(func(op *api.Operation) {
			docs("note", text)(op)
			op.ID, op.Path = "changeOther", "/api/v1/other"
		}))
	}
}

var docsMistakes = []declarationMistake{
	{"Docs for a parameter and a property: they have no tags", taking[untold, ok](docs("size", "S", "note", "N")), ""},
	{"Docs for no input", taking[untold, ok](docs("size", "S", "note", "N", "sise", "S")),
		atChange + `its Docs describe "sise", which is no input: choose one of note, size, told`},
	{"Docs where there is no input", taking[nothing, ok](docs("size", "S")),
		atChange + `its Docs describe "size", and it takes no input: leave that out`},
	{"Docs for what has a doc tag", taking[untold, ok](docs("size", "S", "note", "N", "told", "T")),
		atChange + `its Docs describe "told", and so does the doc tag of field Told: leave one of them out`},
	{"Docs without a word", taking[bodyOf[Untold], ok](docs("note", "")),
		atChange + `its Docs say nothing of "note": say what it means`},
	{"one type of body with the same Docs twice: they agree", sharing("A note"), ""},
	{"one type of body with different Docs", sharing("Another note"),
		`POST /api/v1/other (changeOther): its Docs describe "note", and in other words so do those of an operation`},
}

var outputMistakes = []declarationMistake{
	{"an output without Body", taking[nothing, struct{}](nil),
		atThing + "its output: has no Body, so the caller learns nothing: declare one"},
	{"a body that is not exported", taking[nothing, struct{ body titled }](nil),
		atThing + "field body of the output: it is not exported, so it is left out: call it Body"},
	{"204 and an output without Body: there is nothing to tell", taking[nothing, struct{}](without), ""},
	{"204 and a Body", taking[nothing, ok](without),
		atChange + "its output: has a Body, and an answer with status 204 has none"},
	{"a member outside of the Body", taking[nothing, struct {
		Body  titled
		Total int
	}](nil), atThing + "field Total of the output: no caller sees it: put it into Body"},
	{"an answer of which nothing is exported", taking[nothing, bodyOf[struct{ title string }]](nil),
		atThing + "response: none of its fields is exported, so JSON leaves out all of them"},
	{"a header of an answer: a program may read it", taking[nothing, struct {
		Location string `header:"Location"`
		Body     titled
	}](nil), ""},
	{"an embedded struct in the output that is not exported", taking[nothing, struct {
		titled
		Body titled
	}](nil), atThing + "field titled of the output: the type of this embedded struct is not exported"},
	{"an output that is no struct", taking[nothing, []string](nil),
		atThing + "its output: is of type []string: declare a struct"},
	{"a channel in the answer", taking[nothing, bodyOf[valued[chan int]]](nil),
		atThing + "response property value: it is of type chan int, which JSON cannot hold"},
	{"a function that streams", taking[nothing, bodyOf[func()]](nil),
		atThing + "response: it is of type func(), which JSON cannot hold"},
	{"any value in the answer", taking[nothing, bodyOf[valued[any]]](nil),
		"G072 GET /api/v1/thing, response 200 property value: the schema has no type"},
	{"next_cursor without limit and cursor", taking[struct {
		Cursor string `query:"cursor" doc:"A cursor"`
	}, bodyOf[struct {
		Next string `json:"next_cursor" doc:"A cursor"`
	}]](nil), "G092 GET /api/v1/thing: it returns next_cursor but takes no limit"},
	{"201 and nothing to know a repetition by", taking[bodyOf[titled], ok](creating),
		atChange + "it creates something (status 201), so embed api.Once in its request body and api.Repeatable in"},
	{"Once without Repeatable", taking[bodyOf[onceOnly], ok](writing),
		atChange + "it embeds one of api.Once and api.Repeatable: embed both"},
	{"Repeatable in what only reads", taking[nothing, bodyOf[repeatableOnly]](nil),
		atThing + "it only reads, and repeating that does no harm: leave api.Once and api.Repeatable out"},
}

var targetMistakes = []declarationMistake{
	{"prefixes that overlap", func(s *api.Service) {
		s.Undoable("doc_", nil, keep)
		s.Undoable("doc_x", nil, keep)
	}, `Undoable("doc_x"): overlaps with that of "doc_", so that a target could be of both kinds`},
	{"no prefix", func(s *api.Service) { s.Undoable("", nil, keep) },
		`Undoable(""): has no prefix, and would stand for every target`},
	{"nothing that takes it back", func(s *api.Service) { s.Undoable("doc_", nil, nil) },
		`Undoable("doc_"): has no function: give it one`},
	{"what exists, twice", func(s *api.Service) {
		exists := func(context.Context, string, string) (bool, error) { return true, nil }
		s.Existing("doc_", exists)
		s.Existing("doc_", exists)
	}, `Existing("doc_"): overlaps with that of "doc_"`},
}

func keep(*store.Tx, store.Activity) error { return nil }

func TestEveryMistakeInADeclarationIsTold(t *testing.T) {
	for _, mistakes := range [][]declarationMistake{
		operationMistakes, widgetMistakes, inputMistakes, docsMistakes, outputMistakes, targetMistakes,
	} {
		for _, m := range mistakes {
			t.Run(m.name, func(t *testing.T) { m.try(t) })
		}
	}
}

func (m declarationMistake) try(t *testing.T) {
	told := faultsOf(api.Resource{Name: "own", Register: m.register})
	if m.fault == "" && len(told) > 0 {
		t.Errorf("it is right, but told %q", told)
	}
	if m.fault != "" && (len(told) != 1 || !strings.HasPrefix(told[0], m.fault)) {
		t.Errorf("told\n%s\nwant %s alone", strings.Join(told, "\n"), m.fault)
	}
}

// faultsOf are those of the declarations and of their document, as a start tells them.
func faultsOf(resources ...api.Resource) (told []string) {
	s := api.New(api.Options{Resources: append([]api.Resource{profile.Resource()}, resources...)})
	var scopes []openapi.Scope
	for _, op := range s.Operations() {
		scope := openapi.Scope{Name: op.Access.ScopeName(), Description: "For a test"}
		if scope.Name != "" && !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	_, err := openapi.New(s.OpenAPI(), openapi.Options{PublicURL: "https://api.example.com", Title: "T", Version: "1",
		PrivacyURL: "https://api.example.com/privacy", Scopes: scopes})
	if all := errors.Join(s.Err(), err); all != nil {
		told = strings.Split(all.Error(), "\n")
	}
	return told
}

func TestEveryMistakeInAResourceIsTold(t *testing.T) {
	none := func(*api.Service) {}
	for fault, resources := range map[string][]api.Resource{
		`resource "my-things": its Name is not a lower-case letter followed by`: {{Name: "my-things", Register: none}},
		`resource "profile": its Name is taken by another`:                      {{Name: "profile", Register: none}},
		`resource "own": its Name is taken by another`: {{Name: "own", Register: none},
			{Name: "own", Register: none}},
		`resource "own": has no Register: give it a function`: {{Name: "own"}},
	} {
		if told := faultsOf(resources...); len(told) != 1 || !strings.HasPrefix(told[0], fault) {
			t.Errorf("told %q, want %s", told, fault)
		}
	}
}
