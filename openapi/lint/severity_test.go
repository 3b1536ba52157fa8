//go:build !production

package lint

import (
	"slices"
	"strings"
	"testing"

	"guestpass/gpttest"
)

// certainToFail are the errors that the simulated editor lets pass: calls fail, the builder
// cannot save, or its text is not reproduced. Each with what is known.
var certainToFail = map[string]string{
	"G003": "M23, D: whatever should be a map",
	"G007": "D: the size that was refused",
	"G011": "M6, C: whom nobody can call, or another URL than is meant",
	"G041": "M14, C, A: a required header is never sent",
	"G043": "T: a literal {id} is called",
	"G050": "A: nothing but JSON is sent",
	"G101": "M24, D",
	"G110": "M25, C, A: the builder cannot save",
	"G111": "M26, D: the builder cannot save",
	"G073": "M17, C: an empty schema stands in its place",
	"G072": "I: the validator's list of types",
}

// TestAnErrorIsWhatIsRefusedDroppedOrFails holds the severity of every fault of the table
// against the simulated editor.
func TestAnErrorIsWhatIsRefusedDroppedOrFails(t *testing.T) {
	for _, tt := range broken {
		source := with(t, tt.wrong...)
		if len(source) > maxText {
			continue
		}
		imported, err := gpttest.ImportText(source, gpttest.Options{Strict: true})
		if err != nil {
			t.Fatal(err)
		}
		refused := !imported.OK() && (len(imported.Errors) > 0 ||
			slices.ContainsFunc(imported.Warnings, func(m gpttest.Message) bool {
				return m.Effect == gpttest.DropOperation
			}))
		findings := Check(t.Context(), []byte(source), Options{})
		isError := slices.ContainsFunc(findings, func(f Finding) bool { return f.Severity == Error })
		switch _, known := certainToFail[tt.rule]; {
		case isError && !refused && !known:
			t.Errorf("%s %.150q is an error, but the editor takes it: %v", tt.rule, tt.wrong, findings)
		case refused && !isError:
			t.Errorf("%s %.150q is no error, but the editor says %v %v", tt.rule, tt.wrong, imported.Errors,
				imported.Warnings)
		}
	}
}

func TestEveryErrorNamesWhatIsKnownOfIt(t *testing.T) {
	for _, rule := range rules {
		if rule.Severity == Error && !rule.Live && !strings.Contains(rule.Evidence, "M") &&
			certainToFail[rule.ID] == "" &&
			// B: nothing happens; B: a part is dropped; A: the limit of M21
			!slices.Contains([]string{"G002", "G017", "G035"}, rule.ID) {
			t.Errorf("%s is an error by %s", rule.ID, rule.Evidence)
		}
	}
}

// shop has the shape of the pet shop that the editor offers for a start: a list at the top,
// a limit without bound, references in responses, formats.
const shop = `openapi: 3.1.0
info: {title: Pet shop, version: "1.0.0"}
servers: [{url: https://pets.example.com/v1}]
paths:
  /pets:
    get:
      operationId: listPets
      summary: List all pets
      parameters:
        - {name: limit, in: query, description: How many, required: false, schema: {type: integer, format: int32, ` +
	`maximum: 100}}
      responses:
        "200":
          description: Pets
          headers: {x-next: {description: The next page, schema: {type: string}}}
          content: {application/json: {schema: {$ref: "#/components/schemas/Pets"}}}
        default: {description: Error, content: {application/json: {schema: {$ref: "#/components/schemas/Error"}}}}
    post:
      operationId: createPets
      summary: Create a pet
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Pet"}}}}
      responses: {"201": {description: Done}}
  /pets/{petId}:
    get:
      operationId: showPetById
      summary: Show one pet
      parameters: [{name: petId, in: path, required: true, description: Which, schema: {type: string}}]
      responses: {"200": {description: Pet, content: {application/json: {schema: {$ref: "#/components/schemas/Pet"}}}}}
components:
  schemas:
    Pet: {type: object, required: [id, name], properties: {id: {type: integer, format: int64}, name: {type: string}, ` +
	`tag: {type: string}}, additionalProperties: false}
    Pets: {type: array, maxItems: 100, items: {$ref: "#/components/schemas/Pet"}}
    Error: {type: object, required: [code], properties: {code: {type: integer}, message: {type: string, default: none}}}
`

func TestTheEditorsOwnTemplateHasNoError(t *testing.T) {
	without := strings.NewReplacer(", maximum: 100", "", `      responses: {"201": {description: Done}}`+"\n",
		"").Replace(shop)
	for name, source := range map[string]string{"shop": shop, "without a maximum and responses": without} {
		for _, f := range Check(t.Context(), []byte(source), Options{}) {
			if f.Severity == Error {
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
}
