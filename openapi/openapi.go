// Package openapi publishes operations registered with Huma as the document that a
// custom GPT imports. [New] makes it once, at start: it chooses the operations, writes
// them in the narrow profile of OpenAPI 3.1.0 that the GPT editor and other importers
// of Actions take, and refuses, with everything that is wrong listed, what cannot be
// said in that profile. The [Document] is then served from memory.
//
// An operation is published when its Metadata["gpt"] is true and it is not Hidden.
// Its Security must be set: an empty list makes it public, {"oauth2": scopes} asks
// for scopes. Extensions["x-openai-isConsequential"] says whether ChatGPT asks before
// every call; without it GET does not ask and every other method does.
//
// Rules are named as in "G032 (A)": the identifier, then the class of the evidence.
// A is OpenAI's documentation, B code that OpenAI ships, C two independent public
// reports or more, D a single one, I inference, T observed with a named package. Rules
// of classes D and I may turn out stricter than the editor.
package openapi

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"guestpass/internal/static"
	"guestpass/openapi/internal/actions"
)

// Options are what the document says beside the operations.
type Options struct {
	// PublicURL is the origin under which the world sees the API, as
	// https://api.example.com. Anything else than https is admitted on a loopback host
	// only; the rules that need a public host are then waived, and Notes lists them.
	PublicURL string

	Title       string
	Version     string
	Description string // says when the API is relevant; read by a model

	ContactName, ContactURL, ContactEmail string // optional
	PrivacyURL                            string // optional

	AuthorizationURL string // default: PublicURL + "/idp"
	TokenURL         string // default: PublicURL + "/oauth2/token"

	// Scopes are listed by the OAuth scheme in this order. A scope that an operation
	// needs must be among them.
	Scopes []Scope

	// Operations are the ids of those to publish, in the order in which a [GPT] is told of
	// them; the document is in the order of the paths. None: all, in the document's order.
	// An id that does not exist is a fault.
	Operations []string

	// Bounds of the indented JSON document, in bytes; beyond the first is a warning,
	// beyond the second a fault. Defaults: 100,000 and 800,000.
	WarnBytes, MaxBytes int
}

// A Scope is an OAuth scope and what it allows, in words for the person who consents.
type Scope struct {
	Name, Description string
}

// A Document is the published document. It never changes and is safe for concurrent use.
type Document struct {
	json *static.Content
	// Made when they are first asked for: few ask, and it takes as long as all the rest.
	yaml, json30, swagger func() *static.Content

	hash       string
	operations []string
	published  *document
	order      []string // Options.Operations
	notes      []string
	warnings   []Fault
}

// New makes the document of the operations in doc, which it does not change. Register
// every operation first. Its error is of type [Faults] and lists every fault at once; the document is there beside it,
// for whoever looks for more faults, and must not be served then.
func New(doc *huma.OpenAPI, o Options) (*Document, error) {
	if doc == nil || doc.Components == nil || doc.Components.Schemas == nil {
		return nil, errors.New("openapi: no operations: the document has no schema registry")
	}
	o = o.withDefaults()
	found := &report{}
	published := o.document(found)
	(&profile{registry: doc.Components.Schemas, report: found, chosen: o.Operations}).publish(doc, published)
	check(published, o, found)
	text, err := published.seal()
	if err != nil {
		return nil, err
	}
	checkSize(text, published, o, found)
	if len(found.faults) == 0 {
		checkText(text, found)
	}
	var text30, text20 []byte
	if len(found.faults) == 0 {
		if text30, text20, err = published.older(o, found); err != nil {
			return nil, err
		}
	}
	d := &Document{published: published, order: o.Operations, hash: published.Hash, notes: found.notes,
		warnings: found.warnings,
		json:     static.New(jsonType, text),
		yaml:     sync.OnceValue(func() *static.Content { return yamlOf(text) }),
		json30:   sync.OnceValue(func() *static.Content { return static.New(jsonType, text30) }),
		swagger:  sync.OnceValue(func() *static.Content { return static.New(jsonType, text20) })}
	for op := range published.operations() {
		d.operations = append(d.operations, op.OperationID)
	}
	if len(found.faults) > 0 {
		return d, found.faults
	}
	return d, nil
}

