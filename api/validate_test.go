package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// ruled has every rule that a schema can have.
type ruled struct {
	Small    int8                 `json:"small,omitempty"`
	Natural  uint64               `json:"natural,omitempty"`
	Real     float64              `json:"real,omitempty" minimum:"-1.5" exclusiveMaximum:"1e6" multipleOf:"0.5"`
	Between  float32              `json:"between,omitempty" exclusiveMinimum:"1" maximum:"2"`
	Yes      bool                 `json:"yes,omitempty"`
	At       time.Time            `json:"at,omitzero"`
	Choice   int                  `json:"choice,omitempty" enum:"1,2"`
	Word     string               `json:"word,omitempty" enum:"open,done"`
	Fixed    string               `json:"fixed,omitempty" const:"x"`
	Seven    int                  `json:"seven,omitempty" const:"7"`
	Pattern  string               `json:"pattern,omitempty" pattern:"^a+$"`
	Text     string               `json:"text,omitempty" minLength:"2" maxLength:"5"`
	Labels   []string             `json:"labels,omitempty" minItems:"1" maxItems:"3" uniqueItems:"true"`
	Anything []any                `json:"anything,omitempty" uniqueItems:"true"`
	Colors   []string             `json:"colors,omitempty" enum:"red,green"`
	Data     []byte               `json:"data,omitempty"`
	Pair     [2]int               `json:"pair,omitempty"`
	Nullable []string             `json:"nullable,omitempty" nullable:"true"`
	Counts   map[string]int       `json:"counts,omitempty" minProperties:"1" maxProperties:"2"`
	Parts    map[string]ruledPart `json:"parts,omitempty"`
	List     []ruledPart          `json:"list,omitempty"`
	Only     *ruledPart           `json:"only,omitempty"`
	Again    *ruled               `json:"again,omitempty"`
	One      ruledOne             `json:"one,omitzero"`
	Some     ruledSome            `json:"some,omitzero"`
	Kind     ruledKind            `json:"kind,omitzero"`
	Raw      json.RawMessage      `json:"raw,omitempty"`
	Open     *ruledOpen           `json:"open,omitempty"`
	Card     string               `json:"card,omitempty" dependentRequired:"pin"`
	Pin      string               `json:"pin,omitempty"`
	Read     string               `json:"read" readOnly:"true"`
}

type ruledPart struct {
	Must  string      `json:"must" minLength:"2"`
	Grid  [][]float32 `json:"grid,omitempty"`
	Maybe *string     `json:"maybe,omitempty" nullable:"true"`
	Never *string     `json:"never" nullable:"true"`
}

type ruledOpen struct {
	_    struct{} `additionalProperties:"true"`
	Name string   `json:"name,omitempty"`
}

func fixedObject(kind string, more map[string]*huma.Schema) *huma.Schema {
	properties := map[string]*huma.Schema{"kind": {Type: huma.TypeString, Const: kind}}
	for name, schema := range more {
		properties[name] = schema
	}
	return &huma.Schema{Type: huma.TypeObject, Properties: properties, Required: []string{"kind"},
		AdditionalProperties: false}
}

type ruledOne struct{}

func (ruledOne) Schema(huma.Registry) *huma.Schema {
	three := 3
	return &huma.Schema{OneOf: []*huma.Schema{
		fixedObject("a", map[string]*huma.Schema{"n": {Type: huma.TypeInteger}}),
		fixedObject(
			"b",
			nil,
		),
		{Type: huma.TypeString, MinLength: &three},
		{Type: huma.TypeString, Enum: []any{"open"}},
	}}
}

type ruledSome struct{}

func (ruledSome) Schema(huma.Registry) *huma.Schema {
	three := 3.0
	return &huma.Schema{
		AnyOf: []*huma.Schema{{Type: huma.TypeInteger, Minimum: &three}, {Type: huma.TypeString}},
		AllOf: []*huma.Schema{
			{Not: &huma.Schema{Const: 7.0}},
		},
		Not: &huma.Schema{Type: huma.TypeString, Pattern: "^no$"},
	}
}

type ruledKind struct{}

func (ruledKind) Schema(r huma.Registry) *huma.Schema {
	part := r.Schema(reflect.TypeFor[ruledPart](), true, "")
	return &huma.Schema{OneOf: []*huma.Schema{part, fixedObject("b", nil)},
		Discriminator: &huma.Discriminator{PropertyName: "kind", Mapping: map[string]string{"part": part.Ref}}}
}

