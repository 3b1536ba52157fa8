package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"guestpass/internal/pattern"
	"guestpass/store"
)

// FieldChange is the change of one field. Long values are cut.
type FieldChange struct {
	Field  string `json:"field" doc:"Name of the field"`
	Before string `json:"before" doc:"Value before, empty for none, cut after 200 characters"`
	After  string `json:"after" doc:"Value after, empty for none, cut after 200 characters"`
}

// bookkeeping fields change with everything and say nothing: the format of a record and, in records of tasks up to
// version 0.1, the fields that each row has.
var bookkeeping = []string{store.FormatField, "ID", "Version", "CreatedAt", "UpdatedAt", "Creator", "TaskID", "Author"}

// FieldChanges returns what an activity changed, field by field, in the order of the names.
func FieldChanges(a store.Activity) []FieldChange {
	before, after := recorded(a.Before), recorded(a.After)
	names := []string{}
	for _, side := range []map[string]any{before, after} {
		for name := range side {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	changes := []FieldChange{}
	for _, name := range names {
		b, c := shown(before[name]), shown(after[name])
		// What is cut may differ behind it.
		if b != c || strings.HasSuffix(b, "…") && !reflect.DeepEqual(before[name], after[name]) {
			changes = append(changes, FieldChange{Field: snake(name), Before: b, After: c})
		}
	}
	return changes
}

// Fields returns what is recorded of the target of an activity, by the names that [FieldChanges] has: as it was
// afterwards or, if it is gone, before. These are the values for the places of [Operation.Done].
func Fields(a store.Activity) map[string]string {
	record := a.After
	if record == "" {
		record = a.Before
	}
	fields := map[string]string{}
	for name, value := range recorded(record) {
		fields[snake(name)] = shown(value)
	}
	return fields
}

// recorded takes a record apart; without one it returns an empty map. Numbers stay as they were written.
func recorded(record string) map[string]any {
	fields := map[string]any{}
	decoder := json.NewDecoder(strings.NewReader(record))
	decoder.UseNumber()
	_ = decoder.Decode(&fields)
	for _, name := range bookkeeping {
		delete(fields, name)
	}
	return fields
}

// shown returns a stored value in words; the zero time is none.
func shown(value any) string {
	text := ""
	switch v := value.(type) {
	case nil:
	case string:
		text = v
	case []any:
		parts := make([]string, len(v))
		for i, part := range v {
			parts[i] = fmt.Sprint(part)
		}
		text = strings.Join(parts, ", ")
	default:
		text = fmt.Sprint(v)
	}
	if text == "0001-01-01T00:00:00Z" {
		return ""
	}
	if runes := []rune(text); len(runes) > 200 {
		text = string(runes[:199]) + "…"
	}
	return text
}

// snake returns the name under which the API shows a stored field.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteString(strings.ToLower(string(r)))
	}
	return b.String()
}

const maxDone = 200 // characters of Operation.Done

// donePlace matches a place of Operation.Done.
var donePlace = pattern.New(`\{[a-z][a-z0-9_]*\}`)

// checkDone finds what is wrong with the words for what an operation has done.
func checkDone(op Operation) (faults []error) {
	fault := func(text string) { faults = append(faults, errors.New(text)) }
	switch {
	case op.Done == "":
	case op.Effect == Read:
		fault("it has Done and only reads, which is not on record: leave Done out")
	case strings.TrimSpace(op.Done) == "" || utf8.RuneCountInString(op.Done) > maxDone:
		fault(fmt.Sprintf("its Done must have from 1 to %d characters, such as Created note “{title}”", maxDone))
	case strings.ContainsFunc(op.Done, unicode.IsControl):
		fault("its Done has a line end or another control character: write it in one line")
	case strings.ContainsAny(donePlace.ReplaceAllString(op.Done, ""), "{}"):
		fault("its Done has a place that is no field: write {name}, with the name as it is in the record, in lower " +
			"case with underscores")
	}
	return faults
}
