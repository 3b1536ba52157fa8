package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestChallengesAreTheseExactly(t *testing.T) {
	const metadata = "https://api.example/.well-known/oauth-protected-resource"
	for _, tt := range []struct {
		name   string
		err    error
		status int
		header string
	}{
		{"no credentials", &refusal{sentinel: ErrNoToken, reason: "no header"}, 401,
			`Bearer realm="api", resource_metadata="` + metadata + `"`},
		{"malformed", &refusal{sentinel: ErrInvalidRequest, reason: "x"}, 400,
			`Bearer realm="api", error="invalid_request", resource_metadata="` + metadata + `"`},
		{"bad token", invalid("expired", "", ""), 401,
			`Bearer realm="api", error="invalid_token", error_description="The access token is invalid or has ` +
				`expired", resource_metadata="` + metadata + `"`},
		{"scope missing", &refusal{sentinel: ErrInsufficientScope, reason: "x"}, 403,
			`Bearer realm="api", error="insufficient_scope", scope="tasks:write", resource_metadata="` + metadata +
				`"`},
		{"no keys", &refusal{sentinel: ErrUnavailable, reason: "no keys"}, 503, ""},
		{"wrapped", fmt.Errorf("authenticate: %w", ErrInvalidRequest), 400,
			`Bearer realm="api", error="invalid_request", resource_metadata="` + metadata + `"`},
		{"an error of somebody else never grants", errors.New("boom"), 401,
			`Bearer realm="api", error="invalid_token", error_description="The access token is invalid or has ` +
				`expired", resource_metadata="` + metadata + `"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, header := Challenge(tt.err, Challenged{ResourceMetadata: metadata, Needed: []string{"tasks:write"}})
			if status != tt.status || header != tt.header {
				t.Errorf("Challenge = %d, %s\nwant %d, %s", status, header, tt.status, tt.header)
			}
			if _, without := Challenge(tt.err,
				Challenged{Needed: []string{"tasks:write"}}); without != strings.TrimSuffix(tt.header,
				`, resource_metadata="`+metadata+`"`) {
				t.Errorf("without metadata: %s", without)
			}
		})
	}
}

// A bad key id, a bad signature and a token that has expired look the same from outside.
func TestEveryRefusalLooksTheSame(t *testing.T) {
	f := newFixture(t)
	f.accepts(t, f.token(nil))
	replies := map[string]bool{}
	for _, token := range []string{"abc", f.by("foreign", keyTwo(), nil), f.by(testKid, keyTwo(), nil),
		f.token(object{"exp": 1}), f.token(object{"iss": "x"})} {
		_, err := f.Verify(t.Context(), token)
		status, header := Challenge(err, Challenged{ResourceMetadata: "m", Needed: []string{"s"}})
		replies[fmt.Sprint(status, header)] = true
	}
	if len(replies) != 1 {
		t.Errorf("replies differ: %v", replies)
	}
}

func TestAccessAdmitsWhoHasTheScope(t *testing.T) {
	nobody, reader := Identity{}, Identity{Scopes: parseScopes("openid tasks:read")}
	for _, tt := range []struct {
		name             string
		access           Access
		nobody, reader   bool
		resource, action string
	}{
		{"zero admits nobody", Access{}, false, false, "", ""},
		{"zero with a permission admits nobody", Access{}.Permission("tasks", "read"), false, false, "tasks", "read"},
		{"an empty scope admits nobody", Scope(""), false, false, "", ""},
		{"public", Public, true, true, "", ""},
		{"granted scope", Scope("tasks:read"), false, true, "tasks", "read"},
		{"other scope", Scope("tasks:write"), false, false, "tasks", "write"},
		{"scope without a colon", Scope("openid"), false, true, "", ""},
		{"other permission", Scope("tasks:read").Permission("documents", "list"), false, true, "documents", "list"},
		{"part of a scope", Scope("tasks"), false, false, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for identity, want := range map[*Identity]bool{&nobody: tt.nobody, &reader: tt.reader} {
				err := tt.access.CheckScope(*identity)
				if (err == nil) != want || (err != nil && !errors.Is(err, ErrInsufficientScope)) {
					t.Errorf("CheckScope(%q) = %v, want admitted %t", identity.Scopes, err, want)
				}
			}
			if resource, action := tt.access.RBAC(); resource != tt.resource || action != tt.action {
				t.Errorf("RBAC = %q, %q", resource, action)
			}
		})
	}
	if (Access{}).CheckScope(Identity{Scopes: Scopes{[]string{""}}}) == nil {
		t.Error("an empty scope in the token opens the zero Access")
	}
	if !Public.IsPublic() || Public.IsZero() || !(Access{}).IsZero() || (Access{}).IsPublic() ||
		Scope("a:b").IsZero() || Scope("a:b").ScopeName() != "a:b" {
		t.Error("taking an Access apart")
	}
}

func TestTheContextCarriesTheCaller(t *testing.T) {
	ctx := t.Context()
	if identity, ok := FromContext(ctx); ok || identity.Subject != "" || From(ctx).Subject != "" {
		t.Error("a caller without authentication")
	}
	ctx = NewContext(ctx, Identity{Subject: testUser})
	if identity, ok := FromContext(ctx); !ok || identity.Owner() != testUser || From(ctx).Subject != testUser {
		t.Errorf("caller %+v", identity)
	}
}

func TestOptionsAreRefusedWithAllTheirFaults(t *testing.T) {
	good := Options{ProjectID: testProject, Vertical: B2B, Issuers: []string{testIssuer},
		JWKSURLs: []string{"https://keys.example/jwks"}}
	const project, vertical, issuer, keys, lifetime = "project id", "vertical", "issuer", "JWKS URL", "lifetime"
	for _, tt := range []struct {
		name   string
		change func(*Options)
		faults []string
	}{
		{"good", func(*Options) {}, nil},
		{"http on localhost", func(o *Options) { o.JWKSURLs = []string{"http://localhost:8080/jwks"} }, nil},
		{"http on 127.0.0.1", func(o *Options) { o.JWKSURLs = []string{"http://127.0.0.1/jwks"} }, nil},
		{"http on ::1", func(o *Options) { o.JWKSURLs = []string{"http://[::1]:1/jwks"} }, nil},
		{"http", func(o *Options) { o.JWKSURLs = []string{"http://keys.example/jwks"} }, []string{keys}},
		{"http on what begins like loopback",
			func(o *Options) { o.JWKSURLs = []string{"http://127.0.0.1.evil.example/"} }, []string{keys}},
		{"http on localhost of somebody", func(o *Options) { o.JWKSURLs = []string{"http://localhost.evil.example/"} },
			[]string{keys}},
		{"http with localhost as a user", func(o *Options) { o.JWKSURLs = []string{"http://localhost@evil.example/"} },
			[]string{keys}},
		{"http on another address", func(o *Options) { o.JWKSURLs = []string{"http://10.0.0.1/"} }, []string{keys}},
		{"https on another address", func(o *Options) { o.JWKSURLs = []string{"https://10.0.0.1/"} }, []string{keys}},
		{"https on the metadata address", func(o *Options) { o.JWKSURLs = []string{"https://169.254.169.254/"} },
			[]string{keys}},
		{"https on a name of a local network", func(o *Options) { o.JWKSURLs = []string{"https://keys.internal/jwks"} },
			[]string{keys}},
		{"loopback for a live project", func(o *Options) {
			o.ProjectID, o.JWKSURLs = liveProject, []string{"http://localhost:8080/jwks"}
		}, []string{keys}},
		{"loopback under https for a live project", func(o *Options) {
			o.ProjectID, o.JWKSURLs = liveProject, []string{"https://[::ffff:127.0.0.1]/jwks"}
		}, []string{keys}},
		{"file", func(o *Options) { o.JWKSURLs = []string{"file:///jwks.json"} }, []string{keys}},
		{"no URL", func(o *Options) { o.JWKSURLs = []string{""} }, []string{keys}},
		{"no host", func(o *Options) { o.JWKSURLs = []string{"https:///jwks"} }, []string{keys}},
		{"a port without host", func(o *Options) { o.JWKSURLs = []string{"https://:443/jwks"} }, []string{keys}},
		{"no URLs", func(o *Options) { o.JWKSURLs = nil }, []string{keys}},
		{"a second that is http", func(o *Options) { o.JWKSURLs = append(o.JWKSURLs, "http://keys.example/jwks") },
			[]string{keys}},
		{"no URL at all", func(o *Options) { o.JWKSURLs = []string{"https://%zz"} }, []string{keys}},
		{"no issuers", func(o *Options) { o.Issuers = nil }, []string{issuer}},
		{"an empty issuer", func(o *Options) { o.Issuers = []string{testIssuer, ""} }, []string{issuer}},
		{"no project", func(o *Options) { o.ProjectID = "" }, []string{project}},
		{"a project without environment", func(o *Options) { o.ProjectID = "project-1" }, []string{project}},
		{"a project of no environment", func(o *Options) { o.ProjectID = "project-prod-1" }, []string{project}},
		{"a project with a line break", func(o *Options) { o.ProjectID = testProject + "\n" }, []string{project}},
		{"no vertical", func(o *Options) { o.Vertical = "" }, []string{vertical}},
		{"a vertical of another letter case", func(o *Options) { o.Vertical = "B2B" }, []string{vertical}},
		{"a negative lifetime", func(o *Options) { o.MaxLifetime = -1 }, []string{lifetime}},
		{"the shortest lifetime", func(o *Options) { o.MaxLifetime = ShortestLifetime }, nil},
		{"a shorter lifetime", func(o *Options) { o.MaxLifetime = ShortestLifetime - 1 }, []string{lifetime}},
		{"the longest lifetime", func(o *Options) { o.MaxLifetime = LongestLifetime }, nil},
		{"a longer lifetime", func(o *Options) { o.MaxLifetime = LongestLifetime + 1 }, []string{lifetime}},
		{"crit tolerated", func(o *Options) { o.HeaderMembers = []string{"crit"} }, []string{"header member"}},
		{"b64 tolerated", func(o *Options) { o.HeaderMembers = []string{"env", "b64"} }, []string{"header member"}},
		{"everything", func(o *Options) { *o = Options{MaxLifetime: -1} }, []string{project, vertical, issuer, keys,
			lifetime}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			options := good
			tt.change(&options)
			v, err := NewVerifier(options)
			if (err == nil) != (tt.faults == nil) || (v == nil) != (err != nil) {
				t.Fatalf("NewVerifier: %v, want faults %q", err, tt.faults)
			}
			for _, fault := range tt.faults {
				if !strings.Contains(err.Error(), fault) {
					t.Errorf("%v, want a word on the %s", err, fault)
				}
			}
			if tt.faults != nil && strings.Count(err.Error(), ";") != len(tt.faults)-1 {
				t.Errorf("%v, want %d faults", err, len(tt.faults))
			}
		})
	}
	v, err := NewVerifier(good)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.Verify(ctx, "a"); !errors.Is(err, ErrInvalidToken) {
		t.Errorf("Verify with the default clock and log: %v", err)
	}
}
