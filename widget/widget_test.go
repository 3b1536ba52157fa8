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
	w := widget.New("x", "<style>/* widget.css */</style><script>/* widget.js */</script>")
	if len(w.HTML) > api.MaxWidget/2 {
		t.Errorf("the shared parts have %d bytes", len(w.HTML))
	}
	for _, ending := range []string{"</style", "</script"} {
		if n := strings.Count(w.HTML, ending); n != 1 {
			t.Errorf("%s is there %d times", ending, n)
		}
	}
}
