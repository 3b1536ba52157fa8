package lint

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

var modernChecks = []check{
	{[]string{"M060", "M061"}, []need{talks}, (*visit).lookAtDiscovery},
	{[]string{"M062", "M063", "M064"}, []need{speaksModern}, (*visit).lookAtModernHeaders},
	{[]string{"M065", "M067"}, []need{speaksModern}, (*visit).lookAtModernResults},
	{[]string{"M066"}, []need{speaksModern}, (*visit).lookAtModernRefusals},
}

// lookAtDiscovery says whether the server speaks 2026-07-28, or refuses it in a way that clients take for a server of
// the era before.
func (v *visit) lookAtDiscovery() {
	got := v.discovered
	if v.modern || got.err != nil {
		return
	}
	refused := got.status == http.StatusBadRequest || got.status == http.StatusNotFound || got.code() != 0
	if got.status >= 500 || !refused && len(v.supported()) == 0 {
		v.fail("M061", "server/discover", "it is answered %s", got.described())
		v.skip("see M061", "M060")
		return
	}
	v.fail("M060", "server/discover", "it is answered %s", got.described())
}

func (v *visit) lookAtModernHeaders() {
	for _, wrong := range []string{"Mcp-Method: ping", "Mcp-Method", headerVersion + ": " + legacyVersion} {
		got := v.sayModern("tools/list", "", "", wrong)
		if got.err == nil && (got.status != http.StatusBadRequest || got.code() != headerMismatch) {
			name, value, _ := strings.Cut(wrong, ": ")
			v.fail("M062", "tools/list", "%s %q is answered %s", name, value, got.described())
		}
	}
	const missing = "guestpass_lint_no_such_tool"
	called := `"name":"` + missing + `","arguments":{}`
	got := v.sayModern("tools/call", "another_tool", called)
	if got.err == nil && (got.status != http.StatusBadRequest || got.code() != headerMismatch) {
		v.fail("M062", "tools/call", "Mcp-Name of another tool is answered %s", got.described())
	}
	encoded := "=?base64?" + base64.StdEncoding.EncodeToString([]byte(missing)) + "?="
	if got := v.sayModern("tools/call", "", called, "Mcp-Name: "+encoded); got.code() == headerMismatch {
		v.fail("M063", "tools/call", "Mcp-Name: %s is answered %s", encoded, got.described())
	}
	without := strings.Replace(modernMessage("tools/list", ""), metaPrefix+"clientCapabilities", "x/y", 1)
	got = v.send(request{body: without, headers: modernHeaders("tools/list", "")})
	if got.err == nil && (got.status != http.StatusBadRequest || got.code() == 0) {
		v.fail("M064", "tools/list", "it is answered %s", got.described())
	}
}

func (v *visit) lookAtModernResults() {
	for _, got := range []struct {
		method string
		answer
	}{{"server/discover", v.discovered}, {"tools/list", v.sayModern("tools/list", "", "")}} {
		var said struct {
			ResultType string                     `json:"resultType"`
			Time       json.RawMessage            `json:"ttlMs"`
			Scope      string                     `json:"cacheScope"`
			Meta       map[string]json.RawMessage `json:"_meta"`
		}
		if got.read(&said); got.err != nil {
			continue
		}
		switch {
		case !got.carries():
			v.fail("M065", got.method, "it is answered %s", got.described())
			continue
		case said.ResultType != "complete":
			v.fail("M065", got.method, "resultType is %q, not complete", v.said(said.ResultType))
		case said.Time == nil || !slices.Contains([]string{"public", "private"}, said.Scope):
			v.fail("M065", got.method, "ttlMs or cacheScope is missing")
		case said.Meta[metaPrefix+"serverInfo"] == nil:
			v.fail("M065", got.method, "_meta has no %sserverInfo", metaPrefix)
		}
		if v.protected && got.method == "tools/list" && said.Scope == "public" {
			v.fail("M067", got.method, "cacheScope is public, and the list is for holders of a token")
		}
	}
}

func (v *visit) lookAtModernRefusals() {
	got := v.sayModern("guestpass/no-such-method", "", "")
	if got.err == nil && (got.status != http.StatusNotFound || got.code() != methodNotFound) {
		v.fail("M066", "an unknown method", "it is answered %s", got.described())
	}
	body := strings.Replace(modernMessage("tools/list", ""), modernVersion, "2099-01-01", 1)
	headers := modernHeaders("tools/list", "")
	headers[0] = headerVersion + ": 2099-01-01"
	got = v.send(request{body: body, headers: headers})
	if got.err == nil && (got.status != http.StatusBadRequest || got.code() != unsupportedVersion ||
		!strings.Contains(string(got.rpc.Error.Data), modernVersion)) {
		v.fail("M066", "the version 2099-01-01", "it is answered %s, or without the versions supported",
			got.described())
	}
}
