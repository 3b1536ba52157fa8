package plugin

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"maps"
	"path"
	"slices"
	"time"
)

// The manifest of Agent Plugins 1.0.0, and OpenAI's extension of it.

const (
	pluginSchema    = "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json"
	serverSchema    = "https://agent-plugins.org/schemas/1.0.0/mcp.schema.json"
	openAIExtension = "com.openai"
)

type author struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
	URL   string `json:"url,omitempty"`
}

// head has the members that all manifests share.
type head struct {
	Name        string `json:"name"`
	Version     string `json:"version"`
	Description string `json:"description"`
	Author      author `json:"author,omitzero"`
	Homepage    string `json:"homepage,omitempty"`
	License     string `json:"license,omitempty"`
}

type manifest struct {
	Schema string `json:"$schema"`
	head
	Extensions map[string]extension `json:"extensions"`
}

// codexManifest is for programs that know no other. The portal and newer ones do not read it where the extension is.
type codexManifest struct {
	head
	Skills     string               `json:"skills"`
	Servers    string               `json:"mcpServers"`
	Interface  face                 `json:"interface"`
	Extensions map[string]extension `json:"extensions"`
}

type extension struct {
	Interface   *face       `json:"interface,omitempty"`
	Review      review      `json:"review"`
	Publication publication `json:"publication"`
}

type face struct {
	DisplayName       string   `json:"displayName"`
	ShortDescription  string   `json:"shortDescription"`
	LongDescription   string   `json:"longDescription"`
	DeveloperName     string   `json:"developerName,omitempty"`
	Category          string   `json:"category"`
	Capabilities      []string `json:"capabilities"`
	WebsiteURL        string   `json:"websiteURL"`
	SupportURL        string   `json:"supportURL,omitempty"`
	PrivacyPolicyURL  string   `json:"privacyPolicyURL"`
	TermsOfServiceURL string   `json:"termsOfServiceURL,omitempty"`
	DefaultPrompt     []string `json:"defaultPrompt,omitempty"`
	BrandColor        string   `json:"brandColor,omitempty"`
	BrandColorDark    string   `json:"brandColorDark,omitempty"`
	Logo              string   `json:"logo,omitempty"`
	LogoDark          string   `json:"logoDark,omitempty"`
	ComposerIcon      string   `json:"composerIcon,omitempty"`
	ComposerIconDark  string   `json:"composerIconDark,omitempty"`
	Screenshots       []string `json:"screenshots,omitempty"`
}

type review struct {
	Cases        Cases  `json:"test_cases"`
	RecordingURL string `json:"demo_recording_url,omitempty"`
}

type publication struct {
	Countries    []string `json:"countries"`
	ReleaseNotes string   `json:"release_notes"`
}

// openAI makes the package, and beside it the marketplace from which Codex installs it. It returns the package's own
// files by their paths in it.
func (m *maker) openAI() (map[string][]byte, error) {
	l, face := m.listing, m.face()
	extend := extension{Review: review{m.cases, l.DemoRecordingURL}, Publication: publication{l.Countries,
		l.ReleaseNotes}}
	inRoot := extend
	inRoot.Interface = &face
	own := map[string][]byte{"skills/" + l.Name + "/SKILL.md": m.skill()}
	for name, content := range map[string]any{
		"plugin.json": manifest{pluginSchema, m.head(), map[string]extension{openAIExtension: inRoot}},
		".codex-plugin/plugin.json": codexManifest{m.head(), "./skills/", "./.mcp.json", face,
			map[string]extension{openAIExtension: extend}},
		"mcp.json": map[string]any{"$schema": serverSchema,
			"mcpServers": map[string]any{l.Name: map[string]string{"type": "streamable-http", "url": m.URL}}},
		".mcp.json": m.servers(),
	} {
		text, err := marshal(content)
		if err != nil {
			return nil, err
		}
		own[name] = text
	}
	maps.Copy(own, m.images)
	for name, content := range own {
		m.pkg.Files[path.Join(openAIFolder, "plugins", l.Name, name)] = content
	}
	market, err := marshal(map[string]any{"name": l.Name, "plugins": []any{map[string]any{"name": l.Name,
		"source":   map[string]string{"source": "local", "path": "./plugins/" + l.Name},
		"policy":   map[string]string{"installation": "AVAILABLE", "authentication": "ON_INSTALL"},
		"category": l.Category}}})
	m.pkg.Files[openAIFolder+"/.agents/plugins/marketplace.json"] = market
	return own, err
}

// servers is the connection as Codex and Claude's programs read it; its type has another name than in mcp.json.
func (m *maker) servers() any {
	return map[string]any{"mcpServers": map[string]any{m.listing.Name: map[string]string{"type": "http", "url": m.URL}}}
}

func (m *maker) head() head {
	l := m.listing
	return head{Name: l.Name, Version: l.Version, Description: cut(m.about.Description, maxDescription),
		Author: author{l.DeveloperName, l.DeveloperEmail, ""}, Homepage: l.WebsiteURL, License: l.License}
}

func (m *maker) face() face {
	l := m.listing
	f := face{DisplayName: l.DisplayName, ShortDescription: l.ShortDescription, LongDescription: l.LongDescription,
		DeveloperName: l.DeveloperName, Category: l.Category, Capabilities: []string{}, WebsiteURL: l.WebsiteURL,
		SupportURL: l.SupportURL, PrivacyPolicyURL: l.PrivacyPolicyURL, TermsOfServiceURL: l.TermsOfServiceURL,
		DefaultPrompt: l.DefaultPrompt, BrandColor: l.BrandColor, BrandColorDark: l.BrandColorDark,
		Logo: asset(l.Logo), LogoDark: asset(l.LogoDark), ComposerIcon: asset(l.ComposerIcon),
		ComposerIconDark: asset(l.ComposerIconDark)}
	tools := purposes(m.tools)
	for _, t := range tools[:min(len(tools), maxCapabilities)] {
		f.Capabilities = append(f.Capabilities, cut(t.Title, maxCapability))
	}
	for _, name := range l.Screenshots {
		f.Screenshots = append(f.Screenshots, asset(name))
	}
	return f
}

// asset returns where a file of the listing is in the package; "" for none.
func asset(name string) string {
	if name == "" {
		return ""
	}
	return "./assets/" + path.Base(name)
}

// marshal writes JSON for people too: in lines, and with & as it is.
func marshal(content any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(content)
	return b.Bytes(), err
}

// zipped returns an archive with the files at its top. It has one date for all, so that the same files give the same
// bytes: the first one that a ZIP can say.
func zipped(files map[string][]byte) ([]byte, error) {
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0,
			time.UTC)}
		header.SetMode(0o644)
		w, err := archive.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(files[name]); err != nil {
			return nil, err
		}
	}
	err := archive.Close()
	return b.Bytes(), err
}
