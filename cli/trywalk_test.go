//go:build !production

package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"guestpass/gpttest"
)

// foreign is an app that somebody else wrote: its operations, and what answers to them.
type foreign struct {
	t          *testing.T
	operations []string // "METHOD path operationId" and members of the operation, as JSON
	schemas    string
	answer     func(r *http.Request, body map[string]any) (int, any)

	mu    sync.Mutex // A client that lost its answer may call again while the first call still ends.
	calls []string   // METHOD path body; to be read when tryIt has returned
}

func (f *foreign) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/openapi.json" {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, f.document("http://"+r.Host))
		return
	}
	content, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	f.calls = append(f.calls, strings.TrimSpace(r.Method+" "+r.URL.String()+" "+string(content)))
	f.mu.Unlock()
	var body map[string]any
	if len(content) > 0 && json.Unmarshal(content, &body) != nil {
		f.t.Errorf("%s %s: the body %s is no object", r.Method, r.URL, content)
	}
	status, answer := f.answer(r, body)
	if text, ok := answer.(string); ok {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

func (f *foreign) document(origin string) string {
	var paths []string
	byPath := map[string][]string{}
	for _, operation := range f.operations {
		parts := strings.SplitN(operation, " ", 4)
		if byPath[parts[1]] == nil {
			paths = append(paths, parts[1])
		}
		var parameters []string
		for _, name := range placeholders(parts[1]) {
			parameters = append(parameters,
				fmt.Sprintf(`{"name":%q,"in":"path","required":true,"schema":{"type":"string"}}`, name))
		}
		members := fmt.Sprintf(`"operationId":%q,"parameters":[%s],"responses":{"200":{"description":"OK"},`+
			`"2XX":{"description":"Well"}}`, parts[2], strings.Join(parameters, ","))
		if len(parts) > 3 {
			members = parts[3] + "," + members
		}
		byPath[parts[1]] = append(byPath[parts[1]], fmt.Sprintf("%q:{%s}", strings.ToLower(parts[0]), members))
	}
	for i, path := range paths {
		paths[i] = fmt.Sprintf("%q:{%s}", path, strings.Join(byPath[path], ","))
	}
	return fmt.Sprintf(`{"openapi":"3.1.0","info":{"title":"Foreign","version":"1"},"servers":[{"url":%q}],`+
		`"components":{"schemas":{%s}},"paths":{%s}}`, origin, f.schemas, strings.Join(paths, ","))
}

func placeholders(path string) (names []string) {
	for _, segment := range strings.Split(path, "/") {
		if strings.HasPrefix(segment, "{") {
			names = append(names, strings.Trim(segment, "{}"))
		}
	}
	return names
}

// taking is a body of these properties, the first n of which are required.
func taking(n int, properties ...string) string {
	var names []string
	for _, property := range properties[:n] {
		name, _, _ := strings.Cut(property, ":")
		names = append(names, name)
	}
	return fmt.Sprintf(`"requestBody":{"required":true,"content":{"application/json":{"schema":{"type":"object",`+
		`"required":[%s],"properties":{%s}}}}}`, strings.Join(names, ","), strings.Join(properties, ","))
}

// tryIt runs guestpass try against the app, which asks nobody to sign in.
func (f *foreign) tryIt(args ...string) (code int, stdout, stderr string) {
	f.t.Helper()
	server := httptest.NewServer(f)
	defer server.Close()
	return execute(f.t, nil, append([]string{"try", "--url", server.URL}, args...)...)
}

func TestTryWalksAForeignApp(t *testing.T) {
	version := 1
	note := func() map[string]any { return map[string]any{"id": 71, "text": "x", "rev": version} }
	f := &foreign{t: t, operations: []string{ // in no sensible order
		`DELETE /notebooks/{notebookId} removeNotebook`,
		`DELETE /notebooks/{notebookId}/notes/{id} removeNote`,
		`PUT /notebooks/{notebookId}/notes/{id} replaceNote ` +
			taking(2, `"text":{"type":"string","minLength":3}`, `"rev":{"type":"integer"}`),
		`GET /notebooks/{notebookId}/notes/{id} readNote`,
		`POST /notebooks/{notebookId}/notes writeNote ` +
			taking(1, `"text":{"type":"string","pattern":"^[A-Z]{4}$"}`, `"colour":{"type":"string","enum":["red"]}`),
		`POST /notebooks/{notebookId}/notes/{id}/pin pinNote`,
		`POST /notebooks createNotebook ` +
			taking(2, `"title":{"type":"string","example":"Travels"}`, `"owner":{"type":"string","format":"email"}`),
		`GET /notebooks listNotebooks`,
		`GET /themes/{theme} getTheme`,
	}}
	f.answer = func(r *http.Request, _ map[string]any) (int, any) {
		switch r.Method + " " + r.URL.Path {
		case "GET /notebooks":
			return 200, map[string]any{"items": []any{map[string]any{"id": "theirs"}}}
		case "POST /notebooks": // new, since it is on no list
			return 200, map[string]any{"data": map[string]any{"id": "nb1", "title": "Travels", "ownerId": "u1"}}
		case "POST /notebooks/nb1/notes":
			return 201, note()
		case "POST /notebooks/nb1/notes/71/pin", "PUT /notebooks/nb1/notes/71":
			version++
			return 200, note()
		}
		return 200, note()
	}
	code, stdout, stderr := f.tryIt()
	if code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	patterns := []string{"GET /notebooks", `POST /notebooks {"owner":"guest-*@example.com","title":"Travels"}`,
		`POST /notebooks/nb1/notes {"text":"*"}`,
		"GET /notebooks/nb1/notes/71", `PUT /notebooks/nb1/notes/71 {"rev":1,"text":"example"}`,
		"POST /notebooks/nb1/notes/71/pin",
		"DELETE /notebooks/nb1/notes/71", "DELETE /notebooks/nb1"}
	if len(f.calls) != len(patterns) {
		t.Fatalf("the calls are\n%s\nwant\n%s", strings.Join(f.calls, "\n"), strings.Join(patterns, "\n"))
	}
	for i, pattern := range patterns {
		before, after, _ := strings.Cut(pattern, "*")
		if !strings.HasPrefix(f.calls[i], before) || !strings.HasSuffix(f.calls[i], after) {
			t.Errorf("call %d is %s, want %s", i+1, f.calls[i], pattern)
		}
	}
	if want := "getTheme is left out: no answer has told a theme for theme"; !strings.Contains(stdout, want) {
		t.Errorf("no %q in\n%s", want, stdout)
	}
}

func TestTryLeavesOutWhatItCannotCallAndSaysWhy(t *testing.T) {
	for _, tt := range []struct{ name, operation, want string }{
		{"a removal that nothing names", `DELETE /notes clearNotes`, "removes something that this run did not make"},
		{"a removal by POST", `POST /account/close closeAccount`, "removes something that this run did not make"},
		{"a removal told by its summary", `POST /notes/all noteMaintenance "summary":"Deletes all notes"`,
			"removes something that this run did not make"},
		{"a removal by GET", `GET /notes/purge purgeNotes`, "removes something that this run did not make"},
		{"a change that nothing names", `PATCH /profile changeProfile ` + taking(1, `"name":{"type":"string"}`),
			"changes something that this run did not make"},
		{"what others made", `DELETE /notes/{note_id} deleteNote`, "this run made no note of its own for note_id"},
		{"what others made, by an example", `DELETE /x/{key} dropX`, "this run made no x of its own for key"},
		{"what others made, in a body", `POST /dropNotes dropNotes ` +
			taking(1, `"note_ids":{"type":"array","items":{"type":"string"},"example":["theirs"]}`),
			"this run made no note of its own for note_ids"},
		{"what others made, told to restore", `POST /notes/{note_id}/restore restoreNote`,
			"this run made no note of its own for note_id"},
		{"no value", `POST /notes/search searchNotes ` + taking(1, `"q":{"type":"string","minLength":2,"maxLength":1}`),
			"no value can be made: q: minLength: got 1, want 2"},
		{"no identifier", `GET /pens/{pen_id} getPen`, "no answer has told a pen for pen_id"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &foreign{t: t, operations: []string{`GET /notes listNotes`, tt.operation}}
			f.answer = func(*http.Request, map[string]any) (int, any) {
				return 200, []any{map[string]any{"note_id": "theirs"}}
			}
			code, stdout, stderr := f.tryIt()
			if code != 0 || !strings.Contains(stdout, tt.want) || strings.Join(f.calls, ";") != "GET /notes" {
				t.Errorf("exit code %d, calls %q, want %q in\n%s%s", code, f.calls, tt.want, stdout, stderr)
			}
		})
	}
}

