package expenses_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"guestpass/api"
	"guestpass/guestpasstest"
	"guestpass/resources/activity"
	"guestpass/store"

	"example.com/expenses"
)

// onBoth runs a test on SQLite and on Postgres.
func onBoth(t *testing.T, test func(*testing.T, *world)) {
	for name, url := range map[string]func(*testing.T) string{
		"SQLite": func(*testing.T) string { return "" }, "Postgres": guestpasstest.Postgres,
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{guestpasstest.New(t, guestpasstest.Options{DatabaseURL: url(t),
				Resources: []api.Resource{expenses.Resource(), activity.Resource()}}), t}
			test(t, w)
		})
	}
}

type world struct {
	*guestpasstest.World
	t *testing.T
}

var all = []string{"openid", "expenses:read", "expenses:write", "activity:read"}

// as calls in the name of a person and returns the body of the answer.
func (w *world) as(person, method, path, body string, status int) map[string]any {
	w.t.Helper()
	r := w.Call(method, path, w.Token(person, all...), body)
	if r.Status != status {
		w.t.Fatalf("%s %s: %d %s, want %d", method, path, r.Status, r.Body, status)
	}
	answer := map[string]any{}
	if r.Body != "" {
		if err := json.Unmarshal([]byte(r.Body), &answer); err != nil {
			w.t.Fatal(err)
		}
	}
	return answer
}

func (w *world) enter(person, day string, cents int, more string) string {
	w.t.Helper()
	body := fmt.Sprintf(`{"cents":%d,"currency":"EUR","spent_on":%q%s}`, cents, day, more)
	return w.as(person, "POST", "/api/v1/expenses", body, 201)["expense_id"].(string)
}

func TestAnExpenseIsEnteredOnceAndChangedByItsVersion(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		id := w.enter(guestpasstest.Grace, "2026-11-30", 1250, `,"note":"Taxi"`)
		if again := w.as(guestpasstest.Grace, "POST", "/api/v1/expenses",
			`{"cents":1250,"currency":"EUR","spent_on":"2026-11-30","note":"Taxi"}`, 201); again["expense_id"] != id ||
			again["repeated"] != true {
			t.Errorf("an equal call enters another: %v", again)
		}
		path := "/api/v1/expenses/" + id
		if x := w.as(guestpasstest.Grace, "PATCH", path, `{"cents":1300,"version":1}`, 200); x["cents"] != 1300. ||
			x["note"] != "Taxi" || x["version"] != 2. {
			t.Errorf("changed to %v", x)
		}
		stale := w.as(guestpasstest.Grace, "PATCH", path, `{"cents":1,"version":1}`, 409)
		if current := stale["current"].(map[string]any); current["cents"] != 1300. || current["version"] != 2. {
			t.Errorf("a stale version is told %v", stale)
		}
		w.as(guestpasstest.Grace, "POST", "/api/v1/expenses",
			`{"cents":1,"currency":"EUR","spent_on":"2026-02-30"}`, 422)
	})
}

func TestTheListIsFilteredAndGoesOn(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for day := 1; day <= 7; day++ {
			w.enter(guestpasstest.Ada, fmt.Sprintf("2026-11-%02d", day), day, `,"category":"meals"`)
		}
		w.enter(guestpasstest.Ada, "2026-11-04", 4, `,"category":"travel"`)
		seen, cursor := []float64{}, ""
		at := func(cursor string) string { // an empty one is left out
			if cursor == "" {
				return ""
			}
			return "&cursor=" + cursor
		}
		for {
			page := w.as(guestpasstest.Ada, "GET", "/api/v1/expenses?category=meals&limit=3"+at(cursor), "", 200)
			for _, x := range page["expenses"].([]any) {
				seen = append(seen, x.(map[string]any)["cents"].(float64))
			}
			next, more := page["next_cursor"].(string)
			if !more {
				break
			}
			if cursor == "" { // with another filter it is another list's
				w.as(guestpasstest.Ada, "GET", "/api/v1/expenses?category=travel&cursor="+next, "", 422)
				w.as(guestpasstest.Grace, "GET", "/api/v1/expenses?category=meals&cursor="+next, "", 422)
			}
			cursor = next
		}
		if fmt.Sprint(seen) != "[7 6 5 4 3 2 1]" {
			t.Errorf("the pages have %v", seen)
		}
		if page := w.as(guestpasstest.Hank, "GET", "/api/v1/expenses", "", 200); len(page["expenses"].([]any)) != 0 {
			t.Errorf("another organization sees %v", page)
		}
	})
}

func TestAPageIsCutToSize(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		note := strings.Repeat("ä", 2000)
		for n := range 50 {
			w.enter(guestpasstest.Ada, "2026-11-30", n+1, `,"note":"`+note+`"`)
		}
		r := w.Call("GET", "/api/v1/expenses?limit=100", w.Token(guestpasstest.Ada, all...), "")
		if r.Status != 200 || len(r.Body) > 100_000 || !strings.Contains(r.Body, "next_cursor") {
			t.Errorf("%d, %d bytes", r.Status, len(r.Body))
		}
	})
}

func TestMonthsAreSummedUp(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.enter(guestpasstest.Ada, "2026-10-31", 100, "")
		w.enter(guestpasstest.Ada, "2026-11-01", 200, "")
		w.enter(guestpasstest.Grace, "2026-11-30", 300, "")
		months := w.as(guestpasstest.Ada, "GET", "/api/v1/expenses/summary", "", 200)["months"].([]any)
		if got := fmt.Sprint(months); got != "[map[cents:500 currency:EUR month:2026-11 number:2] "+
			"map[cents:100 currency:EUR month:2026-10 number:1]]" {
			t.Errorf("got %s", got)
		}
	})
}

