package gpttest

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// maxOperations is the limit of one action (M9, class C).
const maxOperations = 30

// ImportText validates a document pasted into the editor. The only error is an
// Options that names a rule wrongly. Text that is neither JSON nor YAML is not one:
// the editor then does nothing and says nothing, and the result says so in a note.
//
// The editor stops at its first refusal. ImportText goes on, so that one run shows
// everything.
func ImportText(text string, o Options) (*Imported, error) {
	if err := o.checkWithout(); err != nil {
		return nil, err
	}
	imp := &Imported{options: o}
	doc, err := parse(text)
	if err != nil {
		imp.Notes = append(imp.Notes, fmt.Sprintf("nothing happens and no message appears: the text is neither JSON "+
			"nor YAML (%v)", err))
		return imp, nil
	}
	imp.Bytes = len(doc.text)
	for _, number := range doc.imprecise {
		imp.Notes = append(imp.Notes, fmt.Sprintf("the editor's JavaScript rounds the number %s", number))
	}
	v := &validator{imp: imp, options: o.withDefaults(), said: map[string]bool{}}
	v.document(doc.root)
	if len(imp.Errors) > 0 {
		imp.Operations = nil
	}
	return imp, nil
}

// validator walks one document and writes down what the editor would say.
type validator struct {
	imp     *Imported
	options Options
	root    *object
	schemas *object // components.schemas
	said    map[string]bool
	counted int // operations seen, dropped ones included
}

// say records a message with the rule's own effect. It reports whether the rule is
// on, so that a caller drops an operation only then.
func (v *validator) say(rule, format string, args ...any) bool {
	r, ok := ruleByID(rule)
	if !ok {
		panic("gpttest: message for the unknown rule " + rule)
	}
	return v.sayAs(r.Effect, rule, format, args...)
}

func (v *validator) sayAs(effect, rule, format string, args ...any) bool {
	if slices.Contains(v.options.Without, rule) {
		return false
	}
	m := Message{Rule: rule, Text: fmt.Sprintf(format, args...), Effect: effect}
	if v.said[m.String()] {
		return true
	}
	v.said[m.String()] = true
	if effect == Refuse {
		v.imp.Errors = append(v.imp.Errors, m)
	} else {
		v.imp.Warnings = append(v.imp.Warnings, m)
	}
	return true
}

// waive notes a rule that is not applied because the server is on this machine.
func (v *validator) waive(format string, args ...any) {
	v.imp.Notes = append(v.imp.Notes, "waived on loopback: "+fmt.Sprintf(format, args...))
}

func (v *validator) document(root any) {
	doc, ok := root.(*object)
	if !ok {
		v.say("M22", "Could not parse valid OpenAPI spec")
		return
	}
	v.root = doc
	v.size()
	v.version()
	v.info()
	v.components()
	v.servers()
	v.security("", doc)
	v.paths()
	if v.counted > maxOperations {
		v.say("M9", "OpenAPI spec can have a maximum of %d operations", maxOperations)
	}
	if len(v.imp.Operations)+len(v.imp.Errors)+len(v.imp.Warnings) == 0 {
		v.say("M22", "Could not parse valid OpenAPI spec")
	}
}

// size is G007: one project was refused at 1.8 MB and another kept under 100,000
// bytes; there is no official number.
func (v *validator) size() {
	switch bytes := v.imp.Bytes; {
	case bytes > v.options.MaxDocumentBytes:
		v.say("G007", "the indented document has %d bytes; over %d it may be "+
			"refused", bytes, v.options.MaxDocumentBytes)
	case bytes > v.options.WarnDocumentBytes:
		v.sayAs(Warn, "G007", "the indented document has %d bytes; keep it under %d", bytes,
			v.options.WarnDocumentBytes)
	}
}

// version is M1.
func (v *validator) version() {
	accepted, text := []string{"3.1.1", "3.1.0"}, "Input should be '3.1.1' or '3.1.0'"
	if v.options.Only310 {
		accepted, text = []string{"3.1.0"}, "Input should be '3.1.0'"
	}
	if !slices.Contains(accepted, v.root.string("openapi")) {
		v.say("M1", "%s: %s", tuple("openapi"), text)
	}
}

