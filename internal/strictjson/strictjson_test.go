package strictjson_test

import (
	"errors"
	"strings"
	"testing"

	"guestpass/internal/strictjson"
)

func TestBodiesAreReadStrictly(t *testing.T) {
	nested := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	for _, tt := range []struct {
		name, body string
		ok         bool
	}{
		{"an object", `{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}`, true},
		{"as deep as allowed", nested(strictjson.MaxDepth), true},
		{"too deep", nested(strictjson.MaxDepth + 1), false},
		{"a member twice", `{"a":1,"a":2}`, false},
		{"a member twice, one escaped", `{"name":1,"n\u0061me":2}`, false},
		{"a member twice, further in", `[{"x":{"a":1,"a":2}}]`, false},
		{"data after it", `{} {}`, false},
		{"cut off", `{"a":`, false},
		{"invalid UTF-8", "{\"a\":\"\xff\"}", false},
		{"nothing", ``, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if fault := strictjson.Check([]byte(tt.body)); (fault == nil) != tt.ok {
				t.Errorf("%s: %v", tt.body, fault)
			}
		})
	}
}

func TestAFaultNamesItsPlace(t *testing.T) {
	fault := strictjson.Check([]byte(`{"list":[{"count":1,"c\u006funt":2}]}`))
	want := strictjson.Fault{Place: "body.list[0].count", Message: "is given twice; send it once"}
	if fault == nil || *fault != want {
		t.Fatalf("%+v", fault)
	}
}

func TestUnmarshalSaysWhereAndWhatIsWanted(t *testing.T) {
	var v struct{ List []struct{ Count int8 } }
	err := strictjson.Unmarshal([]byte(`{"list":[{"count":1},{"count":300}]}`), &v)
	var fault *strictjson.Fault
	if !errors.As(err, &fault) || *fault != (strictjson.Fault{Place: "body.list[1].count",
		Message: "must be a whole number from -128 to 127"}) {
		t.Errorf("%v", err)
	}
}

func TestObjects(t *testing.T) {
	deep := strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000)
	for _, tt := range []struct{ name, data, fault string }{
		{"an object", ` {"a":1,"b":{"a":2}} `, ""},
		{"without members", `{}`, ""},
		{"a value that nobody reads", `{"a":1e999,"b":` + deep + `,"c":{"d":1,"d":2}}`, ""},
		{"a member twice", `{"a":1,"a":2}`, "a member is given twice"},
		{"a member twice, one escaped", `{"name":1,"n\u0061me":2}`, "a member is given twice"},
		{"half a character as a name", `{"\ud800":1}`, "the name of a member is not text"},
		{"another value", `[1]`, "not a JSON object"},
		{"nothing", ``, "not a JSON object"},
		{"more after it", `{} {}`, "something follows the JSON object"},
		{"a bracket after it", `{}}`, "something follows the JSON object"},
		{"cut off", `{"a":`, "not valid JSON"},
		{"invalid UTF-8", "{\"a\":\"\xff\"}", "not valid UTF-8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			object, err := strictjson.Object([]byte(tt.data))
			if tt.fault == "" && (err != nil || object == nil) || tt.fault != "" &&
				(err == nil || err.Error() != tt.fault) {
				t.Errorf("%v, %v", object, err)
			}
		})
	}
}

func TestARepeatedNameIsInTheError(t *testing.T) {
	_, err := strictjson.Object([]byte(`{"sub":1,"s\u0075b":2}`))
	var repeated *strictjson.RepeatedError
	if !errors.As(err, &repeated) || repeated.Name != "sub" {
		t.Errorf("%v", err)
	}
}
