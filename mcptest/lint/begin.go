package lint

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"guestpass/mcptest"
)

// The versions of the protocol: of each era the newest.
const (
	modernVersion = "2026-07-28"
	legacyVersion = "2025-11-25"
)

var legacyVersions = []string{"2024-11-05", "2025-03-26", "2025-06-18", legacyVersion}

// Codes of errors.
const (
	parseError         = -32700
	invalidRequest     = -32600
	methodNotFound     = -32601
	invalidParams      = -32602
	resourceNotFound   = -32002 // before 2026-07-28
	headerMismatch     = -32020
	unsupportedVersion = -32022
)

// metaPrefix begins the names of what a modern request says of itself.
const metaPrefix = "io.modelcontextprotocol/"

// legacyMessage returns a request of the era with initialize. params is JSON, "" for none.
func legacyMessage(method, params string) string {
	if params != "" {
		params = `,"params":` + params
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q%s}`, method, params)
}

func initializeParams(version string) string {
	return fmt.Sprintf(`{"protocolVersion":%q,"capabilities":{"extensions":{"io.modelcontextprotocol/ui":`+
		`{"mimeTypes":[%q]}}},"clientInfo":{"name":"guestpass-lint","version":"1"}}`, version, widgetType)
}

// initialize begins anew, whatever began before.
func (v *visit) initialize(version string, headers ...string) answer {
	got := v.send(request{body: legacyMessage("initialize", initializeParams(version)),
		headers: append([]string{headerVersion, headerSession}, headers...)})
	v.keepSession(got)
	return got
}

// keepSession remembers a session, to end it.
func (v *visit) keepSession(got answer) (session string) {
	if session = got.header.Get(headerSession); session != "" && !slices.Contains(v.sessions, session) {
		v.sessions = append(v.sessions, session)
	}
	return session
}

// say sends a request of the era with initialize, as v has begun.
func (v *visit) say(method, params string, headers ...string) answer {
	return v.send(request{body: legacyMessage(method, params), headers: headers})
}

// modernMessage returns a request of 2026-07-28. members are those of params, JSON, "" for none.
func modernMessage(method, members string) string {
	if members != "" {
		members += ","
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":{%s"_meta":{%q:%q,%q:{"extensions":{`+
		`"io.modelcontextprotocol/ui":{"mimeTypes":[%q]}}},%q:{"name":"guestpass-lint","version":"1"}}}}`, method,
		members, metaPrefix+"protocolVersion", modernVersion, metaPrefix+"clientCapabilities", widgetType,
		metaPrefix+"clientInfo")
}

// modernHeaders are those of a request of 2026-07-28 about name, "" for none.
func modernHeaders(method, name string) []string {
	lines := []string{headerVersion + ": " + modernVersion, "Mcp-Method: " + method, headerSession}
	if name != "" {
		lines = append(lines, "Mcp-Name: "+mcptest.HeaderValue(name))
	}
	return lines
}

// sayModern sends a request of 2026-07-28.
func (v *visit) sayModern(method, name, members string, headers ...string) answer {
	return v.send(request{body: modernMessage(method, members), headers: append(modernHeaders(method, name),
		headers...)})
}

// ask sends a request in the era that the server speaks, the older one if it speaks both.
func (v *visit) ask(method, name, members string) answer {
	r := request{body: modernMessage(method, members), headers: modernHeaders(method, name),
		calls: method == "tools/call"}
	if v.legacy {
		if members != "" {
			members = "{" + members + "}"
		}
		r.body, r.headers = legacyMessage(method, members), nil
	}
	return v.send(r)
}

// contact sends the first message, without a token.
func (v *visit) contact() situation {
	v.first = v.send(request{body: legacyMessage("initialize", initializeParams(legacyVersion)), bare: true})
	v.keepSession(v.first)
	if s := v.situation(v.first); s != absent || v.first.err != nil {
		return s
	}
	got := v.send(request{body: modernMessage("server/discover", ""), bare: true,
		headers: modernHeaders("server/discover", "")})
	s := v.situation(got)
	if s != absent {
		v.first = got
	}
	return s
}

