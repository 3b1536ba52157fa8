package api

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// A Widget is a page in which an MCP client shows what an operation answers, if it can: the page receives the answer
// and calls tools through the client (MCP Apps, 2026-01-26). Package widget has what such pages share. For all other
// clients, and for callers of the REST API, nothing changes.
type Widget struct {
	Name string // small letters, digits and hyphens; part of the address by which clients keep the page
	HTML string // a whole document that loads nothing: scripts, styles and images are in it
}

// WidgetFacts is an element that a Widget may have. The server writes an object between its tags: in tools, the names
// of the tools that there are at the address where the page was read, and in link, the label and url of a page that it
// can have opened.
const WidgetFacts = `<script id="guestpass" type="application/json">{}</script>`

// MaxWidget is how many bytes the HTML of a widget has at most.
const MaxWidget = 64 << 10

var widgetName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// checkWidget finds why clients would not show the widget of an operation.
func (s *Service) checkWidget(op Operation) (faults []error) {
	w := op.Widget
	if w == (Widget{}) {
		return nil
	}
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("its Widget "+format, args...)) }
	if !widgetName.MatchString(w.Name) || len(w.Name) > 40 {
		fault("has the Name %q: give it at most 40 small letters and digits, with single hyphens between them, such "+
			"as expense-list", w.Name)
	}
	for _, other := range s.operations {
		if o := other.Widget; o != (Widget{}) && o.Name == w.Name && o.HTML != w.HTML {
			fault("has the Name %s, as another page of %s has: choose another", w.Name, other.ID)
		}
	}
	switch {
	case strings.TrimSpace(w.HTML) == "":
		fault("has no HTML: give it a whole document")
		return faults
	case len(w.HTML) > MaxWidget:
		fault("has %d bytes, and the most are %d: make it smaller", len(w.HTML), MaxWidget)
		return faults
	case !utf8.ValidString(w.HTML):
		fault("is not UTF-8: save it as such")
		return faults
	}
	if strings.Contains(w.HTML, `id="guestpass"`) && strings.Count(w.HTML, WidgetFacts) != 1 {
		fault("has an element of the id guestpass that is not written as the server looks for it, once: write %s",
			WidgetFacts)
	}
	for _, err := range checkPage(w.HTML) {
		fault("%w", err)
	}
	return faults
}

// checkPage finds what keeps a document from being shown in a frame where nothing can be loaded.
func checkPage(page string) (faults []error) {
	if !strings.HasPrefix(strings.ToLower(strings.TrimSpace(page)), "<!doctype html>") {
		faults = append(faults, errors.New("does not begin with <!doctype html>: give it a whole document"))
	}
	seen := map[string]bool{}
	tokens := html.NewTokenizer(strings.NewReader(page))
	for kind := tokens.Next(); kind != html.ErrorToken; kind = tokens.Next() {
		token := tokens.Token()
		switch kind {
		case html.StartTagToken, html.SelfClosingTagToken:
			seen[token.Data] = true
			faults = append(faults, checkElement(token)...)
		case html.EndTagToken:
			seen["/"+token.Data] = true
		case html.TextToken:
			if loads := loading.FindString(token.Data); seen["style"] && !seen["/style"] && loads != "" {
				faults = append(faults, fmt.Errorf("has a style with %q, which the client blocks: write what it loads "+
					"into the page", loads))
			}
		}
		if kind == html.StartTagToken && token.Data == "style" { // of the next one
			delete(seen, "/style")
		}
	}
	for _, name := range []string{"html", "head", "title", "body"} {
		if !seen[name] || !seen["/"+name] {
			faults = append(faults, fmt.Errorf("has no <%s>…</%s>: give it a whole document", name, name))
		}
	}
	return faults
}

var (
	// addresses are the attributes by which an element loads something or leads away.
	addresses = []string{"src", "srcset", "href", "xlink:href", "action", "formaction", "poster", "data", "background",
		"ping", "manifest", "imagesrcset"}
	// frames are elements that clients allow no page of its own.
	frames = []string{"iframe", "frame", "object", "embed", "base", "portal"}
	// inPage matches an address of what is in the page already.
	inPage = regexp.MustCompile(`^\s*(#|data:|$)`)
	// loading matches what makes a style load something. Go's expressions cannot say what must not follow, so that
	// url() of what is in the page is told apart by its first letters.
	loading = regexp.MustCompile(`(?i)@import|url\(\s*["']?([^"'#d\s]|d[^a])[^)]{0,40}`)
)

func checkElement(element html.Token) (faults []error) {
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("has <%s"+format, append([]any{element.Data}, args...)...))
	}
	if slices.Contains(frames, element.Data) {
		fault(">, which clients refuse in a widget: leave it out")
	}
	for _, a := range element.Attr {
		name := strings.TrimPrefix(a.Namespace+":"+a.Key, ":")
		switch {
		case slices.Contains(addresses, name) && !inPage.MatchString(a.Val):
			fault(" %s=%q>, which the client blocks: write what it loads into the page, and have links opened by the "+
				"client (ui/open-link)", name, a.Val)
		case name == "style" && loading.MatchString(a.Val):
			fault(" style=%q>, which loads something, and the client blocks that: write it into the page", a.Val)
		case element.Data == "meta" && name == "http-equiv" && strings.EqualFold(a.Val, "refresh"):
			fault(" http-equiv=%q>, and clients let no widget go to another page: leave it out", a.Val)
		}
	}
	return faults
}
