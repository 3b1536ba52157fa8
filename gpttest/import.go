package gpttest

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxFetch stops a document that never ends; it is far above any size rule.
const maxFetch = 16 << 20

// Imported is what the GPT editor made of a document.
type Imported struct {
	// RootDomain is the host under which ChatGPT files the action and its approvals.
	RootDomain string
	// ServerURL is the one server that calls go to, without a trailing slash.
	ServerURL string
	// Title is info.title.
	Title string
	// Operations are those that the editor kept, in the document's order. Empty if the
	// document was refused.
	Operations []Operation
	// Warnings and Errors are the red lines of the editor. With an error of effect
	// [Refuse] nothing is imported.
	Warnings, Errors []Message
	// Notes say what the editor does not: rules waived on loopback, and why nothing
	// happened at all. One line each.
	Notes []string
	// OAuth is what the document publishes. ChatGPT does not read it: the builder
	// types the values into the editor.
	OAuth OAuth
	// Bytes is the size of the indented document, the one that counts.
	Bytes int
	// ETag is the document's, if it was fetched and has one.
	ETag string

	options Options
}

// OAuth is an authorization code flow as a document publishes it.
type OAuth struct {
	SchemeName, AuthorizationURL, TokenURL string
	// Scopes are in the document's order.
	Scopes []Scope
}

// Scope is one scope and its published description.
type Scope struct{ Name, Description string }

// Message is one red line of the editor.
type Message struct {
	// Rule is the rule's identifier: "M5", or "G…" for one whose text is ours.
	Rule string `json:"rule"`
	// Text is verbatim unless the rule says otherwise; see [Rules].
	Text string `json:"text"`
	// Effect is one of [Refuse], [DropOperation], [DropParameter] and [Warn].
	Effect string `json:"effect"`
}

func (m Message) String() string { return m.Rule + " " + m.Text }

// Operation is one action as the model sees it.
type Operation struct {
	ID, Method, Path, Summary, Description string
	// Consequential operations are confirmed before every call.
	Consequential bool
	Arguments     []Argument
	// Scopes are those of the operation's security requirement.
	Scopes []string
	// Public is set by an explicit empty requirement ("security": []). A document that
	// says nothing about security is not public: the action's login applies.
	Public bool

	hasBody, bodyRequired bool

	body         *Schema // of the whole JSON body; nil without one
	bodyExamples []any
	replies      map[string]*Schema // of JSON answers, by status: "200", "2XX", "default"
}

// Argument is one of an operation's flat arguments: path, query and the properties
// of the JSON body share one namespace.
type Argument struct {
	Name string
	// In is "path", "query" or "body" ("cookie" with Options.CookieParameters).
	In string
	// Type is the schema's type: "string", "integer", "array"…
	Type string
	// Items is the type of the elements of an array.
	Items       string
	Required    bool
	Description string
	Enum        []any
	Default     any
	// Format and Example are the schema's; of several examples the first.
	Format  string
	Example any
	// Schema is the whole schema, for [Maker] and for checks.
	Schema *Schema

	known     *members // nil when any value will do
	inherited bool     // declared on the path item, so that the operation may replace it
}

// OK reports that the editor took the document without a red line.
func (i *Imported) OK() bool {
	return len(i.Warnings) == 0 && len(i.Errors) == 0 && len(i.Operations) > 0
}

// Refused reports that nothing was imported.
func (i *Imported) Refused() bool { return len(i.Operations) == 0 }

// Operation returns the operation with that id.
func (i *Imported) Operation(id string) (Operation, bool) {
	for _, op := range i.Operations {
		if op.ID == id {
			return op, true
		}
	}
	return Operation{}, false
}

// Import fetches the document at address as OpenAI's servers do and validates it.
// It is what "Import from URL" does in the editor. An error means that there was no
// document to judge; what the editor thinks of one is in the result.
func Import(ctx context.Context, address string, o Options) (*Imported, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return nil, fmt.Errorf("import %q: not a URL with a host name", address)
	}
	local := !o.Strict && isLoopback(u.Hostname())
	if u.Scheme != "https" && !(local && u.Scheme == "http") {
		return nil, fmt.Errorf("import %s: the address must be https", address)
	}
	body, header, err := fetchDocument(ctx, o.withDefaults().client(), u)
	if err != nil {
		return nil, fmt.Errorf("import %s: %w", address, err)
	}
	imp, err := ImportText(body, o)
	if err != nil {
		return nil, err
	}
	imp.ETag = header.Get("ETag")
	if note, ok := typeNote(header.Get("Content-Type")); ok {
		imp.Notes = append(imp.Notes, note)
	}
	if local {
		imp.Notes = append(imp.Notes, fmt.Sprintf("waived on loopback: OpenAI's servers could not fetch %s", address))
	}
	return imp, nil
}

// fetchDocument gets a document without credentials.
func fetchDocument(ctx context.Context, client *http.Client, u *url.URL) (string, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", nil, err
	}
	req.Header.Set("Accept", "*/*")
	req.Header.Set("User-Agent", userAgent)
	res, err := client.Do(req)
	if err != nil {
		return "", nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		if location := res.Header.Get("Location"); location != "" {
			return "", nil, fmt.Errorf("answered %s to %s; the document must be served without a redirect", res.Status,
				location)
		}
		return "", nil, fmt.Errorf("answered %s; the document must be public and answer 200", res.Status)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxFetch+1))
	if err != nil {
		return "", nil, err
	}
	if len(body) > maxFetch {
		return "", nil, fmt.Errorf("is longer than %d bytes", maxFetch)
	}
	return string(body), res.Header, nil
}

// typeNote tells that a document has an unusual content type. The text decides what it is,
// and people import from places that serve all as text/plain.
func typeNote(contentType string) (note string, ok bool) {
	kind, _, _ := mime.ParseMediaType(contentType)
	usual := []string{"application/json", "application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"}
	if slices.Contains(usual, kind) || strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+yaml") {
		return "", false
	}
	return fmt.Sprintf("the content type is %q; application/json or a YAML type is usual", contentType), true
}
