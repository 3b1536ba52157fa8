package openapi

import (
	"slices"
	"strings"

	"guestpass/openapi/internal/actions"
)

// A GPT is what a builder pastes into the GPT editor to make one of a [Document].
// Everything in it follows from the document, so the same document gives the same GPT.
type GPT struct {
	ImportURL  string  `json:"import_url"`
	OAuth      []Field `json:"oauth"` // in the order of the editor's form
	PrivacyURL string  `json:"privacy_url,omitempty"`
	// Instructions have at most 8,000 characters, which is what the editor takes.
	Instructions string   `json:"instructions"`
	Starters     []string `json:"conversation_starters"`
	// Domains are what a workspace that restricts actions has to allow: of the
	// operations, then of the OAuth URLs where they differ.
	Domains []string `json:"domains"`
}

// A Field of the editor: what to paste, or where the builder finds it.
type Field struct {
	Name  string `json:"name"` // as the editor labels it
	Value string `json:"value,omitempty"`
	Hint  string `json:"hint,omitempty"` // without a Value
}

// EgressURL lists the addresses from which ChatGPT calls, for a firewall (G121, A).
const EgressURL = "https://openai.com/chatgpt-connectors.json"

// GPT returns what a builder pastes. clientID may be empty when it is not known;
// secretHint says where the client secret is to be had.
func (d *Document) GPT(clientID, secretHint string) GPT {
	published := d.published
	flow := published.Components.Security.OAuth2.Flows.AuthorizationCode
	client := Field{Name: "Client ID", Value: clientID}
	if clientID == "" {
		client.Hint = "The id of the connected app that stands for your GPT, from the Stytch dashboard under " +
			"Connected Apps; it begins with connected-app-."
	}
	var scopes []string
	for _, scope := range flow.Scopes {
		scopes = append(scopes, scope.Name)
	}
	g := newGuide(published, d.order)
	return GPT{
		ImportURL: published.Servers[0].URL + "/openapi.json",
		OAuth: []Field{client,
			{Name: "Client Secret", Hint: secretHint},
			{Name: "Authorization URL", Value: flow.AuthorizationURL},
			{Name: "Token URL", Value: flow.TokenURL},
			{Name: "Scope", Value: strings.Join(scopes, " ")},
			{Name: "Token Exchange Method", Hint: "Default (POST request)"}},
		PrivacyURL:   published.Info.PrivacyURL,
		Instructions: g.instructions(),
		Starters:     g.starters(),
		Domains:      domains(published.Servers[0].URL, flow.AuthorizationURL, flow.TokenURL),
	}
}

// Skill returns the instructions of the GPT in the words of a skill: for any assistant that has the operations as
// tools.
func (d *Document) Skill() string {
	g := newGuide(d.published, d.order)
	g.forSkill = true
	return g.instructions()
}

func domains(urls ...string) (hosts []string) {
	for _, text := range urls {
		if host := actions.Absolute(text).Hostname(); !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// maxStarters is as many as a new chat has room for (I).
const maxStarters = 4

// starters returns questions that open a conversation: what there is, then lists and
// creations that need no identifier.
func (g guide) starters() []string {
	var lists, creations []string
	for _, op := range g.operations {
		switch {
		case strings.Contains(op.path, "{"):
		case op.query("cursor") != nil:
			lists = append(lists, Asked(op.Summary))
		case op.method == "POST" && op.Consequential:
			creations = append(creations, Asked(op.Summary))
		}
	}
	slices.Reverse(creations) // a developer's own resources are registered last
	starters := []string{"What can you do for me here?"}
	for i := range max(len(lists), len(creations)) {
		for _, from := range [][]string{lists, creations} {
			if i < len(from) && from[i] != "" && len(starters) < maxStarters {
				starters = append(starters, from[i])
			}
		}
	}
	return starters
}

// Asked returns a summary in the words of the person who asks for it.
func Asked(summary string) string {
	return strings.NewReplacer("the signed-in person's", "my", "the signed-in person", "me").Replace(summary)
}
