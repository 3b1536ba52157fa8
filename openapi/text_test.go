package openapi

import (
	"bytes"
	"testing"
)

// damages are what the emitter cannot produce; checkText must see them nevertheless.
var damages = []struct{ rule, name, old, new string }{
	{"G001", "version", `"openapi": "3.1.0"`, `"openapi": "3.1.1"`},
	{"G003", "null", `"parameters": []`, `"parameters": null`},
	{"G003", "map for a list", `"servers": [`, `"servers": {}, "x": [`},
	{"G006", "no schemas", `"schemas": {},`, ``},
	{"G012", "two servers", `"servers": [`, `"servers": [{"url": "https://b.example.com"},`},
	{"G025", "member of a path", `"get": {`, `"summary": {}, "get": {`},
	{"G040", "reference", `"in": "query"`, `"$ref": "#/x"`},
	{"G054", "$schema", `"points": {`, `"$schema": {`},
	{"G100", "two schemes", `"oauth2": {`, `"bearer": {}, "oauth2": {`},
}

func TestTextIsHeldAgainstTheRules(t *testing.T) {
	text := mustPublish(t, realistic(), example()).JSON()
	for _, d := range damages {
		t.Run(d.rule+" "+d.name, func(t *testing.T) {
			damaged := bytes.Replace(text, []byte(d.old), []byte(d.new), 1)
			if bytes.Equal(damaged, text) {
				t.Fatalf("%s is not in the document", d.old)
			}
			found := &report{}
			checkText(damaged, found)
			if len(found.faults) == 0 || found.faults[0].Rule != d.rule {
				t.Errorf("faults are %v", found.faults)
			}
		})
	}
	found := &report{}
	if checkText(text, found); len(found.faults) > 0 {
		t.Errorf("undamaged: %v", found.faults)
	}
}
