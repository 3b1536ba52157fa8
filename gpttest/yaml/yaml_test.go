package yaml

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestTexts has what the editor's parser makes of the kinds of texts that parsers differ
// in, so that it holds without that parser at hand.
func TestTexts(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", `null`},
		{"a: yes\nb: off\nc: 017\nd: 0o17\ne: 2020-01-01\nf: 1_000\ng: 12:30\nh: True\ni: ~",
			`{"a":"yes","b":"off","c":17,"d":15,"e":"2020-01-01","f":"1_000","g":"12:30","h":true,"i":null}`},
		{"a: 9007199254740993\nb: 1e999\nc: .inf\nd: -0\ne: .5\nf: 0x1F",
			`{"a":9007199254740992,"b":null,"c":null,"d":0,"e":0.5,"f":31}`},
		{"%YAML 1.2\n---\na: 1\n...\n# end", `{"a":1}`},
		{`a: "https:\/\/x \ud83c\udf75 \x41"`, `{"a":"https://x 🍵 A"}`},
		{`a: "\ud83c"`, "{\"a\":\"\ufffd\"}"}, // JavaScript keeps half a pair, which UTF-8 cannot
		{"a: x\u2028y\u0085z", `{"a":"x` + "\u2028" + `y` + "\u0085" + `z"}`},
		{"\ufeffa: 1", `{"a":1}`},
		{"a: |-\n  \tx\n\n  y\nb:\n  c: 1\n\t\n  d: 2", `{"a":"\tx\n\ny","b":{"c":1,"d":2}}`},
		{"a: >\n  b\n  c\n\n  d\n   e\n", `{"a":"b c\nd\n e\n"}`},
		{"a: &x {b: 1}\nc:\n  <<: *x\n  d: *x", `{"a":{"b":1},"c":{"<<":{"b":1},"d":{"b":1}}}`},
		{"a: &x\n  b: &x 1\nc: *x", `{"a":{"b":1},"c":1}`},
		{"200: a\n'200': b\ntrue: c\nnull: d\n1.0: e\n__proto__: f\n=: g",
			`{"":"d","1":"e","200":"b","=":"g","__proto__":"f","true":"c"}`},
		{"? [a, b]\n: 1\n? c", `{"[ a, b ]":1,"c":null}`},
		{`{"a":1,"b":[1,2,],}`, `{"a":1,"b":[1,2]}`},
		{"a: [x # c\n  ,y]\nb: {c: 1,\n d}", `{"a":["x","y"],"b":{"c":1,"d":null}}`},
		{"a: !!str 1\nb: !!int '2'\nc: !x y\nd: ! 3", `{"a":"1","b":2,"c":"y","d":"3"}`},
		{"a: x\n  y\n\n  z\nb: 'it''s\n  so'\r\n", `{"a":"x y\nz","b":"it's so"}`},

		{"a: 1\nb: 2\na: 3", `line 3: the key "a" is there already, in line 1`},
		{"a:\n  b: {c: 1,\n    'c': 2}", `line 3: the key "c" is there already, in line 2`},
		{"1: a\n1.0: b", `line 2: the key "1.0" is there already, in line 1`},
		{"<<: {a: 1}\n<<: {b: 1}", `line 2: the key "<<" is there already, in line 1`},
		{"a: 1\n---\nb: 2", "line 2: here a second document begins"},
		{"a: 1\n...\nb: 2", "line 3: here a second document begins"},
		{"a: 1\n  b: 2", "line 2: a colon after a text of several lines, from line 1 on"},
		{"a:\n    b: 1\n  c: 2", "line 3: this line is indented by 2, the lines that it belongs to by 0"},
		{"a:\n- b\nc\n", "line 3: a key must have a colon"},
		{"a: b: c", "line 1: a list or a mapping begins within a line"},
		{"a:\n\tb: 1", "line 2: a tab indents the line"},
		{"a: *x", "line 1: there is no anchor &x before the alias *x"},
		{"a: &x [*x]", "line 1: the alias *x stands in the value that it is for"},
		{"a: @b", "line 1: a text without quotes cannot begin with '@'"},
		{"a: \"b\n", `line 1: the " is not closed`},
		{"a: \"\\q\"", `line 1: \q is no escape in double quotes`},
		{"a: [1,\n  2", "line 2: the [ of line 1 is not closed"},
		{"a: [1 2\n  {3}]", "line 2: a comma or a colon is missing before this"},
		{"a: 'b'#c", "line 1: a comment must have a space before its #"},
		{"a: |x\n  b", "line 1: after | or > can stand"},
		{"a: |\n    b\n  c\n", "line 3: this line is indented by 2, the lines that it belongs to by 0"},
		{"a: |3\n    b\n\t\n", "line 3: the line is indented less than the first of its text"},
		{"a: !!set {a: 1}", "line 1: the tag !!set is of YAML 1.1, and JSON has no sets: take it out"},
		{"a: !!omap [a: 1, a: 2]", "line 1: the tag !!omap is of YAML 1.1"},
		{"b: 1\na: !!timestamp 2020-01-01", "line 2: the tag !!timestamp is of YAML 1.1"},
		{"a: !!binary |\n  aGk=\n", "line 1: the tag !!binary is of YAML 1.1"},
		{"x-t: [a]: b", "line 1: a list or a mapping begins within a line"},
		{"{1: a, \"1\": b}", `{"1":"b"}`},
		{"%YAML 1.1\n---\na: yes", "line 1: %YAML 1.1 makes booleans of words"},
		{"a: &x 1\nb: [" + strings.Repeat("*x,", 100) + "]", "line 2: an alias too many"},
		{strings.Repeat("[", 2000), "line 1: values are nested deeper than 1000"},
	} {
		if got := told(tt.text); !strings.HasPrefix(got, tt.want) || strings.HasPrefix(tt.want, "{") && got != tt.want {
			t.Errorf("%.80q: %s, want %s", tt.text, got, tt.want)
		}
	}
	if root, err := ParseJSON("\r\t0"); err != nil || root.Kind != Number {
		t.Errorf("white space of JSON: %v", err)
	}
	root, err := ParseJSON("{\"a\": 1,\n\"a\": 2}")
	if err != nil || len(root.Content) != 4 || root.Content[2].Line != 2 {
		t.Errorf("JSON with a name that is there twice: %v", err)
	}
}

