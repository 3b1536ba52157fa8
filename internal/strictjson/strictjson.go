// Package strictjson reads JSON that others send: bodies, messages, and the parts of tokens. It
// refuses what encoding/json lets pass or repairs silently, so that nothing in between reads
// another text than this server does.
//
// It has two degrees. [Check] and [Unmarshal] are for bodies, whose senders are told what is wrong
// and where. [Object] is for tokens and key sets, whose values are kept as they are written.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"guestpass/internal/jsonparts"
)

// MaxDepth bounds the nesting of what [Check] admits.
const MaxDepth = 16

// A Fault is what is wrong with a text, and where, in words for whoever sent it.
type Fault struct{ Place, Message string }

func (e *Fault) Error() string { return e.Place + " " + e.Message }

// Unmarshal is json.Unmarshal whose error is a [*Fault]. It does not [Check].
func Unmarshal(data []byte, v any) error {
	err := json.Unmarshal(data, v)
	if err == nil {
		return nil
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return &Fault{placeAt(data, wrong.Offset), wanted(wrong.Type)}
	}
	return &Fault{"body", "has a value that is not of the form that is wanted here"} // by a type's own rules
}

// wanted tells what a value that the schema admits must be for Go to keep it.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		most := int64(math.MaxInt64) >> (64 - t.Bits())
		return fmt.Sprintf("must be a whole number from %d to %d", -most-1, most)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return fmt.Sprintf("must be a whole number from 0 to %d", uint64(math.MaxUint64)>>(64-t.Bits()))
	case reflect.Float32, reflect.Float64:
		return tooLarge
	}
	return "is not of the kind that is wanted here"
}

const tooLarge = "is a larger number than can be kept here"

// Check returns what is wrong with a text that is to be one JSON value, or nil: it has a member
// twice, is not UTF-8, goes on after the value, or is nested deeper than [MaxDepth] levels.
func Check(data []byte) *Fault {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return &Fault{"body", "begins with a byte order mark; send UTF-8 without one"}
	case !utf8.Valid(data):
		return &Fault{"body", "is not valid UTF-8"}
	}
	if !json.Valid(data) {
		return whyNotJSON(data)
	}
	c := checker{place: []byte("body")}
	if err := c.value(bytes.Trim(data, " \n\t\r"), 1); err != nil {
		return err
	}
	if offset := halfCharacter(data); offset >= 0 {
		return &Fault{placeAt(data, int64(offset)),
			"has half of a character, a \\u escape of a surrogate without the other; write the character itself"}
	}
	return nil
}

// A checker looks at valid JSON for what encoding/json lets pass.
type checker struct{ place []byte } // of the value that it looks at

// value leaves the place as it was, unless it returns an error.
func (c *checker) value(data []byte, depth int) *Fault {
	at := len(c.place)
	switch data[0] {
	case '{', '[':
		if depth > MaxDepth {
			return &Fault{string(c.place), tooDeep}
		}
	case '"', 't', 'f', 'n':
		return nil
	default:
		if _, err := strconv.ParseFloat(string(data), 64); err != nil {
			return &Fault{string(c.place), tooLarge}
		}
		return nil
	}
	names := map[string]bool{}
	for name, inner := range jsonparts.Members(data) {
		c.place = append(append(c.place[:at], '.'), ShownName(name)...)
		if names[name] { // compared after unescaping
			return &Fault{string(c.place), "is given twice; send it once"}
		}
		names[name] = true
		if err := c.value(inner, depth+1); err != nil {
			return err
		}
	}
	i := int64(0)
	for inner := range jsonparts.Elements(data) {
		c.place = append(strconv.AppendInt(append(c.place[:at], '['), i, 10), ']')
		if err := c.value(inner, depth+1); err != nil {
			return err
		}
		i++
	}
	c.place = c.place[:at]
	return nil
}

var tooDeep = fmt.Sprintf("is nested deeper than %d levels", MaxDepth)

