package lint

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// widgetType is the content type of a widget, to the letter (MCP Apps, 2026-01-26).
const widgetType = "text/html;profile=mcp-app"

var widgetChecks = []check{
	{[]string{"M120"}, []need{talks}, (*visit).lookAtUnknownResource},
	{[]string{"M121", "M122", "M123", "M124", "M125", "M126"}, []need{talks, hasList, hasWidgets},
		(*visit).lookAtWidgets},
}

// widget returns the address of the tool's widget, where the standard has it or where one host or another looks.
func (t tool) widget() (standard, flat, alias string) {
	var ui struct {
		Resource string `json:"resourceUri"`
	}
	_ = json.Unmarshal(t.Meta["ui"], &ui)
	_ = json.Unmarshal(t.Meta["ui/resourceUri"], &flat)
	_ = json.Unmarshal(t.Meta["openai/outputTemplate"], &alias)
	return ui.Resource, flat, alias
}

func hasWidgets(v *visit) string {
	if !slices.ContainsFunc(v.list.tools, func(t tool) bool {
		standard, flat, alias := t.widget()
		return standard+flat+alias != ""
	}) {
		return "not applicable: no tool has a widget"
	}
	return ""
}

func (v *visit) readResource(uri string) answer {
	quoted, _ := json.Marshal(uri) // of a string never fails
	return v.ask("resources/read", uri, `"uri":`+string(quoted))
}

func (v *visit) lookAtUnknownResource() {
	got := v.readResource("ui://guestpass-lint/no-such-widget.html")
	resources := v.about().Capabilities["resources"]
	known := resources != nil && string(resources) != "null"
	if got.err != nil || got.code() == invalidParams || !known && got.code() == methodNotFound ||
		v.legacy && got.code() == resourceNotFound {
		return
	}
	v.fail("M120", "resources/read", "an unknown resource is answered %s", got.described())
}

// resource is one of the contents of resources/read.
type resource struct {
	URI  string `json:"uri"`
	Type string `json:"mimeType"`
	Text string `json:"text"`
	Blob string `json:"blob"`
	Meta struct {
		UI struct {
			Domain string                     `json:"domain"`
			CSP    map[string]json.RawMessage `json:"csp"`
		} `json:"ui"`
	} `json:"_meta"`
}

func (v *visit) lookAtWidgets() {
	var seen []string
	for _, t := range v.list.tools {
		standard, flat, alias := t.widget()
		if standard+flat+alias == "" {
			continue
		}
		for _, other := range []struct{ key, uri string }{{"ui.resourceUri", standard}, {"ui/resourceUri", flat},
			{"openai/outputTemplate", alias}} {
			if other.uri == "" {
				v.fail("M125", t.Name, "_meta has no %s", other.key)
			}
		}
		for _, uri := range []string{standard, flat, alias} {
			if uri != "" && !slices.Contains(seen, uri) && len(seen) < mostCalled {
				seen = append(seen, uri)
				v.lookAtWidget(uri)
			}
		}
	}
}

func (v *visit) lookAtWidget(uri string) {
	got := v.readResource(uri)
	var said struct {
		Contents []resource `json:"contents"`
	}
	got.read(&said)
	place := v.shown(uri)
	if got.err != nil {
		return
	}
	if !got.carries() || len(said.Contents) != 1 {
		v.fail("M121", place, "it is answered %s, with %d contents", got.described(), len(said.Contents))
		return
	}
	r := said.Contents[0]
	if r.URI != uri || !strings.HasPrefix(uri, "ui://") || r.Text == "" && r.Blob == "" {
		v.fail("M121", place, "the content's uri is %q, and its text has %d characters", v.said(r.URI), len(r.Text))
	}
	if r.Type != widgetType {
		v.fail("M122", place, "mimeType is %q", v.said(r.Type))
	}
	if r.Meta.UI.CSP == nil {
		r.Meta.UI.CSP = v.listedCSP(uri)
	}
	if r.Meta.UI.CSP == nil {
		v.fail("M123", place, "_meta.ui.csp is missing")
	}
	if r.Meta.UI.Domain != "" {
		v.fail("M124", place, "_meta.ui.domain is %q", v.said(r.Meta.UI.Domain))
	}
	var domains []string
	_ = json.Unmarshal(r.Meta.UI.CSP["resourceDomains"], &domains) // of another type it allows nothing
	for _, origin := range loaded(r.Text) {
		if !slices.ContainsFunc(domains, func(domain string) bool { return allows(domain, origin) }) {
			v.fail("M126", place, "it loads from %s", v.shown(origin))
		}
	}
}

// listedCSP returns what resources/list says of a widget, which counts where its contents say nothing.
func (v *visit) listedCSP(uri string) map[string]json.RawMessage {
	var said struct {
		Resources []resource `json:"resources"`
	}
	got := v.ask("resources/list", "", "")
	got.read(&said)
	i := slices.IndexFunc(said.Resources, func(r resource) bool { return r.URI == uri })
	if i < 0 {
		return nil
	}
	return said.Resources[i].Meta.UI.CSP
}

// loads finds what a page loads from elsewhere when it is shown.
var loads = regexp.MustCompile(`(?i)<(?:script|img|iframe|link|video|audio|source)\b[^>]*?\b(?:src|href)\s*=\s*["']?` +
	`((?:https?:)?//[^"'\s>]+)`)

// allows reports whether a source of a content security policy covers an origin in lower case: *. stands for what
// comes before, and http covers https.
func allows(source, origin string) bool {
	scheme, host, _ := strings.Cut(origin, "://")
	allowed, domain, named := strings.Cut(strings.ToLower(source), "://")
	if !named {
		allowed, domain = scheme, strings.ToLower(source)
	}
	domain, _, _ = strings.Cut(domain, "/")
	if allowed != scheme && !(allowed == "http" && scheme == "https") {
		return false
	}
	if rest, is := strings.CutPrefix(domain, "*"); is {
		return strings.HasSuffix(host, rest)
	}
	return host == domain
}

// loaded returns the origins from which a page loads, each once.
func loaded(page string) (origins []string) {
	for _, found := range loads.FindAllStringSubmatch(page, -1) {
		u, err := url.Parse(strings.ToLower(found[1]))
		if err != nil {
			continue
		}
		if u.Scheme == "" { // hosts show widgets by https
			u.Scheme = "https"
		}
		if origin := u.Scheme + "://" + u.Host; !slices.Contains(origins, origin) {
			origins = append(origins, origin)
		}
	}
	return origins
}
