package openapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
)

// The types below are the published document. Their fields stand in the order in
// which the document has them, and what they cannot express cannot be published:
// a $ref, null, a second server, a member of a path that is no method (G003, D).

// version is the only one that every importer takes (G001, M1, C): 3.1.1 passes the
// editor, but others compare with this text.
const version = "3.1.0"

type document struct {
	OpenAPI    string               `json:"openapi"`
	Info       info                 `json:"info"`
	Servers    []server             `json:"servers"`
	Paths      map[string]*pathItem `json:"paths"`
	Components components           `json:"components"`
	LeftOut    []leftOut            `json:"x-left-out,omitempty"`    // of a document before 3.1
	Hash       string               `json:"x-schema-hash,omitempty"` // G009, A
}

type info struct {
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Contact     *contact `json:"contact,omitempty"`
	Version     string   `json:"version"`
	PrivacyURL  string   `json:"x-privacy-policy-url,omitempty"`
}

type contact struct {
	Name  string `json:"name,omitempty"`
	URL   string `json:"url,omitempty"`
	Email string `json:"email,omitempty"`
}

type server struct {
	URL string `json:"url"`
}

// pathItem has the methods that the editor takes and nothing else (G022, D; G025, T).
type pathItem struct {
	Get    *operation `json:"get,omitempty"`
	Post   *operation `json:"post,omitempty"`
	Put    *operation `json:"put,omitempty"`
	Patch  *operation `json:"patch,omitempty"`
	Delete *operation `json:"delete,omitempty"`
}

type operation struct {
	OperationID   string                `json:"operationId"`
	Summary       string                `json:"summary,omitempty"`
	Description   string                `json:"description,omitempty"`
	Consequential bool                  `json:"x-openai-isConsequential"` // G060, A: one importer defaults to false
	Confirmation  string                `json:"x-requireConfirmation,omitempty"`
	Security      []map[string][]string `json:"security"`   // G103, A: [] is public
	Parameters    []parameter           `json:"parameters"` // G024, C: one importer wants it even empty
	RequestBody   *requestBody          `json:"requestBody,omitempty"`
	Responses     map[string]response   `json:"responses"`

	method, path string
	at           place
}

type parameter struct {
	Name        string  `json:"name"`
	In          string  `json:"in"`
	Description string  `json:"description,omitempty"`
	Required    bool    `json:"required"`
	Explode     *bool   `json:"explode,omitempty"` // of arrays only
	Schema      *schema `json:"schema"`

	at place
}

type requestBody struct {
	Description string  `json:"description,omitempty"`
	Required    bool    `json:"required"` // G056, D: explicit
	Content     content `json:"content"`
}

type response struct {
	Description string   `json:"description"`
	Content     *content `json:"content,omitempty"`
}

// content is JSON, the only one that Actions read and write reliably (G050, A, T).
type content struct {
	JSON mediaType `json:"application/json"`
}

type mediaType struct {
	Schema *schema `json:"schema"`
}

type schema struct {
	Type             string             `json:"type"`
	Title            string             `json:"title,omitempty"`
	Label            string             `json:"x-ms-summary,omitempty"` // of Swagger 2.0 only
	Description      string             `json:"description,omitempty"`
	Format           string             `json:"format,omitempty"`
	Enum             []any              `json:"enum,omitempty"`
	Default          any                `json:"default,omitempty"`
	Example          any                `json:"example,omitempty"`
	Minimum          *float64           `json:"minimum,omitempty"`
	ExclusiveMinimum exclusive          `json:"exclusiveMinimum,omitzero"`
	Maximum          *float64           `json:"maximum,omitempty"`
	ExclusiveMaximum exclusive          `json:"exclusiveMaximum,omitzero"`
	MultipleOf       *float64           `json:"multipleOf,omitempty"`
	MinLength        *int               `json:"minLength,omitempty"`
	MaxLength        *int               `json:"maxLength,omitempty"`
	Pattern          string             `json:"pattern,omitempty"`
	MinItems         *int               `json:"minItems,omitempty"`
	MaxItems         *int               `json:"maxItems,omitempty"`
	UniqueItems      bool               `json:"uniqueItems,omitempty"`
	Items            *schema            `json:"items,omitempty"`
	Required         []string           `json:"required,omitempty"`
	Properties       map[string]*schema `json:"properties,omitzero"` // G070, C: {} too; nil unless an object
	Values           *schema            `json:"additionalProperties,omitempty"`
	Deprecated       bool               `json:"deprecated,omitempty"`
}

// exclusive is a bound that is itself not admitted: a number of its own or, before 3.1, true beside minimum or maximum.
type exclusive struct {
	limit  *float64
	beside bool
}

func (e exclusive) MarshalJSON() ([]byte, error) {
	if e.beside {
		return []byte("true"), nil
	}
	return json.Marshal(e.limit)
}

type components struct {
	Schemas  struct{}        `json:"schemas"` // G006, C: an object, though everything is inlined
	Security securitySchemes `json:"securitySchemes"`
}

// securitySchemes has one scheme (G100, M8, C).
type securitySchemes struct {
	OAuth2 oauthScheme `json:"oauth2"`
}

type oauthScheme struct {
	Type  string     `json:"type"`
	Flows oauthFlows `json:"flows"`
}

type oauthFlows struct {
	AuthorizationCode oauthFlow `json:"authorizationCode"`
}

type oauthFlow struct {
	AuthorizationURL string    `json:"authorizationUrl"`
	TokenURL         string    `json:"tokenUrl"`
	Scopes           scopeList `json:"scopes"`
}

// scopeList is an object in the document, whose members keep the order of the list.
type scopeList []Scope

func (l scopeList) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, scope := range l {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, text := range []string{scope.Name, scope.Description} {
			if j > 0 {
				b.WriteByte(':')
			}
			encoded, err := encode(text, "")
			if err != nil {
				return nil, err
			}
			b.Write(encoded)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// operations yields every operation in the order of the document.
func (d *document) operations() iter.Seq[*operation] {
	return func(yield func(*operation) bool) {
		for _, path := range sortedKeys(d.Paths) {
			item := d.Paths[path]
			for _, op := range []*operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
				if op != nil && !yield(op) {
					return
				}
			}
		}
	}
}

// add places op under its path. It reports whether the method is one that can be published.
func (d *document) add(op *operation) bool {
	item := d.Paths[op.path]
	if item == nil {
		item = &pathItem{}
	}
	slot := map[string]**operation{"GET": &item.Get, "POST": &item.Post, "PUT": &item.Put,
		"PATCH": &item.Patch, "DELETE": &item.Delete}[op.method]
	if slot == nil {
		return false
	}
	*slot = op
	d.Paths[op.path] = item
	return true
}

// seal computes the hash of the document without it, sets it, and returns the text.
func (d *document) seal() ([]byte, error) { return seal(d, &d.Hash) }

// seal returns the text of a document with the hash of that text without it, which is the last member of the document.
func seal(document any, hash *string) ([]byte, error) {
	*hash = ""
	bare, err := encode(document, "  ")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(bare)
	*hash = hex.EncodeToString(sum[:])
	open := bytes.TrimSuffix(bare, []byte("\n}"))
	return fmt.Appendf(open, ",\n  \"x-schema-hash\": %q\n}\n", *hash), nil
}

// encode is json.Marshal without its escapes for HTML, which are noise here.
func encode(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	err := encoder.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
