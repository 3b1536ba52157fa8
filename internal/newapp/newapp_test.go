package newapp

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"guestpass/api"
	"guestpass/guestpasstest"
	"guestpass/internal/newapp/application/notes"
	"guestpass/resources/activity"
)

// The test of the application runs on SQLite, which everybody has. What is deployed may keep its notes in a Postgres.
func TestTheResourceWorksOnEachDatabase(t *testing.T) {
	guestpasstest.OnEachDatabase(t, func(t *testing.T, url string) {
		w := guestpasstest.New(t, guestpasstest.Options{DatabaseURL: url,
			Resources: []api.Resource{notes.Resource(), activity.Resource()}})
		grace := w.As(guestpasstest.Grace)
		note := grace.Do(201, "POST", "/api/v1/notes", `{"text":"Milk is out"}`)
		grace.Do(200, "DELETE", "/api/v1/notes/"+note["note_id"].(string), "")
		last := grace.Do(200, "GET", "/api/v1/activity", "")["activities"].([]any)[0].(map[string]any)
		grace.Do(200, "POST", "/api/v1/activity/"+last["activity_id"].(string)+"/undo", "")
		if list := grace.Do(200, "GET", "/api/v1/notes", "")["notes"].([]any); len(list) != 1 {
			t.Errorf("there are %v", list)
		}
	})
}

func TestTheModuleFindsItsWayToTheCheckout(t *testing.T) {
	here, err := Checkout(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ folder, checkout, want string }{
		{"/src/notes", "/src/guestpass", "../guestpass"},
		{"/src/mine/notes", "/src/guestpass", "/src/guestpass"},
		{"/src/guestpass/notes", "/src/guestpass", "/src/guestpass"},
	} {
		if got := replacement(tt.folder, tt.checkout); got != tt.want {
			t.Errorf("from %s to %s it is %s, want %s", tt.folder, tt.checkout, got, tt.want)
		}
	}
	if got := quoted("/my source/guestpass"); got != `"/my source/guestpass"` {
		t.Errorf("a path with a blank is written %s", got)
	}
	o := Options{Name: "notes", Guestpass: here}
	m, err := o.moduleFiles("/src/notes")
	theirs, _ := os.ReadFile(filepath.Join(here, "go.mod"))
	if err != nil || !strings.Contains(m.text, "\nreplace "+Module()+" => "+here+"\n") ||
		strings.Count(m.text, " // indirect\n") != len(requirement.Regexp().FindAll(theirs, -1)) ||
		strings.Contains(m.text, "// indirect // indirect") {
		t.Errorf("%v\n%s", err, m.text)
	}
}