// TestTryLooksAgainForWhatItCaused: a record of what was made may be acted on, and only
// that one. The list is asked once more, with the arguments that it requires.
func TestTryLooksAgainForWhatItCaused(t *testing.T) {
	f := &foreign{t: t, operations: []string{`POST /records/{record_id}/pin pinRecord`, `POST /notes createNote`,
		`POST /records/search searchRecords "x-openai-isConsequential":false,` + taking(1, `"q":{"type":"string"}`)}}
	records := []any{map[string]any{"record_id": "r1", "about": "n0"}}
	f.answer = func(r *http.Request, _ map[string]any) (int, any) {
		if r.URL.Path == "/notes" {
			records = append(records, map[string]any{"record_id": "r2", "about": "other", "pinable": true},
				map[string]any{"record_id": "r3", "about": "n1"})
			return 201, map[string]any{"note_id": "n1"}
		}
		return 200, map[string]any{"records": records}
	}
	code, stdout, stderr := f.tryIt()
	want := `POST /records/search {"q":"example"};POST /notes;POST /records/search {"q":"example"};POST /records/r3/pin`
	if got := strings.Join(f.calls, ";"); code != 0 || got != want {
		t.Errorf("exit code %d, calls %s, want %s\n%s%s", code, got, want, stdout, stderr)
	}
}

