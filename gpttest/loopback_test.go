package gpttest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// listening returns a listener and the redirect URI that leads to it.
func listening(t *testing.T) (net.Listener, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener, "http://" + listener.Addr().String() + "/callback"
}

func TestLoopbackWaitsForTheCallback(t *testing.T) {
	listener, redirectURI := listening(t)
	page := make(chan string, 1)
	l := &Loopback{Listener: listener, Open: func(authorizeURL string) error {
		go func() { // the browser
			base := strings.TrimSuffix(redirectURI, "/callback")
			for _, stray := range []string{"/favicon.ico", "/callback/", "/?code=wrong"} {
				res, err := http.Get(base + stray)
				if err != nil || res.StatusCode != 404 {
					t.Errorf("%s: %v, %v", stray, res, err)
					continue
				}
				res.Body.Close()
			}
			u, _ := url.Parse(authorizeURL)
			res, err := http.Get(redirectURI + "?code=%3Cscript%3E&state=" + u.Query().Get("state"))
			if err != nil {
				t.Error(err)
				page <- ""
				return
			}
			defer res.Body.Close()
			body, _ := io.ReadAll(res.Body)
			page <- res.Header.Get("Content-Security-Policy") + string(body)
		}()
		return nil
	}}
	g := signedUp(t, Options{}, nil)
	code, err := g.Authorize(t.Context(), redirectURI, l)
	if err != nil || code != "<script>" {
		t.Fatalf("code %q, %v", code, err)
	}
	got := <-page
	if !strings.Contains(got, "You can close this window and go back to the terminal") || strings.Contains(got,
		"script>") || !strings.HasPrefix(got, "default-src 'none'") {
		t.Errorf("page %s", got)
	}
}

// TestLoopbackListensOnWhatTheRedirectNames: a browser may take localhost for either
// address of this machine.
func TestLoopbackListensOnWhatTheRedirectNames(t *testing.T) {
	for host, reached := range map[string][]string{"localhost": {"127.0.0.1", "[::1]"}, "127.0.0.1": {"127.0.0.1"},
		"[::1]": {"[::1]"}} {
		for _, address := range reached {
			t.Run(host+" by "+address, func(t *testing.T) {
				free, err := net.Listen("tcp", address+":0")
				if err != nil {
					t.Skipf("this machine has no %s: %v", address, err)
				}
				_, port, _ := net.SplitHostPort(free.Addr().String())
				free.Close()
				redirectURI := "http://" + host + ":" + port + "/callback"
				l := &Loopback{Open: func(string) error {
					res, err := http.Get("http://" + address + ":" + port + "/callback?code=c")
					if err == nil {
						res.Body.Close()
					}
					return err
				}}
				callback, err := l.Visit(t.Context(), "https://app.example.com/idp", redirectURI)
				if err != nil || callback.String() != redirectURI+"?code=c" {
					t.Errorf("%v, %v", callback, err)
				}
			})
		}
	}
}

func TestLoopbackHonoursItsContext(t *testing.T) {
	listener, redirectURI := listening(t)
	ctx, cancel := context.WithCancel(t.Context())
	l := &Loopback{Listener: listener, Open: func(string) error { cancel(); return nil }}
	if _, err := l.Visit(ctx, "https://app.example.com/idp", redirectURI); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestLoopbackSaysWhyItCannotListen(t *testing.T) {
	_, taken := listening(t)
	for _, tt := range []struct{ redirectURI, want string }{
		{taken, "cannot be used: listen tcp"},
		{chatGPTCallback, "not a loopback address"},
		{"http://192.0.2.1/callback", "not a loopback address"},
	} {
		_, err := (&Loopback{}).Visit(t.Context(), "https://app.example.com/idp", tt.redirectURI)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.redirectURI, err)
		}
	}
}

func TestLoopbackReportsABrowserThatDoesNotOpen(t *testing.T) {
	listener, redirectURI := listening(t)
	errOpen := errors.New("no display")
	l := &Loopback{Listener: listener, Open: func(string) error { return errOpen }}
	if _, err := l.Visit(t.Context(), "https://app.example.com/idp", redirectURI); !errors.Is(err, errOpen) {
		t.Errorf("got %v", err)
	}
}

// TestLoopbackOpensPagesAlone: neither a document nor a server may choose what a person's desktop opens.
func TestLoopbackOpensPagesAlone(t *testing.T) {
	for _, address := range []string{"file:///etc/passwd", "javascript:alert(1)", "--help", "/authorize",
		"http://app.example.com/idp", "https:opaque"} {
		l := &Loopback{Open: func(opened string) error { t.Errorf("%s was opened", opened); return nil }}
		_, err := l.Visit(t.Context(), address, "http://127.0.0.1:1/callback")
		if err == nil || !strings.Contains(err.Error(), "no browser is sent there") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
