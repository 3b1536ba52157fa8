// Package jsonparts takes JSON apart that is known to be valid, into values as they are written. It
// decodes nothing but names, and so costs a fraction of what encoding/json does.
//
// It checks nothing: for a text that is not valid JSON in UTF-8 it may return anything, but it
// ends.
package jsonparts

import (
	"bytes"
	"encoding/json"
	"iter"
)

// Members returns those of an object, in their order, with their names unescaped; of anything else there
// are none.
func Members(object []byte) iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		at := opens(object, '{')
		for at < len(object) && object[at] == '"' {
			end := ends(object, at)
			name := Text(object[at:end])
			at = skip(object, end) + 1 // past the colon
			at = skip(object, at)
			end = ends(object, at)
			if !yield(name, object[at:end:end]) {
				return
			}
			at = next(object, end)
		}
	}
}

// Elements returns those of an array, in their order; of anything else there are none.
func Elements(array []byte) iter.Seq[json.RawMessage] {
	return func(yield func(json.RawMessage) bool) {
		at := opens(array, '[')
		for at < len(array) && array[at] != ']' {
			end := ends(array, at)
			if end == at || !yield(array[at:end:end]) {
				return
			}
			at = next(array, end)
		}
	}
}

// Object returns the members by their names; nil for what is no object.
func Object(object []byte) map[string]json.RawMessage {
	if start := skip(object, 0); start >= len(object) || object[start] != '{' {
		return nil
	}
	members := map[string]json.RawMessage{}
	for name, value := range Members(object) {
		members[name] = value
	}
	return members
}

// Text returns the text of a JSON string; "" for anything else.
func Text(value []byte) (text string) {
	if len(value) < 2 || value[0] != '"' {
		return ""
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1])
	}
	_ = json.Unmarshal(value, &text)
	return text
}

// opens returns where the first part begins in what the bracket opens; the length if it is something else.
func opens(data []byte, bracket byte) int {
	at := skip(data, 0)
	if at >= len(data) || data[at] != bracket {
		return len(data)
	}
	return skip(data, at+1)
}

// next returns where the part begins that follows the one that ended there, or the closing bracket.
func next(data []byte, at int) int {
	at = skip(data, at)
	if at < len(data) && data[at] == ',' {
		return skip(data, at+1)
	}
	return at
}

func skip(data []byte, at int) int {
	for at < len(data) && (data[at] == ' ' || data[at] == '\n' || data[at] == '\t' || data[at] == '\r') {
		at++
	}
	return min(at, len(data))
}

// ends returns where the value ends that begins there.
func ends(data []byte, at int) int {
	depth := 0
	for ; at < len(data); at++ {
		switch data[at] {
		case '"':
			for at++; at < len(data) && data[at] != '"'; at++ {
				if data[at] == '\\' {
					at++
				}
			}
			if depth == 0 {
				return min(at+1, len(data))
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return at + 1
			}
			if depth < 0 { // of a number or a word before it
				return at
			}
		case ',', ' ', '\n', '\t', '\r', ':':
			if depth == 0 {
				return at
			}
		}
	}
	return len(data)
}
