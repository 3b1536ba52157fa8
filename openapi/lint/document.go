package lint

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"guestpass/openapi/internal/actions"
)

// document looks at the whole, then at each operation, then at the components' schemas.
func (l *linter) document() {
	l.version()
	if l.isSwagger() {
		return // all else follows from it
	}
	l.structure()
	l.info()
	l.size()
	l.numbers(l.root)
	server := l.servers()
	l.securitySchemes()
	l.oauth(server)
	l.privacy()
	if l.root.has("webhooks") {
		l.find("G026", l.root.get("webhooks"), "webhooks is used")
	}
	if !l.root.has("x-schema-hash") {
		l.find("G009", nil, "x-schema-hash is missing")
	}
	l.operations()
	l.components()
}

// isSwagger reports whether the document is of the version before OpenAPI.
func (l *linter) isSwagger() bool { return l.root.has("swagger") && !l.root.has("openapi") }

// version is G001 (M1, C).
func (l *linter) version() {
	written := l.root.get("openapi")
	switch {
	case l.isSwagger():
		swagger := l.root.get("swagger")
		l.find("G001", swagger, "it is a document of Swagger "+abbreviated(swagger.scalar)+
			", of which nothing else was looked at", "Convert it to OpenAPI 3.1 and lint the result, or name with "+
			"--for an importer that takes 2.0.")
	case written.str() == "3.1.1": // which the editor takes
		l.findAs(Warning, "G001", written, "openapi is 3.1.1, which other importers refuse")
	case written.str() != "3.1.0":
		l.find("G001", or(written, l.root), fmt.Sprintf("openapi is %s", shown(written)))
	}
}

func shown(v *value) string {
	switch {
	case v == nil:
		return "missing"
	case v.kind == text:
		return strconv.Quote(abbreviated(v.scalar))
	case v.scalar != "":
		return "the value " + abbreviated(v.scalar)
	}
	return v.kind.String()
}

func abbreviated(s string) string {
	if runes := []rune(s); len(runes) > 60 {
		return string(runes[:59]) + "…"
	}
	return s
}

// expected are the kinds of members, by the pattern of their pointer (G003; M23, M24, D).
var expected = []struct {
	pattern string
	kind    kind
}{
	{"/info", object}, {"/servers", array}, {"/servers/*", object}, {"/paths", object}, {"/components", object},
	{"/paths/*", object}, {"/paths/*/parameters", array},
	{"/paths/*/*/parameters", array}, {"/paths/*/*/parameters/*", object}, {"/paths/*/*/requestBody", object},
	{"/paths/*/*/responses", object},
	{"/paths/*/*/responses/*", object}, {"/paths/*/*/tags", array}, {"/paths/*/*/servers", array},
	{"/paths/*/*/requestBody/content", object}, {"/paths/*/*/responses/*/content", object},
	{"/components/schemas/*", object}, {"/components/parameters", object}, {"/components/responses", object},
	{"/components/requestBodies", object},
	{"/components/securitySchemes", object}, {"/components/securitySchemes/*", object},
}

// structure is G003, but for schemas, which are looked at where they are used, and for
// security and components.schemas, which have rules of their own.
func (l *linter) structure() {
	for _, e := range expected {
		l.matching(l.root, strings.Split(e.pattern, "/")[1:], func(v *value) {
			if v.kind != e.kind {
				l.find("G003", v, fmt.Sprintf("it is %s, not %s", v.kind, e.kind))
			}
		})
	}
	if !l.root.has("paths") {
		l.find("G003", l.root, "paths is missing")
	}
}

func (l *linter) matching(v *value, pattern []string, found func(*value)) {
	if len(pattern) == 0 {
		found(v)
		return
	}
	if pattern[0] != "*" {
		if inner := v.get(pattern[0]); inner != nil {
			l.matching(inner, pattern[1:], found)
		}
		return
	}
	v.each(func(_ string, inner *value) bool { l.matching(inner, pattern[1:], found); return true })
	for _, inner := range v.list() {
		l.matching(inner, pattern[1:], found)
	}
}