func (v *visit) situation(got answer) situation {
	switch {
	case got.err != nil:
		return absent
	case got.status == http.StatusUnauthorized:
		return closed
	case got.status == http.StatusForbidden && v.token != "":
		return closed // M010 says that it should be 401
	case got.status >= 300 && got.status < 400 && got.header.Get("Location") != "":
		return moved
	case got.carries() && says(got, "protocolVersion", "supportedVersions"):
		return open
	case got.code() != 0 && got.status < 500 && got.code() != methodNotFound:
		return open // it speaks, and takes something amiss
	}
	return absent
}

// says reports whether a result has one of the members.
func says(got answer, names ...string) bool {
	var members map[string]json.RawMessage
	got.read(&members)
	return slices.ContainsFunc(names, func(name string) bool { return members[name] != nil })
}

// begin finds out what the server speaks, and begins a session of the older era if it speaks that.
func (v *visit) begin() error {
	v.beginning = v.initialize(legacyVersion)
	v.discovered = v.sayModern("server/discover", "", "")
	if v.token != "" && v.beginning.status == http.StatusUnauthorized {
		v.mute = "the server refuses the token"
		return fmt.Errorf("%w: it answered %s", ErrToken, v.beginning.described())
	}
	var said struct {
		Version string `json:"protocolVersion"`
	}
	v.beginning.read(&said)
	v.legacy = v.beginning.carries() && said.Version != ""
	v.modern = slices.Contains(v.supported(), modernVersion)
	switch {
	case v.legacy:
		v.version, v.session = said.Version, v.keepSession(v.beginning)
		if mcptest.HeaderValue(v.version) != v.version {
			v.version = legacyVersion // M057 says what is wrong
		}
		v.notified = v.send(request{body: `{"jsonrpc":"2.0","method":"notifications/initialized"}`})
	case !v.modern:
		v.mute = "the server answers neither initialize nor server/discover"
		return fmt.Errorf("%w: initialize was answered %s", &NoServerError{v.address, v.first.described()},
			v.beginning.described())
	}
	v.mute = ""
	return nil
}

// supported returns the versions that server/discover tells.
func (v *visit) supported() []string {
	var said struct {
		Versions []string `json:"supportedVersions"`
	}
	if v.discovered.carries() {
		v.discovered.read(&said)
	}
	return said.Versions
}

// end ends the sessions that were begun, in a time of its own, also if the check was interrupted or the server stopped
// answering before.
func (v *visit) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	v.ctx, v.unanswered, v.busy = ctx, 0, ""
	for _, session := range v.sessions {
		v.send(request{method: http.MethodDelete, headers: []string{headerSession + ": " + session}})
	}
}

// about is what a server says of itself in the era with initialize.
type about struct {
	Version      string                     `json:"protocolVersion"`
	Info         *implementation            `json:"serverInfo"`
	Capabilities map[string]json.RawMessage `json:"capabilities"`
	Instructions string                     `json:"instructions"`
	Meta         map[string]json.RawMessage `json:"_meta"`
}

type implementation struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// about reads what the server said when it began.
func (v *visit) about() (a about) {
	if v.legacy {
		v.beginning.read(&a)
		return a
	}
	v.discovered.read(&a)
	_ = json.Unmarshal(a.Meta[metaPrefix+"serverInfo"], &a.Info)
	return a
}

func (v *visit) serverName() string {
	info := v.about().Info
	if info == nil {
		return ""
	}
	return strings.TrimSpace(v.shown(info.Name) + " " + v.shown(info.Version))
}

func (v *visit) versions() []string {
	versions := []string{}
	if v.legacy {
		versions = append(versions, v.shown(v.version))
	}
	if v.modern {
		versions = append(versions, modernVersion)
	}
	return versions
}

// What checks cannot do without.
func talks(v *visit) string { return v.mute }

func wantsToken(v *visit) string {
	if !v.protected {
		return "not applicable: the server asks nobody for a token"
	}
	return ""
}

func hasToken(v *visit) string {
	if reason := wantsToken(v); reason != "" {
		return reason
	}
	return v.mute
}

func speaksLegacy(v *visit) string {
	if v.mute == "" && !v.legacy {
		return "not applicable: the server speaks 2026-07-28 alone"
	}
	return v.mute
}

func speaksModern(v *visit) string {
	if v.mute == "" && !v.modern {
		return "not applicable: the server does not speak 2026-07-28"
	}
	return v.mute
}
