package widget_test

import (
	"fmt"
	"strings"
	"testing"

	"guestpass/api"
	"guestpass/widget"
)

func ExampleNew() {
	page := "<!doctype html>\n<html lang=en>\n<head>\n<title>Things</title>\n<style>/* widget.css */</style>\n" +
		"<!-- facts -->\n</head>\n<body>\n<ul id=rows></ul>\n<script>/* widget.js */</script>\n" +
		"<script>guestpass.start({ name: 'things', fits: (data) => data.things, draw() {} });</script>\n" +
		"</body>\n</html>\n"
	w := widget.New("things", page)
	fmt.Println(w.Name, strings.Contains(w.HTML, api.WidgetFacts), strings.Contains(w.HTML, "const guestpass = "))
	// Output: things true true
}

// TestThePartsLeaveRoom: a page of one's own has room beside them, and none of them ends an element.
func TestThePartsLeaveRoom(t *testing.T) {
	w := widget.New("x", places)
	if len(w.HTML) > api.MaxWidget/2 {
		t.Errorf("the shared parts have %d bytes", len(w.HTML))
	}
	for ending, want := range map[string]int{"</style": 1, "</script": 2} { // of the facts too
		if n := strings.Count(w.HTML, ending); n != want {
			t.Errorf("%s is there %d times", ending, n)
		}
	}
}

const places = "<style>/* widget.css */</style><!-- facts --><script>/* widget.js */</script>"

// TestAPageWithoutASharedPartIsRefused: in a browser it would show nothing, and say nothing.
func TestAPageWithoutASharedPartIsRefused(t *testing.T) {
	for _, tt := range []struct{ instead, of, told string }{
		{"<style>/*widget.css*/</style>", "<style>/* widget.css */</style>",
			"has <style>/* widget.css */</style> 0 times"},
		{"<!-- Facts -->", "<!-- facts -->", "has <!-- facts --> 0 times: write it once"},
		{"", "<script>/* widget.js */</script>", "has <script>/* widget.js */</script> 0 times"},
		{places, "<!-- facts -->", "has <style>/* widget.css */</style> 2 times"},
		{"<script>/* widget.js */</script><!-- facts -->", "<!-- facts --><script>/* widget.js */</script>",
			"has <script>/* widget.js */</script> too early"},
	} {
		told := func() (told any) {
			defer func() { told = recover() }()
			widget.New("x", strings.Replace(places, tt.of, tt.instead, 1))
			return nil
		}()
		if !strings.Contains(fmt.Sprint(told), `widget: the page "x" `+tt.told) {
			t.Errorf("%s instead of %s: %v", tt.instead, tt.of, told)
		}
	}
}