// info is G004 (M2, D) and G005 (A).
func (l *linter) info() {
	info := l.root.get("info")
	for _, name := range []string{"title", "version"} {
		if written := info.get(name); written.is(text) && strings.TrimSpace(written.scalar) == "" {
			l.findAs(Warning, "G004", written, fmt.Sprintf("info.%s is %s", name, shown(written)))
		} else if !written.is(text) {
			l.find("G004", or(info.get(name), or(info, l.root)), fmt.Sprintf("info.%s is %s", name,
				shown(info.get(name))))
		}
	}
	if strings.TrimSpace(info.get("description").str()) == "" {
		l.find("G005", or(info, l.root), "info.description is missing")
	}
}

func or(first, second *value) *value {
	if first != nil {
		return first
	}
	return second
}

// size is G007 (D): the editor counts the indented document, others the compact one.
func (l *linter) size() {
	indented, err := l.root.write(true)
	if err != nil {
		return
	}
	switch n := len(indented); {
	case n > l.options.MaxBytes:
		l.findAs(Error, "G007", nil, fmt.Sprintf("it has %d bytes indented, at most %d", n, l.options.MaxBytes))
	case n > l.options.WarnBytes:
		l.find("G007", nil, fmt.Sprintf("it has %d bytes indented; from %d on it may be refused", n,
			l.options.WarnBytes))
	}
}

// numbers is G008 (I).
func (l *linter) numbers(v *value) {
	if v.is(number) {
		if unsafe(v.scalar) {
			l.find("G008", v, abbreviated(v.scalar)+" is beyond 2^53")
		}
		return
	}
	for _, inner := range v.list() {
		l.numbers(inner)
	}
	v.each(func(_ string, inner *value) bool { l.numbers(inner); return true })
}

// unsafe reports whether JavaScript rounds a whole number.
func unsafe(written string) bool {
	if n, err := strconv.ParseInt(written, 10, 64); err == nil {
		return n > 1<<53 || n < -(1<<53)
	}
	n, err := strconv.ParseFloat(written, 64)
	return err == nil && (n > 1<<53 || n < -(1<<53))
}

// servers is G010 (M5, C), G011 (M6, C), G012 (M7, C), G013 (I) and G015 (I). It returns
// the URL that will be called, or nil.
func (l *linter) servers() *url.URL {
	servers := l.root.get("servers")
	if len(servers.list()) == 0 {
		l.find("G010", or(servers, l.root), "there is no server")
		return nil
	}
	if n := len(servers.list()); n > 1 {
		l.find("G012", servers, fmt.Sprintf("there are %d servers", n))
	}
	written := servers.list()[0].get("url")
	u := actions.Absolute(written.str())
	if u == nil {
		problem := fmt.Sprintf("the server's URL is %s", shown(written))
		if strings.ContainsAny(written.str(), "{}") {
			problem += ", which has variables"
		}
		l.find("G010", or(written, servers), problem)
		return nil
	}
	switch problem := actions.NotPublic(u); {
	case problem != "":
		l.find("G011", written, u.String()+" "+problem)
	case u.Host != strings.ToLower(u.Host):
		l.find("G011", written, "the host has capital letters")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		l.find("G011", written, "it has credentials, a query or a fragment")
	}
	if servers.list()[0].has("variables") {
		l.findAs(Warning, "G011", servers.list()[0].get("variables"), "the server has variables")
	}
	if strings.HasSuffix(written.scalar, "/") {
		l.find("G013", written, "the server's URL ends in a slash")
	} else if strings.Contains(u.Path, "//") || strings.Contains(u.Path, " ") || strings.Contains(u.Path+"/", "/../") {
		l.find("G013", written, "the path of the server's URL has an empty segment, a blank or ..")
	}
	if from := actions.Absolute(l.options.Address); from != nil && !strings.EqualFold(from.Host, u.Host) {
		l.find("G015", written, fmt.Sprintf("%s is called, but %s serves the document", u.Host, from.Host))
	}
	return u
}

// securitySchemes is G100 (M8, C).
func (l *linter) securitySchemes() {
	l.schemes = map[string]*value{}
	schemes := l.root.get("components", "securitySchemes")
	schemes.each(func(name string, scheme *value) bool { l.schemes[name] = scheme; return true })
	if len(l.schemes) > 1 {
		l.find("G100", schemes, fmt.Sprintf("there are %d security schemes", len(l.schemes)))
	}
}

