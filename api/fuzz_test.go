package api

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"
	"unicode/utf8"

	"guestpass/internal/strictjson"
)

// Whatever is sent as a cursor, what is accepted was made here, for this list, in one spelling.
func FuzzCursor(f *testing.F) {
	signer := newCursorSigner([]byte("key"))
	good := signer.seal("after-25", "listTasks", "acme", "open")
	for _, seed := range []string{good, good + "=", good[:len(good)-1], "\n" + good, "AAAA", "",
		signer.seal("after-25", "listTasks", "globex", "open"), "' OR 1=1 --"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		position, ok := signer.open(cursor, "listTasks", "acme", "open")
		if ok && signer.seal(position, "listTasks", "acme", "open") != cursor {
			t.Fatalf("accepted %q as %q", cursor, position)
		}
		if ok && cursor != "" && cursor != good {
			t.Fatalf("%q was not made here", cursor)
		}
	})
}

// Whatever is sent as a body, what is accepted is one JSON value in UTF-8, no deeper than
// allowed, in which no member is lost to another of the same name.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{`{"title":"x","labels":["a"]}`, `{"a":1,"a":2}`, `{"n":1,"\u006e":2}`,
		`[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]`, `{} {}`, `{"a":`,
		"{\"a\":\"\xff\"}", `"\ud800"`, `1e999`, `{"a":{"b":[{},{"c":null}]}}`, ` `, `{"":0,"":0}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		_, v, err := readJSON(body)
		if err != nil {
			return
		}
		if !json.Valid(body) || !utf8.Valid(body) {
			t.Fatalf("accepted %q", body)
		}
		if depth := nesting(body); depth > strictjson.MaxDepth {
			t.Fatalf("accepted %d levels: %q", depth, body)
		}
		// Names are counted as they stand in the text, and as they are after decoding.
		if written, kept := tokens(t, body), values(v); written != kept {
			t.Fatalf("of %d values and names %d are kept: %q", written, kept, body)
		}
	})
}

// nesting counts brackets outside of strings.
func nesting(body []byte) (deepest int) {
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '{' || c == '['):
			depth++
			deepest = max(deepest, depth)
		case !quoted && (c == '}' || c == ']'):
			depth--
		}
	}
	return deepest
}

// tokens counts all but closing brackets.
func tokens(t *testing.T, body []byte) (n int) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
		if token != json.Delim('}') && token != json.Delim(']') {
			n++
		}
	}
}

// values counts names and values.
func values(v any) int {
	n := 1
	switch v := v.(type) {
	case map[string]any:
		for _, member := range v {
			n += 1 + values(member)
		}
	case []any:
		for _, element := range v {
			n += values(element)
		}
	}
	return n
}