// whyNotJSON tells where the text stops being JSON.
func whyNotJSON(data []byte) *Fault {
	w := newWalker(data, func([]byte, json.Token) bool { return false })
	if err := w.value([]byte("body"), 1); err != nil {
		return err
	}
	return &Fault{"body", "has more after the JSON value"}
}

// halfCharacter returns where an escaped surrogate without its other half is, which encoding/json
// would replace (RFC 8259 section 8.2); -1 for nowhere. The data is JSON.
func halfCharacter(data []byte) int {
	unit := func(i int) rune { // the UTF-16 code unit that is escaped there
		if i+6 > len(data) || data[i] != '\\' || data[i+1] != 'u' {
			return 0
		}
		n, _ := strconv.ParseUint(string(data[i+2:i+6]), 16, 16)
		return rune(n)
	}
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		if first := unit(i); utf16.IsSurrogate(first) {
			if utf16.DecodeRune(first, unit(i+6)) == utf8.RuneError {
				return i
			}
			i += 6
		}
		i++ // past what was escaped
	}
	return -1
}

// placeAt returns where in the body the value is that ends, or opens, at the offset.
func placeAt(data []byte, offset int64) string {
	found := "body"
	var w *walker
	w = newWalker(data, func(place []byte, _ json.Token) bool {
		if w.InputOffset() < offset {
			return false
		}
		found = string(place)
		return true
	})
	_ = w.value([]byte("body"), 1)
	return found
}

// stopped ends a walk at the wish of whoever is visited.
var stopped = new(Fault)

// A walker reads JSON and calls visit with each value that is not inside of another, and with
// the opening of those that hold others, until it reports that it is done.
type walker struct {
	*json.Decoder
	data  []byte
	visit func(place []byte, token json.Token) (done bool)
}

func newWalker(data []byte, visit func([]byte, json.Token) bool) *walker {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return &walker{decoder, data, visit}
}

// value reads one value, whatever it is.
func (w *walker) value(place []byte, depth int) *Fault {
	token, err := w.Token()
	if err != nil {
		return w.noJSON(place, err)
	}
	if w.visit(place, token) {
		return stopped
	}
	opening, nested := token.(json.Delim)
	if !nested {
		return nil
	}
	if depth > MaxDepth {
		return &Fault{string(place), tooDeep}
	}
	names := map[string]bool{}
	for i := 0; w.More(); i++ {
		at := append(strconv.AppendInt(append(place, '['), int64(i), 10), ']')
		if opening == '{' {
			token, err := w.Token()
			if err != nil {
				return w.noJSON(place, err)
			}
			name := token.(string)
			at = append(append(place, '.'), ShownName(name)...)
			if names[name] { // compared after unescaping
				return &Fault{string(at), "is given twice; send it once"}
			}
			names[name] = true
		}
		if err := w.value(at, depth+1); err != nil {
			return err
		}
	}
	if _, err = w.Token(); err != nil { // the closing bracket
		return w.noJSON(place, err)
	}
	return nil
}

// noJSON tells where the text stops being JSON: in which value, and at which byte.
func (w *walker) noJSON(place []byte, err error) *Fault {
	var syntax *json.SyntaxError
	// the decoder's own offset is of the token before
	if !errors.As(err, &syntax) || !errors.As(json.Unmarshal(w.data, new(json.RawMessage)), &syntax) {
		return &Fault{"body", "is not whole: the JSON ends too early"}
	}
	return &Fault{string(place), fmt.Sprintf("is not JSON from byte %d of the body on; "+
		"write names and texts in double quotes, numbers in digits, and a comma only between two "+
		"members", syntax.Offset)}
}

// ShownName returns a member's name as it stands in a place. One that no operation has could be anything.
func ShownName(name string) string {
	odd := func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	if len(name) > 64 || strings.ContainsFunc(name, odd) {
		return "…"
	}
	return name
}
