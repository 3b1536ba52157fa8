package api_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/guestpasstest"
	"guestpass/stytchtest"
)

// What the lists of these tests are asked: for numbers up to ten, which need no table.
type (
	NumberFilter struct {
		Even  bool     `query:"even" doc:"Only even numbers"`
		Above int      `query:"above" doc:"Only greater numbers"`
		Words []string `query:"words" doc:"For nothing but to be part of the cursor"`
	}
	NumberPage struct {
		Limit  int    `query:"limit" minimum:"1" maximum:"50" default:"4" doc:"How many"`
		Cursor string `query:"cursor" doc:"next_cursor of the page before"`
	}
	numbersInput struct {
		Shelf string `path:"shelf" maxLength:"10" doc:"Where they are"`
		NumberPage
		NumberFilter
	}
	numbersOutput struct {
		Body struct {
			Numbers    []int  `json:"numbers" doc:"Numbers"`
			NextCursor string `json:"next_cursor,omitempty" doc:"For the next page"`
		}
	}
)

func (in numbersInput) find(after string, most int) (found []int) {
	begin, _ := strconv.Atoi(after)
	for n := max(begin, in.Above) + 1; n <= 10 && len(found) < most; n++ {
		if !in.Even || n%2 == 0 {
			found = append(found, n)
		}
	}
	return found
}

// numbers are two lists of the same kind.
var numbers = api.Resource{Name: "numbers", Register: func(s *api.Service) {
	for _, id := range []string{"listNumbers", "listOthers"} {
		api.Register(s, api.Operation{ID: id, Method: http.MethodGet, Path: "/api/v1/" + id + "/{shelf}",
			Summary: "List numbers", Description: "Lists them.", Access: auth.Scope("tasks:read")},
			func(ctx context.Context, in *numbersInput) (*numbersOutput, error) {
				page, err := api.PageOf(ctx, s, in)
				if err != nil {
					return nil, err
				}
				out := &numbersOutput{}
				out.Body.Numbers, out.Body.NextCursor, err = api.Cut(page, in.find(page.After, page.Limit+1),
					func(n int) int { return n }, strconv.Itoa)
				return out, err
			})
	}
}}

const anotherApp = "connected-app-test-dddddddd-0000-4000-8000-000000000002"

func startNumbers(t *testing.T) *guestpasstest.World {
	t.Helper()
	return guestpasstest.New(t, guestpasstest.Options{Resources: []api.Resource{numbers},
		Change: func(o *guestpass.Options) { o.ClientIDs = append(o.ClientIDs, anotherApp) }})
}