// info is M2. The texts for members of the wrong type are pydantic's (class I).
func (v *validator) info() {
	info := v.root.object("info")
	switch {
	case v.root.get("info") == nil:
		v.say("M2", "%s: field required", tuple("info"))
		return
	case info == nil:
		v.say("M2", "%s: Input should be a valid dictionary or instance of Info", tuple("info"))
		return
	}
	v.imp.Title = info.string("title")
	for _, name := range []string{"title", "version"} {
		if !info.has(name) {
			v.say("M2", "%s: field required", tuple("info", name))
		} else if _, ok := info.get(name).(string); !ok {
			v.say("M2", "%s: Input should be a valid string", tuple("info", name))
		}
	}
}

func (v *validator) components() {
	components := v.root.object("components")
	v.schemas = components.object("schemas")
	if v.schemas == nil {
		v.say("M4", "In components section, schemas subsection is not an object")
	}
	if len(components.object("securitySchemes").names()) > 1 {
		v.say("M8", "Found multiple security schemes, only 1 is supported")
	}
	v.imp.OAuth = publishedOAuth(components.object("securitySchemes"))
	for i, name := range v.schemas.names() {
		at := place{context: []any{"components", "schemas", name}, path: []any{"components", "schemas", name}}
		v.schema(v.schemas.values[name], at)
		v.pendingAllOf(i, name)
	}
	v.circles()
}

// publishedOAuth reads the first authorization code flow of the document.
func publishedOAuth(schemes *object) OAuth {
	for _, name := range schemes.names() {
		scheme := schemes.object(name)
		flow := scheme.object("flows").object("authorizationCode")
		if scheme.string("type") != "oauth2" || flow == nil {
			continue
		}
		oauth := OAuth{SchemeName: name, AuthorizationURL: flow.string("authorizationUrl"),
			TokenURL: flow.string("tokenUrl")}
		scopes := flow.object("scopes")
		for _, scope := range scopes.names() {
			oauth.Scopes = append(oauth.Scopes, Scope{Name: scope, Description: scopes.string(scope)})
		}
		return oauth
	}
	return OAuth{}
}

// servers chooses the one server: M5, M6 and M7.
func (v *validator) servers() {
	list, _ := v.root.get("servers").([]any)
	var absolute []*url.URL
	for _, entry := range list {
		server, _ := entry.(*object)
		if u := absoluteURL(server.string("url")); u != nil {
			absolute = append(absolute, u)
		}
	}
	if len(absolute) == 0 {
		v.say("M5", "Could not find a valid URL in `servers`")
		return
	}
	host := strings.ToLower(absolute[0].Hostname())
	rootOrigin := "https://" + bracketed(host)
	dropped := 0
	var chosen *url.URL
	for _, u := range absolute {
		switch {
		case strings.ToLower(u.Hostname()) != host:
			dropped++
			v.say("M7", "Found multiple hostnames, dropping %s", u)
		case !v.underRoot(u, rootOrigin):
			v.sayAs(Warn, "M6", "Server URL %s is not under the root origin %s; ignoring it", u, rootOrigin)
		case chosen == nil:
			chosen = u
		}
	}
	v.imp.RootDomain = host
	if chosen == nil {
		v.say("M6", "None of the provided servers is under the root origin %s", rootOrigin)
		return
	}
	if len(list)-dropped > 1 {
		v.say("M7", "Multiple servers found, using %s", chosen)
	}
	v.imp.ServerURL = strings.TrimRight(chosen.String(), "/")
}

// absoluteURL returns nil for what M5 means by no valid URL: empty, relative, or a
// template whose variables nobody fills in.
func absoluteURL(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || strings.Contains(text, "{") {
		return nil
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return nil
	}
	return u
}

// underRoot compares text, not meaning: https://API.example.com is not under
// https://api.example.com (M6).
func (v *validator) underRoot(u *url.URL, rootOrigin string) bool {
	if isLoopback(u.Hostname()) {
		if !v.options.Strict {
			v.waive("M6 would refuse the server %s", u)
			return true
		}
		return false
	}
	rest, found := strings.CutPrefix(u.String(), rootOrigin)
	return found && (rest == "" || rest[0] == '/')
}

func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// security is M24, for the document and for an operation. The editor's text varies
// and is not known; this one is ours.
func (v *validator) security(where string, of *object) {
	if !of.has("security") {
		return
	}
	list, ok := of.get("security").([]any)
	for _, entry := range list {
		requirement, isMap := entry.(*object)
		ok = ok && isMap
		for _, name := range requirement.names() {
			_, isList := requirement.values[name].([]any)
			ok = ok && isList
		}
	}
	if !ok {
		v.say("M24", "%ssecurity must be a list of requirements, as in [{\"oauth\": []}]", where)
	}
}
