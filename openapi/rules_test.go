package openapi

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

func optionMistake(rule, place, name string, set func(o *Options, value string), wrong, right string) mistake {
	return mistake{rule: rule, place: place, name: name,
		options: func(o *Options, isWrong bool) { set(o, choose(isWrong, wrong, right)) }}
}

func optionMistakes() []mistake {
	server := func(o *Options, v string) { o.PublicURL = v }
	atHome := func(o *Options, v string) { // with the OAuth endpoints elsewhere than the server
		o.PublicURL, o.AuthorizationURL, o.TokenURL = v, "https://api.example.com/idp",
			"https://api.example.com/oauth2/token"
	}
	authorize := func(o *Options, v string) { o.AuthorizationURL = v }
	token := func(o *Options, v string) { o.TokenURL = v }
	const good = "https://api.example.com"
	return []mistake{
		optionMistake("G004", "document", "no title", func(o *Options, v string) { o.Title = v }, " ", "T"),
		optionMistake("G004", "document", "no version", func(o *Options, v string) { o.Version = v }, "", "1"),
		optionMistake("G010", "document, PublicURL", "no server", server, "", good),
		optionMistake("G010", "document, PublicURL", "relative server", server, "/api", good),
		optionMistake("G010", "document, PublicURL", "placeholder", server, "https://{host}", good),
		optionMistake("G011", "document, PublicURL", "http", atHome, "http://api.example.com", good),
		optionMistake("G011", "document, PublicURL", "port", server, "https://api.example.com:8443",
			"https://api.example.com:443"),
		optionMistake("G011", "document, PublicURL", "path", atHome, "https://api.example.com/v1", good+"/"),
		optionMistake("G011", "document, PublicURL", "query", atHome, "https://api.example.com?x=1", good),
		optionMistake("G011", "document, PublicURL", "credentials", atHome, "https://a:b@api.example.com", good),
		optionMistake("G011", "document, PublicURL", "address", server, "https://192.0.2.7", good),
		optionMistake("G011", "document, PublicURL", "host that is not public", server, "https://intranet", good),
		optionMistake("G011", "document, PublicURL", "host that does not exist", server, "https://api.internal", good),
		optionMistake("G011", "document, PublicURL", "host that does not exist, of the privacy policy too",
			func(o *Options, v string) { server(o, v); o.PrivacyURL = v + "/privacy" }, "https://api.example", good),
		optionMistake("G110", "document, TokenURL", "token URL at Stytch", token,
			"https://x.customers.stytch.com/v1/oauth2/token", "https://login.example.com/v1/oauth2/token"),
		optionMistake("G110", "document, AuthorizationURL", "authorization URL elsewhere", authorize,
			"https://example.org/idp", "https://app.example.com/idp"),
		optionMistake("G110", "document, TokenURL", "other tenant of a private suffix", func(o *Options, v string) {
			o.PublicURL, o.TokenURL = "https://mine.vercel.app", v
		}, "https://theirs.vercel.app/token", "https://mine.vercel.app/token"),
		optionMistake("G110", "document, TokenURL", "exempt provider", token, "https://oauth2.example.org/token",
			"https://oauth2.googleapis.com/token"),
		optionMistake("G111", "document, AuthorizationURL", "authorization URL not https", authorize,
			"http://api.example.com/idp", good+"/idp"),
		optionMistake("G111", "document, TokenURL", "token URL relative", token, "/oauth2/token", good+"/oauth2/token"),
		optionMistake("G112", "document, Scopes", "scope listed twice",
			func(o *Options, v string) { o.Scopes = append(o.Scopes, Scope{v, "x"}) }, "openid", "email"),
		optionMistake("G120", "document, PrivacyURL", "privacy policy not https",
			func(o *Options, v string) { o.PrivacyURL = v }, "http://example.com/privacy",
			"https://example.com/privacy"),
		{rule: "G007", place: "document", name: "too large",
			options: func(o *Options, wrong bool) { o.MaxBytes = choose(wrong, 1000, 100_000) }},
	}
}

