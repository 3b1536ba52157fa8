package setup

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"guestpass/internal/management"
	"guestpass/internal/pattern"
)

// A callbackForm is one to which ChatGPT comes back after sign-in, with the hosts that use it.
type callbackForm struct {
	path  *pattern.Pattern
	hosts []string
}

// callbackForms are that of a GPT, which comes back to whichever host a person uses, and those of plugins.
var callbackForms = []callbackForm{
	{pattern.New(`^/aip/g-[A-Za-z0-9-]{1,100}/oauth/callback$`), []string{"chat.openai.com", "chatgpt.com"}},
	{pattern.New(`^/connector/oauth/[A-Za-z0-9_-]{1,200}$`), []string{"chatgpt.com"}},
	{pattern.New(`^/connector_platform_oauth_redirect$`), []string{"chatgpt.com"}},
}

// Callbacks returns a callback URL of ChatGPT's on all hosts that use it.
func Callbacks(address string) (urls []string, err error) {
	path, kind := callbackPath(address)
	if path == "" {
		return nil, errors.New("it is no callback URL of ChatGPT's: those are " +
			"https://chat.openai.com/aip/g-…/oauth/callback (or with chatgpt.com), as the GPT editor shows it below " +
			"the action, and https://chatgpt.com/connector/oauth/…, as a plugin shows it")
	}
	for _, host := range callbackForms[kind].hosts {
		urls = append(urls, "https://"+host+path)
	}
	return urls, nil
}

// callbackPath returns the path of a callback URL of ChatGPT's, and the index of its form; "" for any other URL.
func callbackPath(address string) (path string, kind int) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", 0
	}
	kind = slices.IndexFunc(callbackForms, func(form callbackForm) bool {
		return slices.Contains(form.hosts, u.Host) && form.path.MatchString(u.EscapedPath())
	})
	if kind < 0 {
		return "", 0
	}
	return u.EscapedPath(), kind
}

// ReadCallbacks plans to register callbacks with a connected app; with tidy, those of other GPTs or plugins go.
func ReadCallbacks(ctx context.Context, api *management.Project, appID string, urls []string, tidy bool) (*Plan,
	error) {
	apps, err := api.Apps(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(apps, func(a management.App) bool { return a.ID == appID })
	if i < 0 {
		return nil, fmt.Errorf("the project has no connected app %s: name the GPT's with --client-id, or in "+
			"GUESTPASS_TRY_CLIENT_ID", appID)
	}
	app, p := apps[i], &Plan{Project: "connected app " + apps[i].Name + ", " + appID}
	kept := slices.DeleteFunc(slices.Clone(app.RedirectURLs), func(old string) bool {
		return tidy && replacedBy(old, urls)
	})
	var lines []string
	for _, old := range app.RedirectURLs {
		if !slices.Contains(kept, old) {
			lines = append(lines, "- redirect URL "+old)
		}
	}
	for _, u := range urls {
		if !slices.Contains(kept, u) {
			kept, lines = append(kept, u), append(lines, "+ redirect URL "+u)
		}
	}
	if len(lines) > 0 {
		p.Changes = []Change{{What: "redirect URLs", Lines: lines, do: func(ctx context.Context) error {
			return api.SetRedirectURLs(ctx, appID, kept)
		}}}
	}
	return p, nil
}

// replacedBy reports whether a redirect URL is a callback of the same kind as the new ones, and none of them.
func replacedBy(old string, urls []string) bool {
	path, kind := callbackPath(old)
	_, wanted := callbackPath(urls[0])
	return path != "" && kind == wanted && !slices.Contains(urls, old)
}

// ApplyCallbacks carries out what [ReadCallbacks] planned.
func ApplyCallbacks(ctx context.Context, p *Plan) error {
	for _, change := range p.Changes {
		if err := change.do(ctx); err != nil {
			return err
		}
	}
	return nil
}
