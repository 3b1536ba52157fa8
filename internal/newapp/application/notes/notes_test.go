package notes_test

import (
	"testing"

	"guestpass/api"
	"guestpass/guestpasstest"
	"guestpass/resources/activity"

	"guestpass/internal/newapp/application/notes"
)

// The test starts the server and the emulator of Stytch, signs people in, and calls what an assistant would call.
func TestANoteIsWrittenDeletedAndBroughtBack(t *testing.T) {
	w := guestpasstest.New(t, guestpasstest.Options{
		Resources: []api.Resource{notes.Resource(), activity.Resource()}})
	scopes := []string{"openid", "notes:read", "notes:write", "activity:read"}
	grace, hank := w.As(guestpasstest.Grace, scopes...), w.As(guestpasstest.Hank, scopes...)
	const path = "/api/v1/notes"
	seen := func(by *guestpasstest.Person, want int) {
		t.Helper()
		if list := by.Do(200, "GET", path, "")["notes"].([]any); len(list) != want {
			t.Errorf("%d notes, want %d: %v", len(list), want, list)
		}
	}
	undo := func() {
		t.Helper()
		last := grace.Do(200, "GET", "/api/v1/activity", "")["activities"].([]any)[0].(map[string]any)
		grace.Do(200, "POST", "/api/v1/activity/"+last["activity_id"].(string)+"/undo", "")
	}

	note := grace.Do(201, "POST", path, `{"text":"Milk is out"}`)
	again := grace.Do(201, "POST", path, `{"text":"Milk is out"}`)
	if again["note_id"] != note["note_id"] || again["repeated"] != true {
		t.Errorf("a repeated call writes another note: %v", again)
	}
	seen(grace, 1)
	seen(hank, 0) // who belongs to another organization

	one := path + "/" + note["note_id"].(string)
	hank.Do(404, "DELETE", one, "")
	grace.Do(200, "DELETE", one, "")
	grace.Do(404, "DELETE", one, "")
	seen(grace, 0)
	undo()
	seen(grace, 1)
	undo() // of the undo
	seen(grace, 0)

	grace.Do(422, "POST", path, `{"text":""}`)
	w.As(guestpasstest.Grace, "openid", "notes:read").Do(403, "POST", path, `{"text":"Without the scope"}`)
}
