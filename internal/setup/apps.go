package setup

import (
	"context"
	"slices"

	"guestpass/internal/management"
)

// The types of connected apps that are made.
const (
	confidential = "third_party"
	public       = "third_party_public"
)

// TryCallback is where `guestpass try` waits to be sent back to; the port can be chosen by nobody else.
const TryCallback = "http://127.0.0.1:8090/callback"

// gptDescription is by what the GPT's connected app is found again: names are not unique.
func (s *Setup) gptDescription() string { return "The GPT of " + s.goal.PublicURL }

// docsURL is the page on which operations are tried.
func (s *Setup) docsURL() string { return s.goal.PublicURL + "/docs" }

// readApps finds the connected apps, or plans to make them.
func (s *Setup) readApps(ctx context.Context, p *Plan) error {
	if !s.makesApps() {
		return nil
	}
	if err := s.findApps(ctx); err != nil {
		return err
	}
	if s.gpt.ID != "" && (s.current["GUESTPASS_TRY_CLIENT_ID"] != s.gpt.ID ||
		s.current["GUESTPASS_TRY_CLIENT_SECRET"] == "") {
		p.Notes = append(p.Notes, "the GPT's connected app "+s.gpt.ID+" is there, and its secret is not among the "+
			"settings: only `guestpass try` and the GPT editor need it; if nobody knows it, rotate it on the app's "+
			"page in the dashboard")
	}
	perhaps := "" // without a good secret nobody knows yet
	if s.environment.Slug != "" && s.api == nil {
		perhaps = ", if there is none yet"
	}
	if s.goal.GPT && s.gpt.ID == "" {
		p.Changes = append(p.Changes, Change{What: "Connected App of the GPT", do: s.makeGPT, Lines: []string{
			"+ connected app ChatGPT, third party, confidential" + perhaps, "+   redirect URL " + TryCallback}})
	}
	switch {
	case s.goal.Docs && s.docs.ID == "":
		p.Changes = append(p.Changes, Change{What: "Connected App of the page /docs", do: s.makeDocs, Lines: []string{
			"+ connected app " + s.goal.Title + ", third party, public" + perhaps, "+   redirect URL " + s.docsURL()}})
	case s.docs.ID != "" && !slices.Contains(s.docs.RedirectURLs, s.docsURL()):
		p.Changes = append(p.Changes, Change{What: "Connected App of the page /docs", do: s.extendDocs,
			Lines: []string{"~ connected app " + s.docs.Name, "+   redirect URL " + s.docsURL()}})
	}
	return nil
}

// findApps looks for both. Without a good secret nothing is found.
func (s *Setup) findApps(ctx context.Context) error {
	if s.api == nil {
		return nil
	}
	apps, err := s.api.Apps(ctx)
	if err != nil {
		return err
	}
	s.gpt = chosen(apps, confidential, s.current["GUESTPASS_TRY_CLIENT_ID"], func(a management.App) bool {
		return a.Description == s.gptDescription()
	})
	s.docs = chosen(apps, public, s.current["GUESTPASS_DOCS_CLIENT_ID"], func(a management.App) bool {
		return slices.Contains(a.RedirectURLs, s.docsURL())
	})
	return nil
}

// chosen returns the app that the settings name, else the one that is known by something else; without an id if there
// is none.
func chosen(apps []management.App, kind, id string, known func(management.App) bool) management.App {
	for _, by := range []func(management.App) bool{func(a management.App) bool { return a.ID == id }, known} {
		if i := slices.IndexFunc(apps, func(a management.App) bool { return a.Type == kind && by(a) }); i >= 0 {
			return apps[i]
		}
	}
	return management.App{}
}

// makeGPT keeps the app's secret at once.
func (s *Setup) makeGPT(ctx context.Context) error {
	if err := s.findApps(ctx); err != nil || s.gpt.ID != "" {
		return err
	}
	made, err := s.api.CreateApp(context.WithoutCancel(ctx), management.App{Name: "ChatGPT", Type: confidential,
		RedirectURLs: []string{TryCallback}, Description: s.gptDescription()})
	if err != nil {
		return err
	}
	if made.Secret == "" {
		return errNoSecret
	}
	s.gpt, s.current["GUESTPASS_TRY_CLIENT_SECRET"] = made, made.Secret
	return s.keep()
}

func (s *Setup) makeDocs(ctx context.Context) error {
	if err := s.findApps(ctx); err != nil {
		return err
	}
	if s.docs.ID != "" {
		return s.extendDocs(ctx)
	}
	made, err := s.api.CreateApp(context.WithoutCancel(ctx), management.App{Name: s.goal.Title, Type: public,
		RedirectURLs: []string{s.docsURL()}, Description: "The page " + s.docsURL()})
	if err != nil {
		return err
	}
	s.docs = made
	return s.keep()
}

func (s *Setup) extendDocs(ctx context.Context) error {
	if slices.Contains(s.docs.RedirectURLs, s.docsURL()) {
		return nil
	}
	return s.api.SetRedirectURLs(ctx, s.docs.ID, append(slices.Clone(s.docs.RedirectURLs), s.docsURL()))
}
