package store

import (
	"bytes"
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// Changed notes for the activity record what the change did to the target: what it was
// before and is after, as values that JSON can hold, nil for none. The last note counts.
func (tx *Tx) Changed(target string, before, after any) {
	tx.changed = Change{Target: target, Before: snapshot(before), After: snapshot(after)}
}

// Change returns what Changed has noted.
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

// EncodeJSON is [json.Marshal], but < > and & stay one byte each: kept values are never part of a page.
func EncodeJSON(value any) (string, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", err
	}
	return string(bytes.TrimSuffix(text.Bytes(), []byte("\n"))), nil
}

// maxAfter is how many characters of a text the record keeps as it is after a change: it shows no more, and undoing
// needs only what was before.
const maxAfter = 200

// FormatField is the JSON name of the field that says in which format a record is. [Tx.ChangedFields] keeps it, and
// nobody sees it.
const FormatField = "v"

// ChangedFields is Changed for structs whose undo puts back the fields that are in Before. The record keeps the fields
// that differ, by their JSON names, and in After only the beginnings of texts. A field tagged record:"always" it keeps
// anyway, so that the record says what was changed, whatever became of it later: tag the one by which people know the
// thing. Make the structs for the record alone, with a format of their own, see [FormatField]: rows are read years
// later.
func (tx *Tx) ChangedFields(target string, before, after any) {
	was, is := fields(before), fields(after)
	always := append(keptAlways(after), FormatField)
	for name := range is {
		value, there := was[name]
		if there && !slices.Contains(always, name) && reflect.DeepEqual(value, is[name]) {
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

// fields returns the exported fields of a struct, by their JSON names; none for nil.
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
		named[nameOf(field)] = of.Field(i).Interface()
	}
	return named
}

// keptAlways returns the JSON names of the fields of a struct that are tagged so; none for nil.
func keptAlways(value any) (names []string) {
	if value == nil {
		return nil
	}
	for _, field := range reflect.VisibleFields(reflect.TypeOf(value)) {
		if field.IsExported() && field.Tag.Get("record") == "always" {
			names = append(names, nameOf(field))
		}
	}
	return names
}

func nameOf(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return cmp.Or(name, field.Name)
}

func ifAny(value any, named map[string]any) any {
	if value == nil {
		return nil
	}
	return named
}

// beginning returns the part of a text that is shown, with one more character if the text goes on.
func beginning(text string, characters int) string {
	n := 0
	for at := range text {
		if n++; n > characters+1 {
			return text[:at]
		}
	}
	return text
}
