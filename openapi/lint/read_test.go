//go:build !production

package lint

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"guestpass/gpttest"
)

// teas is a document in YAML whose one fault is that it lacks a hash.
const teas = `openapi: 3.1.0
info: {title: Tea, version: "1", description: Sells tea.}
servers: [{url: https://api.tea.example.org}]
components: {schemas: {}}
paths:
  /teas:
    get:
      operationId: listTeas
      summary: Teas
      description: Lists teas.
      x-openai-isConsequential: false
      parameters: []
      responses: {"200": {description: ok, content: {application/json: {schema: {type: object, properties: {a: ` +
	`{type: string}}}}}}}
`

// TestWhatTheEditorReadsIsRead has YAML that parsers of YAML 1.1 refuse.
func TestWhatTheEditorReadsIsRead(t *testing.T) {
	for name, source := range map[string]string{
		"a directive":          "%YAML 1.2\n---\n" + teas,
		"a byte order mark":    "\ufeff" + teas,
		"Windows' line ends":   strings.ReplaceAll(teas, "\n", "\r\n"),
		"an escaped slash":     teas + `x-note: "https:\/\/tea.example"` + "\n",
		"a pair of surrogates": teas + `x-note: "\ud83c\udf75"` + "\n",
		"a line separator":     teas + "x-note: a\u2028b\n",
		"a tab in a text":      teas + "x-note: |-\n  \tby a tab\n  next\n",
		"a tab in a line":      teas + "x-note:\n  a: 1\n\t\n  b: 2\n",
		"a comma too many":     strings.Replace(clean, `"x-schema-hash": "00"`, `"x-schema-hash": "00",`, 1),
	} {
		if got := rulesOf(Check(t.Context(), []byte(source), Options{})); slices.Contains(got, "G002") || len(got) > 1 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestTheReasonAndTheLineAreTold has what cannot be read, or not as it was meant. Fix says
// the same.
func TestTheReasonAndTheLineAreTold(t *testing.T) {
	wide := func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			b.Write([]byte{s[i], 0})
		}
		return b.String()
	}
	for name, tt := range map[string]struct {
		source, rule string
		line         int
		problem      string
	}{
		"an indentation": {teas + "     summary: x\n", "G002", 14, "indented by 5"},
		"a key twice": {teas + "  /teas:\n    post: {}\n", "G002", 14,
			`the key "/teas" is there already, in line 6`},
		"a property twice": {strings.Replace(teas, "{a: {type: string}}", "{a: {}, a: {}}", 1), "G002", 13,
			"in line 13"},
		"two documents":       {teas + "---\n" + teas, "G002", 14, "a second document begins"},
		"an alias of nothing": {teas + "x-note: *none\n", "G002", 14, "no anchor &none"},
		"no words of ours":    {"just some words\n", "G003", 1, "is a string, not an object"},
		"JSON cut off":        {"{\n\"a\": [1,\n", "G002", 3, "not closed"},
		"a web page":          {"\n<!DOCTYPE html>\n<html>", "G002", 1, "it is a web page"},
		"XML":                 {"<?xml version='1.0'?>", "G002", 1, "it is XML"},
		"UTF-16 with a mark":  {"\xff\xfe" + wide(clean), "G002", 1, "it is in UTF-16"},
		"UTF-16 without":      {wide(clean), "G002", 1, "it is in UTF-16"},
		"UTF-32 with a mark":  {"\xff\xfe\x00\x00{\x00\x00\x00", "G002", 1, "it is in UTF-32"},
		"UTF-32, the other":   {"\x00\x00\xfe\xff\x00\x00\x00{", "G002", 1, "it is in UTF-32"},
		"UTF-32 without":      {"{\x00\x00\x00}\x00\x00\x00", "G002", 1, "it is in UTF-32"},
		"UTF-32, that too":    {"\x00\x00\x00{\x00\x00\x00}", "G002", 1, "it is in UTF-32"},
		"Latin-1":             {"a: 1\nb: caf\xe9\n", "G002", 2, "it is not UTF-8: there is the byte 0xE9"},
		"gzip":                {"\x1f\x8b\x08\x00", "G002", 0, "it is compressed"},
		"a program":           {"\x7fELF\x02\x01\x01\x00", "G002", 1, "it is no text"},
		"a mark alone":        {"\ufeff\n", "G002", 0, "there is nothing in it"},
		"too large": {`{"openapi": "3.1.0", "x": "` + strings.Repeat("a", maxText) + `"}`, "G007", 0,
			"it is too large"},
		"too deep": {strings.Repeat("a: {", 300), "G002", 1, ""},
	} {
		findings := Check(t.Context(), []byte(tt.source), Options{})
		if len(findings) != 1 || findings[0].Rule != tt.rule || findings[0].Line != tt.line ||
			findings[0].Severity != Error ||
			!strings.Contains(findings[0].Problem, tt.problem) {
			t.Errorf("%s: %+v", name, findings)
		}
		if _, err := Fix(t.Context(), []byte(tt.source), Options{}); err == nil ||
			!strings.Contains(err.Error(), tt.problem) {
			t.Errorf("%s: Fix says %v", name, err)
		}
	}
}

