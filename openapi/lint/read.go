package lint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"

	"guestpass/gpttest/yaml"
	"guestpass/internal/pattern"
)

// Bounds of what is looked through.
const (
	maxText   = 4 << 20 // bytes; larger is one finding
	maxValues = 400_000 // after aliases are expanded
	maxNested = 200
)

// unreadable says why there is no document, and in which line that shows; 0 is none.
type unreadable struct {
	line    int
	problem string
}

func (u *unreadable) Error() string {
	if u.line == 0 {
		return u.problem
	}
	return fmt.Sprintf("line %d: %s", u.line, u.problem)
}

// parsed is a document, and what the editor would not read as its author meant it.
type parsed struct {
	root    *value
	isJSON  bool
	merges  []*value // mappings with a <<, which the editor does not merge
	doubles []double
}

// double is a member whose name was there before: the editor keeps the later one.
type double struct {
	name  string
	at    *value // the later one
	first int    // line of the earlier
}

// parse reads a document in the editor's order: as JSON, and what that is not, as YAML.
func parse(source []byte) (*parsed, error) {
	if err := text8(source); err != nil {
		return nil, err
	}
	p := &parsed{isJSON: json.Valid(source)}
	read := yaml.Parse
	if p.isJSON {
		read = yaml.ParseJSON
	}
	root, err := read(string(source))
	if err != nil {
		failed := err.(*yaml.Error)
		return nil, &unreadable{failed.Line, "it is neither JSON nor YAML that the editor can read: " + failed.Problem}
	}
	r := reader{parsed: p, left: maxValues}
	p.root, err = r.value(root, "", 0)
	return p, err
}

var (
	webPage = pattern.New(`(?i)^\s*<(!doctype html|html)`)
	markup  = pattern.New(`^\s*<[?!a-zA-Z]`)
)

// text8 returns what keeps source from being a text in UTF-8.
func text8(source []byte) error {
	switch {
	case isUTF32(source):
		return &unreadable{1, "it is in UTF-32: save it as UTF-8"}
	case bytes.HasPrefix(source, []byte("\xff\xfe")), bytes.HasPrefix(source, []byte("\xfe\xff")), isUTF16(source):
		return &unreadable{1, "it is in UTF-16: save it as UTF-8"}
	case bytes.HasPrefix(source, []byte("\x1f\x8b")), bytes.HasPrefix(source, []byte("PK\x03\x04")):
		return &unreadable{0, "it is compressed: unpack it first"}
	case bytes.IndexByte(source, 0) >= 0:
		return &unreadable{lineOf(source, bytes.IndexByte(source, 0)), "it is no text: there is a zero byte"}
	case len(bytes.TrimSpace(bytes.TrimPrefix(source, []byte("\ufeff")))) == 0:
		return &unreadable{0, "there is nothing in it"}
	case webPage.Match(source):
		return &unreadable{1, "it is a web page: name the address of the document itself"}
	case markup.Match(source):
		return &unreadable{1, "it is XML, not JSON or YAML"}
	}
	for i := 0; i < len(source); {
		c, size := utf8.DecodeRune(source[i:])
		if c == utf8.RuneError && size == 1 {
			return &unreadable{lineOf(source, i), fmt.Sprintf("it is not UTF-8: there is the byte 0x%X", source[i])}
		}
		i += size
	}
	return nil
}

// isUTF32 knows it with a mark or without: three of four bytes of its first letter are zero.
func isUTF32(source []byte) bool {
	const littleMark, bigMark = "\xff\xfe\x00\x00", "\x00\x00\xfe\xff"
	if len(source) < 4 {
		return false
	}
	first := string(source[:4])
	return first == littleMark || first == bigMark || first[0] != 0 && first[1:] == "\x00\x00\x00" ||
		first[:3] == "\x00\x00\x00" && first[3] != 0
}

// isUTF16 knows it without a mark: every other byte of its first letters is zero.
func isUTF16(source []byte) bool {
	if len(source) < 4 || len(source)%2 == 1 {
		return false
	}
	return source[0] == 0 && source[2] == 0 && source[1] != 0 || source[1] == 0 && source[3] == 0 && source[0] != 0
}

