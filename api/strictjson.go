package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"guestpass/internal/jsonparts"
)

// maxDepth bounds the nesting of request bodies.
const maxDepth = 16

// readJSON reads a text that is to be one JSON value. It refuses what encoding/json lets pass: names that are given
// twice, of which the last would win, text that is no UTF-8, which it would repair silently, and nesting deeper than
// maxDepth. Whole numbers are integers however they are written: in the canonical text they are digits. Its errors are
// of type [bodyError].
func readJSON(data []byte) (canonical []byte, value any, err error) {
	if err := checkJSON(data); err != nil {
		return nil, nil, err
	}
	canonical = canonicalNumbers(data)
	decoder := json.NewDecoder(bytes.NewReader(canonical))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil, nil, &bodyError{"body", wantsForm} // never: it was checked
	}
	return canonical, value, nil
}

// misfit is why a value of the type cannot be made of canonical JSON that its schema admits; nil if it can.
func misfit(canonical []byte, t reflect.Type) error {
	err := json.Unmarshal(canonical, reflect.New(t).Interface())
	if err == nil {
		return nil
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return &bodyError{placeAt(canonical, wrong.Offset), wanted(wrong.Type)}
	}
	return &bodyError{"body", "has a value that is not of the form that is wanted here"} // by a type's own rules
}

// A bodyError is what is wrong with a body, and where, in words for the caller.
type bodyError struct{ place, message string }

func (e *bodyError) Error() string { return e.place + " " + e.message }

// faultOf says so of an error of [readJSON].
func faultOf(err error) FieldProblem {
	var wrong *bodyError
	if !errors.As(err, &wrong) {
		return FieldProblem{Location: "body", Message: "is not JSON"}
	}
	return FieldProblem{Location: wrong.place, Message: wrong.message}
}

// wanted says what a value that the schema admits must be for Go to keep it.
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

// CheckJSON returns what is wrong with a text that is to be one JSON value, and where, or nil: it has a member
// twice, is not UTF-8, goes on after the value, or is nested deeper than 16 levels.
func CheckJSON(data []byte) *FieldProblem {
	err := checkJSON(data)
	if err == nil {
		return nil
	}
	fault := faultOf(err)
	return &fault
}

func checkJSON(data []byte) error {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return &bodyError{"body", "begins with a byte order mark; send UTF-8 without one"}
	case !utf8.Valid(data):
		return &bodyError{"body", "is not valid UTF-8"}
	}
	if !json.Valid(data) {
		return whyNotJSON(data)
	}
	c := checker{place: []byte("body")}
	if err := c.value(bytes.Trim(data, " \n\t\r"), 1); err != nil {
		return err
	}
	if offset := halfCharacter(data); offset >= 0 {
		return &bodyError{placeAt(data, int64(offset)),
			"has half of a character, a \\u escape of a surrogate without the other; write the character itself"}
	}
	return nil
}

// A checker looks at valid JSON for what encoding/json lets pass.
type checker struct{ place []byte } // of the value that it looks at

// value leaves the place as it was, unless it returns an error.
func (c *checker) value(data []byte, depth int) error {
	at := len(c.place)
	switch data[0] {
	case '{', '[':
		if depth > maxDepth {
			return &bodyError{string(c.place), tooDeep}
		}
	case '"', 't', 'f', 'n':
		return nil
	default:
		if _, err := strconv.ParseFloat(string(data), 64); err != nil {
			return &bodyError{string(c.place), tooLarge}
		}
		return nil
	}
	names := map[string]bool{}
	for name, inner := range jsonparts.Members(data) {
		c.place = append(append(c.place[:at], '.'), shownName(name)...)
		if names[name] { // compared after unescaping
			return &bodyError{string(c.place), "is given twice; send it once"}
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

var tooDeep = fmt.Sprintf("is nested deeper than %d levels", maxDepth)

// whyNotJSON says where the text stops being JSON.
func whyNotJSON(data []byte) error {
	w := newWalker(data, func([]byte, json.Token) error { return nil })
	if err := w.value([]byte("body"), 1); err != nil {
		return err
	}
	return &bodyError{"body", "has more after the JSON value"}
}

// halfCharacter is where an escaped surrogate without its other half is, which encoding/json
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

// placeAt is where in the body the value is that ends, or opens, at the offset.
func placeAt(data []byte, offset int64) string {
	found := "body"
	var w *walker
	w = newWalker(data, func(place []byte, _ json.Token) error {
		if w.InputOffset() < offset {
			return nil
		}
		found = string(place)
		return io.EOF
	})
	_ = w.value([]byte("body"), 1)
	return found
}

// A walker reads JSON and is asked about each value that is not inside of another, and about
// the opening of those that hold others.
type walker struct {
	*json.Decoder
	data  []byte
	visit func(place []byte, token json.Token) error
}

func newWalker(data []byte, visit func([]byte, json.Token) error) *walker {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return &walker{decoder, data, visit}
}

// value reads one value, whatever it is.
func (w *walker) value(place []byte, depth int) error {
	token, err := w.Token()
	if err != nil {
		return w.noJSON(place, err)
	}
	if err := w.visit(place, token); err != nil {
		return err
	}
	opening, nested := token.(json.Delim)
	if !nested {
		return nil
	}
	if depth > maxDepth {
		return &bodyError{string(place), tooDeep}
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
			at = append(append(place, '.'), shownName(name)...)
			if names[name] { // compared after unescaping
				return &bodyError{string(at), "is given twice; send it once"}
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

// noJSON says where the text stops being JSON: in which value, and at which byte.
func (w *walker) noJSON(place []byte, err error) error {
	var syntax *json.SyntaxError
	// the decoder's own offset is of the token before
	if !errors.As(err, &syntax) || !errors.As(json.Unmarshal(w.data, new(json.RawMessage)), &syntax) {
		return &bodyError{"body", "is not whole: the JSON ends too early"}
	}
	return &bodyError{string(place), fmt.Sprintf("is not JSON from byte %d of the body on; "+
		"write names and texts in double quotes, numbers in digits, and a comma only between two "+
		"members", syntax.Offset)}
}

// shownName is a member's name in a place. One that no operation has could be anything.
func shownName(name string) string {
	odd := func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	if len(name) > 64 || strings.ContainsFunc(name, odd) {
		return "…"
	}
	return name
}