// TestANameThatIsThereTwice is of what the editor takes although it drops a part.
func TestANameThatIsThereTwice(t *testing.T) {
	for name, tt := range map[string]struct {
		source string
		line   int
		want   string
	}{
		"JSON": {strings.Replace(clean, `"x-schema-hash"`, "\"paths\": {},\n\"x-schema-hash\"", 1), 35,
			`"paths" is there twice, in lines 5 and 35`},
		"a number and text": {strings.Replace(teas, `{"200": `, "{200: {description: no}, \n        \"200\": ", 1), 14,
			`"200" is there twice, in lines 13 and 14`},
	} {
		findings := Check(t.Context(), []byte(tt.source), Options{})
		i := slices.IndexFunc(findings, func(f Finding) bool { return f.Rule == "G002" })
		if i < 0 || findings[i].Line != tt.line || !strings.Contains(findings[i].Problem, tt.want) {
			t.Errorf("%s: %+v", name, findings)
		}
		if _, err := Fix(t.Context(), []byte(tt.source), Options{}); err == nil ||
			!strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Fix says %v", name, err)
		}
	}
}

// TestMergingIsToldAndWrittenOut: the copy has what was meant, as js-yaml reads it.
func TestMergingIsToldAndWrittenOut(t *testing.T) {
	source := teas + `x-schema-hash: a
x-one: &one {a: 1, b: 1}
x-two: &two {b: 2, c: 2}
x-inner: &inner {<<: *two, d: 4}
x-note:
  c: 3
  <<: [*one, *inner]
x-quoted: {"<<": {a: 1}}
x-text: {<<: merge}
`
	findings := Check(t.Context(), []byte(source), Options{})
	var places []string
	for _, f := range findings {
		places = append(places, fmt.Sprintf("%s %d %s", f.Rule, f.Line, f.Pointer))
	}
	if want := []string{"G017 17 /x-inner", "G017 20 /x-note"}; !slices.Equal(places, want) {
		t.Errorf("%q, want %q", places, want)
	}
	mended, err := Fix(t.Context(), []byte(source), Options{})
	if err != nil || len(mended.Left) > 0 {
		t.Errorf("%v, left %v", err, mended.Left)
	}
	p, err := parse(mended.Document)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"x-note": `{"c":3,"a":1,"b":1,"d":4}`, "x-inner": `{"d":4,"b":2,"c":2}`, "x-quoted": `{"<<":{"a":1}}`,
		"x-text": `{"<<":"merge"}`,
	} {
		if got := asJSON(t, p.root.get(name)); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if imported, err := gpttest.ImportText(string(mended.Document), gpttest.Options{}); err != nil || !imported.OK() {
		t.Errorf("the editor does not take the copy: %v %v", err, imported.Notes)
	}
}

func asJSON(t *testing.T, v *value) string {
	t.Helper()
	indented, err := v.write(true)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := json.Marshal(json.RawMessage(indented))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(compact), `\u003c`, "<")
}

// TestEveryTextIsWrittenSoThatItIsReadAgain is of texts that YAML takes for something else.
func TestEveryTextIsWrittenSoThatItIsReadAgain(t *testing.T) {
	for _, text := range []string{
		"", " ", "a", "a b", "yes", "No", "null", "~", "1", "0o17", "017", "1e3", ".5", ".inf", "1_000", "12:30",
		"2020-01-01", "=", "<<", "0x", "-",
		"- a", "? a", ": a", "a: b", "a #b", "#a", "a:", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a`", "'a'", `"a"`,
		"[a]", "{a}", "a, b", "---", "...", "--- a",
		"a\nb", "a\n\nb\n", "a\n\n\n", "\na", " a\n b", "a \nb", "a\n b", "\ta", "a\tb", "a\n\tb", "a\r\nb", "a\rb",
		"a\u2028b", "a\u0085b", "\ufeffa", "é", "🍵",
		"\x01", "\x7f", "#\na", "- a\n- b", "a: |\n  b", "{a}\nb", `a\nb`, strings.Repeat("long ",
			60), strings.Repeat("k", 2000), "a\n# b\nc", "---\na",
	} {
		v := newObject()
		v.set("text", newText(text))
		v.set("list", &value{kind: array, elements: []*value{newText(text), newText(text)}})
		if len(text) < 1000 { // a longer key begins with ?
			v.set(text, newText("key"))
		}
		written, err := v.write(false)
		if err != nil {
			t.Fatal(err)
		}
		p, err := parse(written)
		if err != nil || asJSON(t, p.root) != asJSON(t, v) {
			t.Errorf("%q: %v\n%s", text, err, written)
		}
	}
}

// FuzzWrite looks for documents that are not read again as they were written.
func FuzzWrite(f *testing.F) {
	for _, source := range []string{teas, clean, "? [a]\n: {b: .inf}\n<<: {c: 0x1F}\nd: |+\n  e\n\n",
		"1: \"\\x01\\u2028\"\n2: [~, yes, 'no', 007]"} {
		f.Add([]byte(source))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		p, err := parse(source)
		if err != nil {
			return
		}
		for _, inJSON := range []bool{true, false} {
			written, err := p.root.write(inJSON)
			if err != nil {
				t.Fatal(err)
			}
			again, err := parse(written)
			if err != nil || asJSON(t, again.root) != asJSON(t, p.root) {
				t.Errorf("%q is written %q: %v", source, written, err)
			}
		}
	})
}
