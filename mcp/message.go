package mcp

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"guestpass/internal/jsonparts"
	"guestpass/internal/pattern"
	"guestpass/internal/strictjson"
)

// The versions of the protocol. Each request names the modern one; initialize names one of the others.
const modernVersion = "2026-07-28"

var legacyVersions = []string{"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}

// Codes of JSON-RPC errors, and of MCP 2026-07-28 from 32020 on.
const (
	parseError         = -32700
	invalidRequest     = -32600
	methodNotFound     = -32601
	invalidParams      = -32602
	headerMismatch     = -32020
	unsupportedVersion = -32022
)

// A rpcError is why a request has no result.
type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`

	status int // of HTTP
}

func refuse(status, code int, message string) *rpcError {
	return &rpcError{Code: code, Message: message, status: status}
}

// A message is a request, or without an id a notification, which gets no answer.
type message struct {
	id     json.RawMessage // as it was written: a large number must not change
	method string
	params map[string]json.RawMessage
	modern bool
	quiet  bool // a notification, or an answer to nothing that was asked
}

var integer = pattern.New(`^-?(0|[1-9][0-9]*)$`)

// read takes a body apart, strictly: names count with their letter case, and none comes twice, so that
// nothing in between reads another request than this does.
func read(body []byte) (m message, refused *rpcError) {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) > 0 && trimmed[0] == '[' { // it would go past checks and limits that are for one call
		return m, refuse(http.StatusBadRequest, invalidRequest,
			"batches are not taken: send one message in each request")
	}
	if fault := strictjson.Check(body); fault != nil {
		return m, refuse(http.StatusBadRequest, parseError, "the message cannot be read: "+fault.Place+" "+
			fault.Message)
	}
	members := jsonparts.Object(body)
	if members == nil {
		return m, refuse(http.StatusBadRequest, invalidRequest, "the message is no object")
	}
	if id, given := members["id"]; given {
		if id[0] != '"' && !integer.Match(id) {
			return m, refuse(http.StatusBadRequest, invalidRequest, "id must be a string or a whole number")
		}
		m.id = id
	}
	if string(members["jsonrpc"]) != `"2.0"` {
		return m, refuse(http.StatusBadRequest, invalidRequest, `jsonrpc must be "2.0"`)
	}
	_, result := members["result"]
	_, failure := members["error"]
	if m.quiet = members["method"] == nil && (result || failure); m.quiet {
		return m, nil
	}
	if m.method = jsonparts.Text(members["method"]); m.method == "" {
		return m, refuse(http.StatusBadRequest, invalidRequest, "method must be a string")
	}
	if m.params = jsonparts.Object(members["params"]); m.params == nil && members["params"] != nil &&
		string(members["params"]) != "null" {
		return m, refuse(http.StatusBadRequest, invalidParams, "params must be an object")
	}
	m.quiet = m.id == nil
	return m, nil
}

// Members of params._meta and headers by which a request of the modern era says what it is.
const (
	metaVersion      = "io.modelcontextprotocol/protocolVersion"
	metaCapabilities = "io.modelcontextprotocol/clientCapabilities"
	metaServer       = "io.modelcontextprotocol/serverInfo"
	headerVersion    = "Mcp-Protocol-Version"
	headerMethod     = "Mcp-Method"
	headerName       = "Mcp-Name"
)

// era finds out which one the request belongs to, and compares its headers with it.
func (m *message) era(header http.Header) *rpcError {
	for _, name := range []string{headerVersion, headerMethod, headerName} {
		if len(header.Values(name)) > 1 { // whoever is in between may go by another than the first
			return refuse(http.StatusBadRequest, headerMismatch, "the header "+name+" is given more than once")
		}
	}
	about := jsonparts.Object(m.params["_meta"])
	version := jsonparts.Text(about[metaVersion])
	if version == "" {
		return m.legacy(header)
	}
	m.modern = true
	switch {
	case version != modernVersion:
		return unsupported(version)
	case header.Get(headerVersion) != version:
		return mismatch(headerVersion, "_meta")
	case header.Get(headerMethod) != m.method:
		return mismatch(headerMethod, "method")
	case m.named() != "" && decoded(header.Get(headerName)) != m.text(m.named()):
		return mismatch(headerName, "params."+m.named())
	case !bytes.HasPrefix(about[metaCapabilities], []byte("{")):
		return refuse(http.StatusBadRequest, invalidParams, "params._meta must have "+metaCapabilities+", an object")
	}
	return nil
}

// legacy checks the version of a request that is not modern. initialize itself says which one it wants.
func (m *message) legacy(header http.Header) *rpcError {
	version, method, name := header.Get(headerVersion), header.Get(headerMethod), decoded(header.Get(headerName))
	switch {
	case method != "" && method != m.method:
		return mismatch(headerMethod, "method")
	case name != "" && m.named() != "" && name != m.text(m.named()):
		return mismatch(headerName, "params."+m.named())
	case m.method == "initialize", version == "", slices.Contains(legacyVersions, version):
		return nil
	case version == modernVersion:
		return refuse(http.StatusBadRequest, invalidParams, "params._meta must have "+metaVersion)
	}
	return unsupported(version)
}

// named returns the member of params that the header Mcp-Name repeats; "" where there is none.
func (m *message) named() string {
	switch m.method {
	case "tools/call":
		return "name"
	case "resources/read":
		return "uri"
	}
	return ""
}

func unsupported(version string) *rpcError {
	e := refuse(http.StatusBadRequest, unsupportedVersion, "this version of the protocol is not supported")
	e.Data = map[string]any{"supported": append([]string{modernVersion}, legacyVersions...), "requested": cut(version)}
	return e
}

func mismatch(header, what string) *rpcError {
	return refuse(http.StatusBadRequest, headerMismatch, "the header "+header+" must say the same as "+what+
		" in the body")
}

// cut keeps what is repeated of a request short.
func cut(text string) string {
	if len(text) > 40 {
		return "…"
	}
	return strings.ToValidUTF8(text, "")
}

// decoded returns the value of a header that may be written in base64.
func decoded(value string) string {
	inner, found := strings.CutPrefix(value, "=?base64?")
	if inner, ends := strings.CutSuffix(inner, "?="); found && ends {
		if text, err := base64.StdEncoding.DecodeString(inner); err == nil {
			return string(text)
		}
	}
	return value
}

// text returns a member of params that is a string; "" for any other.
func (m *message) text(name string) string { return jsonparts.Text(m.params[name]) }