func TestAListGoesOnWhereItsPageEnded(t *testing.T) {
	p := startNumbers(t).As(guestpasstest.Ada)
	for query, want := range map[string]string{
		"?x":                           "",
		"?limit=3":                     "[1 2 3][4 5 6][7 8 9][10]",
		"?limit=5":                     "[1 2 3 4 5][6 7 8 9 10]", // without an empty page behind
		"?limit=10":                    "[1 2 3 4 5 6 7 8 9 10]",
		"?limit=50":                    "[1 2 3 4 5 6 7 8 9 10]",
		"?even=true":                   "[2 4 6 8][10]",
		"?even=true&above=6":           "[8 10]",
		"?above=8&limit=1":             "[9][10]",
		"?above=10":                    "[]",
		"?even=true&words=a,b&limit=4": "[2 4 6 8][10]",
	} {
		if query == "?x" {
			query, want = "?", "[1 2 3 4][5 6 7 8][9 10]"
		}
		got, after := "", ""
		for {
			page := p.Do(200, "GET", "/api/v1/listNumbers/a"+query+after, "")
			got += fmt.Sprint(page["numbers"])
			next, more := page["next_cursor"].(string)
			if !more {
				break
			}
			after = "&cursor=" + next
		}
		if got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

// Whatever a cursor was not made for, it is refused for, in the same words.
func TestACursorIsForItsListItsFiltersItsPersonAndItsApp(t *testing.T) {
	w := startNumbers(t)
	ada := w.As(guestpasstest.Ada)
	const list = "/api/v1/listNumbers/a?even=true&above=1&words=x,y"
	cursor := ada.Do(200, "GET", list+"&limit=1", "")["next_cursor"].(string)
	through := func(who, app string) string {
		return w.Mint(stytchtest.MintRequest{Subject: who, ClientID: app, Scopes: []string{"tasks:read"}})
	}
	own := ada.Token()
	for _, path := range []string{list, list + "&limit=2", "/api/v1/listNumbers/a?words=x%2Cy&above=1.0&even=true"} {
		if r := w.Call("GET", path+"&cursor="+cursor, own, ""); r.Status != 200 || !strings.Contains(r.Body, "[4") {
			t.Errorf("%s is the same list: %d %s", path, r.Status, r.Body)
		}
	}
	for name, tt := range map[string]struct{ path, token, cursor string }{
		"another operation":       {"/api/v1/listOthers/a?even=true&above=1&words=x,y", own, cursor},
		"another path":            {"/api/v1/listNumbers/b?even=true&above=1&words=x,y", own, cursor},
		"another value":           {"/api/v1/listNumbers/a?even=true&above=2&words=x,y", own, cursor},
		"a filter less":           {"/api/v1/listNumbers/a?above=1&words=x,y", own, cursor},
		"a filter turned round":   {"/api/v1/listNumbers/a?even=false&above=1&words=x,y", own, cursor},
		"another list of values":  {"/api/v1/listNumbers/a?even=true&above=1&words=xy", own, cursor},
		"a list in another order": {"/api/v1/listNumbers/a?even=true&above=1&words=y,x", own, cursor},
		"no filter at all":        {"/api/v1/listNumbers/a?limit=1", own, cursor},
		"another person":          {list, w.As(guestpasstest.Grace).Token(), cursor},
		"another organization":    {list, w.As(guestpasstest.Hank).Token(), cursor},
		"another app":             {list, through(guestpasstest.Ada, anotherApp), cursor},
		"a cursor that was cut":   {list, own, cursor[:len(cursor)-1]},
		"a longer cursor":         {list, own, cursor + "A"},
		"a padded cursor":         {list, own, cursor + "%3D"},
		"a broken line":           {list, own, cursor[:4] + "%0A" + cursor[4:]},
		"no signature":            {list, own, base64.RawURLEncoding.EncodeToString([]byte("2"))},
		"one made up":             {list, own, "next"},
		"a position by itself":    {list, own, "2"},
	} {
		r := w.Call("GET", tt.path+"&cursor="+tt.cursor, tt.token, "")
		var problem api.Problem
		if err := json.Unmarshal(
			[]byte(r.Body),
			&problem,
		); err != nil || r.Status != 422 ||
			len(problem.Errors) != 1 ||
			problem.Errors[0].Location != "query.cursor" {
			t.Errorf("%s: %d %s", name, r.Status, r.Body)
		}
	}
	for i := range cursor {
		changed := []byte(cursor)
		changed[i] = map[bool]byte{true: 'B', false: 'A'}[changed[i] == 'A']
		if r := w.Call("GET", list+"&cursor="+string(changed), own, ""); r.Status != 422 {
			t.Errorf("character %d changed: %d %s", i, r.Status, r.Body)
		}
	}
}

// Servers of one project are one: what the one has signed the other takes, and no server of another project does.
func TestACursorIsGoodOnEveryInstance(t *testing.T) {
	first, second := startNumbers(t), startNumbers(t)
	other := guestpasstest.New(t, guestpasstest.Options{Resources: []api.Resource{numbers}, Vertical: auth.Consumer})
	cursor := first.As(guestpasstest.Ada).Do(200, "GET", "/api/v1/listNumbers/a?limit=1", "")["next_cursor"].(string)
	path := "/api/v1/listNumbers/a?limit=1&cursor=" + cursor
	if page := second.As(guestpasstest.Ada).Do(200, "GET", path, ""); fmt.Sprint(page["numbers"]) != "[2]" {
		t.Errorf("%v", page)
	}
	other.As(guestpasstest.UserAda).Do(422, "GET", path, "")
}

func TestAPageOutsideOfAnOperationIsRefused(t *testing.T) {
	_, err := api.PageOf(t.Context(), api.New(api.Options{}), &numbersInput{})
	if err == nil || !strings.Contains(err.Error(), "pass on the context that the handler was given") {
		t.Error(err)
	}
}

// A page ends where a client takes no more, and has one element at least.
func TestAPageIsCutToSize(t *testing.T) {
	const quotes = 2 // around a text in JSON
	for name, tt := range map[string]struct {
		sizes []int
		limit int
		shown int
		next  string
	}{
		"nothing":                         {nil, 3, 0, ""},
		"less than a page":                {[]int{10, 10}, 3, 2, ""},
		"exactly a page":                  {[]int{10, 10, 10}, 3, 3, ""},
		"one more than a page":            {[]int{10, 10, 10, 10}, 3, 3, "2"},
		"exactly as much as fits":         {[]int{api.MaxPage - 100, 100}, 3, 2, ""},
		"a byte more":                     {[]int{api.MaxPage - 100, 101}, 3, 1, "0"},
		"a first one that is too large":   {[]int{2 * api.MaxPage, 10}, 3, 1, "0"},
		"an only one that is too large":   {[]int{2 * api.MaxPage}, 3, 1, ""},
		"a last one that is too large":    {[]int{10, 10, 2 * api.MaxPage}, 3, 2, "1"},
		"more than the limit by its size": {[]int{40_000, 40_000, 40_000, 40_000}, 3, 2, "1"},
	} {
		var stored []int
		for i := range tt.sizes {
			stored = append(stored, i)
		}
		page := api.Page{Limit: tt.limit}
		shown, next, err := api.Cut(
			page,
			stored,
			func(i int) string { return strings.Repeat("x", tt.sizes[i]-quotes) },
			strconv.Itoa,
		)
		if err != nil || len(shown) != tt.shown || shown == nil || next != page.Next(tt.next) {
			t.Errorf("%s: %d shown, next %q, %v", name, len(shown), next, err)
		}
	}
	// What JSON writes longer counts as it is written.
	if shown, _, err := api.Cut(
		api.Page{Limit: 3},
		[]int{0, 1},
		func(int) string { return strings.Repeat("\"", 22_000) },
		strconv.Itoa,
	); len(shown) != 1 ||
		err != nil {
		t.Errorf("%d with escapes, %v", len(shown), err)
	}
	if _, _, err := api.Cut(
		api.Page{Limit: 3},
		[]int{0},
		func(int) any { return func() {} },
		strconv.Itoa,
	); err == nil {
		t.Error("what JSON cannot hold is shown")
	}
}
