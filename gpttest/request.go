package gpttest

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// build splits the arguments into path, query, cookies and JSON body. A nil argument
// counts as not given outside the body.
func (g *GPT) build(op Operation, args map[string]any) (request Request, cookies string, err error) {
	path := op.Path
	var query, jar []string
	body := map[string]any{}
	for _, a := range op.Arguments {
		value, given := args[a.Name]
		if !given || (value == nil && a.In != "body") {
			continue
		}
		switch a.In {
		case "path":
			text := scalar(value)
			if text == "" || text == "." || text == ".." {
				return Request{}, "", fmt.Errorf("argument %s: %q cannot stand in a path", a.Name, text)
			}
			path = strings.ReplaceAll(path, "{"+a.Name+"}", url.PathEscape(text))
		case "query":
			query = append(query, g.queryPairs(a.Name, value)...)
		case "cookie":
			jar = append(jar, a.Name+"="+url.QueryEscape(scalar(value)))
		case "body":
			body[a.Name] = value
		}
	}
	request = Request{Method: op.Method, URL: g.imp.ServerURL + path}
	if len(query) > 0 {
		request.URL += "?" + strings.Join(query, "&")
	}
	if op.hasBody && (op.bodyRequired || len(body) > 0) {
		if request.Body, err = json.Marshal(body); err != nil {
			return Request{}, "",
				fmt.Errorf("ApiSyntaxError: Could not parse API call kwargs as JSON: exception=%w "+
					"url=%s", err, request.URL)
		}
	}
	if n := utf8.RuneCount(request.Body); n >= maxCharacters {
		return Request{}, "", &TooLargeError{What: "request", Characters: n}
	}
	return request, strings.Join(jar, "; "), nil
}

func (g *GPT) queryPairs(name string, value any) []string {
	list, ok := elements(value)
	if !ok {
		return []string{url.QueryEscape(name) + "=" + url.QueryEscape(scalar(value))}
	}
	texts := make([]string, len(list))
	for i, element := range list {
		texts[i] = url.QueryEscape(scalar(element))
	}
	if g.options.QueryArrays == Comma {
		return []string{url.QueryEscape(name) + "=" + strings.Join(texts, ",")}
	}
	key := url.QueryEscape(name)
	if g.options.QueryArrays == Brackets {
		key += "[]"
	}
	for i, text := range texts {
		texts[i] = key + "=" + text
	}
	return texts
}

func elements(value any) ([]any, bool) {
	switch value := value.(type) {
	case []any:
		return value, true
	case []string:
		list := make([]any, len(value))
		for i, element := range value {
			list[i] = element
		}
		return list, true
	}
	return nil, false
}

// scalar writes a value into a URL: numbers as JSON has them, strings as they are.
func scalar(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case bool:
		return strconv.FormatBool(value)
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return strings.Trim(string(text), `"`)
}