// TestTryOnlyReadsElsewhere: also when a document of this machine names another server.
func TestTryOnlyReadsElsewhere(t *testing.T) {
	f := &foreign{t: t, operations: []string{`GET /notes listNotes`, `POST /notes createNote`,
		`DELETE /notes/{id} deleteNote`, `POST /notes/find findNotes "x-openai-isConsequential":false`}}
	for _, tt := range []struct{ name, url, server string }{
		{"the document is elsewhere", "https://gpt.example.com", "http://localhost:1"},
		{"the server is elsewhere", "http://localhost:1", "https://gpt.example.com"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			imported, err := gpttest.ImportText(f.document(tt.server), gpttest.Options{})
			if err != nil || !imported.OK() {
				t.Fatalf("%v %+v", err, imported)
			}
			var called []string
			gpt := gpttest.New(imported,
				gpttest.Options{Approve: func(op gpttest.Operation, _ map[string]any) gpttest.Decision {
					called = append(called, op.ID)
					return gpttest.Decline
				}})
			var out bytes.Buffer
			failed, err := (&try{url: tt.url, print: newPrinter(&out, false)}).callAll(t.Context(), action{gpt},
				imported.Operations, remote(tt.url) || remote(tt.server))
			if err != nil || failed != 2 || strings.Join(called, " ") != "listNotes findNotes" ||
				!strings.Contains(out.String(),
					"deleteNote is left out: changes something on a server that is not on this machine; name it "+
						"with --call") {
				t.Errorf("%d failed, %v, called %q\n%s", failed, err, called, out.String())
			}
		})
	}
}

