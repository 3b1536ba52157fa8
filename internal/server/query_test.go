package server_test

import (
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAQueryIsUnderstoodWholeOrRefused(t *testing.T) {
	w := newWorld(t)
	token := w.token(ada, "tasks:read", "tasks:write")
	for _, title := range []string{"Water the plants", "Give 100% of it", "a;b"} {
		if r := w.call("POST", "/api/v1/tasks", token, `{"title":"`+title+`"}`); r.status != 201 {
			t.Fatal(r.body)
		}
	}
	for _, tt := range []struct{ query, place, words string }{
		{"search=100%", "query.search", "write %25"},
		{"state=%zz", "query.state", "write %25"},
		{"limit=%", "query.limit", "write %25"},
		{"assignee=%G1", "query.assignee", "write %25"},
		{"%73earch=100%", "query.search", "write %25"},
		{"unknown=%", "query.unknown", "write %25"},
		{"search%=plants", "query", "write %25"},
		{"search=plants;state=open", "query.search", "write %3B"},
		{"search=%ff", "query.search", "UTF-8"},
		{"search=%00", "query.search", "U+0000"},
		{"=plants", "query", "no name"},
		{"search", "query.search", "is empty"},
		{"search&search", "query.search", "more than once"},
		{"search=plants&%73earch=plants", "query.search", "more than once"},
		{"limit=1&limit=1", "query.limit", "more than once"},
		{"search=plants&search", "query.search", "more than once"},
		{"Search=plants", "query.Search", "unknown"},
		{"search%20=plants", "query.search ", "unknown"},
		{"search[]=plants", "query.search[]", "unknown"},
		{"%00=plants", `query.\\u0000`, "unknown"},
		{"limit=+5", "query.limit", "whole number"},
		{"limit=1.5", "query.limit", "whole number"},
	} {
		r := w.call("GET", "/api/v1/tasks?"+tt.query, token, "")
		if r.status != 422 || !strings.Contains(r.body, `"location":"`+tt.place+`"`) ||
			!strings.Contains(r.body, tt.words) {
			t.Errorf("%s: %d %s, want %q at %s", tt.query, r.status, r.body, tt.words, tt.place)
		}
	}
	for query, found := range map[string]int{
		"": 3, "?": 3, "?search=plants": 1, "?%73earch=%70lants": 1, "?search=water+plants": 1, "?search=100%25": 1,
		"?search=a%3Bb":    1,
		"?&search=plants&": 1, "?limit=2.0": 2, "?limit=1e0&state=open": 1, "?search=water%20plants&state=open": 1,
	} {
		if r := w.call("GET", "/api/v1/tasks"+query, token, ""); r.status != 200 ||
			strings.Count(r.body, `"task_id"`) != found {
			t.Errorf("%s: %d %s, want %d tasks", query, r.status, r.body, found)
		}
	}
}

func TestAPathIsUnderstoodWholeOrRefused(t *testing.T) {
	w := newWorld(t, kinds)
	for _, tt := range []struct{ segment, words string }{{"%ff", "UTF-8"}, {"%00", "U+0000"}, {"1%2F2", "slash"},
		{"x", "whole number"}, {"1%20", "whole number"}} {
		if r := w.call("GET", "/api/v1/kinds/"+tt.segment, "", ""); r.status != 422 ||
			!strings.Contains(r.body, `"location":"path.id"`) || !strings.Contains(r.body, tt.words) {
			t.Errorf("%s: %d %s", tt.segment, r.status, r.body)
		}
	}
	if r := w.call("GET", "/api/v1/kinds/%31%2e0?ids=1.0,2e1&more=3&more=%34&text=a%26b%3Dc", "",
		""); r.status != 200 ||
		!strings.Contains(r.body, `\"ID\":1,`) || !strings.Contains(r.body, `\"Ids\":[1,20],\"More\":[3,4]`) ||
		!strings.Contains(r.body, `a\\u0026b=c`) {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestTheAccountPageRefusesWhatCannotBeRead(t *testing.T) {
	w := newWorld(t)
	for query, status := range map[string]int{"": 200, "?utm=x": 200, "?revoked=made-up": 200, "?revoked=%": 400,
		"?x=%zz": 400, "?a;b": 400, "?revoked=a&revoked=b": 400, "?revoked=%ff": 400} {
		if r := w.call("GET", "/account"+query, "", ""); r.status != status ||
			!strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: %d", query, r.status)
		}
	}
	_, p, form := w.beforeRevoking()
	for name, body := range map[string]string{"twice": "form=" + form + "&%66orm=" + form,
		"with a broken field": "form=" + form + "&x=%", "with a semicolon": "form=" + form + ";x"} {
		answer := httptest.NewRecorder()
		if w.app.ServeHTTP(answer, p.request(strings.NewReader(body))); answer.Code != 403 {
			t.Errorf("%s: %d", name, answer.Code)
		}
	}
}

func TestABodyIsWhatItSays(t *testing.T) {
	w := newWorld(t)
	token := w.token(ada, "tasks:read", "tasks:write", "openid")
	with := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = values }
	}
	var zipped strings.Builder
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte(`{"title":"Zipped"}`))
	_ = z.Close()
	for name, tt := range map[string]struct {
		body           string
		change         func(*http.Request)
		status         int
		header, answer string
	}{
		"gzip": {zipped.String(), with("Content-Encoding", "gzip"), 415, "Accept-Encoding",
			"identity"},
		"gzip that is none": {`{"title":"a"}`, with("Content-Encoding", "GZIP"), 415, "Accept-Encoding",
			"identity"},
		"br": {`{"title":"b"}`, with("Content-Encoding", "br"), 415, "Accept-Encoding", "identity"},
		"zstd": {`{"title":"c"}`, with("Content-Encoding", "zstd"), 415, "Accept-Encoding",
			"identity"},
		"identity, then gzip": {`{"title":"d"}`, with("Content-Encoding", "identity, gzip"), 415, "Accept-Encoding",
			"identity"},
		"deflate in a second": {`{"title":"e"}`, with("Content-Encoding", "identity", "deflate"), 415,
			"Accept-Encoding", "identity"},
		"gzip without a body": {``, with("Content-Encoding", "gzip"), 415, "Accept-Encoding", "identity"},
		"gzip without saying": {zipped.String(), with("Content-Type", "application/json"), 400, "", ""},
		"identity":            {`{"title":"f"}`, with("Content-Encoding", "Identity"), 201, "", ""},
		"an empty coding":     {`{"title":"g"}`, with("Content-Encoding", ""), 201, "", ""},
		"UTF-8": {`{"title":"h"}`, with("Content-Type", `application/json; charset="UTF-8"`), 201, "",
			""},
		"Latin-1": {`{"title":"i"}`, with("Content-Type", "application/json; charset=iso-8859-1"), 415,
			"Accept", "application/json"},
		"UTF-16": {`{"title":"j"}`, with("Content-Type", "application/json; charset=utf-16"), 415,
			"Accept", "application/json"},
		"text": {`{"title":"k"}`, with("Content-Type", "text/plain"), 415, "Accept",
			"application/json"},
		"a form": {`title=l`, with("Content-Type", "application/x-www-form-urlencoded"), 415, "Accept",
			"application/json"},
		"two types": {`{"title":"m"}`, with("Content-Type", "application/json", "text/plain"), 415,
			"Accept", "application/json"},
		"no type that is read": {`{"title":"n"}`, with("Content-Type", "application/json; ="), 415, "Accept",
			"application/json"},
		"no type":               {`{"title":"o"}`, with("Content-Type"), 201, "", ""},
		"another JSON":          {`{"title":"p"}`, with("Content-Type", "application/vnd.api+json"), 201, "", ""},
		"a type in big letters": {`{"title":"q"}`, with("Content-Type", "Application/JSON"), 201, "", ""},
	} {
		r := w.call("POST", "/api/v1/tasks", token, tt.body, tt.change)
		if r.status != tt.status || tt.header != "" && r.header.Get(tt.header) != tt.answer {
			t.Errorf("%s: %d %v %s", name, r.status, r.header, r.body)
		}
		if r.status == 415 && !strings.Contains(r.body, "not compressed") {
			t.Errorf("%s: no hint: %s", name, r.body)
		}
	}
	if r := w.call("GET", "/api/v1/userinfo", token, "", with("Content-Encoding", "gzip")); r.status != 200 {
		t.Errorf("a call without a body: %d %s", r.status, r.body)
	}
}

