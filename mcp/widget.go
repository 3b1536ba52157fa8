package mcp

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"

	"guestpass/api"
)

// What MCP Apps (2026-01-26) calls a widget's kind of document, and the extension itself.
const (
	widgetType  = "text/html;profile=mcp-app"
	uiExtension = "io.modelcontextprotocol/ui"
)

// A Link is what widgets can have the client open.
type Link struct {
	Label string `json:"label"`
	URL   string `json:"url"`
}

// A resource is a widget as resources/list has it.
type resource struct {
	URI         string       `json:"uri"`
	Name        string       `json:"name"`
	Title       string       `json:"title"`
	Description string       `json:"description"`
	Type        string       `json:"mimeType"`
	Meta        resourceMeta `json:"_meta"`
}

// resourceMeta says that a widget loads nothing, and wants a border. It names no domain of the frame: clients
// contradict each other in what they take for one, and show nothing when it is wrong.
type resourceMeta struct {
	UI struct {
		Policy struct {
			Connect  []string `json:"connectDomains"`
			Resource []string `json:"resourceDomains"`
			Frame    []string `json:"frameDomains"`
			BaseURI  []string `json:"baseUriDomains"`
		} `json:"csp"`
		Border bool `json:"prefersBorder"`
	} `json:"ui"`
}

func newResourceMeta() (m resourceMeta) {
	m.UI.Policy.Connect, m.UI.Policy.Resource = []string{}, []string{}
	m.UI.Policy.Frame, m.UI.Policy.BaseURI = []string{}, []string{}
	m.UI.Border = true
	return m
}

// widgetOf is the part of a tool's _meta by which clients find its widget: as the specification has it, as some of them
// know it from before, and as ChatGPT's own.
type widgetOf struct {
	UI       *toolUI `json:"ui,omitempty"`
	Flat     string  `json:"ui/resourceUri,omitempty"`
	Template string  `json:"openai/outputTemplate,omitempty"`
}

type toolUI struct {
	URI string `json:"resourceUri"`
}

// giveWidgets has the tools name their widgets, and prepares the answers about them.
func (s *Server) giveWidgets(tools []*tool) error {
	facts := struct {
		Tools []string `json:"tools"`
		Link  *Link    `json:"link,omitempty"`
	}{Tools: []string{}}
	if s.options.Link.URL != "" {
		facts.Link = &s.options.Link
	}
	for _, t := range tools {
		facts.Tools = append(facts.Tools, t.Name)
	}
	told, err := json.Marshal(facts) // which escapes what would end the element
	if err != nil {
		return err
	}
	list := []resource{}
	s.widgets = map[string]json.RawMessage{}
	for _, t := range tools {
		if t.widget == (api.Widget{}) {
			continue
		}
		text := strings.Replace(t.widget.HTML, api.WidgetFacts, strings.Replace(api.WidgetFacts, "{}", string(told), 1),
			1)
		uri := widgetURI(t.widget.Name, text)
		t.Meta.widgetOf = widgetOf{&toolUI{uri}, uri, uri}
		if s.widgets[uri] != nil { // of another tool too
			continue
		}
		list = append(list, resource{uri, t.widget.Name, t.Title, "Shows what " + t.Name + " answers", widgetType,
			newResourceMeta()})
		if s.widgets[uri], err = contentOf(uri, text); err != nil {
			return err
		}
	}
	s.resources, err = marshal(map[string]any{"resources": list})
	return err
}

// widgetURI is another one for every other text, as clients keep what they have read by its URI.
func widgetURI(name, text string) string {
	sum := sha256.Sum256([]byte(text))
	return "ui://guestpass/" + name + "-" + hex.EncodeToString(sum[:4])
}

// contentOf returns the result of reading a widget.
func contentOf(uri, text string) (json.RawMessage, error) {
	type content struct {
		URI  string       `json:"uri"`
		Type string       `json:"mimeType"`
		Text string       `json:"text"`
		Meta resourceMeta `json:"_meta"`
	}
	return marshal(map[string]any{"contents": []content{{uri, widgetType, text, newResourceMeta()}}})
}

// answerResources answers what is asked about widgets, the only resources that there are.
func (s *Server) answerResources(w http.ResponseWriter, m message) {
	switch m.method {
	case "resources/list", "resources/templates/list":
		if fault := checkCursor(m); fault != nil {
			fail(w, m.id, fault)
			return
		}
		result := s.resources
		if m.method == "resources/templates/list" {
			result = json.RawMessage(`{"resourceTemplates":[]}`)
		}
		s.succeed(w, m, http.StatusOK, result, true)
	case "resources/read":
		uri := m.text("uri")
		if uri == "" {
			fail(w, m.id, refuse(http.StatusOK, invalidParams, "params.uri is missing, or no text; take one from "+
				"resources/list"))
			return
		}
		content := s.widgets[uri]
		if content == nil {
			fail(w, m.id, refuse(http.StatusOK, invalidParams, "there is no such resource; see resources/list. One "+
				"that was there has another URI after an update"))
			return
		}
		s.succeed(w, m, http.StatusOK, content, true)
	default:
		unknown(w, m)
	}
}
