package server_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"guestpass"
	"guestpass/gpttest"
)

// screenshots keeps a picture of every page and step, for somebody to look at.
var screenshots = flag.String("screenshots", "", "folder to put pictures of the pages into")

// keepPicture writes one picture if they are wanted.
func keepPicture(t testing.TB, name string, png []byte) {
	t.Helper()
	if *screenshots == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*screenshots, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// person signs in as email in a real browser, reading the code from the emulator's inbox.
func (w *world) person(email string) *gpttest.Chrome {
	return &gpttest.Chrome{
		Email: email,
		Code: func(ctx context.Context, email string) (string, error) {
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for {
				for _, mail := range w.stytch.Inbox() {
					if mail.Kind == "otp" && mail.To == email {
						return mail.Code, nil
					}
				}
				select {
				case <-ctx.Done():
					return "", errors.New("no code was sent")
				case <-tick.C:
				}
			}
		},
		OnStep: func(step string, png func() ([]byte, error)) {
			if *screenshots == "" {
				return
			}
			picture, err := png()
			if err != nil {
				w.t.Error(err)
				return
			}
			keepPicture(w.t, "idp-"+step, picture)
		},
	}
}

// checkReport fails on anything that a strict page must not do.
func (w *world) checkReport(report gpttest.Report) {
	w.t.Helper()
	for _, violation := range report.Violations {
		w.t.Errorf("content security policy: %s", violation)
	}
	for _, line := range report.ConsoleErrors {
		w.t.Errorf("console: %s", line)
	}
	for _, host := range report.Hosts {
		if host != host4(w.url) && host != host4(w.stytch.URL) {
			w.t.Errorf("the page asked %s for something", host)
		}
	}
}

func host4(address string) string {
	u, _ := url.Parse(address)
	return u.Host
}

func TestInABrowserTheWholeLoop(t *testing.T) {
	needsBrowser(t)
	t.Parallel()
	for _, tt := range []struct {
		name, email, redirect string
		change                func(*guestpass.Options)
		refused               []string
		granted               string
	}{
		{"Ada by scope", "ada@acme.example", "http://localhost:8090/callback", nil, nil,
			"openid profile email offline_access members:read members:invite tasks:read tasks:write activity:read"},
		{"Grace by scope, whose roles do not cover inviting",
			"grace@acme.example", "https://chatgpt.com/aip/g-dev/oauth/callback", nil,
			[]string{"inviteMember"}, "openid profile email offline_access members:read tasks:read tasks:write " +
				"activity:read"},
		{"Grace by role", "grace@acme.example", "https://chat.openai.com/aip/g-dev/oauth/callback", byRole,
			[]string{"inviteMember"}, "openid profile email offline_access"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var changes []func(*guestpass.Options)
			if tt.change != nil {
				changes = append(changes, tt.change)
			}
			w := newWorld(t, changes...)
			gpt, person := w.gpt(), w.person(tt.email)
			code, err := gpt.Authorize(t.Context(), tt.redirect, person)
			if err != nil {
				t.Fatal(err)
			}
			w.checkReport(person.Report())
			token, err := gpt.Exchange(t.Context(), code, tt.redirect)
			if err != nil {
				t.Fatal(err)
			}
			if token.Scope != tt.granted {
				t.Errorf("granted %q, want %q", token.Scope, tt.granted)
			}
			w.callEverything(gpt, tt.refused)
			if _, err := gpt.Refresh(t.Context()); err != nil {
				t.Errorf("refresh: %v", err)
			}
			for _, secret := range []string{token.AccessToken, token.RefreshToken, code} {
				if strings.Contains(w.log.String(), secret) {
					t.Error("a code or token is in the log")
				}
			}
		})
	}
}

// callEverything calls each published operation; those named must answer 403.
func (w *world) callEverything(gpt *gpttest.GPT, refused []string) {
	w.t.Helper()
	var walk walk
	for _, op := range inWalkOrder(w.app.Operations()) {
		result, err := gpt.Call(w.t.Context(), op.ID, walk.arguments(op))
		if err != nil {
			w.t.Errorf("%s: %v", op.ID, err)
			continue
		}
		if forbidden := slices.Contains(refused, op.ID); forbidden != (result.Status == 403) || !forbidden &&
			result.Status >= 300 {
			w.t.Errorf("%s: %d %s", op.ID, result.Status, result.Body)
		}
		walk.learn(result.Body)
	}
}

func TestInABrowserAPersonIsToldWhenTheRequestIsWrong(t *testing.T) {
	needsBrowser(t)
	t.Parallel()
	w := newWorld(t)
	for name, change := range map[string]func(url.Values){
		"unknown client": func(q url.Values) {
			q.Set("client_id",
				"connected-app-test-99999999-0000-4000-8000-000000000001")
		},
		"wrong return": func(q url.Values) {
			q.Set("redirect_uri",
				"https://chatgpt.com/aip/g-other/oauth/callback")
		},
		// Loopback is left to Stytch, so this one is refused after the sign-in, by the component.
		"wrong loopback": func(q url.Values) { q.Set("redirect_uri", "http://localhost:8090/other") },
	} {
		t.Run(name, func(t *testing.T) {
			address, _, err := w.gpt().AuthorizeURL("http://localhost:8090/callback")
			if err != nil {
				t.Fatal(err)
			}
			u, _ := url.Parse(address)
			q := u.Query()
			change(q)
			u.RawQuery = q.Encode()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			callback, err := w.person("ada@acme.example").Visit(ctx, u.String(), q.Get("redirect_uri"))
			if err == nil || callback != nil {
				t.Fatalf("came back to %v", callback)
			}
			if ctx.Err() != nil {
				t.Errorf("the page showed nothing: %v", err)
			}
			fmt.Fprintln(t.Output(), err)
		})
	}
}
