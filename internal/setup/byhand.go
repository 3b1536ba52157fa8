package setup

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// A Step is what a person does on a page of Stytch's dashboard.
type Step struct {
	Page string
	Do   []string
}

// ByHand are all steps to the goal, for a person who clicks.
func ByHand(g Goal) ([]Step, error) {
	s := New(Options{Goal: g})
	needs, err := g.Needs(s.vertical())
	if err != nil {
		return nil, err
	}
	steps := []Step{{"API keys", []string{
		"copy the project id into STYTCH_PROJECT_ID, the public token into STYTCH_PUBLIC_TOKEN, and a new secret " +
			"into STYTCH_SECRET"}}, DomainStep}
	steps = append(steps, s.managementSteps()...)
	connected := []string{"set the Authorization URL to " + s.page(), metadataDocuments}
	if g.Registration {
		connected = append(connected, "switch on Dynamic Client Registration")
	}
	steps = append(steps, Step{"Connected Apps", connected})
	steps = append(steps, s.policySteps(needs)...)
	steps = append(steps, s.appsByHand()...)
	if !g.Local && (g.GPT || g.Docs) && s.current["STYTCH_PROJECT_ID"] == "" { // of a live one it is said above
		steps = append(steps, Step{"Connected Apps", []string{"in a live project choose Enable for production on the " +
			"page of each connected app"}})
	}
	return steps, nil
}

const metadataDocuments = "switch on Client ID Metadata Documents: ChatGPT and Claude identify themselves by a document"

// DomainStep is to the one setting that no API tells.
var DomainStep = Step{"Project overview", []string{"copy the project's domain (word-word-1234.customers.stytch.com, " +
	"or your own) into STYTCH_DOMAIN, or run this again with --domain"}}

// managementSteps are those for what only a workspace's key could do, and nothing tells whether it is done.
func (s *Setup) managementSteps() []Step {
	ways := []string{}
	for _, method := range s.goal.LoginMethods {
		if words := map[string]string{"email_code": "one-time passcodes by e-mail",
			"email_link": "magic links by e-mail",
			"password":   "passwords"}[method]; words != "" {
			ways = append(ways, words)
		} else {
			ways = append(ways, "OAuth ("+method+")")
		}
	}
	sdk := []string{"enable the SDK, and add " + s.goal.PublicURL + " to the authorized domains",
		"enable " + strings.Join(ways, ", "), fmt.Sprintf("let a session last %d minutes at least", sessionMinutes),
		"see that captchas, HttpOnly cookies and device fingerprinting are off: the sign-in page cannot work with them"}
	if s.vertical() == B2B {
		sdk = append(sdk, "enable the discovery flow")
	}
	return []Step{{"Frontend SDK", sdk},
		{"Redirect URLs", []string{"add " + s.page() + " with the types " + strings.Join(s.redirectTypes(), ", ")}}}
}

// policySteps are those to what operations need.
func (s *Setup) policySteps(needs []Need) []Step {
	var do []string
	for _, need := range needs {
		who := map[string]string{B2B: "stytch_member and stytch_admin", Consumer: "stytch_user"}[s.vertical()]
		if need.Admin && s.vertical() == B2B {
			who = "stytch_admin"
		}
		grant := ""
		if need.Resource != "" {
			grant = "give " + need.permission() + " to " + who
			if !ofStytch(need.Resource) {
				grant = "have a resource " + need.Resource + " with the action " + need.Action + ", and " + grant
			}
		}
		if need.Scope != "" {
			scope := fmt.Sprintf("add a custom scope %s, %q", need.Scope, need.Description)
			if need.Resource != "" {
				scope += ", with the permission " + need.permission()
			}
			grant = strings.TrimSuffix(grant+"; "+scope, "; ")
		}
		do = append(do, strings.TrimPrefix(grant, "; "))
	}
	if len(do) == 0 {
		return nil
	}
	return []Step{{"Roles & Permissions", do}}
}

// appsByHand are the steps to the connected apps that the API would make.
func (s *Setup) appsByHand() (steps []Step) {
	if s.goal.GPT {
		steps = append(steps, Step{"Connected Apps", []string{
			"for a GPT make an app: third party, confidential, with the redirect URL " + TryCallback + " for " +
				"`guestpass try`; put its id into GUESTPASS_TRY_CLIENT_ID and its secret into " +
				"GUESTPASS_TRY_CLIENT_SECRET; once the GPT is saved, run `guestpass setup callback URL` with the " +
				"callback URL that the editor shows"}})
	}
	if s.goal.Docs {
		steps = append(steps, Step{"Connected Apps", []string{"for the page /docs make an app: third party, public, " +
			"with the redirect URL " + s.docsURL() + "; put its id into GUESTPASS_DOCS_CLIENT_ID"}})
	}
	return append(steps, s.appSteps()...)
}

// appSteps are those that no API does.
func (s *Setup) appSteps() []Step {
	isLive := s.environment.Type == live || s.environment.Type == "" &&
		strings.HasPrefix(s.current["STYTCH_PROJECT_ID"],
			"project-live-")
	var do []string
	for _, app := range []struct {
		wanted       bool
		what, status string
	}{{s.goal.GPT, "the GPT's app", s.gpt.Status}, {s.goal.Docs, "the app of /docs", s.docs.Status}} {
		if isLive && app.wanted && app.status != "active" {
			do = append(do, "on the page of "+app.what+" choose Enable for production")
		}
	}
	if len(do) == 0 {
		return nil
	}
	return []Step{{"Connected Apps", do}}
}

// readBySecret does without a workspace's key: the project's policy can be read, and connected apps made.
func (s *Setup) readBySecret(ctx context.Context, p *Plan) error {
	id, secret := s.current["STYTCH_PROJECT_ID"], s.current["STYTCH_SECRET"]
	if id == "" || secret == "" {
		return fmt.Errorf("there is neither a workspace's key (STYTCH_WORKSPACE_KEY_ID and STYTCH_WORKSPACE_SECRET, " +
			"in the dashboard under Workspace settings) nor a project (STYTCH_PROJECT_ID and STYTCH_SECRET, under " +
			"API keys): with the key everything is set up, with the project what its secret can do; --print tells a " +
			"person what to click")
	}
	p.Project = "project " + id + ", without a workspace's key"
	s.api = s.options.Project(id, secret)
	has, err := s.api.Scopes(ctx, s.vertical())
	if err != nil {
		return err
	}
	needs, err := s.goal.Needs(s.vertical())
	if err != nil {
		return err
	}
	missing := slices.DeleteFunc(needs, func(n Need) bool { return n.Scope == "" || slices.Contains(has, n.Scope) })
	if s.current["STYTCH_PUBLIC_TOKEN"] == "" {
		p.ByHand = append(p.ByHand, Step{"API keys", []string{"copy the public token into STYTCH_PUBLIC_TOKEN"}})
	}
	p.ByHand = append(append(p.ByHand, s.managementSteps()...), s.policySteps(missing)...)
	return nil
}