// told returns the value of a text as JSON, or its error.
func told(text string) string {
	root, err := Parse(text)
	if err != nil {
		return err.Error()
	}
	encoded, err := json.Marshal(jsonOf(root))
	if err != nil {
		return err.Error()
	}
	return strings.NewReplacer(`\u2028`, "\u2028", `\u003c`, "<").Replace(string(encoded))
}

// FuzzParse looks for texts that crash the parser or keep it busy. What JSON is, YAML is.
func FuzzParse(f *testing.F) {
	for _, text := range append(shapes, yamlDocument, jsonDocument) {
		f.Add(text)
	}
	fuzzing := flag.Lookup("test.fuzz").Value.String() != "" // else the seeds only, whose time is no verdict
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		start := time.Now()
		_, err := Parse(text)
		if took := time.Since(start); fuzzing && took > time.Second {
			t.Errorf("took %s", took)
		}
		var failed *Error
		if err != nil && (!errors.As(err, &failed) || failed.Line < 1 || failed.Line > 1+strings.Count(text, "\n")) {
			t.Errorf("%v", err)
		}
		if root, err := ParseJSON(text); json.Valid([]byte(text)) && err == nil {
			want := decoded(text)
			if _, large := want.(error); !large && !equal(jsonOf(root), text) {
				t.Errorf("%v, but as JSON it is %v", jsonOf(root), want)
			}
		} else if json.Valid([]byte(text)) && !strings.Contains(err.Error(), "nested deeper") {
			t.Errorf("JSON is refused: %v", err)
		}
	})
}

// BenchmarkParse is of a document of one megabyte.
func BenchmarkParse(b *testing.B) {
	text := "paths:\n"
	for i := range 1300 {
		entry := strings.NewReplacer("\n", "\n    ", "&tea", "", "*tea", "{}", "&n", "", "*n",
			"{}").Replace(yamlDocument)
		text += fmt.Sprintf("  /%d:\n    %s\n", i, entry)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
