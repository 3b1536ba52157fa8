package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"guestpass"
	"guestpass/api"
	"guestpass/auth"
	"guestpass/guestpasstest"
)

// A rawSource has texts that stay as they are, wherever they stand, beside some that do not.
type rawSource struct {
	Text  api.Raw            `json:"text,omitempty" maxLength:"100" doc:"A raw text"`
	Maybe *api.Raw           `json:"maybe,omitempty" doc:"A raw text, or none"`
	Lines []api.Raw          `json:"lines,omitempty" maxItems:"3" doc:"Raw texts"`
	Files []rawFile          `json:"files,omitempty" doc:"Raw texts in parts"`
	Named map[string]api.Raw `json:"named,omitempty" doc:"Raw texts by name"`
	Note  string             `json:"note,omitempty" doc:"A text"`
	Notes []string           `json:"notes,omitempty" text:"line" doc:"Texts of one line"`
}

type rawFile struct {
	Content api.Raw `json:"content" minLength:"1" doc:"A raw text"`
	Note    string  `json:"note,omitempty" doc:"A text"`
}

type (
	rawInput  struct{ Body rawSource }
	rawOutput struct{ Body rawSource }
)

// echo answers what it was sent, and keeps it in got. What has parts by name is for callers who know of it.
func echo(got *rawSource) api.Resource {
	return api.Resource{Name: "source", Register: func(s *api.Service) {
		api.Register(
			s,
			api.Operation{ID: "findSource", Method: http.MethodPost, Path: "/api/v1/source", Effect: api.Read,
				Summary: "Find a source", Description: "Returns what it was sent.", Access: auth.Scope("tasks:read")},
			func(_ context.Context, in *rawInput) (*rawOutput, error) {
				*got = in.Body
				return &rawOutput{in.Body}, nil
			},
		)
		api.Register(s, api.Operation{ID: "findText", Method: http.MethodPost, Path: "/api/v1/text", Effect: api.Read,
			Summary: "Find a text", Description: "Returns what it was sent.", Access: auth.Scope("tasks:read")},
			func(_ context.Context, in *struct{ Body rawText }) (*struct{ Body rawText }, error) {
				*got = rawSource{Text: in.Body.Text, Lines: in.Body.Lines, Note: in.Body.Note}
				return &struct{ Body rawText }{in.Body}, nil
			})
	}}
}

type rawText struct {
	Text  api.Raw   `json:"text" doc:"A raw text"`
	Lines []api.Raw `json:"lines,omitempty" doc:"Raw texts"`
	Note  string    `json:"note,omitempty" doc:"A text"`
}

// unseen is what a text is cleaned of.
const unseen = "a\u202e\u200bb\u00ad\ufeff\u2028c \U000e0041\u0301\t\r\n d"

func TestRawTextsStayAsTheyWereSent(t *testing.T) {
	var got rawSource
	w := guestpasstest.New(t, guestpasstest.Options{Resources: []api.Resource{echo(&got)},
		Change: func(o *guestpass.Options) { o.Operations = []string{"findText"} }})
	p := w.As(guestpasstest.Ada)
	text, cleaned := api.Raw("  "+unseen+"\u0000<&>\"\\ 👩\u200d🚀\n"), ""
	sent := rawSource{Text: text, Maybe: &text, Lines: []api.Raw{text, "", "plain"},
		Files: []rawFile{{text, "x"}, {"\u200b", "y"}}, Named: map[string]api.Raw{"one": text}, Note: unseen,
		Notes: []string{unseen}}
	body, err := json.Marshal(sent)
	if err != nil {
		t.Fatal(err)
	}
	r := p.Call("POST", "/api/v1/source", string(body))
	var answered rawSource
	if err := json.Unmarshal([]byte(r.Body), &answered); err != nil || r.Status != 200 {
		t.Fatalf("%d %s, %v", r.Status, r.Body, err)
	}
	for what, source := range map[string]rawSource{"the handler": got, "the answer": answered} {
		if source.Text != text || *source.Maybe != text || !slices.Equal(source.Lines, sent.Lines) ||
			source.Files[0].Content != text || source.Files[1].Content != "\u200b" || source.Named["one"] != text {
			t.Errorf("%s has %+v", what, source)
		}
		if cleaned = source.Note; cleaned == unseen || strings.ContainsAny(cleaned, "\u202e\u200b\u2028\ufeff") ||
			!strings.HasPrefix(cleaned, "ab") || strings.ContainsAny(source.Notes[0], "\n\r\u202e") {
			t.Errorf("%s has what is not raw as %+q, %+q", what, cleaned, source.Notes)
		}
	}
	if strings.ContainsAny(r.Body, "\u202e\u200b\u2028\U000e0041") {
		t.Errorf("the answer shows what cannot be seen: %s", r.Body)
	}
}

