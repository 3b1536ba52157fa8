package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"guestpass/internal/jsonparts"
)

// A RepeatedError is about a name that an object has twice.
type RepeatedError struct{ Name string }

func (e *RepeatedError) Error() string { return "a member is given twice" }

// Object takes one JSON object apart and leaves its values as they are: a value that nobody
// reads only has to be JSON, however long its arrays, however large its numbers. The values are
// parts of the data. It refuses what RFC 7515 section 4 does not allow and encoding/json would:
// a name that is given twice, compared after unescaping, text that is not UTF-8, and anything
// behind the object. No error repeats what was sent, but a [*RepeatedError] has the name.
func Object(data []byte) (map[string]json.RawMessage, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("not valid UTF-8")
	}
	if trimmed := bytes.TrimLeft(data, " \n\t\r"); len(trimmed) == 0 || trimmed[0] != '{' {
		return nil, errors.New("not a JSON object")
	}
	if !json.Valid(data) {
		return nil, whyNoObject(data)
	}
	object := map[string]json.RawMessage{}
	for name, value := range jsonparts.Members(data) {
		if strings.ContainsRune(name, utf8.RuneError) { // half a character, as which others would read alike
			return nil, errors.New("the name of a member is not text")
		}
		if _, twice := object[name]; twice {
			return nil, &RepeatedError{name}
		}
		object[name] = value
	}
	return object, nil
}

// whyNoObject tells an object that something follows from one that is broken.
func whyNoObject(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if decoder.Decode(new(json.RawMessage)) == nil {
		if _, err := decoder.Token(); err != io.EOF {
			return errors.New("something follows the JSON object")
		}
	}
	return errors.New("not valid JSON")
}
