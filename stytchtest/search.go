package stytchtest

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// page cuts a list. The cursor, opaque to callers, is the number of entries before it.
func page(c *call, name string, all []any) (map[string]any, *failure) {
	limit := c.number("limit", 100)
	if limit < 1 || limit > 1000 {
		return nil, fail(http.StatusBadRequest, "invalid_limit", "The limit must be between 1 and 1000.")
	}
	start, err := 0, error(nil)
	if cursor := c.text("cursor"); cursor != "" {
		start, err = cursorPosition(cursor)
		if err != nil || start < 0 || start > len(all) {
			return nil, fail(http.StatusBadRequest, "invalid_cursor", "The cursor is invalid.")
		}
	}
	end := min(start+limit, len(all))
	metadata := map[string]any{"total": len(all), "next_cursor": nil}
	if end < len(all) {
		metadata["next_cursor"] = base64.RawURLEncoding.EncodeToString([]byte("after " + strconv.Itoa(end)))
	}
	return map[string]any{name: all[start:end], "results_metadata": metadata}, nil
}

func cursorPosition(cursor string) (int, error) {
	plain, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimPrefix(string(plain), "after "))
}

// A filter is one operand of a search: its values decide what matches. A fuzzy filter has
// one value, a part of what it looks for; the others are lists, any of which may match.
type filter[T any] struct {
	fuzzy  bool
	values func(T) []string
	// test stands for filters that are no comparison of texts.
	test func(subject T, value any) (matches, understood bool)
}

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

// readQuery understands the search of a call. what begins the names of the errors.
func readQuery[T any](c *call, what string, filters map[string]filter[T]) (q query[T], bad *failure) {
	given, _ := c.body["query"].(map[string]any)
	operator, isText := given["operator"].(string)
	if q.any = operator == "OR"; given["operator"] != nil && (!isText || operator != "AND" && operator != "OR") {
		return q, fail(http.StatusBadRequest, "invalid_search_operator", "The operator must be AND or OR.")
	}
	operands, _ := given["operands"].([]any)
	for _, o := range operands {
		operand := &call{}
		operand.body, _ = o.(map[string]any)
		name := operand.text("filter_name")
		f, known := filters[name]
		if !known {
			return q, fail(http.StatusBadRequest, what+"_search_filter_name_not_recognized", "The filter name is not recognized.")
		}
		match, bad := f.operand(operand, what)
		if bad != nil {
			return q, bad
		}
		q.operands, q.names = append(q.operands, match), append(q.names, name)
	}
	return q, nil
}

func (f filter[T]) operand(c *call, what string) (func(T) bool, *failure) {
	invalid := fail(http.StatusBadRequest, what+"_search_filter_value_invalid", "The value of "+c.text("filter_name")+" is of the wrong kind.")
	if f.test != nil {
		value := c.body["filter_value"]
		var nobody T
		if _, understood := f.test(nobody, value); !understood {
			return nil, invalid
		}
		return func(subject T) bool { matches, _ := f.test(subject, value); return matches }, nil
	}
	if f.fuzzy {
		part := strings.ToLower(c.text("filter_value"))
		if len(part) < 3 {
			return nil, fail(http.StatusBadRequest, what+"_search_fuzzy_too_short", "Fuzzy filters need three characters.")
		}
		return func(subject T) bool {
			return slices.ContainsFunc(f.values(subject), func(v string) bool { return strings.Contains(strings.ToLower(v), part) })
		}, nil
	}
	if _, isList := c.body["filter_value"].([]any); !isList {
		return nil, invalid
	}
	wanted := c.texts("filter_value")
	return func(subject T) bool {
		return slices.ContainsFunc(f.values(subject), func(v string) bool {
			return slices.ContainsFunc(wanted, func(w string) bool { return strings.EqualFold(v, w) })
		})
	}, nil
}

// emailsOf are all addresses of a person.
func emailsOf(p *person) (list []string) {
	for _, e := range p.emails {
		list = append(list, e.Address)
	}
	return list
}

// memberFilters are the five of which we know that Stytch has them.
var memberFilters = map[string]filter[*person]{
	"member_ids":         {values: func(p *person) []string { return []string{p.id} }},
	"member_emails":      {values: emailsOf},
	"member_email_fuzzy": {values: emailsOf, fuzzy: true},
	"member_roles":       {values: func(p *person) []string { return p.roles }},
	"statuses":           {values: func(p *person) []string { return []string{p.status} }},
}

var userFilters = map[string]filter[*person]{
	"user_id":             {values: func(p *person) []string { return []string{p.id} }},
	"status":              {values: func(p *person) []string { return []string{p.status} }},
	"email_address":       {values: emailsOf},
	"email_address_fuzzy": {values: emailsOf, fuzzy: true},
	"email_id": {values: func(p *person) (list []string) {
		for _, e := range p.emails {
			list = append(list, e.ID)
		}
		return list
	}},
	"full_name_fuzzy": {values: func(p *person) []string { return []string{p.fullName()} }, fuzzy: true},
	"oauth_provider": {values: func(p *person) (list []string) {
		for _, registered := range p.providers {
			list = append(list, registered.Provider)
		}
		return list
	}},
	"email_verified": {test: func(p *person, value any) (bool, bool) {
		verified, ok := value.(bool)
		return p != nil && p.verified() == verified, ok
	}},
	"created_at_greater_than": {test: createdAt(func(created, than time.Time) bool { return created.After(than) })},
	"created_at_less_than":    {test: createdAt(func(created, than time.Time) bool { return created.Before(than) })},
	"created_at_between": {test: func(p *person, value any) (bool, bool) {
		ends, _ := value.(map[string]any)
		after, ok1 := createdAt(func(created, than time.Time) bool { return created.After(than) })(p, ends["greater_than"])
		before, ok2 := createdAt(func(created, than time.Time) bool { return created.Before(than) })(p, ends["less_than"])
		return after && before, ok1 && ok2
	}},
}

func createdAt(compare func(created, than time.Time) bool) func(*person, any) (bool, bool) {
	return func(p *person, value any) (bool, bool) {
		text, _ := value.(string)
		than, err := time.Parse(time.RFC3339, text)
		return err == nil && p != nil && compare(p.created, than), err == nil
	}
}

var organizationFilters = map[string]filter[*Organization]{
	"organization_ids":        {values: func(o *Organization) []string { return []string{o.ID} }},
	"organization_slugs":      {values: func(o *Organization) []string { return []string{o.Slug} }},
	"organization_slug_fuzzy": {values: func(o *Organization) []string { return []string{o.Slug} }, fuzzy: true},
	"organization_name_fuzzy": {values: func(o *Organization) []string { return []string{o.Name} }, fuzzy: true},
	"allowed_domains":         {values: func(o *Organization) []string { return o.EmailAllowedDomains }},
}
