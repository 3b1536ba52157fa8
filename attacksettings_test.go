package guestpass

import (
	"strings"
	"testing"
)

// TestAttackSettings makes servers as somebody would have them made who can set one value: with keys
// that another process signs for, and with a secret on a public page. None is made.
func TestAttackSettings(t *testing.T) {
	live := guardedOptions()
	live.ProjectID, live.PublicToken = strings.Replace(live.ProjectID, "-test-", "-live-", 1), "public-token-live-x"
	live.Secret = strings.Replace(live.Secret, "-test-", "-live-", 1)
	if _, err := New(live); err != nil {
		t.Fatal(err)
	}
	tried, made := 0, 0
	try := func(what string, o Options) {
		if tried++; func() error { _, err := New(o); return err }() == nil {
			made++
			t.Errorf("a server is made with %s", what)
		}
	}
	for _, domain := range []string{"http://localhost:8081", "https://localhost", "https://a.localhost",
		"http://127.0.0.1:8081",
		"https://127.0.0.1", "https://[::1]", "https://[::ffff:127.0.0.1]", "https://127.1", "https://2130706433",
		"https://0x7f.1",
		"https://10.0.0.1", "https://192.168.1.1", "https://169.254.169.254", "https://100.100.100.200",
		"https://[fd00:ec2::254]",
		"https://metadata.google.internal", "https://login", "https://login.corp", "http://login.example.com",
		"login.example.com", ""} {
		first, second := live, live
		first.Domain, second.OtherDomains = domain, []string{domain}
		try("keys of the live project from "+domain, first)
		try("more keys of the live project from "+domain, second)
	}
	emulated := live
	emulated.BaseURL = "http://localhost:8081"
	try("a live project's people from an emulator", emulated)
	for name, change := range map[string]func(*Options, string){
		"Title": func(o *Options, s string) { o.Title = s }, "Description": func(o *Options,
			s string) {
			o.Description = s
		},
		"PublicToken": func(o *Options, s string) { o.PublicToken = s }, "ClientIDs": func(o *Options,
			s string) {
			o.ClientIDs = []string{s}
		},
		"DocsClientID": func(o *Options, s string) { o.DocsClientID = s }, "PrivacyURL": func(o *Options,
			s string) {
			o.PrivacyURL = "https://example.com/" + s
		},
		"Login": func(o *Options, s string) { o.Login.URL = "https://app.example.com/login?key=" + s },
	} {
		for _, secret := range []string{live.Secret, "workspace-key-x", strings.ToUpper(live.Secret)} {
			o := live
			change(&o, secret)
			try("a secret as "+name, o)
		}
	}
	t.Logf("%d unsafe settings: %d servers are made", tried, made)
}
