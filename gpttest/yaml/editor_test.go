package yaml

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	generated = flag.Int("generated", 3000, "how many texts the test against the editor's parser makes")
	seed      = flag.Uint64("seed", 1, "what they are made from")
)

// acceptance holds the parsers in JavaScript.
const acceptance = "../../acceptance"

// A verdict is what a parser in JavaScript made of a text.
type verdict struct {
	Value string // as JSON
	Error string
	Line  int
}

// A difference is a way in which we or js-yaml differ from the editor's parser on purpose,
// or may: a text that it matches is not held against us.
type difference struct {
	name   string
	reason string
	text   *regexp.Regexp // of the text
	said   *regexp.Regexp // of the error of the one that refuses it
}

func (d difference) is(text, said string) bool {
	return (d.text == nil || d.text.MatchString(text)) && (d.said == nil || d.said.MatchString(said))
}

// ours are the differences between us and the editor's parser.
var ours = []difference{
	{name: "YAML 1.1",
		reason: "refused: no and on would be booleans, and no other tool reads it so",
		text:   regexp.MustCompile(`(?m)^%YAML\s+1\.1\b`)},
	{name: "tags of YAML 1.1",
		reason: "refused: the editor makes of them what nobody meant, as JSON has no bytes, dates and sets",
		text:   regexp.MustCompile(`!!(binary|timestamp|set|omap|pairs|merge)\b`),
		said:   regexp.MustCompile(`is of YAML 1\.1`)},
	{name: "a mark before a list",
		reason: "the editor takes the mark for part of the indentation; no document is a list",
		text:   regexp.MustCompile("^\ufeff\\s*-\\s"),
		said:   regexp.MustCompile("Unexpected scalar at node end|Sequence item|indent|column")},
	{name: "text after a key with ?",
		reason: "refused: the editor drops it without a word",
		text:   regexp.MustCompile(`(?m)^[\s-]*\?\s`),
		said:   regexp.MustCompile(`^this line is indented|more in the line|colon|a list item stands`)},
	{name: "a line that begins with a colon",
		reason: "refused: the editor makes it a value without a name",
		text:   regexp.MustCompile(`(?m)^\s+:(\s|$)`),
		said:   regexp.MustCompile(`^this line is indented`)},
	{name: "two colons below each other",
		reason: "the editor puts the second into the first",
		text:   regexp.MustCompile(`(?m)^\s*:\s*\n\s*:`)},
	{name: "a colon after a bracket",
		reason: "refused, as YAML has it: the editor makes it a key, or a value without a name",
		text:   regexp.MustCompile(`[}\]]\s*:`),
		said:   regexp.MustCompile(`must be on one line|several lines|begins within a line`)},
	{name: "a tag without a space in brackets",
		reason: "refused: the editor takes it, but not between braces",
		text:   regexp.MustCompile(`[\[,]\s*[!&]`),
		said:   regexp.MustCompile(`must have a space after it`)},
	{name: "an alias as a key in its own value",
		reason: "refused: the editor makes its name the key",
		text:   regexp.MustCompile(`\*\w+\s*:`),
		said:   regexp.MustCompile(`stands in the value that it is for`)},
}

// complexKey is the name that the editor gives a key that is a collection. It writes such a
// key as YAML, wrapped as it sees fit; ours has the same words.
var complexKey = regexp.MustCompile(`"(?:[\[{][ \\]|\[\]"|\{\}")`)

// jsYAML are the differences between js-yaml and the editor's parser.
var jsYAML = []difference{
	{name: "merging",
		reason: "js-yaml merges <<, the editor does not: a finding of lint", text: regexp.MustCompile(`<<`)},
	{name: "dates",
		reason: "js-yaml makes dates of texts", text: regexp.MustCompile(`[0-9]{4}-[0-9]{2}`)},
	{name: "tags",
		reason: "js-yaml refuses tags that it does not know, or that do not fit", text: regexp.MustCompile(`!`)},
	{name: "names of keys",
		reason: "js-yaml has other names for null, for collections and for -0",
		text: regexp.MustCompile(
			`(?im)(null|~|-0|[\]}])['"]?\s*:|\?\s|(^|[-{\[,&])\s*:|&\w+\s+:|[{,]\s*~|\*\w+\s*:`)},
	{name: "js-yaml is stricter",
		reason: "about keys that differ as 1 and '1', control characters, versions, and keys on several lines",
		said: regexp.MustCompile(`duplicated mapping key|nested arrays|non-printable|null byte|JSON character|` +
			`multiline key|YAML version|%YAML directive|explicit mapping pair|implicit mapping pair|` +
			`missing indentation|bad indentation|end of the stream|missed comma|suffix|unidentified alias`)},
	{name: "js-yaml is laxer",
		reason: "about comments without a space, indentation, tabs, escapes and markers", said: regexp.MustCompile(
			`Comments must be separated|must be sufficiently indented|Missing closing|Tabs are not|Nested mappings|` +
				`directives-end|Invalid escape|more-indented|Unexpected|circular|Excessive alias|multiple ` +
				`documents|Map keys|` +
				`same column|single line|Unresolved alias|Block scalar|most one|` +
				`must be followed|Plain value|must end with|separated from`)},
	{name: "numbers",
		reason: "js-yaml has binary numbers and signed ones of other bases, but not all of the core schema's",
		text:   regexp.MustCompile(`0b[01]|[-+]0[xo]|[-+]\.[0-9]|1e[0-9]{3}`)},
	{name: "markers",
		reason: "js-yaml takes ---a for the marker ---", text: regexp.MustCompile(`(?m)^(---|\.\.\.)`)},
	{name: "indentation",
		reason: "js-yaml counts that of a block scalar at the root, and a lone carriage return, otherwise",
		text:   regexp.MustCompile("[|>][-+0-9]|\r([^\n]|$)|\\\\\r?\n\r")},
}

