package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// Bounds of the JSON in a token and in a key document.
const (
	maxDepth    = 8
	maxElements = 64
)

// strictObject decodes one JSON object, the way RFC 7515 section 4 wants a header
// read and encoding/json does not read it: names are unique at every depth, compared
// after unescaping; text is valid UTF-8 without lone surrogates; numbers are within the
// range of a double; nothing follows.
// Numbers stay json.Number.
func strictObject(data []byte) (map[string]any, error) {
	if !utf8.Valid(data) || loneSurrogate(data) {
		return nil, errors.New("not valid UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	value, err := strictValue(decoder, 1)
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("not an object")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("data after the object")
	}
	return object, nil
}

func strictValue(decoder *json.Decoder, depth int) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	if _, nests := token.(json.Delim); nests && depth > maxDepth {
		return nil, errors.New("nested too deep")
	}
	switch token {
	case json.Delim('{'):
		return strictMembers(decoder, depth)
	case json.Delim('['):
		return strictElements(decoder, depth)
	}
	if number, ok := token.(json.Number); ok {
		if _, err := number.Float64(); err != nil { // not interoperable, RFC 8259 section 6
			return nil, errors.New("a number is too large")
		}
	}
	return token, nil
}

func strictMembers(decoder *json.Decoder, depth int) (any, error) {
	members := map[string]any{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name := token.(string) // the decoder admits nothing else here
		if _, twice := members[name]; twice {
			return nil, errors.New("a member is given twice")
		}
		if members[name], err = strictValue(decoder, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := decoder.Token()
	return members, err
}

func strictElements(decoder *json.Decoder, depth int) (any, error) {
	elements := []any{}
	for decoder.More() {
		if len(elements) == maxElements {
			return nil, errors.New("an array is too long")
		}
		element, err := strictValue(decoder, depth+1)
		if err != nil {
			return nil, err
		}
		elements = append(elements, element)
	}
	_, err := decoder.Token()
	return elements, err
}

// loneSurrogate finds \ud800…\udfff escapes that are no pair; encoding/json would
// make U+FFFD of them, and different names equal.
func loneSurrogate(data []byte) bool {
	text := string(data)
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		if i++; i >= len(text) || text[i] != 'u' || i+4 >= len(text) {
			continue
		}
		switch unit := strings.ToLower(text[i+1 : i+5]); {
		case unit >= "dc00" && unit <= "dfff":
			return true
		case unit >= "d800" && unit <= "dbff":
			rest := strings.ToLower(text[i+5 : min(i+11, len(text))])
			if len(rest) < 6 || rest[:2] != `\u` || rest[2:] < "dc00" || rest[2:] > "dfff" {
				return true
			}
			i += 10
		}
	}
	return false
}
