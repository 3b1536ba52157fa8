package site

import (
	"encoding/json"
	"html"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
)

// published is a document with one operation that has a little of everything, and a text of others in each place.
func published(t *testing.T) []byte {
	t.Helper()
	text := func(schema object) object { return object{"application/json": object{"schema": schema}} }
	const words = `<b>&amp; "words" 'of' others`
	document := object{"paths": object{"/api/v1/shops/{shop_id}": object{"post": object{
		"operationId": "moveShop", "description": words, "security": []any{object{"oauth2": []any{"shops"}}},
		"parameters": []any{
			object{"name": "shop_id", "in": "path", "required": true, "description": words,
				"schema": object{"type": "string", "pattern": `^[a-z<]+$`, "maxLength": 40}},
			object{"name": "floor", "in": "query", "required": true,
				"schema": object{"type": "integer", "minimum": 1, "maximum": 9, "default": 3}},
			object{"name": "open", "in": "query", "schema": object{"type": "boolean"}},
			object{"name": "tags", "in": "query", "schema": object{"type": "array", "maxItems": 5, "uniqueItems": true,
				"items": object{"type": "string", "enum": []any{"new", "old"}}}},
			object{"name": "ids", "in": "query", "explode": false,
				"schema": object{"type": "array", "items": object{"type": "integer"}}}},
		"requestBody": object{"content": text(object{"type": "object", "required": []any{"name"}, "properties": object{
			"name":  object{"type": "string", "minLength": 1, "example": `O'Brien & "Co" <b>`, "description": words},
			"above": object{"type": "number", "exclusiveMinimum": 0.5, "deprecated": true},
			"owner": object{"type": "object", "required": []any{"email"}, "properties": object{
				"email": object{"type": "string", "format": "email"}}}}})},
		"responses": object{"200": object{"description": "OK", "content": text(object{"type": "object",
			"properties": object{"shops": object{"type": "array", "items": object{"type": "object",
				"required": []any{"id"}, "properties": object{"id": object{"type": "string", "description": words}}}},
				"more": object{"type": "object", "additionalProperties": object{"type": "integer"}}}})},
			"507": object{"description": "Full: " + words}}}}}}
	made, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func docsPage(t *testing.T, change func(*Options)) string {
	t.Helper()
	o := Options{Title: "Acme", PublicURL: "https://gpt.example.com", DocsClientID: "connected-app-test-x",
		Document: published(t), Published: []Operation{{ID: "moveShop", Summary: "Move a <shop>", Effect: "destroy",
			Method: "POST", Path: "/api/v1/shops/{shop_id}", External: true,
			Scopes: []Scope{{"shops", "Move & close shops"}, {"all", ""}}}}}
	if change != nil {
		change(&o)
	}
	w := httptest.NewRecorder()
	siteOf(t, o).Docs.ServeHTTP(w, httptest.NewRequest("GET", "/docs", nil))
	return w.Body.String()
}

// TestTheOperationsPageSaysAllThatTheDocumentDoes, in words, and as text.
func TestTheOperationsPageSaysAllThatTheDocumentDoes(t *testing.T) {
	page := docsPage(t, nil)
	if strings.Contains(page, "<b>&") || strings.Contains(page, "<shop>") || strings.Contains(page, `Co" <b>`) {
		t.Error("texts of others are markup")
	}
	shown, at := html.UnescapeString(page), 0
	for _, want := range []string{"<h2>Shops</h2>", "<h3>Move a <shop></h3>", ">removes<", ">acts outside<",
		"<b>POST</b> /api/v1/shops/{shop_id}", `<div id="moveShop"`, `<b>&amp; "words" 'of' others`,
		"<code>shops</code> (Move & close shops) or <code>all</code>", "It removes something",
		"<code>shop_id</code> <span class=\"muted\">in the path, <b>required</b>",
		"string, at most 40 characters, like <code>^[a-z<]+$</code>", "integer, 1 to 9, else 3", "<td>boolean</td>",
		"list of string, at most 5 values, each once, one of new, old", "list of integer",
		"<code>name</code> <b class=\"muted\">required", "string, at least 1 character<",
		`Such as</span> <code>"O'Brien & \"Co\" <b>"</code>`,
		"number, more than 0.5, going away", "<code>owner</code>", "<code>owner.email</code>", "string (email)",
		`name="shop_id" data-in="path" required`, `name="floor" data-in="query" required inputmode="decimal"`,
		"<option>true</option>", `name="tags" data-in="query" data-list="repeated"`, `data-list="commas"`,
		`data-in="body"`, `"name": "O'Brien & \"Co\" <b>"`, `type="checkbox" required`,
		"Answer 200<", "object with members of type integer", "<code>shops[].id</code>", "Answer 507: Full:",
		"curl -X POST 'https://gpt.example.com/api/v1/shops/SHOP_ID?floor=3'", "Bearer ACCESS_TOKEN"} {
		i := strings.Index(shown[at:], want)
		if i < 0 {
			t.Fatalf("%s is not where it should be:\n%s", want, shown[at:])
		}
		at += i
	}
	if without := docsPage(t, func(o *Options) { o.DocsClientID = "" }); strings.Contains(without, "<form") {
		t.Error("a server without the app of the page has forms")
	}
}

// TestSamplesSendWhatTheyShow: a shell reads the command as it was meant.
func TestSamplesSendWhatTheyShow(t *testing.T) {
	operations, err := detailed([]Operation{{ID: "moveShop"}}, published(t), "https://gpt.example.com")
	if err != nil {
		t.Fatal(err)
	}
	for _, sample := range operations[0].Samples {
		if sample.Language != "curl" {
			continue
		}
		said, err := exec.CommandContext(t.Context(), "sh", "-c",
			"curl() { printf '%s\n' \"$@\"; }; "+sample.Code).Output()
		want := "-X\nPOST\nhttps://gpt.example.com/api/v1/shops/SHOP_ID?floor=3\n-H\n" +
			"Authorization: Bearer ACCESS_TOKEN\n-H\nContent-Type: application/json\n-d\n" +
			`{"name":"O'Brien & \"Co\" <b>"}` + "\n"
		if err != nil || string(said) != want {
			t.Errorf("%v: a shell reads\n%s", err, said)
		}
	}
	if _, err := detailed([]Operation{{ID: "other"}}, published(t), ""); err == nil {
		t.Error("an operation that the document lacks is passed over")
	}
}