// TestTryInventsNoIdentifiers: one that was made up may be that of other people's record.
func TestTryInventsNoIdentifiers(t *testing.T) {
	title, id := `"title":{"type":"string"}`, `"id":{"type":"integer"}`
	for _, tt := range []struct{ name, operation, want string }{
		{"a bare id", `POST /upsert upsert ` + taking(2, id, title), "this run made nothing of its own for id"},
		{"a bare id of a thing", `POST /upsert upsertBook ` + taking(2, id, title),
			"this run made no book of its own for id"},
		{"a uuid", `POST /books saveBook ` + taking(2, `"uuid":{"type":"string"}`, title),
			"this run made no book of its own for uuid"},
		{"a key", `POST /settings storeSetting ` + taking(2, `"key":{"type":"string"}`, title),
			"this run made no setting of its own for key"},
		{"an id of the kind", `POST /books createBook ` + taking(2, `"book_id":{"type":"string"}`, title),
			"this run made no book of its own for book_id"},
		{"an example", `POST /books createBook ` + taking(2, `"id":{"type":"string","example":"theirs"}`, title),
			"this run made no book of its own for id"},
		{"a path", `PUT /books/{id} putBook ` + taking(1, title), "this run made no book of its own for id"},
		{"in an object", `POST /orders createOrder ` +
			taking(1, `"line":{"type":"object","required":["item_id"],"properties":{"item_id":{"type":"integer"}}}`),
			"no answer has told a value for line.item_id"},
		{"in a list", `POST /orders createOrder ` +
			taking(1, `"lines":{"type":"array","items":{"type":"object","required":["id"],"properties":`+
				`{"id":{"type":"integer"}}}}`),
			"no answer has told a value for lines.id"},
		{"a word before the kind", `POST /move moveIt ` + taking(1, `"into_shelf_id":{"type":"integer"}`),
			"this run made no shelf of its own for into_shelf_id"},
		{"what may be left out", `POST /books createBook ` + taking(1, title, `"id":{"type":"integer","example":1}`,
			`"key":{"type":"string","example":"k"}`), `POST /books {"title":"example"}`},
		{"a list of the document", `POST /books createBook ` +
			taking(1, `"shop_id":{"type":"string","enum":["north"]}`), `POST /books {"shop_id":"north"}`},
		{"the name of a request", `POST /books createBook ` +
			taking(1, `"client_request_id":{"type":"string","const":"r1"}`), `POST /books {"client_request_id":"r1"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &foreign{t: t, operations: []string{`GET /books listBooks`, tt.operation}}
			f.answer = func(*http.Request, map[string]any) (int, any) {
				return 200, []any{map[string]any{"book_id": "theirs"}}
			}
			code, stdout, stderr := f.tryIt()
			calls, sent := strings.Join(f.calls, ";"), strings.HasPrefix(tt.want, "POST")
			if code != 0 || sent && calls != "GET /books;"+tt.want || !sent &&
				(calls != "GET /books" || !strings.Contains(stdout, tt.want)) {
				t.Errorf("exit code %d, calls %q, want %q in\n%s%s", code, f.calls, tt.want, stdout, stderr)
			}
		})
	}
}

// TestTryTakesAFoundThingForNobodysOwn: a POST that answers 200 may have found what it answers.
func TestTryTakesAFoundThingForNobodysOwn(t *testing.T) {
	for _, tt := range []struct {
		name    string
		status  int
		list    any
		removes bool
	}{
		{"found", 200, nil, false},
		{"created", 201, nil, true},
		{"on no list", 200, []any{map[string]any{"user_id": 7}}, true},
		{"on no list so far", 200, map[string]any{"users": []any{}, "next_cursor": nil}, true},
		{"on the list", 200, []any{map[string]any{"user_id": 55}}, false},
		{"on the list, created", 201, []any{map[string]any{"user_id": 55}}, false},
		{"perhaps on the next page", 200, map[string]any{"users": []any{}, "next_cursor": "x"}, false},
		{"no list", 200, map[string]any{"user_id": 7}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &foreign{t: t, operations: []string{`POST /users addUser ` + taking(1, `"name":{"type":"string"}`),
				`DELETE /users/{user_id} deleteUser`}}
			if tt.list != nil {
				f.operations = append(f.operations, `GET /users listUsers`)
			}
			f.answer = func(r *http.Request, _ map[string]any) (int, any) {
				if r.Method == "GET" {
					return 200, tt.list
				}
				return tt.status, map[string]any{"user_id": 55, "existing": true}
			}
			code, stdout, stderr := f.tryIt()
			if removed := slices.Contains(f.calls, "DELETE /users/55"); code != 0 || removed != tt.removes {
				t.Errorf("exit code %d, calls %q\n%s%s", code, f.calls, stdout, stderr)
			}
			if told := strings.Contains(stdout,
				"nothing proves that this run made the user 55, which user_id would name"); tt.name == "found" &&
				!told {
				t.Errorf("the reason is not told:\n%s", stdout)
			}
		})
	}
}

// TestTryKnowsWhatIsLeftAfterARemoval: a removal takes away what it is about, and not
// where that was, in whichever order the document lists the two.
func TestTryKnowsWhatIsLeftAfterARemoval(t *testing.T) {
	both := `"id":{"type":"integer"}`
	for _, drop := range []string{`DELETE /shelves/{shelf_id}/books/{id} bookDrop`, `POST /drop bookDrop ` +
		taking(2, both, `"shelf_id":{"type":"integer"}`),
		`POST /drop bookDrop ` + taking(2, `"shelf_id":{"type":"integer"}`, both)} {
		f := &foreign{t: t, operations: []string{`POST /shelves shelfNew`, `POST /shelves/{shelf_id}/books bookNew`,
			drop,
			`DELETE /shelves/{shelf_id} shelfDrop`, `POST /shelf-erase shelfErase ` +
				taking(1, `"shelf_id":{"type":"integer"}`)}}
		f.answer = func(r *http.Request, _ map[string]any) (int, any) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/shelves"):
				return 201, map[string]any{"shelf": map[string]any{"id": 101}}
			case strings.HasSuffix(r.URL.Path, "/books"):
				return 201, map[string]any{"book": map[string]any{"id": 102}}
			}
			return 200, map[string]any{}
		}
		code, stdout, stderr := f.tryIt()
		dropped := slices.ContainsFunc(f.calls, func(call string) bool {
			return call == "DELETE /shelves/101/books/102" || call == `POST /drop {"id":102,"shelf_id":101}`
		})
		if code != 0 || !dropped || len(f.calls) != 4 || !strings.Contains(stdout,
			"this run has deleted the shelf 101 that it made, and has no other for shelf_id") {
			t.Errorf("%s: exit code %d, calls %q\n%s%s", drop, code, f.calls, stdout, stderr)
		}
	}
}

// TestTryTellsOfAnotherServer: a wrong public URL would only show as a page that does not open.
func TestTryTellsOfAnotherServer(t *testing.T) {
	f := &foreign{t: t, operations: []string{`GET /notes listNotes`}}
	for name, want := range map[string]bool{"": false, "http://localhost:1": true} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, f.document(cmp.Or(name, "http://"+r.Host)))
		}))
		defer server.Close()
		var out bytes.Buffer
		_, err := (&try{url: server.URL, print: newPrinter(&out, false)}).importDocument(t.Context())
		if told := strings.Contains(out.String(), "names the server "+name+"; if that is a Guestpass"); err != nil ||
			told != want {
			t.Errorf("%q: %v\n%s", name, err, out.String())
		}
	}
}

// TestTryRemovesOnlyWhatItMade goes through generated apps, each written in another
// manner and full of things of other people.
func TestTryRemovesOnlyWhatItMade(t *testing.T) {
	removed, changed := 0, 0
	const runs = 300
	for seed := range uint64(runs) {
		app := generatedApp(t, seed)
		server := httptest.NewServer(app)
		imported, err := gpttest.Import(t.Context(), server.URL+"/openapi.json", gpttest.Options{})
		if err != nil || !imported.OK() {
			t.Fatalf("seed %d: %v %+v", seed, err, imported)
		}
		var out bytes.Buffer
		command := &try{url: server.URL, print: newPrinter(&out, false)}
		gpt := action{gpttest.New(imported, gpttest.Options{})}
		if _, err := command.callAll(t.Context(), gpt, imported.Operations, false); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
		server.Close()
		if app.fault != "" {
			t.Errorf("seed %d: %s\n%s\n%s", seed, app.fault, out.String(), app.document(server.URL))
		}
		removed += app.removed
		changed += app.changed
	}
	t.Logf("%d apps: %d things of its own removed, %d changed", runs, removed, changed)
	if removed < runs/3 || changed < runs/3 {
		t.Errorf("too little was removed or changed for the test to mean anything")
	}
}

// app keeps things of one kind. All but those that were created since are other people's.
type app struct {
	foreign
	random           *rand.Rand
	made             map[string]bool
	removed, changed int
	fault            string // the first
	kind, idName     string
	wrap             func(any) any
	repeats          bool
}

func generatedApp(t *testing.T, seed uint64) *app {
	random := rand.New(rand.NewPCG(seed, 2))
	pick := func(options ...string) string { return options[random.IntN(len(options))] }
	kind := pick("note", "category", "box", "blogPost", "address")
	plural := map[string]string{"note": "notes", "category": "categories", "box": "boxes", "blogPost": "blog-posts",
		"address": "addresses"}[kind]
	a := &app{foreign: foreign{t: t}, random: random, made: map[string]bool{}, kind: kind}
	a.idName = pick("id", kind+"_id", kind+"Id", "uuid")
	wrapper := pick("", "data", kind)
	a.wrap = func(value any) any {
		if wrapper == "" {
			return value
		}
		return map[string]any{wrapper: value}
	}
	name := func(verb string) string {
		title := strings.ToUpper(kind[:1]) + kind[1:]
		return pick(verb+title, verb+"_"+kind, kind+"_"+verb, verb+title+"ForMe")
	}
	id, base := pick("id", kind+"_id", kind+"Id"), pick("", "/api/v2")+"/"+plural
	add := func(operation ...string) {
		if random.IntN(4) > 0 {
			a.operations = append(a.operations, strings.Join(operation, " "))
		}
	}
	text := `"text":{"type":"string"}`
	if random.IntN(2) == 0 { // by resource
		add("GET", base, "list_"+plural)
		add("POST", base, name(pick("create", "add", "new")), taking(1, text))
		add("GET", base+"/{"+id+"}", name("get"))
		add(pick("PATCH", "PUT"), base+"/{"+id+"}", name("update"), taking(1, text))
		add("DELETE", base+"/{"+id+"}", name("delete"))
		add("POST", base+"/{"+id+"}/"+pick("archive", "close"), name("archive"))
		add("DELETE", base, pick("deleteAll", "clear_all"))
	} else { // by procedure
		body := `"` + kind + `_id":{"type":"string"}`
		add("POST", "/list-"+plural, "search_"+plural, `"x-openai-isConsequential":false`)
		add("POST", "/create-"+kind, name("create"), taking(1, text))
		add("POST", "/change-"+kind, name("change"), taking(1, body, text))
		add("POST", "/delete-"+kind, name("delete"), taking(1, body, `"all":{"type":"boolean","example":true}`))
		add("POST", "/delete-many", "purge_many",
			taking(1, `"`+kind+`_ids":{"type":"array","items":{"type":"string"}}`))
	}
	// What looks as if it made something.
	add("POST", base+"/lookup", pick("find_", "get_or_create_", "ensure_", "create_or_find_")+kind, taking(1, text))
	add("POST", "/people/{user_id}/ban", "banUser")
	add("DELETE", "/users/{user_id}", "deleteUser")
	add("DELETE", "/organizations/{organization_id}", "deleteOrganization")
	add("GET", "/feed", "getFeed")
	add("DELETE", "/feed/{entry_id}", "removeEntry") // which speaks of what was made, and is not
	add("GET", "/folders", "listFolders")
	add("PATCH", "/folders/{folder_id}", "renameFolder", taking(1, text)) // which was there before
	random.Shuffle(len(a.operations), func(i, j int) {
		a.operations[i], a.operations[j] = a.operations[j],
			a.operations[i]
	})
	a.repeats = random.IntN(5) == 0 && slices.ContainsFunc(a.operations, func(operation string) bool {
		return strings.Contains(operation, " list_") || strings.Contains(operation, " search_")
	})
	if len(a.operations) == 0 {
		a.operations = []string{"GET " + base + " list"}
	}
	a.answer = a.respond
	return a
}

// thing is an answer about one thing, which names things of other kinds as well.
func (a *app) thing(id string) map[string]any {
	return map[string]any{a.idName: id, "text": "x", "user_id": "theirs-user", "organization_id": "theirs-organization",
		"history": []any{map[string]any{"entry_id": "theirs-entry", "about": id}}}
}

func (a *app) respond(r *http.Request, body map[string]any) (int, any) {
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	last := path[len(path)-1]
	switch {
	case r.URL.Path == "/feed":
		var items []any
		for id := range a.made {
			items = append(items, map[string]any{"entry_id": fmt.Sprintf("theirs-entry-%d", len(items)),
				"organization_id": "theirs-organization", "about": id})
		}
		return 200, map[string]any{"items": items}
	case r.URL.Path == "/folders":
		return 200, []any{map[string]any{"folder_id": "theirs-folder", "latest": fmt.Sprintf("made-%d", len(a.made)-1)}}
	case last == "lookup":
		return 200, a.wrap(a.thing("theirs-unseen"))
	case r.Method == "GET" && !strings.Contains(r.URL.Path, "made-") && !strings.Contains(r.URL.Path, "theirs"),
		strings.HasPrefix(last, "list-"):
		return 200, map[string]any{"items": []any{a.thing("theirs-1"), a.thing("theirs-2")}}
	case r.Method == "GET":
		return 200, a.wrap(a.thing(last))
	case r.Method == "POST" && (len(path) == 1 || path[0] == "api" && len(path) == 3) &&
		!strings.HasPrefix(last, "change-") && !strings.HasPrefix(last, "delete-"):
		if a.repeats {
			return 201, a.wrap(a.thing("theirs-1")) // as for a call that was made before
		}
		id := fmt.Sprintf("made-%d", len(a.made))
		a.made[id] = true
		return 200 + a.random.IntN(2), a.wrap(a.thing(id))
	}
	return 200, a.touched(r, last, body)
}

// touched judges a change or removal.
func (a *app) touched(r *http.Request, last string, body map[string]any) any {
	sent, _ := json.Marshal(body)
	told := r.URL.Path + string(sent)
	mine := strings.Contains(told, "made-")
	if !mine || strings.Contains(told, "theirs") || strings.Contains(told, `"all"`) {
		if a.fault == "" {
			a.fault = r.Method + " " + told + " is about what this run did not make"
		}
		return a.wrap(a.thing("theirs-1"))
	}
	if r.Method == "DELETE" || strings.HasPrefix(last, "delete-") {
		a.removed++
	} else {
		a.changed++
	}
	for id := range a.made {
		if strings.Contains(told, id) {
			return a.wrap(a.thing(id))
		}
	}
	return a.wrap(a.thing("made-0"))
}

func TestWhatAnOperationDoesFollowsFromItsDocument(t *testing.T) {
	for _, tt := range []struct {
		operation string
		want      effect
		subjects  string // the likeliest first
	}{
		{"GET /tasks listTasks", lists, "task"},
		{"GET /tasks/{id} getTask", reads, "task"},
		{"GET /tasks/deleted listDeletedTasks", lists, "deleted deletedtask task"},
		{"GET /trash/empty emptyTrash", removes, "empty trash"},
		{`GET /ring ringTheBell "x-openai-isConsequential":true`, changes, "ring ringthebell bell"},
		{"POST /tasks createTask", creates, "task"},
		{"POST /tasks/{task_id}/comments addTaskComment", creates, "comment taskcomment"},
		{"POST /tasks/{task_id}/complete completeTask", changes, "task complete completetask"},
		{"POST /members/invitations inviteMember", creates, "invitation member"},
		{"POST /rpc createUserForOrganization", creates, "rpc user"},
		{"POST /v1/users-to-teams add_user_to_team", creates, "user"},
		{`POST /search searchTasks "x-openai-isConsequential":false`, lists, "search task"},
		{`POST /tasks quickAdd "x-openai-isConsequential":false`, changes, "task quick"},
		{"PUT /tasks/{id} replaceTask", changes, "task"},
		{"DELETE /tasks/{id} task", removes, "task"},
		{"POST /bulk bulkDeleteTasks", removes, "bulk bulkdeletetask task"},
		{"POST /tasks/{id}/archive archiveTask", removes, "task archive"},
		{"POST /tasks/{id}/restore restoreTask", restores, "task restore restoretask"},
		{"POST /activity/{activity_id}/undo undoActivity", undoes, "activity undo undoactivity"},
		{`POST /sweep tidyUp "summary":"Removes what is old"`, removes, "sweep tidyup up"},
	} {
		f := &foreign{t: t, operations: []string{tt.operation}}
		imported, err := gpttest.ImportText(f.document("http://localhost:1"), gpttest.Options{})
		if err != nil || len(imported.Operations) != 1 {
			t.Fatalf("%s: %v %+v", tt.operation, err, imported)
		}
		if p := plan(imported.Operations)[0]; p.effect != tt.want || strings.Join(p.subjects, " ") != tt.subjects {
			t.Errorf("%s: effect %d about %q, want %d about %s", tt.operation, p.effect, p.subjects, tt.want,
				tt.subjects)
		}
	}
}

func TestTryTellsTheWholeRefusal(t *testing.T) {
	long := strings.Repeat("of many words ", 100)
	problem := map[string]any{"title": "Unprocessable Entity", "hint": "Use " + long + "the end.",
		"request_id": "req-7",
		"errors": []any{map[string]any{"location": "body.a", "message": "one"},
			map[string]any{"location": "body.b", "message": "two"}}}
	for _, tt := range []struct {
		name   string
		status int
		answer any
		code   int
		want   []string
	}{
		{"422", 422, problem, 1, []string{"422 {", "the end.", "req-7", "body.a", "body.b", "two",
			"1 operation failed"}},
		{"401", 401, problem, 1, []string{`WWW-Authenticate: Bearer error="invalid_token"`, "the end."}},
		{"403", 403, problem, 0, []string{"403 {", "the end.", `WWW-Authenticate: Bearer error="invalid_token"`}},
		{"a page", 500, "<html>\n<title>Oops \x1b[31m</title>" + long + "</html>", 1,
			[]string{"500 <html>", `Oops \u001b[31m`, "</html>"}},
		{"a redirect", 302, map[string]any{}, 1, []string{"302 {}"}},
		{"a page in place of JSON", 200, "<html>", 1,
			[]string{"the answer is not JSON, and is declared to be"}},
		{"an answer that is none of the document's", 200, map[string]any{"id": 7}, 1,
			[]string{"note: the answer is not what is declared: /id: got number, want string"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &foreign{t: t, operations: []string{`GET /notes listNotes`}}
			f.answer = func(*http.Request, map[string]any) (int, any) { return tt.status, tt.answer }
			document := strings.Replace(f.document("x"), `{"description":"OK"}`,
				`{"description":"OK","content":{"application/json":{"schema":{"type":"object","properties":`+
					`{"id":{"type":"string"}}}}}}`, 1)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/api.json" {
					f.ServeHTTP(w, r)
					return
				}
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, strings.Replace(document, `"url":"x"`, `"url":"http://`+r.Host+`"`, 1))
			}))
			defer server.Close()
			code, stdout, stderr := execute(t, nil, "try", "--url", server.URL+"/api.json")
			for _, want := range tt.want {
				if code != tt.code || !strings.Contains(stdout+stderr, want) {
					t.Errorf("exit code %d, no %q in\n%s%s", code, want, stdout, stderr)
				}
			}
			if strings.Contains(stdout, "\x1b") {
				t.Error("what a server wrote moves the terminal's cursor")
			}
		})
	}
}

func TestTryCanBeInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := &foreign{t: t, operations: []string{`GET /notes listNotes`}}
	f.answer = func(r *http.Request, _ map[string]any) (int, any) {
		cancel()
		<-r.Context().Done()
		return 200, nil
	}
	server := httptest.NewServer(f)
	defer server.Close()
	var out, errOut bytes.Buffer
	if code := run(ctx, []string{"try", "--url", server.URL}, nil, &out, &errOut); code != 1 ||
		errOut.String() != "guestpass: interrupted\n" {
		t.Errorf("exit code %d: %s%s", code, out.String(), errOut.String())
	}
}

func TestTryStopsWhenTheServerIsGone(t *testing.T) {
	f := &foreign{t: t, operations: []string{`GET /notes listNotes`, `GET /pens listPens`}}
	f.answer = func(*http.Request, map[string]any) (int, any) { panic(http.ErrAbortHandler) }
	code, stdout, stderr := f.tryIt()
	if code != 1 || !strings.Contains(stderr, "call listNotes: ClientResponseError: ") ||
		slices.Contains(f.calls, "GET /pens") {
		t.Errorf("exit code %d, %q: %s%s", code, f.calls, stdout, stderr)
	}
}
