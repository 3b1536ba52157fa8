package lint

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

var transportChecks = []check{
	{[]string{"M031"}, nil, func(*visit) {}}, // the first contact says it
	{[]string{"M032"}, []need{talks}, (*visit).lookAtStream},
	{[]string{"M033"}, nil, (*visit).lookAtProbes},
	{[]string{"M034"}, []need{wantsToken}, (*visit).lookBeforeAuthorization},
	{[]string{"M035"}, nil, (*visit).lookAtSlash},
	{[]string{"M036"}, nil, (*visit).lookAtPreflight},
	{[]string{"M037"}, nil, (*visit).lookAtSharing},
	{[]string{"M038", "M039"}, []need{talks}, (*visit).lookAtOrigins},
	{[]string{"M040"}, []need{talks}, (*visit).lookAtAccept},
	{[]string{"M041", "M042"}, []need{talks}, (*visit).lookAtContentTypes},
	{[]string{"M043", "M044"}, []need{speaksLegacy}, (*visit).lookAtNotifications},
	{[]string{"M045", "M046"}, []need{speaksLegacy}, (*visit).lookAtMethods},
	{[]string{"M047"}, []need{talks}, (*visit).lookAtBatches},
	{[]string{"M048", "M049"}, []need{speaksLegacy}, (*visit).lookAtIDs},
	{[]string{"M050", "M051"}, []need{talks}, (*visit).lookAtBrokenMessages},
	{[]string{"M052", "M053"}, []need{speaksLegacy}, (*visit).lookAtSessions},
	{[]string{"M054"}, []need{talks}, (*visit).lookAtLastEvent},
	{[]string{"M055", "M056"}, []need{speaksLegacy}, (*visit).lookAtVersionHeader},
	{[]string{"M057", "M059"}, []need{speaksLegacy}, (*visit).lookAtInitialize},
}

// lookAtStream opens a stream as all official clients do once they have begun.
func (v *visit) lookAtStream() {
	got := v.send(request{method: http.MethodGet, headers: []string{"Accept: text/event-stream"}})
	isStream := got.status == http.StatusOK && mediaType(got.header) == "text/event-stream"
	if got.err == nil && got.status != http.StatusMethodNotAllowed && !isStream {
		v.fail("M032", "GET", "a client that asks for a stream is answered %s", got.described())
	}
}

// lookAtProbes looks as a browser and as monitoring do: without anything that a client has.
func (v *visit) lookAtProbes() {
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		got := v.send(request{method: method, bare: true, headers: []string{"Accept: text/html", headerVersion,
			headerSession}})
		down := got.status == http.StatusBadRequest || got.status == http.StatusNotAcceptable || got.status >= 500
		if got.err == nil && (down || mediaType(got.header) == "text/html") {
			v.fail("M033", method, "whoever looks with a browser is answered %s", got.described())
		}
	}
}

func (v *visit) lookBeforeAuthorization() {
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodDelete, http.MethodOptions} {
		got := v.send(request{method: method, bare: true, headers: []string{headerVersion,
			headerSession + ": guestpass-lint"}})
		if got.status == http.StatusUnauthorized || got.header.Get("WWW-Authenticate") != "" {
			v.fail("M034", method, "without a token it is answered %s", got.described())
		}
	}
}

// greet sends the message that any server answers somehow, to see what is done with its address and headers.
func (v *visit) greet(r request) answer {
	r.body = legacyMessage("initialize", initializeParams(legacyVersion))
	own := []string{headerVersion, headerSession}
	if v.mute == "" && !v.legacy {
		r.body, own = modernMessage("server/discover", ""), modernHeaders("server/discover", "")
	}
	r.headers = append(own, r.headers...)
	got := v.send(r)
	v.keepSession(got)
	return got
}

func (v *visit) lookAtSlash() {
	other := *v.url
	if other.Path = strings.TrimSuffix(other.Path, "/"); other.Path == strings.TrimSuffix(v.url.Path, "/") &&
		!strings.HasSuffix(v.url.Path, "/") {
		other.Path += "/"
	}
	if other.RawPath = ""; other.Path == "" {
		return
	}
	got := v.greet(request{address: other.String(), bare: true})
	if got.status >= 300 && got.status < 400 {
		v.fail("M035", "POST", "%s is answered %s", v.shown(other.Path), got.described())
	}
}

// pageOrigin is a client that runs in a browser, on the person's own machine.
const pageOrigin = "http://localhost:6274"

// wanted are the headers that clients in pages send.
var wanted = []string{"authorization", "content-type", "mcp-protocol-version", "mcp-method", "mcp-name"}