func allMistakes() []mistake {
	return slices.Concat(operationMistakes, argumentMistakes, schemaMistakes, optionMistakes())
}

func TestEveryMistakeIsOneFaultAndItsTwinIsNone(t *testing.T) {
	for _, m := range allMistakes() {
		t.Run(m.rule+" "+m.name, func(t *testing.T) {
			publish := func(wrong bool) (*Document, error) {
				api, o := newAPI(), example()
				if m.api != nil {
					m.api(api, wrong)
				} else {
					declare[none, done](api, huma.Operation{})
				}
				if m.options != nil {
					m.options(&o, wrong)
				}
				return New(api.OpenAPI(), o)
			}
			_, err := publish(true)
			var faults Faults
			if !errors.As(err, &faults) {
				t.Fatalf("error is %v, not Faults", err)
			}
			if len(faults) != 1 || faults[0].Rule != m.rule || faults[0].Place != m.place {
				t.Errorf("got\n%v\nwant %s at %s and nothing else", faults, m.rule, m.place)
			}
			if faults[0].Problem == "" || faults[0].Remedy == "" {
				t.Errorf("problem or remedy is empty: %v", faults[0])
			}
			if _, err := publish(false); err != nil {
				t.Errorf("the twin without the mistake: %v", err)
			}
		})
	}
}

func TestEveryErrorRuleIsTried(t *testing.T) {
	tried := map[string]bool{}
	for _, m := range allMistakes() {
		tried[m.rule] = true
	}
	for _, d := range damages {
		tried[d.rule] = true
	}
	tried["G054"] = true // TestSchemaPropertyIsRemoved: never a fault
	tried["G070"] = true // TestEveryObjectHasProperties: never a fault
	for _, rule := range strings.Fields(
		`G001 G003 G004 G006 G007 G010 G011 G014 G020 G022 G025 G030 G032 G035 G040 G041 G042
		G043 G050 G051 G052 G054 G057 G070 G071 G072 G073 G074 G077 G092 G101 G110 G111 G117 G120 G130 G131`) {
		if !tried[rule] {
			t.Errorf("%s is not tried", rule)
		}
	}
}

func TestAllFaultsAreListedAtOnce(t *testing.T) {
	api, o := newAPI(), example()
	declare[body[[]named], done](api, huma.Operation{Method: "POST", OperationID: "post-thing",
		Summary: strings.Repeat("x", 321)})
	declare[query, body[wrapped[any]]](api, huma.Operation{Path: "/other", OperationID: "other"})
	o.Title, o.PublicURL = "", "http://api.example.com"
	_, err := New(api.OpenAPI(), o)
	var faults Faults
	if !errors.As(err, &faults) {
		t.Fatalf("error is %v", err)
	}
	var rules []string
	for _, f := range faults {
		rules = append(rules, f.Rule)
	}
	slices.Sort(rules)
	if want := []string{"G004", "G011", "G030", "G032", "G051", "G072", "G111", "G111"}; !reflect.DeepEqual(rules,
		want) {
		t.Errorf("rules are %v, want %v:\n%v", rules, want, err)
	}
	const line = "G032 POST /api/v1/thing: summary has 321 characters, at most 300: shorten it"
	if lines := strings.Split(err.Error(), "\n"); len(lines) != len(faults) || !slices.Contains(lines, line) {
		t.Errorf("%q is not among the lines of\n%v", line, err)
	}
}

func TestDomainFaultNamesBothWaysOut(t *testing.T) {
	api, o := newAPI(), example()
	declare[none, done](api, huma.Operation{})
	o.TokenURL = "https://x.customers.stytch.com/v1/oauth2/token"
	_, err := New(api.OpenAPI(), o)
	for _, want := range []string{"x.customers.stytch.com", "custom domain under example.com",
		"https://api.example.com/oauth2/token"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}
