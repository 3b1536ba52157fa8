// Package widget has what pages of MCP Apps share: a style that follows the client's, and a script that speaks with the
// client and shows a list page by page. A page says what its rows look like, as resources/tasks/tasks.html does. The
// package knows no operation; the server serves pages without any of it as well, see [api.Widget].
package widget

import (
	_ "embed" // style and script
	"fmt"
	"strings"

	"guestpass/api"
)

//go:embed widget.css
var style string

//go:embed widget.js
var script string

// Places of a page in which the shared parts are put.
const (
	stylePlace  = "<style>/* widget.css */</style>"
	scriptPlace = "<script>/* widget.js */</script>"
	factsPlace  = "<!-- facts -->"
)

// New returns the widget of a page in which each of three lines stands once, in this order:
//
//	<style>/* widget.css */</style>
//	<!-- facts -->
//	<script>/* widget.js */</script>
//
// The first gets the shared style, the second becomes [api.WidgetFacts], the third gets the shared script, which wants
// the facts before it. The script is the variable guestpass; its functions are documented in widget.js.
//
// New panics if one of them is not there as it is written here: the page would start without what it calls, and say
// nothing.
func New(name, page string) api.Widget {
	before := 0
	for _, place := range []string{stylePlace, factsPlace, scriptPlace} {
		if n := strings.Count(page, place); n != 1 {
			panic(fmt.Sprintf("widget: the page %q has %s %d times: write it once, in these letters", name, place, n))
		}
		at := strings.Index(page, place)
		if at < before {
			panic(fmt.Sprintf("widget: the page %q has %s too early: write style, facts and script in this order", name,
				place))
		}
		before = at
	}
	return api.Widget{Name: name, HTML: strings.NewReplacer(stylePlace, "<style>\n"+style+"</style>",
		factsPlace, api.WidgetFacts, scriptPlace, "<script>\n"+script+"</script>").Replace(page)}
}