func (v *visit) lookAtPreflight() {
	got := v.send(request{method: http.MethodOptions, bare: true, headers: []string{headerVersion, headerSession,
		"Origin: " + pageOrigin, "Access-Control-Request-Method: POST",
		"Access-Control-Request-Headers: " + strings.Join(wanted, ",")}})
	if got.err != nil {
		return
	}
	origin := got.header.Get("Access-Control-Allow-Origin")
	if got.status < 200 || got.status >= 300 || origin != "*" && origin != pageOrigin {
		v.fail("M036", "OPTIONS", "the preflight of a page (Origin: %s) is answered %s, with "+
			"Access-Control-Allow-Origin %q", pageOrigin, got.described(), v.said(origin))
		return
	}
	allowed := fields(got.header, "Access-Control-Allow-Headers")
	for _, name := range wanted {
		// * stands for all but this one
		if !slices.Contains(allowed, name) && (name == "authorization" || !slices.Contains(allowed, "*")) {
			v.fail("M036", "OPTIONS", "a page may not send %s", name)
		}
	}
	if methods := fields(got.header, "Access-Control-Allow-Methods"); !slices.Contains(methods, "post") &&
		!slices.Contains(methods, "*") {
		v.fail("M036", "OPTIONS", "Access-Control-Allow-Methods has no POST")
	}
	if origin == "*" && got.header.Get("Access-Control-Allow-Credentials") == "true" {
		v.fail("M036", "OPTIONS", "credentials are allowed to every origin")
	}
}

// fields returns what a header lists, in lower case.
func fields(h http.Header, name string) (list []string) {
	for field := range strings.SplitSeq(strings.ToLower(strings.Join(h.Values(name), ",")), ",") {
		list = append(list, strings.TrimSpace(field))
	}
	return list
}

// lookAtSharing sends what is refused and what is answered, from a page that has to see why.
func (v *visit) lookAtSharing() {
	page := "Origin: " + pageOrigin
	got := []answer{v.greet(request{bare: true, headers: []string{page}}),
		v.send(request{body: "{", bare: true, headers: []string{page}})}
	for _, one := range got {
		origin := one.header.Get("Access-Control-Allow-Origin")
		exposed := fields(one.header, "Access-Control-Expose-Headers")
		switch {
		case one.err != nil:
		case origin != "*" && origin != pageOrigin:
			v.fail("M037", "POST", "%s to a page (Origin: %s) has Access-Control-Allow-Origin %q",
				one.described(), pageOrigin, v.said(origin))
		case one.header.Get("WWW-Authenticate") != "" && !slices.Contains(exposed, "www-authenticate"):
			v.fail("M037", "POST", "%s does not expose WWW-Authenticate to a page", one.described())
		case one.header.Get(headerSession) != "" && !slices.Contains(exposed, "mcp-session-id"):
			v.fail("M037", "POST", "%s does not expose Mcp-Session-Id to a page", one.described())
		default:
			continue
		}
		return
	}
}

func (v *visit) lookAtOrigins() {
	if got := v.greet(request{headers: []string{"Origin: https://guestpass-lint.example"}}); got.carries() {
		v.fail("M038", "POST", "a page of https://guestpass-lint.example is answered %s", got.described())
	}
	pages := []string{"https://claude.ai", "https://chatgpt.com", "https://vscode.dev", pageOrigin}
	if v.onThisMachine() { // where websites had better not get
		pages = []string{pageOrigin}
	}
	for _, origin := range pages {
		if got := v.greet(request{headers: []string{"Origin: " + origin}}); got.err == nil && !got.carries() {
			v.fail("M039", "POST", "a page of %s is answered %s", origin, got.described())
		}
	}
}

func (v *visit) lookAtAccept() {
	for _, accept := range []string{"Accept: application/json", "Accept: text/event-stream", "Accept: */*", "Accept"} {
		if got := v.greet(request{headers: []string{accept}}); got.err == nil && !got.carries() {
			if accept == "Accept" {
				accept = "no Accept"
			}
			v.fail("M040", "POST", "%s is answered %s", accept, got.described())
		}
	}
}

func (v *visit) lookAtContentTypes() {
	const charset = "Content-Type: application/json; charset=utf-8"
	if got := v.greet(request{headers: []string{charset}}); got.err == nil && !got.carries() {
		v.fail("M041", "POST", "%s is answered %s", charset, got.described())
	}
	const plain = "Content-Type: text/plain"
	if got := v.greet(request{headers: []string{plain}}); got.carries() {
		v.fail("M042", "POST", "%s is answered %s", plain, got.described())
	}
}

// lookAtNotifications sends what gets no answer: one that servers know, and two that many do not.
func (v *visit) lookAtNotifications() {
	if v.notified.err == nil && (v.notified.status != http.StatusAccepted || len(v.notified.body) > 0) {
		v.fail("M043", "notifications/initialized", "it is answered %s", v.notified.described())
	}
	for _, method := range []string{"notifications/roots/list_changed", "notifications/guestpass/unknown"} {
		got := v.send(request{body: `{"jsonrpc":"2.0","method":"` + method + `"}`})
		if got.err == nil && (got.status != http.StatusAccepted || len(got.body) > 0) {
			v.fail("M044", method, "it is answered %s", got.described())
		}
	}
}

func (v *visit) lookAtMethods() {
	if got := v.say("guestpass/no-such-method", ""); got.err == nil && (got.code() != methodNotFound ||
		got.status != http.StatusOK) {
		v.fail("M045", "an unknown method", "it is answered %s", got.described())
	}
	for _, params := range []string{"", "{}"} {
		if got := v.say("ping", params); got.err == nil && !got.carries() {
			v.fail("M046", "ping", "it is answered %s", got.described())
			return
		}
	}
}