func (o Options) withDefaults() Options {
	o.PublicURL = normalOrigin(o.PublicURL)
	if o.AuthorizationURL == "" {
		o.AuthorizationURL = o.PublicURL + "/idp"
	}
	if o.TokenURL == "" {
		o.TokenURL = o.PublicURL + "/oauth2/token"
	}
	if o.WarnBytes == 0 {
		o.WarnBytes = actions.WarnBytes
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = actions.MaxBytes
	}
	return o
}

// older returns the texts of the document in the versions before 3.1, which have to be as short as it.
func (d *document) older(o Options, found *report) (text30, text20 []byte, err error) {
	in30, in20 := d.in30(found), d.swagger()
	if text30, err = in30.seal(); err == nil {
		text20, err = seal(in20, &in20.Hash)
	}
	for _, older := range []struct {
		path string
		text []byte
	}{{"/openapi-3.0.json", text30}, {"/swagger.json", text20}} {
		if n := len(older.text); n > o.MaxBytes {
			found.fault("G007", place{operation: "document"}, fmt.Sprintf("%s has %d bytes, at most %d", older.path, n,
				o.MaxBytes), "publish less; the largest are "+largest(d))
		}
	}
	return text30, text20, err
}

// document returns the published one without its operations.
func (o Options) document(found *report) *document {
	d := &document{
		OpenAPI: version,
		Info:    info{Title: o.Title, Description: o.Description, Version: o.Version, PrivacyURL: o.PrivacyURL},
		Servers: []server{{URL: o.PublicURL}},
		Paths:   map[string]*pathItem{},
	}
	if o.ContactName != "" || o.ContactURL != "" || o.ContactEmail != "" {
		d.Info.Contact = &contact{Name: o.ContactName, URL: o.ContactURL, Email: o.ContactEmail}
	}
	d.Components.Security.OAuth2 = oauthScheme{Type: "oauth2", Flows: oauthFlows{oauthFlow{
		AuthorizationURL: o.AuthorizationURL, TokenURL: o.TokenURL, Scopes: o.Scopes}}}
	return d
}

// JSON returns the document, indented by two spaces. The caller must not change it.
func (d *Document) JSON() []byte { return d.json.Body() }

// YAML returns the same document in the same order. The caller must not change it.
func (d *Document) YAML() []byte { return d.yaml().Body() }

// JSON30 returns the document in OpenAPI 3.0.0, for importers that refuse 3.1. An operation whose body holds objects is
// not in it; a member x-left-out says so, and Warnings. The caller must not change it.
func (d *Document) JSON30() []byte { return d.json30().Body() }

// Swagger returns the document as Swagger 2.0. The caller must not change it.
func (d *Document) Swagger() []byte { return d.swagger().Body() }

func yamlOf(text []byte) *static.Content {
	body, err := yamlFrom(text)
	if err != nil {
		panic(err) // openapi itself is wrong: the text is JSON that it has written and read
	}
	return static.New("application/yaml", body)
}

// ETag returns the strong entity tag of the uncompressed JSON document, quotes included.
func (d *Document) ETag() string { return d.json.ETag() }

// Hash returns what the document carries as x-schema-hash: it changes whenever anything in
// the document does, so it shows whether a GPT has imported the present one.
func (d *Document) Hash() string { return d.hash }

// Notes tells which rules were waived, and why.
func (d *Document) Notes() []string { return slices.Clone(d.notes) }

// Warnings returns the faults that do not keep a GPT from importing the document.
func (d *Document) Warnings() []Fault { return slices.Clone(d.warnings) }

// Operations returns the operation ids in the order of the document: by path, then GET,
// POST, PUT, PATCH, DELETE.
func (d *Document) Operations() []string { return slices.Clone(d.operations) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
