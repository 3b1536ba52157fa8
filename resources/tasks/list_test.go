package tasks_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"guestpass/guestpasstest"
	"guestpass/resources/tasks"
)

// titles are those of the tasks on all pages of a list.
func titles(t *testing.T, p *guestpasstest.Person, query string, limit int) string {
	t.Helper()
	var titles []string
	after := ""
	for pages := 0; ; pages++ {
		r := p.Call("GET", fmt.Sprintf("/api/v1/tasks?limit=%d%s%s", limit, query, after), "")
		var page struct {
			Tasks      []tasks.Task
			NextCursor string `json:"next_cursor"`
		}
		if err := json.Unmarshal([]byte(r.Body), &page); err != nil || r.Status != 200 || len(page.Tasks) > limit ||
			pages > 50 {
			t.Fatalf("%s: %d %s, %v", query, r.Status, r.Body, err)
		}
		for _, task := range page.Tasks {
			titles = append(titles, task.Title)
		}
		if page.NextCursor == "" {
			return strings.Join(titles, " ")
		}
		after = "&cursor=" + page.NextCursor
	}
}

func TestTasksAreFilteredAndSorted(t *testing.T) {
	onBoth(t, func(t *testing.T, w *guestpasstest.World) {
		p, other := w.As(ada), w.As(grace)
		for _, body := range []string{
			`{"title":"a","due":"2030-03-01","priority":"low","labels":["Home","garden"]}`,
			`{"title":"b","due":"2030-01-01","priority":"urgent","labels":["home"],"state":"done"}`,
			`{"title":"c","priority":"high","assignee":"` + grace + `"}`,
			`{"title":"d","due":"2030-02-01","assignee":"me","state":"in_progress","notes":"rain water"}`,
			`{"title":"e","priority":"high","labels":["garden"],"notes":"rain"}`,
		} {
			w.Stytch.Advance(time.Second)
			create(p, body)
		}
		w.Stytch.Advance(time.Second)
		p.Do(200, "DELETE", "/api/v1/tasks/"+create(p, `{"title":"deleted","labels":["home"],"notes":"rain"}`), "")
		list := p.Do(200, "GET", "/api/v1/tasks?search=rain&state=in_progress", "")
		d := list["tasks"].([]any)[0].(map[string]any)["task_id"].(string)
		w.Stytch.Advance(time.Second)
		p.Do(200, "PATCH", "/api/v1/tasks/"+d, `{"labels":["late"]}`)
		for query, want := range map[string]string{
			"":                           "b d a c e",
			"&sort=due":                  "b d a c e",
			"&sort=created":              "e d c b a",
			"&sort=updated":              "d e c b a",
			"&sort=priority":             "b e c d a",
			"&state=open":                "a c e",
			"&state=done":                "b",
			"&label=HOME":                "b a",
			"&label=garden&sort=created": "e a",
			"&label=late":                "d",
			"&label=none":                "",
			"&due_before=2030-02-01":     "b",
			"&due_before=2030-02-02":     "b d",
			"&assignee=me":               "d",
			"&assignee=" + grace:         "c",
			"&assignee=" + hank:          "",
			"&search=rain":               "e d",
			"&search=water+rain":         "d",
			"&search=rain&label=garden":  "e",
			"&search=rain&sort=created":  "e d",
			"&state=open&label=garden":   "a e",
			"&state=open&assignee=me":    "",
			"&label=home&due_before=2030-02-01&sort=priority": "b",
		} {
			for _, limit := range []int{1, 2, 100} {
				if got := titles(t, p, query, limit); got != want {
					t.Errorf("%s, %d on a page: %s, want %s", query, limit, got, want)
				}
			}
			total := p.Do(200, "GET", "/api/v1/tasks?limit=1"+query, "")["total"]
			if total != float64(len(strings.Fields(want))) {
				t.Errorf("%s: %v in total, want %q", query, total, want)
			}
		}
		if got := titles(t, other, "&assignee=me", 10); got != "c" {
			t.Errorf("of Grace: %s", got)
		}
	})
}

// A cursor is of one list: the person's, with its filters and its order.
func TestACursorOfTasksIsForItsListAlone(t *testing.T) {
	w := start(t, guestpasstest.Options{})
	p := w.As(ada)
	for i := range 3 {
		create(p, fmt.Sprintf(`{"title":"number %d","labels":["a"]}`, i))
	}
	first := p.Do(200, "GET", "/api/v1/tasks?limit=1&label=a", "")["next_cursor"].(string)
	p.Do(200, "GET", "/api/v1/tasks?limit=2&label=a&cursor="+first, "") // another size is no other list
	for name, tt := range map[string]struct {
		who   string
		query string
	}{
		"without the filter":      {ada, "?limit=1"},
		"with another label":      {ada, "?limit=1&label=b"},
		"with a filter more":      {ada, "?limit=1&label=a&state=open"},
		"in another order":        {ada, "?limit=1&label=a&sort=created"},
		"of somebody else":        {grace, "?limit=1&label=a"},
		"of another organization": {hank, "?limit=1&label=a"},
	} {
		r := w.As(tt.who).Call("GET", "/api/v1/tasks"+tt.query+"&cursor="+first, "")
		if r.Status != 422 || !strings.Contains(r.Body, `"location":"query.cursor"`) {
			t.Errorf("%s: %d %s", name, r.Status, r.Body)
		}
	}
}