// lookAtBatches sends an array, also as a client of the one version that had them.
func (v *visit) lookAtBatches() {
	for _, version := range []string{"2025-03-26", legacyVersion} {
		got := v.send(request{body: "[" + v.listing().body + "]", headers: []string{headerVersion + ": " + version}})
		if got.err == nil && got.status < 400 {
			v.fail("M047", "POST", "an array of messages, as a client of %s, is answered %d", version, got.status)
			return
		}
	}
}

func (v *visit) lookAtIDs() {
	for _, id := range []string{`"abc"`, `0`, `9007199254740993`} {
		got := v.send(request{body: `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/list"}`})
		if got.err != nil || got.rpc != nil && string(got.rpc.ID) == id {
			continue
		}
		severity := Error
		if len(id) > len(`"abc"`) {
			severity = Warning // no known client counts so far
		}
		came := "no message"
		switch {
		case got.code() != 0:
			v.failAs(severity, "M048", "tools/list", "the id %s is refused: %s", id, got.described())
			continue
		case got.rpc != nil:
			came = v.shown(string(got.rpc.ID))
		}
		v.failAs(severity, "M048", "tools/list", "the id %s comes back as %s", id, came)
	}
	for _, id := range []string{`1.5`, `{}`, `null`} {
		got := v.send(request{body: `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/list"}`})
		if got.err == nil && got.status < 400 && got.code() == 0 {
			v.fail("M049", "tools/list", "the id %s is answered %s", id, got.described())
		}
	}
}

func (v *visit) lookAtBrokenMessages() {
	for _, body := range []string{`{`, ``, `{"id":1,"method":"tools/list"}`, `7`,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}"} {
		got := v.send(request{body: body})
		if got.err == nil && (got.status >= 500 || got.code() == 0) {
			v.fail("M050", "POST", "the body %s is answered %s", printable(body), got.described())
		}
	}
	twice := `{"jsonrpc":"2.0","id":1,"method":"guestpass/no-such-method","method":"tools/list"}`
	if !v.legacy {
		twice = strings.Replace(modernMessage("tools/list", ""), `"method"`, `"method":"ping","method"`, 1)
	}
	got := v.send(request{body: twice, headers: v.listing().headers})
	if got.carries() {
		v.fail("M051", "POST", "a message with two members method is answered %s: the last counts", got.described())
	}
}

func (v *visit) lookAtSessions() {
	if v.session != "" {
		v.fail("M052", "initialize", "it hands out a session (Mcp-Session-Id)")
	}
	got := v.say("tools/list", "", headerSession+": guestpass-lint-stale-session")
	if got.err == nil && !got.carries() && got.status != http.StatusNotFound {
		v.fail("M053", "tools/list", "an unknown session is answered %s", got.described())
	}
}

func (v *visit) lookAtLastEvent() {
	list := v.listing()
	list.headers = append(list.headers, "Last-Event-Id: guestpass-lint")
	if got := v.send(list); got.err == nil && !got.carries() {
		v.fail("M054", "tools/list", "with Last-Event-ID it is answered %s", got.described())
	}
}

func (v *visit) lookAtVersionHeader() {
	for _, header := range []string{headerVersion, headerVersion + ": 2024-11-05", headerVersion + ": 2025-03-26"} {
		if got := v.say("tools/list", "", header); got.err == nil && !got.carries() {
			if header == headerVersion {
				header = "no " + header
			}
			v.fail("M055", "tools/list", "%s is answered %s", header, got.described())
		}
	}
	got := v.say("tools/list", "", headerVersion+": 2099-01-01")
	if got.err == nil && (got.status != http.StatusBadRequest || got.code() == 0) {
		v.fail("M056", "tools/list", "%s: 2099-01-01 is answered %s", headerVersion, got.described())
	}
}

func (v *visit) lookAtInitialize() {
	for _, version := range append([]string{"1.0", "2099-01-01"}, legacyVersions...) {
		got := v.initialize(version)
		var said struct {
			Version string `json:"protocolVersion"`
		}
		got.read(&said)
		known := slices.Contains(legacyVersions, version)
		switch {
		case got.err != nil:
		case !got.carries() || !slices.Contains(append(legacyVersions, modernVersion), said.Version):
			v.fail("M057", "initialize", "a client of %s is answered %s", version, got.described())
		case known && said.Version != version && version != "2024-11-05":
			v.fail("M057", "initialize", "a client of %s is answered with %s", version, v.shown(said.Version))
		}
	}
	if problem := initializeShape.problem(v.beginning.rpc.Result); problem != "" {
		v.fail("M059", "initialize", "the result is not as the specification has it: %s", v.shown(problem))
		return
	}
	about := v.about()
	if about.Info == nil || about.Info.Name == "" {
		v.fail("M059", "initialize", "serverInfo has no name")
	}
	if tools := about.Capabilities["tools"]; len(tools) == 0 || json.Unmarshal(tools, &map[string]any{}) != nil {
		v.fail("M059", "initialize", "capabilities has no tools")
	}
}
