package api

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"guestpass/internal/pattern"
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

var widgetName = pattern.New(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

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
	for _, err := range checkPage(w.HTML) {
		fault("%w", err)
	}
	return faults
}