var ruledValues = strings.Split(
	`null|true|false|0|-1|1.5|1|1.0|2|3|7|7.0|300|1e6|0.3|1e30|""|"x"|"xy"|"xyzxyz"|"äöüäö"|"aaa"|`+
		`"open"|"red"|"no"|"YQ=="|"a b"|"2026-01-02T03:04:05Z"|"2026-01-02"|[]|[1]|`+
		`[1,1.0]|[1,2]|[1,2,3]|["x"]|["x","x"]|`+
		`["1",1]|["a","b","c","d"]|["red","blue"]|[[]]|[{}]|[{},{}]|[{"a":1},{"a":2}]|[null]|[null,null]|{}|{"x":1}|`+
		`{"x":1,"y":2,"z":3}|{"x":null}|{"must":"ab"}|{"must":"ab","never":null}|{"must":"ab","never":"x"}|`+
		`{"must":null}|`+
		`{"must":"a","never":1,"other":2}|[{"must":"ab","never":null},{"must":1}]|`+
		`{"must":"ab","never":"","grid":[[1],["x"]]}|`+
		`{"must":"ab","never":"","maybe":null}|{"k":{"must":"ab","never":""},"l":{}}|{"small":"x","again":{"yes":1}}|`+
		`{"kind":"a"}|{"kind":"a","n":1}|{"kind":"a","n":"x"}|{"kind":"b"}|{"kind":"c"}|{"kind":"part","must":"ab"}|`+
		`{"kind":1}|`+
		`{"kind":null}|{"name":"a"}|{"name":1}|{"other":1,"name":"n"}`,
	"|",
)

// Whatever there is to be said of a value, we and Huma say it of the same places, but for one whose names differ in
// letter case alone.
func TestTheValidatorAgreesWithHumas(t *testing.T) {
	registry, known := newSchemas(), checks{}
	schema := registry.Schema(reflect.TypeFor[ruled](), true, "")
	known.prepare(schema, registry)
	var properties []string
	for name := range registry.Schema(reflect.TypeFor[ruled](), false, "").Properties {
		properties = append(properties, name)
	}
	bodies := append(
		[]string{`{"card":"1"}`, `{"card":"1","pin":"2"}`, `{"small":"x","real":2e6,"zz":1}`},
		ruledValues...)
	for _, name := range append(properties, "unknown") {
		for _, value := range ruledValues {
			bodies = append(bodies, `{"`+name+`":`+value+`}`)
		}
	}
	refused := 0
	for _, body := range bodies {
		ours := validator{registry: registry, known: known, place: []byte("body")}
		decoder := json.NewDecoder(bytes.NewReader([]byte(body)))
		decoder.UseNumber()
		var sent, plain any
		if decoder.Decode(&sent) != nil || json.Unmarshal([]byte(body), &plain) != nil {
			t.Fatal(body)
		}
		ours.value(schema, sent)
		var theirs huma.ValidateResult
		huma.Validate(registry, schema, huma.NewPathBuffer([]byte("body"), 4), huma.ModeWriteToServer, plain, &theirs)
		if got, want := placesOf(ours.faults), humasPlaces(theirs); got != want {
			t.Errorf("%s: %v at %s, Huma's at %s", body, ours.faults, got, want)
		}
		if len(ours.faults) > 0 {
			refused++
		}
	}
	if refused < len(bodies)/2 || refused == len(bodies) {
		t.Errorf("%d of %d are refused", refused, len(bodies))
	}
}

func placesOf(faults []FieldProblem) string {
	var places []string
	for _, fault := range faults {
		places = append(places, fault.Location)
	}
	slices.Sort(places)
	return fmt.Sprint(places)
}

func humasPlaces(result huma.ValidateResult) string {
	var faults []FieldProblem
	for _, err := range result.Errors {
		faults = append(faults, FieldProblem{Location: err.(*huma.ErrorDetail).Location})
	}
	return placesOf(faults)
}

// A list of many elements is held against one another in no more time than it takes to read them.
func TestManyElementsAreLookedAtOnce(t *testing.T) {
	var list []any
	for i := range 60_000 {
		list = append(list, map[string]any{"n": json.Number(fmt.Sprint(i))})
	}
	if repeats(list) {
		t.Error("an element is found twice")
	}
	if list = append(list, map[string]any{"n": json.Number("0")}); !repeats(list) {
		t.Error("an element that is there twice is not found")
	}
}