func lineOf(source []byte, offset int) int { return 1 + bytes.Count(source[:offset], []byte("\n")) }

// reader makes values of a YAML tree, whose aliases may be many more than it looks.
type reader struct {
	*parsed
	left int
}

func (r *reader) value(node *yaml.Node, pointer string, depth int) (*value, error) {
	if r.left--; r.left < 0 {
		return nil, &unreadable{node.Line, fmt.Sprintf("it has more than %d values, aliases counted", maxValues)}
	}
	if depth > maxNested {
		return nil, &unreadable{node.Line, fmt.Sprintf("values are nested deeper than %d", maxNested)}
	}
	v := &value{pointer: pointer, line: node.Line, scalar: node.Text}
	switch node.Kind {
	case yaml.Alias:
		return r.value(node.Target, pointer, depth+1)
	case yaml.Sequence:
		v.kind = array
		for i, element := range node.Content {
			inner, err := r.value(element, pointer+"/"+strconv.Itoa(i), depth+1)
			if err != nil {
				return nil, err
			}
			v.elements = append(v.elements, inner)
		}
	case yaml.Mapping:
		v.kind, v.members = object, map[string]*value{}
		return v, r.members(v, node, depth)
	case yaml.String:
		v.kind = text
	case yaml.Boolean:
		v.kind = boolean
	case yaml.Number:
		if v.kind = number; !json.Valid([]byte(v.scalar)) { // such as 0x10 and +1
			v.scalar = node.JSON()
		}
		if v.scalar == "null" { // .inf and .nan, and what is as large to JavaScript
			v.kind = null
		}
	}
	return v, nil
}

// members reads the pairs of a mapping, and then what << merges into it where nothing else
// has the name: the editor does not, but everybody who writes << means it.
func (r *reader) members(v *value, node *yaml.Node, depth int) error {
	var merged []*yaml.Node
	for i := 0; i < len(node.Content); i += 2 {
		key, content := node.Content[i], node.Content[i+1]
		if sources := mergedBy(key, content); len(sources) > 0 {
			merged = append(merged, sources...)
			r.merges = append(r.merges, &value{pointer: v.pointer, line: key.Line})
			continue
		}
		name := key.Key()
		inner, err := r.value(content, v.pointer+"/"+escape(name), depth+1)
		if err != nil {
			return err
		}
		inner.line = key.Line
		if earlier := v.members[name]; earlier != nil {
			r.doubles = append(r.doubles, double{name, inner, earlier.line})
		}
		v.set(name, inner)
	}
	for _, source := range merged {
		if err := r.merge(v, source, depth); err != nil {
			return err
		}
	}
	return nil
}

// mergedBy returns the mappings that a pair merges, none if it is one like others.
func mergedBy(key, content *yaml.Node) (mappings []*yaml.Node) {
	if key.Kind != yaml.String || key.Text != "<<" || !key.Plain {
		return nil
	}
	sources := []*yaml.Node{content}
	if content = content.Resolved(); content.Kind == yaml.Sequence {
		sources = content.Content
	}
	for _, source := range sources {
		if source = source.Resolved(); source.Kind != yaml.Mapping {
			return nil
		}
		mappings = append(mappings, source)
	}
	return mappings
}

// merge adds the pairs of a mapping whose names v does not have: those of its own before
// those that it merges itself.
func (r *reader) merge(v *value, source *yaml.Node, depth int) error {
	own := &value{kind: object, pointer: v.pointer, members: map[string]*value{}}
	if depth++; depth > maxNested {
		return &unreadable{source.Line, fmt.Sprintf("values are nested deeper than %d", maxNested)}
	}
	quiet := reader{parsed: &parsed{}, left: r.left} // what is wrong in the source was told there
	err := quiet.members(own, source, depth)
	r.left = quiet.left
	if err != nil {
		return err
	}
	for _, name := range own.names {
		if !v.has(name) {
			v.set(name, own.members[name])
		}
	}
	return nil
}
