package auth

import (
	"encoding/json"
	"errors"
	"fmt"

	"guestpass/internal/strictjson"
)

// members takes one JSON object apart and leaves its values as they are. It refuses what
// [strictjson.Object] does, and names a member that is given twice as a log may have it.
func members(data []byte) (map[string]json.RawMessage, error) {
	object, err := strictjson.Object(data)
	var repeated *strictjson.RepeatedError
	if errors.As(err, &repeated) {
		return nil, fmt.Errorf("the member %s is given twice", shown(repeated.Name))
	}
	return object, err
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
