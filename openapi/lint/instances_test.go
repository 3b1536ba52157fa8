//go:build !production

package lint

import (
	"slices"
	"strings"
	"testing"
)

const (
	bodySchema  = "/paths/~1a/post/requestBody/content/application~1json/schema"
	replySchema = "/paths/~1a/post/responses/200/content/application~1json/schema"
)

func isTold(changes []Change, what string) bool {
	return slices.ContainsFunc(changes, func(c Change) bool { return strings.Contains(c.What, what) })
}

// TestWhatIsAdmittedStaysOrIsTold is of schemas whose meaning an easy mending would change.
func TestWhatIsAdmittedStaysOrIsTold(t *testing.T) {
	const base = `"Base": {"type": "object", "required": ["x"], "properties": {"x": {"type": "string", ` +
		`"description": "X"}}}`
	in := func(v string) string { return `{"type": "object", "properties": {"v": ` + v + `}}` }
	t.Run("a union beside properties", func(t *testing.T) {
		for _, union := range []string{
			`{"oneOf": [{"type": "number"}, {"const": "none"}], "properties": {"n": {"type": "integer", ` +
				`"description": "N"}}, "description": "V"}`,
			`{"anyOf": [{"type": "string"}, {"type": "object", "properties": {"id": {"type": "string", ` +
				`"description": "I"}}}], "properties": {"n": {"type": "string", "description": "N"}}, ` +
				`"description": "V"}`,
			`{"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}], "items": {"type": ` +
				`"string"}, "description": "V"}`,
		} {
			mended, copied := mend(t, small("3.1.0", "", in(union), in(union)))
			for _, pointer := range []string{bodySchema, replySchema} {
				if v := copied.at(pointer + "/properties/v"); v.has("type") {
					t.Errorf("%s becomes %s", union, v.compact())
				}
			}
			if len(mended.Kept) > 0 {
				t.Errorf("%s: %v", union, mended.Kept)
			}
		}
	})
	t.Run("alternatives of one kind", func(t *testing.T) {
		const either = `{"anyOf": [{"required": ["n"]}, {"required": ["m"]}], "properties": {"n": {"type": "string"},` +
			` "m": {"type": "string"}}}`
		if _, copied := mend(t, small("3.1.0", "", plainBody, in(either))); copied.at(replySchema+
			"/properties/v/type").str() != "object" {
			t.Errorf("%s", copied.at(replySchema).compact())
		}
	})
	t.Run("additionalProperties beside a base", func(t *testing.T) {
		for _, closed := range []string{`{"$ref": "#/components/schemas/Base", "additionalProperties": false}`,
			`{"allOf": [{"$ref": "#/components/schemas/Base"}], "additionalProperties": false, "type": "object"}`} {
			mended, _ := mend(t, small("3.1.0", base, in(closed), in(closed)))
			for _, part := range []string{"POST /a, body", "POST /a, response 200"} {
				if !slices.ContainsFunc(mended.Changes, func(c Change) bool {
					return strings.HasPrefix(c.Place, part) && strings.Contains(c.What, "such as x, are admitted")
				}) {
					t.Errorf("%s: nobody is told of %s: %v, kept %v", closed, part, mended.Changes, mended.Kept)
				}
			}
		}
	})
	t.Run("nullable in 3.1", func(t *testing.T) {
		mended, copied := mend(t, small("3.1.0", "", plainBody, in(`{"type": "string", "nullable": true}`)))
		if !isTold(mended.Changes, "3.1 does not know it") ||
			copied.at(replySchema+"/properties/v/type").compact() != `["string","null"]` {
			t.Errorf("%v\n%s", mended.Changes, mended.Document)
		}
		if mended, _ := mend(t, small("3.0.3", "", plainBody, in(`{"type": "string", "nullable": true}`))); len(
			mended.Changes) > 0 {
			t.Errorf("of 3.0: %v", mended.Changes)
		}
	})
	t.Run("the discriminator of a base", func(t *testing.T) {
		mended, _ := mend(t, small("3.1.0",
			`"Pet": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string", `+
				`"description": "K"}}, "discriminator": {"propertyName": "kind", "mapping": {"dog": `+
				`"#/components/schemas/Dog"}}},
			"Dog": {"allOf": [{"$ref": "#/components/schemas/Pet"}, {"type": "object", "properties": {"bark": `+
				`{"type": "integer", "description": "B"}}}]}`,
			`{"$ref": "#/components/schemas/Dog"}`, plainReply))
		if !isTold(mended.Changes, "the discriminator kind of its base is removed, which stands dog for") {
			t.Errorf("%v, kept %v\n%s", mended.Changes, mended.Kept, mended.Document)
		}
	})
}

