package setup

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"guestpass/internal/management"
)

// readSDK plans what the page needs of the frontend SDK. What would break the page and is somebody's decision, it
// notes.
func (s *Setup) readSDK(ctx context.Context, p *Plan) error {
	s.sdk = management.Object{}
	if s.environment.Slug != "" {
		var err error
		if s.sdk, err = s.options.Workspace.SDK(ctx, s.environment, s.vertical()); err != nil {
			return err
		}
	}
	p.Notes = append(p.Notes, sdkNotes(s.sdk)...)
	lines, err := mergeSDK(s.sdk, s.goal.PublicURL, s.vertical(), s.goal.LoginMethods)
	if err != nil || len(lines) == 0 {
		return err
	}
	p.Changes = append(p.Changes, Change{What: "Frontend SDK", Lines: lines, do: func(ctx context.Context) error {
		config, err := s.options.Workspace.SDK(ctx, s.environment, s.vertical()) // as it is now
		if err != nil {
			return err
		}
		lines, err := mergeSDK(config, s.goal.PublicURL, s.vertical(), s.goal.LoginMethods)
		if err != nil || len(lines) == 0 {
			return err
		}
		return s.options.Workspace.SetSDK(ctx, s.environment, s.vertical(), config)
	}})
	return nil
}

// A flag is a member of a part of the SDK's configuration.
type flag struct{ part, member string }

// methodFlags are the products behind the ways to sign in, in each vertical.
var methodFlags = map[string]map[string]flag{
	B2B: {"email_code": {"otps", "email_enabled"}, "email_link": {"magic_links", "enabled"},
		"password": {"passwords", "enabled"}},
	Consumer: {"email_code": {"otps", "email_login_or_create_enabled"},
		"email_link": {"magic_links", "login_or_create_enabled"}, "password": {"passwords", "enabled"}},
}

// sessionMinutes is how long a session is that the page asks for.
const sessionMinutes = 60

// mergeSDK changes a configuration so that the page works, and tells how as lines of a diff.
func mergeSDK(config management.Object, origin, vertical string, methods []string) (lines []string, err error) {
	flags := []flag{{"basic", "enabled"}}
	for _, method := range methods {
		f, byEmail := methodFlags[vertical][method]
		if !byEmail {
			f = flag{"oauth", "enabled"}
		}
		if !slices.Contains(flags, f) {
			flags = append(flags, f)
		}
	}
	for _, f := range flags {
		part, err := partOf(config, f.part)
		if err != nil {
			return nil, err
		}
		if part[f.member] != true {
			part[f.member] = true
			lines = append(lines, fmt.Sprintf("+ %s.%s: on", f.part, f.member))
		}
	}
	basic, err := partOf(config, "basic")
	if err != nil {
		return nil, err
	}
	domains, isList := basic["domains"].([]any)
	if basic["domains"] != nil && !isList {
		return nil, errShape("basic.domains")
	}
	if !slices.ContainsFunc(domains, func(entry any) bool { return isDomain(entry, origin) }) {
		var entry any = origin
		if vertical == B2B {
			entry = management.Object{"domain": origin}
		}
		basic["domains"] = append(slices.Clone(domains), entry)
		lines = append(lines, "+ authorized domain "+origin)
	}
	sessions, err := partOf(config, "sessions")
	if err != nil {
		return nil, err
	}
	if minutes := number(sessions["max_session_duration_minutes"]); minutes < sessionMinutes {
		sessions["max_session_duration_minutes"] = sessionMinutes
		lines = append(lines, fmt.Sprintf("~ longest session: %d minutes", sessionMinutes))
	}
	return lines, nil
}

// partOf returns a part of a configuration, which is made if it is not there.
func partOf(config management.Object, name string) (management.Object, error) {
	part, isObject := config[name].(management.Object)
	if config[name] != nil && !isObject {
		return nil, errShape(name)
	}
	if part == nil {
		part = management.Object{}
		config[name] = part
	}
	return part, nil
}

func errShape(name string) error {
	return fmt.Errorf("the answer of Stytch has %s in a form that this program does not know: nothing was changed "+
		"there; an update of Guestpass may know it", name)
}

// isDomain reports whether an entry of the authorized domains is the origin.
func isDomain(entry any, origin string) bool {
	domain, _ := entry.(string)
	if object, isObject := entry.(management.Object); isObject {
		domain, _ = object["domain"].(string)
	}
	return strings.EqualFold(strings.TrimSuffix(domain, "/"), origin)
}

func number(value any) int {
	n, _ := value.(json.Number)
	whole, _ := n.Int64()
	return int(whole)
}

// sdkNotes tell what breaks the page and may be needed by another one.
func sdkNotes(config management.Object) (notes []string) {
	setting := func(part, member string) string {
		of, _ := config[part].(management.Object)
		value, _ := of[member].(string)
		return value
	}
	if value := setting("cookies", "http_only"); value == "ENABLED" || value == "ENFORCED" {
		notes = append(notes, "HttpOnly cookies are "+value+" under Frontend SDK: the sign-in page cannot work with "+
			"them, and another page of yours may need them, so they were left alone")
	}
	if value := setting("dfppa", "enabled"); value == "ENABLED" || value == "PASSIVE" {
		notes = append(notes, "Device fingerprinting is "+value+" under Frontend SDK: the sign-in page cannot work "+
			"with it, and another page of yours may need it, so it was left alone")
	}
	return notes
}