// components is G006 (M4, C), G074 (M20, D), and the schemas that stand there. It comes after
// the operations, whose findings on a schema in use are the harder ones.
func (l *linter) components() {
	components := l.root.get("components")
	schemas := components.get("schemas")
	if !schemas.is(object) {
		l.find("G006", or(schemas, or(components, l.root)), fmt.Sprintf("components.schemas is %s", shown(schemas)))
	}
	for _, kind := range []string{"callbacks", "links"} {
		if !components.get(kind).isEmpty() {
			l.find("G026", components.get(kind), "components has "+kind)
		}
	}
	l.circles(schemas)
	schemas.each(func(_ string, schema *value) bool { l.schema(schema, asComponent); return true })
}

// oauth is G102 (A), then G110 (M25, C, A) to G112 (D) and G116 (A).
func (l *linter) oauth(server *url.URL) {
	for _, scheme := range l.schemes {
		flow := scheme.get("flows", "authorizationCode")
		switch kind := scheme.get("type").str(); {
		case kind == "oauth2" && flow != nil && len(scheme.get("flows").names) == 1:
			l.flow(flow, server)
		case kind == "http" && slices.Contains([]string{"bearer", "basic"},
			strings.ToLower(scheme.get("scheme").str())):
		case kind == "apiKey" && scheme.get("in").str() == "header":
		case kind == "oauth2":
			l.find("G102", or(scheme.get("flows"), scheme), "the flows are not authorizationCode alone")
			if flow != nil {
				l.flow(flow, server)
			}
		default:
			l.find("G102", scheme, fmt.Sprintf("the scheme is of type %s", shown(scheme.get("type"))))
		}
	}
}

func (l *linter) flow(flow *value, server *url.URL) {
	for _, name := range []string{"authorizationUrl", "tokenUrl"} {
		written := flow.get(name)
		u := actions.Absolute(written.str())
		if u == nil || u.Scheme != "https" || u.Fragment != "" || u.User != nil {
			severity := Error
			if strings.HasPrefix(written.str(), "/") { // which OpenAPI admits; the builder writes it in full
				severity = Warning
			}
			l.findAs(severity, "G111", or(written, flow), fmt.Sprintf("%s is %s", name, shown(written)))
			continue
		}
		if server == nil || actions.SharesDomain(u.Hostname(), server.Hostname()) {
			continue
		}
		l.find("G110", written, fmt.Sprintf("%s is not under %s, the domain of the API", u.Hostname(),
			actions.Registrable(server.Hostname())))
	}
	scopes := flow.get("scopes")
	if scopes.isEmpty() {
		l.find("G112", or(scopes, flow), "no scope is listed")
		return
	}
	l.scopes = map[string]bool{}
	scopes.each(func(name string, description *value) bool {
		l.scopes[name] = true
		if description.str() == "" {
			l.find("G112", description, "the scope "+name+" is not described")
		}
		return true
	})
	if !l.scopes["offline_access"] {
		l.find("G116", scopes, "offline_access is not among the scopes")
	}
}

// privacy is the part of G120 (M27, B) that shows in a document.
func (l *linter) privacy() {
	written := l.root.get("info", "x-privacy-policy-url")
	if written == nil {
		return
	}
	if u := actions.Absolute(written.str()); u == nil || u.Scheme != "https" ||
		actions.Unreachable(u.Hostname()) != "" {
		l.find("G120", written, fmt.Sprintf("the privacy policy is %s", shown(written)))
	}
}

// security is G101 (M24, D), of the document or an operation.
func (l *linter) security(list *value) {
	if list == nil {
		return
	}
	if !list.is(array) {
		l.find("G101", list, "security is "+list.kind.String()+", not a list of objects")
		return
	}
	for _, requirement := range list.list() {
		if !requirement.is(object) {
			l.find("G101", requirement, "a requirement is "+requirement.kind.String()+", not an object")
			continue
		}
		requirement.each(func(name string, scopes *value) bool {
			switch {
			case l.schemes[name] == nil:
				l.findAs(Warning, "G101", scopes, "there is no security scheme "+name)
			case !scopes.is(array):
				l.find("G101", scopes, "the scopes of "+name+" are no list")
			default:
				for _, scope := range scopes.list() {
					if l.scopes != nil && l.schemes[name].get("type").str() == "oauth2" && !l.scopes[scope.str()] {
						l.findAs(Warning, "G112", scope, fmt.Sprintf("the scope %s is not one that the scheme lists",
							shown(scope)))
					}
				}
			}
			return true
		})
	}
}