func TestABodyThatIsNotTakenIsRefused(t *testing.T) {
	w := newWorld(t)
	token := w.token(ada, everything...)
	_ = w.call("POST", "/api/v1/tasks", token, `{"title":"Water the plants"}`)
	id := w.call("GET", "/api/v1/tasks", token, "").body
	id = id[strings.Index(id, `"task_id":"`)+len(`"task_id":"`):]
	task := "/api/v1/tasks/" + id[:strings.Index(id, `"`)]
	undo := "/api/v1/activity/" + w.lastActivity() + "/undo"
	chunked := func(r *http.Request) { r.ContentLength = -1 }
	for _, body := range []string{`{"junk":1}`, `{"version":1}`, `[]`, `null`, `junk`, "{}{}",
		strings.Repeat(" ", 100) + `{"junk":1}`} {
		for _, path := range []string{"DELETE " + task, "POST " + task + "/complete", "POST " + undo, "GET " + task,
			"GET /api/v1/next-steps"} {
			method, path, _ := strings.Cut(path, " ")
			r := w.call(method, path, token, body)
			if streamed := w.call(method, path, token, body, chunked); r.status != 422 || streamed.status != 422 ||
				!strings.Contains(r.body, `"location":"body","message":"is not taken by this operation`) {
				t.Errorf("%s %s with %s: %d %s", method, path, body, r.status, r.body)
			}
		}
	}
	if r := w.call("DELETE", task, "", `{"junk":1}`); r.status != 401 {
		t.Errorf("without a token: %d %s", r.status, r.body)
	}
	for _, body := range []string{"", " { }\n", "{}", "\n"} {
		if r := w.call("DELETE", task, token, body, chunked); r.status != 200 {
			t.Errorf("with %q: %d %s", body, r.status, r.body)
		}
	}
}