func TestOnlyWhoEnteredItOrAnAdminChangesIt(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ofAda := w.enter(guestpasstest.Ada, "2026-11-30", 1, "")
		ofGrace := w.enter(guestpasstest.Grace, "2026-11-30", 2, "")
		w.as(guestpasstest.Grace, "PATCH", "/api/v1/expenses/"+ofAda, `{"cents":9}`, 403)
		w.as(guestpasstest.Grace, "DELETE", "/api/v1/expenses/"+ofAda, "", 403)
		w.as(guestpasstest.Hank, "PATCH", "/api/v1/expenses/"+ofAda, `{"cents":9}`, 404)
		w.as(guestpasstest.Ada, "PATCH", "/api/v1/expenses/"+ofGrace, `{"cents":9}`, 200) // an admin
	})
}

func TestADeletionIsUndoneAndSoIsItsUndoing(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		id := w.enter(guestpasstest.Grace, "2026-11-30", 1250, "")
		path := "/api/v1/expenses/" + id
		w.as(guestpasstest.Grace, "DELETE", path, "", 200)
		w.as(guestpasstest.Grace, "GET", path, "", 404)
		for _, status := range []int{200, 404, 200} { // undo the deletion, that undo, and that again
			list := w.as(guestpasstest.Grace, "GET", "/api/v1/activity?limit=1", "", 200)
			last := list["activities"].([]any)[0].(map[string]any)
			w.as(guestpasstest.Grace, "POST", "/api/v1/activity/"+last["activity_id"].(string)+"/undo", "", 200)
			w.as(guestpasstest.Grace, "GET", path, "", status)
		}
		narrow := w.Call("POST", "/api/v1/activity/"+w.last(guestpasstest.Grace)+"/undo",
			w.Token(guestpasstest.Grace, "expenses:read", "activity:read"), "")
		if narrow.Status != 403 {
			t.Errorf("undone without the scope of what is undone: %d %s", narrow.Status, narrow.Body)
		}
	})
}

func (w *world) last(person string) string {
	w.t.Helper()
	list := w.as(person, "GET", "/api/v1/activity?limit=1", "", 200)["activities"].([]any)
	return list[0].(map[string]any)["activity_id"].(string)
}

func TestAQuotaRefusesWhatIsTooMuch(t *testing.T) {
	w := &world{guestpasstest.New(t, guestpasstest.Options{Resources: []api.Resource{expenses.Resource()},
		Quota: store.Quota{Things: map[string]int64{"expenses": 4}}}), t}
	w.enter(guestpasstest.Ada, "2026-11-30", 1, "")
	w.enter(guestpasstest.Ada, "2026-11-30", 2, "")
	full := w.as(guestpasstest.Ada, "POST", "/api/v1/expenses",
		`{"cents":3,"currency":"EUR","spent_on":"2026-11-30"}`, 507)
	if told := fmt.Sprint(full); !strings.Contains(told, "GUESTPASS_QUOTA_EXPENSES") ||
		!strings.Contains(told, "Delete expenses that are not needed") {
		t.Errorf("told %s", told)
	}
}

// TestAPersonIsErased keeps what was spent, and what others wrote.
func TestAPersonIsErased(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.enter(guestpasstest.Ada, "2026-11-30", 1, `,"note":"Ada's words"`)
		w.enter(guestpasstest.Grace, "2026-11-30", 2, `,"note":"Grace's words"`)
		var p store.Person
		if err := w.Store.QueryRow(t.Context(), "SELECT owner, creator FROM expenses WHERE cents = 1").Scan(&p.Owner,
			&p.ID); err != nil {
			t.Fatal(err)
		}
		exported := 0
		if err := w.Store.Export(t.Context(), p, func(table string, row store.PersonalRow) error {
			if table == "expenses" {
				exported++
			}
			return nil
		}); err != nil || exported != 1 {
			t.Errorf("%d expenses exported, %v", exported, err)
		}
		if _, err := w.Store.Erase(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		list := fmt.Sprint(w.as(guestpasstest.Grace, "GET", "/api/v1/expenses", "", 200))
		if strings.Contains(list, "Ada's words") || strings.Contains(list, p.ID) ||
			!strings.Contains(list, "Grace's words") || strings.Count(list, "expense_id") != 2 {
			t.Error(list)
		}
	})
}

func TestTheScopesHaveWords(t *testing.T) {
	w := guestpasstest.New(t, guestpasstest.Options{Resources: []api.Resource{expenses.Resource()}})
	if page := w.Call("GET", "/privacy", "", ""); !strings.Contains(page.Body, "See what was spent") {
		t.Errorf("%d\n%s", page.Status, page.Body)
	}
}

func TestTheListHasAWidget(t *testing.T) {
	w := &world{guestpasstest.New(t, guestpasstest.Options{Resources: []api.Resource{expenses.Resource()}}), t}
	ask := func(method, params string) string {
		return w.Call("POST", "/mcp", w.Token(guestpasstest.Ada, all...),
			`{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":{`+params+`}}`).Body
	}
	named := regexp.MustCompile(`"resourceUri":"(ui://guestpass/expenses-[^"]+)"`)
	uri := named.FindStringSubmatch(ask("tools/list", ""))
	if uri == nil {
		t.Fatal("listExpenses names none")
	}
	if page := ask("resources/read", `"uri":"`+uri[1]+`"`); !strings.Contains(page, "<title>Expenses</title>") {
		t.Errorf("%.300s", page)
	}
}
