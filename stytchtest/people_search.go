package stytchtest

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"guestpass/stytchtest/internal/wire"
)

// cutList returns one page of a list. The cursor, opaque to callers, is the number of entries before it.
// Errors begin with prefix.
func cutList(c *call, prefix, name string, all []any) (map[string]any, *wire.Failure) {
	limit := c.Number("limit", 100)
	if limit < 1 || limit > 1000 {
		return nil, wire.Fail(http.StatusBadRequest, prefix+"invalid_limit", "The limit must be between 1 and 1000.")
	}
	start, err := 0, error(nil)
	if cursor := c.Text("cursor"); cursor != "" {
		start, err = cursorPosition(cursor)
		if err != nil || start < 0 || start > len(all) {
			return nil, wire.Fail(http.StatusBadRequest, prefix+"invalid_cursor", "The cursor is invalid.")
		}
	}
	end := min(start+limit, len(all))
	metadata := map[string]any{"total": len(all), "next_cursor": nil}
	if end < len(all) {
		metadata["next_cursor"] = base64.RawURLEncoding.EncodeToString([]byte("after " + strconv.Itoa(end)))
	}
	return map[string]any{name: all[start:end], "results_metadata": metadata}, nil
}

// userSearch begins the names of some errors of every search, whatever is searched for.
const userSearch = "user_search_"

func cursorPosition(cursor string) (int, error) {
	plain, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimPrefix(string(plain), "after "))
}

// A filter understands the value of one operand of a search; wrong names the error for a
// value that it does not understand: without the search's prefix, and with * for the
// filter's name, unless it begins with search_.
type filter[T any] func(value any) (match func(T) bool, wrong string)

// A query is a search's operator and operands, understood.
type query[T any] struct {
	any      bool // OR
	operands []func(T) bool
	names    []string
}

func (q query[T]) match(subject T) bool {
	if len(q.operands) == 0 {
		return true
	}
	if q.any {
		return slices.ContainsFunc(q.operands, func(match func(T) bool) bool { return match(subject) })
	}
	return !slices.ContainsFunc(q.operands, func(match func(T) bool) bool { return !match(subject) })
}

// readQuery understands the search of a call. Errors begin with prefix.
func readQuery[T any](c *call, prefix string, filters map[string]filter[T]) (q query[T], bad *wire.Failure) {
	given, _ := c.Body["query"].(map[string]any)
	operands, _ := given["operands"].([]any)
	operator := given["operator"]
	if q.any = operator == "OR"; operator != "OR" && operator != "AND" && (operator != nil || len(operands) > 0) {
		return q, wire.Fail(http.StatusBadRequest, userSearch+"invalid_operator", "The operator must be AND or OR.")
	}
	for _, o := range operands {
		operand, _ := o.(map[string]any)
		name, isText := operand["filter_name"].(string)
		f, known := filters[name]
		switch {
		case operand["filter_name"] == nil:
			return q, wire.Fail(http.StatusBadRequest, prefix+"missing_filter_name", "An operand has no filter_name.")
		case !isText:
			return q, wire.Fail(http.StatusBadRequest, prefix+"filter_name_must_be_string",
				"filter_name must be a string.")
		case !known:
			return q, wire.Fail(http.StatusBadRequest, prefix+"filter_name_not_recognized",
				"The filter name is not recognized.")
		case operand["filter_value"] == nil:
			return q, wire.Fail(http.StatusBadRequest, prefix+"missing_filter_value",
				"The filter "+name+" has no filter_value.")
		}
		match, wrong := f(operand["filter_value"])
		if wrong != "" {
			if !strings.HasPrefix(wrong, "search_") {
				wrong = prefix + strings.ReplaceAll(wrong, "*", name)
			}
			return q, wire.Fail(http.StatusBadRequest, wrong, "The value of "+name+" is not one that it takes.")
		}
		q.operands, q.names = append(q.operands, match), append(q.names, name)
	}
	return q, nil
}
