// Package lint holds any OpenAPI document against what is known of GPT Actions: what the
// editor refuses, what it drops, and what makes calls fail or models fumble. [Check] finds
// it, [Fix] writes a copy in which what can be mended by itself is mended, [Explain] tells
// of a rule. Other importers ask other things of a document: each has a [Profile].
//
// Whatever the bytes, there are findings and never a crash: sizes, nesting and aliases
// are bounded, and nothing is fetched unless [Options].Fetch is given. The package knows
// neither Guestpass's operations nor how its document is made; package openapi uses its
// limits and words. Builds for production lack Fix: nothing there calls it, and the schemas of
// its library would be read at each start.
package lint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"guestpass/openapi/internal/actions"
)

// A Finding is one place where a rule is broken.
type Finding struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	Pointer  string   `json:"pointer"` // JSON pointer into the document; "" is all of it
	Line     int      `json:"line"`    // from 1; 0 where there is none
	Place    string   `json:"place"`   // for people: "GET /tasks", "schema Task", "document"
	Problem  string   `json:"problem"` // what is wrong
	Remedy   string   `json:"remedy"`  // what to write instead
}

// Options change what is looked at.
type Options struct {
	// Address is where the document was fetched, "" for a file.
	Address string
	// Fetch gets an external document that a $ref names, by its absolute URL. Nil: external
	// references are findings, and nothing is fetched.
	Fetch func(ctx context.Context, address string) ([]byte, error)
	// For is the importer whose rules hold. Nil: the GPT editor.
	For *Profile
	// WarnBytes and MaxBytes bound the document's size; 0: 100,000 and 800,000.
	WarnBytes, MaxBytes int
}

// maxFindings of one rule are listed; a document has a line more for the rest.
const maxFindings = 200

// Check returns what is wrong with a document, in the order of its lines. ctx ends
// fetching only; a check takes less than a second for a megabyte.
func Check(ctx context.Context, source []byte, o Options) []Finding {
	findings, _ := check(ctx, source, o)
	return findings
}

func check(ctx context.Context, source []byte, o Options) ([]Finding, *linter) {
	l := &linter{ctx: ctx, options: o, external: map[string]*value{}, count: map[string]int{},
		said: map[visitedFinding]bool{}, bytes: len(source), importedVisits: map[importedVisit]bool{}}
	if o.For != nil && o.For.Name == GPT {
		l.options.For = nil
	}
	if o.WarnBytes == 0 {
		l.options.WarnBytes = actions.WarnBytes
	}
	if o.MaxBytes == 0 {
		l.options.MaxBytes = actions.MaxBytes
	}
	if len(source) > maxText {
		l.unread = fmt.Errorf("it is too large: it has more than %d bytes, and the editor takes %d at most", maxText,
			l.options.MaxBytes)
		l.findAs(Error, "G007", nil, l.unread.Error(), "publish less; nothing else was looked at")
		return l.findings, l
	}
	p, err := parse(source)
	if err != nil {
		l.unread = err
		var failed *unreadable
		errors.As(err, &failed)
		l.find("G002", &value{line: failed.line}, failed.problem)
		return l.findings, l
	}
	l.root, l.written, l.isJSON = p.root, p.root, p.isJSON
	if !l.root.is(object) {
		l.unread = fmt.Errorf("the document is %s, not an object", l.root.kind)
		l.find("G003", l.root, l.unread.Error())
		return l.findings, l
	}
	l.misread(p)
	look := l.document
	if l.options.For != nil {
		look = l.imported
	}
	ended := ends(look)
	l.keepOwn()
	if !ended {
		l.endless = true
		l.find("G074", l.root, tooMuch+" to be checked: more than "+strconv.Itoa(maxVisited)+
			" schemas were looked at by way of "+
			"references", "Name each schema once where it is meant; nothing else was looked at.")
	}
	slices.SortStableFunc(l.findings, func(a, b Finding) int { return cmp.Compare(a.Line, b.Line) })
	return l.findings, l
}

// misread tells what the editor reads otherwise than it was meant.
func (l *linter) misread(p *parsed) {
	for _, d := range p.doubles {
		lines := fmt.Sprintf("lines %d and %d", d.first, d.at.line)
		if d.first == d.at.line {
			lines = fmt.Sprintf("line %d", d.first)
		}
		problem := fmt.Sprintf("the name %q is there twice, in %s: the editor keeps the last and drops the rest",
			abbreviated(d.name), lines)
		l.find("G002", d.at, problem, "Keep one of the two.")
		l.unread = fmt.Errorf("line %d: %s; keep one of the two", d.at.line, problem)
	}
	for _, at := range p.merges {
		l.find("G017", at, "<< merges another mapping into this one, but the editor does not")
	}
}

