package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"

	"guestpass/internal/strictjson"
)

// readJSON reads a body that is to be one JSON value, and refuses what [strictjson.Check] does. Whole numbers are
// integers however they are written: in the canonical text they are digits. Its errors are of type [strictjson.Fault].
func readJSON(data []byte) (canonical []byte, value any, err error) {
	if fault := strictjson.Check(data); fault != nil {
		return nil, nil, fault
	}
	canonical = canonicalNumbers(data)
	decoder := json.NewDecoder(bytes.NewReader(canonical))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil, nil, &strictjson.Fault{Place: "body", Message: wantsForm} // never: it was checked
	}
	return canonical, value, nil
}

// misfit returns why a value of the type cannot be made of canonical JSON that its schema admits; nil if it can.
func misfit(canonical []byte, t reflect.Type) error {
	return strictjson.Unmarshal(canonical, reflect.New(t).Interface())
}

// faultOf is what the caller learns of an error of [readJSON] or [misfit].
func faultOf(err error) FieldProblem {
	var wrong *strictjson.Fault
	if !errors.As(err, &wrong) {
		return FieldProblem{Location: "body", Message: "is not JSON"}
	}
	return FieldProblem{Location: wrong.Place, Message: wrong.Message}
}
