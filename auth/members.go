package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// members takes one JSON object apart and leaves its values as they are: a value that
// nobody reads only has to be JSON, however long its arrays, however large its numbers.
// It refuses what RFC 7515 section 4 does not allow and encoding/json would: a name that
// is given twice, compared after unescaping, text that is not UTF-8, and anything behind
// the object.
func members(data []byte) (map[string]json.RawMessage, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("not valid UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	object := map[string]json.RawMessage{}
	for decoder.More() {
		name, value, err := nextMember(decoder)
		if err != nil {
			return nil, err
		}
		if _, twice := object[name]; twice {
			return nil, fmt.Errorf("the member %s is given twice", shown(name))
		}
		object[name] = value
	}
	if _, err := decoder.Token(); err != nil {
		return nil, errNotJSON
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("something follows the JSON object")
	}
	return object, nil
}

// errNotJSON stands for the decoder's errors, which repeat what they stumble over.
var errNotJSON = errors.New("not valid JSON")

func nextMember(decoder *json.Decoder) (name string, value json.RawMessage, err error) {
	token, err := decoder.Token()
	if err != nil {
		return "", nil, errNotJSON
	}
	name = token.(string) // the decoder admits nothing else here
	if strings.ContainsRune(name, utf8.RuneError) {
		// half a character, as which others would read alike
		return "", nil, errors.New("the name of a member is not text")
	}
	if err := decoder.Decode(&value); err != nil {
		return "", nil, errNotJSON
	}
	return name, value, nil
}

// text returns a string, or "" for a value of another type and for none.
func text(value json.RawMessage) (s string) {
	if json.Unmarshal(value, &s) != nil {
		return ""
	}
	return s
}

// texts returns the strings of an array, or a string as the only one; nil for everything else.
func texts(value json.RawMessage) (list []string) {
	if single := text(value); single != "" {
		return []string{single}
	}
	if json.Unmarshal(value, &list) != nil {
		return nil
	}
	return list
}