func TestASearchTakesWordsAsPeopleWriteThem(t *testing.T) {
	onBoth(t, func(t *testing.T, w *guestpasstest.World) {
		p := w.As(ada)
		create(p, `{"title":"Water the plants & the lawn (again)","notes":"well-known: O'Neill's"}`)
		create(p, `{"title":"Give 100% of it"}`)
		create(p, `{"title":"a;b"}`)
		for search, found := range map[string]float64{
			"plants & lawn": 1, "LAWN, again": 1, `"water" - lawn`: 1, "well-known": 1, "O'Neill": 1,
			"plants OR rain": 0, "pla*": 0, "100%": 1, "a;b": 1,
		} {
			if total := p.Do(200, "GET", "/api/v1/tasks?search="+url.QueryEscape(search), "")["total"]; total != found {
				t.Errorf("%s: %v", search, total)
			}
		}
	})
}

func TestRepliesStayUnderWhatChatGPTTakes(t *testing.T) {
	p := start(t, guestpasstest.Options{}).As(ada)
	for i := range 30 {
		create(p, fmt.Sprintf(`{"title":"%d","notes":"%s"}`, i, strings.Repeat("<", 1500)))
	}
	seen, cursor := 0, ""
	for {
		r := p.Call("GET", "/api/v1/tasks?limit=100"+cursor, "")
		var page struct {
			Tasks      []any
			NextCursor string `json:"next_cursor"`
		}
		if err := json.Unmarshal([]byte(r.Body), &page); err != nil || len(r.Body) > 90_000 {
			t.Fatalf("%d characters, %v", len(r.Body), err)
		}
		seen += len(page.Tasks)
		if cursor = "&cursor=" + page.NextCursor; page.NextCursor == "" {
			break
		}
	}
	if seen != 30 {
		t.Errorf("%d of 30 tasks", seen)
	}
}

func TestCommentsComeInTheirOrderAndOnPages(t *testing.T) {
	onBoth(t, func(t *testing.T, w *guestpasstest.World) {
		p, other := w.As(ada), w.As(grace)
		id := create(p, `{"title":"x"}`)
		path := "/api/v1/tasks/" + id + "/comments"
		for i := range 5 {
			who := []*guestpasstest.Person{p, other}[i%2]
			added := who.Do(201, "POST", path, fmt.Sprintf(`{"text":"number %d\n\n- point"}`, i))
			if added["author"] != who.ID || added["task_id"] != id || added["created_at"] == nil ||
				added["text"] != fmt.Sprintf("number %d\n\n- point", i) {
				t.Errorf("%v", added)
			}
		}
		var seen []string
		after := ""
		for {
			page := p.Do(200, "GET", path+"?limit=2"+after, "")
			for _, c := range page["comments"].([]any) {
				text := c.(map[string]any)["text"].(string)
				seen = append(seen, strings.Fields(text)[1])
			}
			next, more := page["next_cursor"].(string)
			if !more {
				break
			}
			after = "&cursor=" + next
			another := "/api/v1/tasks/" + create(p, `{"title":"another","request_id":"`+next[:20]+`"}`) + "/comments"
			p.Do(422, "GET", another+"?limit=2"+after, "")
			other.Do(422, "GET", path+"?limit=2"+after, "")
		}
		if !slices.Equal(seen, []string{"0", "1", "2", "3", "4"}) {
			t.Errorf("%v", seen)
		}
		for _, tt := range []struct{ method, path, body, location string }{
			{"POST", path, `{"text":""}`, "body.text"},
			{"POST", path, `{"text":"` + strings.Repeat("é", 5001) + `"}`, "body.text"},
			{"POST", path, `{"text":"x","author":"` + hank + `"}`, "body.author"},
			{"GET", path + "?limit=101", "", "query.limit"},
			{"GET", path + "?author=" + ada, "", "query.author"},
		} {
			if r := p.Call(tt.method, tt.path, tt.body); r.Status != 422 ||
				!strings.Contains(r.Body, `"location":"`+tt.location+`"`) {
				t.Errorf("%s %s %.40s: %d %s", tt.method, tt.path, tt.body, r.Status, r.Body)
			}
		}
	})
}

// A comment is taken back by who wrote it, and nobody else.
func TestACommentIsUndoneByWhoWroteIt(t *testing.T) {
	w := start(t, guestpasstest.Options{})
	p, other := w.As(ada), w.As(grace)
	path := "/api/v1/tasks/" + create(p, `{"title":"x"}`) + "/comments"
	other.Do(201, "POST", path, `{"text":"hello"}`)
	undo := undoLast(other)
	p.Do(404, "POST", undo, "") // an admin, too
	for _, left := range []int{0, 1, 0} {
		other.Do(200, "POST", undo, "")
		if comments := p.Do(200, "GET", path, "")["comments"].([]any); len(comments) != left {
			t.Errorf("%v, want %d", comments, left)
		}
		undo = undoLast(other)
	}
}