// linter looks through one document.
type linter struct {
	ctx      context.Context
	options  Options
	root     *value
	written  *value // as it stands in the document, where root is the same in the words of a later version
	isJSON   bool
	bytes    int   // of the document
	unread   error // why nothing was looked at, or cannot be mended
	findings []Finding
	count    map[string]int // findings of each rule

	external map[string]*value // by address; nil for what could not be had
	schemes  map[string]*value
	scopes   map[string]bool // that the scheme lists; nil if it lists none
	ids      map[string]string
	said     map[visitedFinding]bool
	visited  map[visit]bool
	depths   map[*value]int
	parts    map[*value]bool // schemas that hold together with others
	visits   int             // of values by way of references
	endless  bool            // there are more than may be made

	importedVisits map[importedVisit]bool
}

// maxVisited values are looked at by way of references, of a document or its copy. A schema that
// names another one twice, and that a third one twice, is looked at once; what comes this far is
// made to take without end. Ordinary documents need a hundredth of it.
const maxVisited = 2_000_000

// tooMuch is what is wrong with such a document.
const tooMuch = "too much refers to itself"

// enough ends a look at a document from within.
type enough struct{}

// visit counts values that are looked at by way of references.
func (l *linter) visit(n int) {
	if l.visits += n; l.visits > maxVisited {
		panic(enough{})
	}
}

// ends reports whether a walk came to its end before it took too many steps.
func ends(walk func()) (ended bool) {
	defer func() {
		if failed := recover(); failed != nil {
			if _, is := failed.(enough); !is {
				panic(failed)
			}
		}
	}()
	walk()
	return true
}

type visitedFinding struct{ rule, pointer, problem string }

func (l *linter) find(rule string, at *value, problem string, remedy ...string) {
	r, _ := Explain(rule)
	l.findAs(r.Severity, rule, at, problem, remedy...)
}

// findAs is find with another severity than the rule's. Without a remedy the rule's is given.
func (l *linter) findAs(severity Severity, rule string, at *value, problem string, remedy ...string) {
	r, _ := Explain(rule)
	if at != nil {
		said := visitedFinding{rule, at.pointer, problem}
		if l.said[said] { // of a parameter of a path, by each of its operations
			return
		}
		l.said[said] = true
	}
	if l.count[rule]++; l.count[rule] > maxFindings {
		if l.count[rule] == maxFindings+1 {
			l.findings = append(l.findings, Finding{Rule: rule, Severity: severity, Place: "document",
				Problem: "the same is wrong in more places", Remedy: r.Remedy})
		}
		return
	}
	f := Finding{Rule: rule, Severity: severity, Place: "document", Problem: problem, Remedy: r.Remedy}
	if len(remedy) > 0 {
		f.Remedy = remedy[0]
	}
	if at != nil {
		f.Pointer, f.Line, f.Place = at.pointer, at.line, l.place(at.pointer)
	}
	l.findings = append(l.findings, f)
}

// place returns a pointer in words: the operation or schema, and what of it.
func (l *linter) place(pointer string) string {
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, part := range parts {
		parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
	}
	switch {
	case parts[0] == "paths" && len(parts) > 2 && slices.Contains(methods, parts[2]):
		return strings.ToUpper(parts[2]) + " " + parts[1] + l.detail(pointer, parts[3:])
	case parts[0] == "paths" && len(parts) > 1:
		return "path " + parts[1]
	case parts[0] == "components" && len(parts) > 2:
		return componentKind(parts[1]) + " " + parts[2]
	case swaggerKinds[parts[0]] != "" && len(parts) > 1:
		return swaggerKinds[parts[0]] + " " + parts[1]
	case parts[0] == "":
		return "document"
	}
	return parts[0]
}

// swaggerKinds are what Swagger 2.0 has at the top, and what one of each is called.
var swaggerKinds = map[string]string{"definitions": "schema", "parameters": "parameter", "responses": "response",
	"securityDefinitions": "security scheme"}

// componentKind returns what one of the components of a kind is called.
func componentKind(kind string) string {
	switch kind {
	case "requestBodies":
		return "request body"
	case "pathItems":
		return "path item"
	case "securitySchemes":
		return "security scheme"
	}
	return strings.TrimSuffix(kind, "s")
}

// detail returns the part of an operation that a pointer leads to.
func (l *linter) detail(pointer string, parts []string) string {
	switch {
	case len(parts) > 1 && parts[0] == "parameters":
		at := or(l.written, l.root)
		at = at.at(pointer[:strings.Index(pointer, "/parameters/")+len("/parameters/")+len(parts[1])])
		return ", parameter " + cmp.Or(at.get("name").str(), parts[1])
	case len(parts) > 0 && parts[0] == "requestBody":
		return ", body" + property(parts)
	case len(parts) > 1 && parts[0] == "responses":
		return ", response " + parts[1] + property(parts)
	}
	return ""
}

// property names a schema's place within a body: "property a.b[]".
func property(parts []string) string {
	path := ""
	for i := 0; i < len(parts); i++ {
		switch parts[i] {
		case "properties":
			if i++; i < len(parts) {
				path += "." + parts[i]
			}
		case "items":
			path += "[]"
		}
	}
	if path == "" {
		return ""
	}
	return " property " + strings.TrimPrefix(path, ".")
}
