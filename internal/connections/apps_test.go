package connections_test

import (
	"testing"

	"guestpass/internal/connections"
)

// No name that anybody may choose reads like one that says who an app is.
func TestALabelCannotBeAnothersName(t *testing.T) {
	for _, tt := range []struct {
		app  connections.App
		want string
	}{
		{connections.App{Name: "ChatGPT", Host: "chatgpt.com"}, "chatgpt.com (“ChatGPT”)"},
		{connections.App{Host: "chatgpt.com"}, "chatgpt.com"},
		{connections.App{Name: "chatgpt.com", Host: "chatgpt.com"}, "chatgpt.com"},
		{connections.App{Name: "Acme GPT", Listed: true}, "Acme GPT"},
		{connections.App{Name: "ChatGPT"}, "“ChatGPT”"},
		{connections.App{Name: "chatgpt.com (“ChatGPT”)"}, "“chatgpt.com (ChatGPT)”"},
		{connections.App{Name: "ChatGPT (chatgpt.com)", Host: "evil.example"},
			"evil.example (“ChatGPT (chatgpt.com)”)"},
		{connections.App{Name: "x”) chatgpt.com (“y", Host: "evil.example"},
			"evil.example (“x) chatgpt.com (y”)"},
		{connections.App{}, ""},
	} {
		if got := tt.app.Label(); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.app, got, tt.want)
		}
	}
}