// TestTheEditorsParserAgrees holds verdicts and values against npm's yaml, and tells where
// js-yaml differs from that.
func TestTheEditorsParserAgrees(t *testing.T) {
	texts := corpus()
	verdicts := inJavaScript(t, texts)
	used := map[string]int{}
	taken, otherLine := 0, 0
	for i, text := range texts {
		editor := verdicts[i].Yaml
		if editor.Error == "" {
			taken++
		}
		if same(t, used, text, editor) && editor.Line > 0 && editor.Line != lineOf(text) {
			otherLine++
		}
		compareJSYAML(t, used, text, editor, verdicts[i].JSYAML)
	}
	for _, d := range append(ours, jsYAML...) {
		if used[d.name] == 0 {
			t.Errorf("no text shows the difference %q any more", d.name)
		}
	}
	t.Logf("%d texts, the editor takes %d; another line in %d; differences %v", len(texts), taken, otherLine, used)
}

// same reports whether we agree with the editor, and that it is an error if not.
func same(t *testing.T, used map[string]int, text string, editor verdict) bool {
	t.Helper()
	root, err := Parse(text)
	said := editor.Error
	if err != nil {
		said = err.(*Error).Problem
	}
	if (err == nil) == (editor.Error == "") && (err != nil || equal(jsonOf(root), editor.Value)) {
		return true
	}
	if err == nil && editor.Error == "" && complexKey.MatchString(editor.Value) {
		return false
	}
	if !explained(used, ours, text, said) {
		t.Errorf("%q: the editor: %.200s%s; we: %v", text, editor.Value, editor.Error, err)
	}
	return false
}

func compareJSYAML(t *testing.T, used map[string]int, text string, editor, other verdict) {
	t.Helper()
	same := (editor.Error == "") == (other.Error == "") &&
		(other.Error != "" || equal(decoded(other.Value), editor.Value))
	if !same && !complexKey.MatchString(editor.Value) && !explained(used, jsYAML, text, editor.Error+other.Error) {
		t.Errorf("%q: the editor: %s%s; js-yaml: %s%s", text, editor.Value, editor.Error, other.Value, other.Error)
	}
}

func explained(used map[string]int, known []difference, text, said string) bool {
	for _, d := range known {
		if d.is(text, said) {
			used[d.name]++
			return true
		}
	}
	return false
}

func lineOf(text string) int {
	var failed *Error
	if _, err := Parse(text); errors.As(err, &failed) {
		return failed.Line
	}
	return 0
}

func equal(value any, written string) bool { return reflect.DeepEqual(value, decoded(written)) }

func decoded(written string) (value any) {
	if err := json.Unmarshal([]byte(written), &value); err != nil {
		return err
	}
	return value
}

// corpus returns the texts written by hand, generated ones, and mutations of both.
func corpus() []string {
	g := generator{random: rand.New(rand.NewPCG(*seed, 0))}
	texts := append([]string{}, shapes...)
	for i := range *generated {
		switch i % 8 {
		case 0, 1, 2:
			texts = append(texts, g.document())
		case 3:
			texts = append(texts, g.mutate(g.document()))
		case 4, 5:
			texts = append(texts, g.mutate(yamlDocument))
		case 6:
			texts = append(texts, g.mutate(jsonDocument))
		case 7:
			texts = append(texts, g.mutate(shapes[g.random.IntN(len(shapes))]))
		}
	}
	return texts
}

// inJavaScript asks the other parsers, all in one process.
func inJavaScript(t *testing.T, texts []string) (verdicts []struct{ Yaml, JSYAML verdict }) {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by make quick: it needs Node.js")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("Node.js 20 or later is missing, install it and run make acceptance: %v", err)
	}
	if _, err := os.Stat(filepath.Join(acceptance, "node_modules/yaml")); err != nil {
		t.Fatalf("the packages of acceptance/ are missing, run make acceptance: %v", err)
	}
	// Node reads the folder unseen by go test, which would keep an old result.
	if _, err := os.ReadDir(acceptance); err != nil {
		t.Fatal(err)
	}
	encoded := make([]string, len(texts))
	for i, text := range texts {
		encoded[i] = base64.StdEncoding.EncodeToString([]byte(text))
	}
	input, err := json.Marshal(encoded)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, node, "yaml.mjs")
	command.Dir, command.Stdin = acceptance, bytes.NewReader(input)
	output, err := command.Output()
	if err != nil || json.Unmarshal(output, &verdicts) != nil || len(verdicts) != len(texts) {
		t.Fatalf("yaml.mjs: %v, %d verdicts of %d\n%.500s", err, len(verdicts), len(texts), output)
	}
	return verdicts
}

// jsonOf returns the value as encoding/json decodes it.
func jsonOf(n *Node) any {
	switch n.Kind {
	case Alias:
		return jsonOf(n.Target)
	case Boolean:
		return strings.EqualFold(n.Text, "true")
	case Number:
		return decoded(n.JSON())
	case String:
		return n.Text
	case Sequence:
		list := []any{}
		for _, element := range n.Content {
			list = append(list, jsonOf(element))
		}
		return list
	case Mapping:
		members := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			members[n.Content[i].Key()] = jsonOf(n.Content[i+1])
		}
		return members
	}
	return nil
}