// A raw text keeps its bounds, and is JSON all the same.
func TestRawTextsAreHeldAgainstTheirSchema(t *testing.T) {
	w := guestpasstest.New(t, guestpasstest.Options{Resources: []api.Resource{echo(new(rawSource))},
		Change: func(o *guestpass.Options) { o.Operations = []string{"findText"} }})
	p := w.As(guestpasstest.Ada)
	for _, tt := range []struct {
		body, location string
		status         int
	}{
		{`{"text":"` + strings.Repeat(`\u200b`, 100) + `"}`, "", 200},
		{`{"text":"` + strings.Repeat(`\u200b`, 101) + `"}`, "body.text", 422},
		{`{"lines":["","","",""]}`, "body.lines", 422},
		{`{"files":[{"content":""}]}`, "body.files[0].content", 422},
		{`{"text":1}`, "body.text", 422},
		{`{"text":null}`, "body.text", 422},
		{`{"text":"\ud800"}`, "body.text", 400},
		{"{\"text\":\"\xff\"}", "body", 400},
		{`{"te\u200bxt":"x"}`, "body.", 422},
	} {
		r := p.Call("POST", "/api/v1/source", tt.body)
		if r.Status != tt.status || tt.location != "" && !strings.Contains(r.Body, `"location":"`+tt.location) {
			t.Errorf("%.40s: %d %s", tt.body, r.Status, r.Body)
		}
	}
}

// A tool's arguments and its result are JSON of another kind of message, in which nothing is lost either.
func TestRawTextsStayAsTheyWereSentThroughATool(t *testing.T) {
	var got rawSource
	w := guestpasstest.New(t, guestpasstest.Options{Resources: []api.Resource{echo(&got)},
		Change: func(o *guestpass.Options) { o.Operations = []string{"findText"} }})
	text := api.Raw("  " + unseen + "<&>\"\\ 👩\u200d🚀\n")
	arguments, err := json.Marshal(rawText{text, []api.Raw{text, "\u202e"}, unseen})
	if err != nil {
		t.Fatal(err)
	}
	r := w.As(guestpasstest.Ada).Call("POST", "/mcp", fmt.Sprintf(
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"findText","arguments":%s}}`, arguments),
		func(r *http.Request) { r.Header.Set("Accept", "application/json, text/event-stream") })
	var answer struct {
		Result struct {
			Content    []struct{ Text string }
			Structured rawText `json:"structuredContent"`
			IsError    bool
		}
	}
	if err := json.Unmarshal([]byte(r.Body), &answer); err != nil || r.Status != 200 || answer.Result.IsError ||
		len(answer.Result.Content) != 1 {
		t.Fatalf("%d %s, %v", r.Status, r.Body, err)
	}
	var inText rawText
	if err := json.Unmarshal([]byte(answer.Result.Content[0].Text), &inText); err != nil {
		t.Fatalf("%v in %s", err, answer.Result.Content[0].Text)
	}
	handled := rawText{got.Text, got.Lines, got.Note}
	for what, one := range map[string]rawText{"the handler": handled, "the result": answer.Result.Structured,
		"the result as text": inText} {
		if one.Text != text || !slices.Equal(one.Lines, []api.Raw{text, "\u202e"}) {
			t.Errorf("%s has %+q", what, one)
		}
		if one.Note == unseen || strings.ContainsAny(one.Note, "\u202e\u200b") || one.Note != handled.Note {
			t.Errorf("%s has what is not raw as %+q", what, one.Note)
		}
	}
	if strings.ContainsAny(r.Body, "\u202e\u200b\u2028\U000e0041") {
		t.Errorf("the message shows what cannot be seen: %s", r.Body)
	}
}