// TestTheComparisonSeesWhatIsAdmitted breaks the copy by hand, so that no shape shows it.
func TestTheComparisonSeesWhatIsAdmitted(t *testing.T) {
	for _, tt := range []struct{ name, before, after, want string }{
		{"a type that excludes the alternatives",
			`{"oneOf": [{"type": "number"}, {"const": "none"}], "properties": {"n": {"type": "integer"}}}`,
			`{"type": "object", "oneOf": [{"type": "number"}, {"const": "none"}], "properties": {"n": {"type": ` +
				`"integer"}}}`,
			"is no longer admitted"},
		{"a contradiction that is gone",
			`{"allOf": [{"type": "object", "required": ["x"], "properties": {"x": {"type": "string"}}}], ` +
				`"additionalProperties": false}`,
			`{"type": "object", "required": ["x"], "properties": {"x": {"type": "string"}}, ` +
				`"additionalProperties": false}`,
			"is admitted, and was not"},
		{"a value deep inside",
			`{"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object", "properties": ` +
				`{"b": {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 3}]}}}}}}`,
			`{"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object", "properties": ` +
				`{"b": {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 4}]}}}}}}`,
			"is no longer admitted"},
		{"nothing", `{"allOf": [{"type": "string", "minLength": 2}, {"maxLength": 3}]}`,
			`{"type": "string", "minLength": 2, "maxLength": 3}`, ""},
	} {
		f, _, err := mendedCopy(t.Context(), []byte(small("3.1.0", "", plainBody, tt.before)), Options{}, maxInlined)
		if err != nil {
			t.Fatal(err)
		}
		p, err := parse([]byte(tt.after))
		if err != nil {
			t.Fatal(err)
		}
		f.root.at(replySchema[:strings.LastIndex(replySchema, "/")]).set("schema", p.root)
		clear(f.announcements)
		found := f.admitted()
		if (len(found) == 0) != (tt.want == "") || len(found) > 0 && (!strings.Contains(found[0].problem, tt.want) ||
			found[0].owner != owner{"POST /a", responsesPart}) {
			t.Errorf("%s: %v", tt.name, found)
		}
	}
}

// TestWhatIsNullAndGoesIsTold, with what goes along with it.
func TestWhatIsNullAndGoesIsTold(t *testing.T) {
	source := replaced(t, `"paths": {`,
		`"paths": {"/b": null, "/c": {"get": null, "parameters": [{"name": "q", "in": "query"}]}, `)
	source = strings.Replace(source, `"info": {"title": "T", "version": "1", "description": "D"}`,
		`"info": null, "tags": null`, 1)
	mended, _ := mend(t, source)
	for _, want := range []Change{{Place: "path /b", What: "/b is removed: it is null"},
		{Place: "GET /c", What: "get is removed: it is null"},
		{Place: "path /c", What: "the path is removed: it has no " +
			"operation"}, {Place: "info", What: "info is removed: it is null"},
		{Place: "tags", What: "tags is removed: it is null"}} {
		if !slices.ContainsFunc(mended.Changes,
			func(c Change) bool { return c.Place == want.Place && c.What == want.What }) {
			t.Errorf("nobody is told: %v is not in %v", want, mended.Changes)
		}
	}
	if len(mended.Kept) > 0 {
		t.Errorf("%v", mended.Kept)
	}
	f, _, err := mendedCopy(t.Context(), []byte(source), Options{}, maxInlined)
	if err != nil {
		t.Fatal(err)
	}
	clear(f.announcements)
	if lost := f.lost(); len(lost) < 4 {
		t.Errorf("the comparison sees %v", lost)
	}
}
