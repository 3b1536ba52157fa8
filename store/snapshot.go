package store

import (
	"bytes"
	"cmp"
	"encoding/json"
	"reflect"
	"strings"
)

// Changed notes for the activity record what the change did to the target: what it was
// before and is after, as values that JSON can hold, nil for none. The last note counts.
func (tx *Tx) Changed(target string, before, after any) {
	tx.changed = Change{Target: target, Before: snapshot(before), After: snapshot(after)}
}

// Change is what was noted by Changed.
func (tx *Tx) Change() Change { return tx.changed }

func snapshot(value any) string {
	if value == nil {
		return ""
	}
	text, err := EncodeJSON(value)
	if err != nil {
		panic(err) // a type that JSON cannot hold; the change is undone and told as an error
	}
	return text
}

// EncodeJSON is [json.Marshal], but < > and & stay one byte each: nothing that is kept is ever
// part of a page.
func EncodeJSON(value any) (string, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", err
	}
	return string(bytes.TrimSuffix(text.Bytes(), []byte("\n"))), nil
}

// maxAfter is how many characters the record keeps of a text as it was afterwards: it shows no
// more, and undoing needs what was before.
const maxAfter = 200

// FormatField is the JSON name of the field that says in which format a record is. [Tx.ChangedFields] keeps it, and
// nobody is shown it.
const FormatField = "v"

// ChangedFields is Changed for structs whose undo puts back the fields that are in Before: the
// record keeps what differs, under its JSON name, and of what is there afterwards the beginnings of texts. The structs
// are made for the record, with a format of their own, see [FormatField]: rows are read again years later.
func (tx *Tx) ChangedFields(target string, before, after any) {
	was, is := fields(before), fields(after)
	for name := range is {
		value, there := was[name]
		if there && name != FormatField && reflect.DeepEqual(value, is[name]) {
			delete(was, name)
			delete(is, name)
			continue
		}
		if text, ok := is[name].(string); ok {
			is[name] = beginning(text, maxAfter)
		}
	}
	tx.Changed(target, ifAny(before, was), ifAny(after, is))
}

// fields are the exported ones of a struct, by their JSON names; none of nil.
func fields(value any) map[string]any {
	named := map[string]any{}
	if value == nil {
		return named
	}
	of := reflect.ValueOf(value)
	for i := range of.NumField() {
		field := of.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		named[cmp.Or(name, field.Name)] = of.Field(i).Interface()
	}
	return named
}

func ifAny(value any, named map[string]any) any {
	if value == nil {
		return nil
	}
	return named
}

// beginning is what of a text is shown, with one character more where there is more.
func beginning(text string, characters int) string {
	n := 0
	for at := range text {
		if n++; n > characters+1 {
			return text[:at]
		}
	}
	return text
}
