package lint

import (
	"slices"
	"strings"
)

// Severity is what a broken rule leads to.
type Severity string

const (
	// Error: a client cannot connect, throws away the list or a tool of it, or calls fail.
	Error Severity = "error"
	// Warning: a client breaks in some situation, or a model is misled.
	Warning Severity = "warning"
	// Note: it would be better otherwise.
	Note Severity = "note"
)

// Degree says the severity, and when it is another one.
func (r Rule) Degree() string {
	if r.Unless == "" {
		return string(r.Severity)
	}
	return string(r.Severity) + "; " + r.Unless
}

// severities are the severities in order, the worst first.
var severities = []Severity{Error, Warning, Note}

// Rule is one thing that clients ask of a server.
type Rule struct {
	ID       string
	Severity Severity
	Unless   string // when findings are milder or harder
	Group    string
	Title    string // what holds where the rule is kept
	Evidence string // class of what is known: S specification or RFC, A vendor, M measured, C several reports, D one
	Breaks   string // which clients break on it, and how
	Remedy   string // what to change
}

// checks are all that is looked at, in this order: a session is begun before, and the time of answers is known last.
var checks = slices.Concat(authorizationChecks, transportChecks, modernChecks, listChecks, callChecks, widgetChecks,
	[]check{{[]string{"M030", "M058"}, nil, func(*visit) {}}})

// rules are ordered by id.
var rules = slices.Concat(authorizationRules, transportRules, modernRules, listRules, callRules, widgetRules)

// Rules returns all rules, in the order of their ids.
func Rules() []Rule { return slices.Clone(rules) }

// Explain returns the rule of that id, in any letter case.
func Explain(id string) (Rule, bool) {
	i := slices.IndexFunc(rules, func(r Rule) bool { return strings.EqualFold(r.ID, id) })
	if i < 0 {
		return Rule{}, false
	}
	return rules[i], true
}

// group makes rules of one group.
func group(name string, rules ...Rule) []Rule {
	for i := range rules {
		rules[i].Group = name
	}
	return rules
}

var authorizationRules = group("authorization",
	Rule{ID: "M001", Severity: Error, Evidence: "S, M",
		Title:  "/.well-known/oauth-protected-resource/PATH has the metadata, as application/json",
		Breaks: "ChatGPT looks there alone; other clients look there when the challenge names nothing",
		Remedy: "Serve the metadata of RFC 9728 there, with 200, without authorization and without a redirect."},
	Rule{ID: "M002", Severity: Error, Evidence: "C",
		Title: "resource in the metadata is the address that people type, byte for byte",
		Breaks: "Gemini CLI and VS Code compare it and stop; ChatGPT asks for a token for the other " +
			"address",
		Remedy: "Write the address of the server, path included and without a slash that it does not have."},
	Rule{ID: "M003", Severity: Warning, Evidence: "C",
		Title:  "the metadata at the root, if there are any, are about the root or about this server",
		Breaks: "Gemini CLI's older versions ask the root first, others fall back on it and compare resource",
		Remedy: "Let resource there be the origin or this server's address, or answer 404."},
	Rule{ID: "M004", Severity: Error, Evidence: "S",
		Title: "the authorization server that the metadata name has metadata of its own, with both " +
			"endpoints",
		Breaks: "no client gets any further",
		Remedy: "Name the issuer in authorization_servers; it must serve RFC 8414 or OpenID Connect metadata."},
	Rule{ID: "M005", Severity: Error, Evidence: "C",
		Title:  "the issuer has the same letters in both metadata, slash included",
		Breaks: "opencode, Copilot CLI, the Python SDK and others compare them and stop",
		Remedy: "Copy issuer from the authorization server's metadata into authorization_servers."},
	Rule{ID: "M006", Severity: Warning, Evidence: "A", Title: "there is one authorization server",
		Breaks: "Claude takes the first alone", Remedy: "Name one."},
	Rule{ID: "M007", Severity: Error, Evidence: "A", Title: "code_challenge_methods_supported has S256",
		Breaks: "ChatGPT says unsupported; clients of the specification go no further",
		Remedy: "Have the authorization server support PKCE with S256, and say so."},
	Rule{ID: "M008", Severity: Warning, Evidence: "A, S",
		Title:  "a client can become known: by a metadata document or by registering",
		Breaks: "every client asks the person for a client id, and VS Code and Cursor may not offer that",
		Remedy: "Switch on Client ID Metadata Documents, or dynamic registration, at the authorization server."},
	Rule{ID: "M009", Severity: Warning, Evidence: "A",
		Title: "where metadata documents are taken, token_endpoint_auth_methods_supported has none",
		Breaks: "Claude uses a document only if public clients may exchange codes, and registers " +
			"otherwise",
		Remedy: "Let public clients in, and list none."},
	Rule{ID: "M010", Severity: Error, Evidence: "S, A",
		Title:  "a message without a token is answered 401 with WWW-Authenticate: Bearer",
		Breaks: "Claude begins to sign in on nothing else; LibreChat shows no tools and does not say why",
		Remedy: "Answer 401 and WWW-Authenticate: Bearer resource_metadata=\"…\", scope=\"…\"."},
	Rule{ID: "M011", Severity: Warning, Evidence: "S",
		Title:  "the challenge names resource_metadata, and it leads to the metadata of this server",
		Breaks: "clients that go by the challenge find nothing, or another resource",
		Remedy: "Name the address of M001."},
	Rule{ID: "M012", Severity: Warning, Evidence: "S",
		Title: "the challenge has no error where no token came (RFC 6750 section 3.1)",
		Breaks: "clients take the token that they do not have for one gone bad, and renew instead of " +
			"signing in",
		Remedy: "Leave error out unless a token was refused."},
	Rule{ID: "M013", Severity: Warning, Evidence: "C",
		Title:  "the scopes are named, in the challenge or in scopes_supported",
		Breaks: "clients ask for no scope, get a token that may do nothing, and several cannot ask for more later",
		Remedy: "List all scopes that tools need in both."},
	Rule{ID: "M014", Severity: Note, Evidence: "S", Title: "offline_access is not among the server's scopes",
		Breaks: "none is known; it belongs to the authorization server, whose metadata clients go by",
		Remedy: "List it in the authorization server's scopes_supported alone."},
	Rule{ID: "M015", Severity: Warning, Evidence: "C", Title: "every message without a token is refused alike",
		Breaks: "LibreChat and others list nothing when the first message is answered and a later one is refused",
		Remedy: "Ask for the token before looking at the method."},
	Rule{ID: "M016", Severity: Error, Evidence: "C",
		Title:  "whatever is no good token is answered 401",
		Breaks: "clients keep it and do not sign in again: VS Code does so after 400 and 403, others log out hourly",
		Remedy: "Answer 401 to garbage, to an empty value and to other schemes; 503 if the check cannot be made."},
	Rule{ID: "M017", Severity: Warning, Evidence: "C, S",
		Title:  "the 401 to a bad token says error=\"invalid_token\"",
		Breaks: "hosts do not renew the token, and the person has to sign in again",
		Remedy: "Add error=\"invalid_token\" and error_description to the challenge."},
	Rule{ID: "M018", Severity: Warning, Evidence: "C", Title: "pages may read the metadata",
		Breaks: "clients in a browser, MCP Inspector among them, cannot find the authorization server",
		Remedy: "Send Access-Control-Allow-Origin: * with them."},
	Rule{ID: "M019", Severity: Note, Evidence: "C", Title: "HEAD of the metadata is answered as GET is",
		Breaks: "clients that look before they read", Remedy: "Answer HEAD with 200."},
	Rule{ID: "M020", Severity: Warning, Evidence: "C",
		Title: "well-known addresses that are not there are answered 404, not with a page, 401 or 5xx",
		Breaks: "clients take a page for metadata; the TypeScript SDK falls back after 4xx " +
			"alone",
		Remedy: "Answer 404 below /.well-known/ for what is not served."},
	Rule{ID: "M021", Severity: Warning, Evidence: "C",
		Title:  "metadata of an authorization server are on that server's host alone",
		Breaks: "clients that compare issuer with the address refuse the copy",
		Remedy: "Serve no copy; name the issuer in authorization_servers."},
	Rule{ID: "M022", Severity: Warning, Evidence: "C",
		Title:  "/authorize, /token and /register are missing on a host that issues no tokens",
		Breaks: "clients of 2025-03-26 try them, and take whatever answers for the authorization server",
		Remedy: "Answer 404."},
	Rule{ID: "M023", Severity: Error, Evidence: "S, A", Title: "a person can sign in as a client has them do",
		Breaks: "every client", Remedy: "Look at the step that the problem names; guestpass try --mcp shows each."},
	Rule{ID: "M024", Severity: Error, Evidence: "S, C",
		Title: "iss of the callback is the issuer, or is neither there nor announced (RFC 9207)",
		Breaks: "the TypeScript SDK, the Go SDK, Gemini CLI and Claude Code throw the code away after the person " +
			"has allowed it",
		Remedy: "Announce authorization_response_iss_parameter_supported and send the issuer, or do neither."},
	Rule{ID: "M025", Severity: Error, Evidence: "C", Title: "a token can be renewed, and the new one is taken",
		Breaks: "people have to sign in again whenever the token ends; LibreChat loops",
		Remedy: "Take every token that the authorization server issues for a refresh token."},
	Rule{ID: "M026", Severity: Warning, Evidence: "S", Title: "the scheme of Authorization counts in any letter case",
		Breaks: "clients that write bearer", Remedy: "Compare the scheme without regard to case (RFC 9110 11.1)."},
	Rule{ID: "M027", Severity: Error, Evidence: "S",
		Title:  "the authorization server's endpoints are https addresses, for codes",
		Breaks: "clients open the one and send a code to the other: no person can sign in",
		Remedy: "Write absolute https addresses, code in response_types_supported, authorization_code in " +
			"grant_types_supported."},
	Rule{ID: "M028", Severity: Warning, Evidence: "S, C",
		Title: "a call that lacks a scope is answered 403 insufficient_scope, with all scopes, and with a result " +
			"for ChatGPT",
		Breaks: "Claude Code shows an expired token; ChatGPT reads _meta[\"mcp/www_authenticate\"] of the result alone",
		Remedy: "Send error, scope and resource_metadata in the challenge, and a result with isError beside it."},
)

var transportRules = group("transport",
	Rule{ID: "M030", Severity: Error, Evidence: "A",
		Title:  "every request is answered whole, in bounded time and size",
		Breaks: "Claude gives up after 10 s while it signs in; ChatGPT drops a call after 60 s",
		Remedy: "Answer within 10 s; end a stream with the answer."},
	Rule{ID: "M031", Severity: Error, Evidence: "C", Title: "a message is not redirected",
		Breaks: "clients follow none, or lose the body or the token on the way",
		Remedy: "Answer at the address that people type, or have them type the other."},
	Rule{ID: "M032", Severity: Error, Evidence: "C",
		Title: "GET for a stream is answered with a stream, or 405",
		Breaks: "the TypeScript SDK and all clients built on it ask right after they begin: Cursor and Claude fail " +
			"on 404, and clients reconnect without end on 200 with JSON",
		Remedy: "Answer 405 with Allow: POST, or text/event-stream."},
	Rule{ID: "M033", Severity: Warning, Evidence: "C",
		Title:  "GET and HEAD without a client's headers are not answered 400, 406, 5xx or with a page",
		Breaks: "Claude's and others' probes take the server for down",
		Remedy: "Answer 405 with a sentence in JSON or plain text."},
	Rule{ID: "M034", Severity: Error, Evidence: "C",
		Title:  "GET, HEAD, DELETE and OPTIONS are answered before anybody asks for a token",
		Breaks: "clients sign in again at each of them; pages cannot send a preflight with a token",
		Remedy: "Answer 405 and the preflight first, without WWW-Authenticate."},
	Rule{ID: "M035", Severity: Warning, Evidence: "C",
		Title:  "the address with a slash more or less is not redirected",
		Breaks: "clients whose person typed the other lose the body, or the token",
		Remedy: "Serve both, or answer 404."},
	Rule{ID: "M036", Severity: Warning, Evidence: "C",
		Title:  "a page's preflight is answered, with every header that clients send",
		Breaks: "clients in a browser, MCP Inspector among them, send nothing at all",
		Remedy: "Answer OPTIONS with 204, Access-Control-Allow-Origin: * or the page's own, " +
			"Access-Control-Allow-Methods: POST, and in Access-Control-Allow-Headers authorization, " +
			"content-type, accept, mcp-protocol-version, mcp-session-id, mcp-method, mcp-name, last-event-id."},
	Rule{ID: "M037", Severity: Warning, Evidence: "C",
		Title:  "a page may read answers, refusals and errors, with WWW-Authenticate and Mcp-Session-Id",
		Breaks: "clients in a browser see a network error where others are asked to sign in",
		Remedy: "Send Access-Control-Allow-Origin with every status, and expose both headers."},
	Rule{ID: "M038", Severity: Warning, Evidence: "S", Title: "pages of unknown origin are refused with 403",
		Breaks: "no client; a page that somebody visits may call a server on their machine or network (DNS rebinding)",
		Remedy: "Compare Origin with a list; let requests without one pass."},
	Rule{ID: "M039", Severity: Warning, Evidence: "C",
		Title:  "claude.ai, chatgpt.com, vscode.dev and pages of this machine are let in",
		Breaks: "their clients in a browser",
		Remedy: "Put https://claude.ai, https://chatgpt.com, https://vscode.dev and http://localhost of any port on " +
			"the list."},
	Rule{ID: "M040", Severity: Warning, Evidence: "C",
		Title:  "a message is answered whatever Accept says",
		Breaks: "clients that accept JSON alone, streams alone, or anything: older SDKs, scripts, gateways",
		Remedy: "Do not judge Accept; answer JSON, or a stream to whoever wants nothing else."},
	Rule{ID: "M041", Severity: Error, Evidence: "S", Title: "Content-Type may have a charset",
		Breaks: "HTTP libraries that add one", Remedy: "Compare the media type alone."},
	Rule{ID: "M042", Severity: Warning, Evidence: "S", Title: "text/plain is not taken for a message",
		Breaks: "no client; pages may send text/plain to anybody without a preflight",
		Remedy: "Answer 415."},
	Rule{ID: "M043", Severity: Error, Evidence: "S, C",
		Title:  "notifications/initialized is answered 202 without a body",
		Breaks: "clients take a body for an answer that they did not ask for, and end the connection",
		Remedy: "Answer 202 and nothing else."},
	Rule{ID: "M044", Severity: Warning, Evidence: "C", Title: "unknown notifications are answered 202, too",
		Breaks: "clients with the Go SDK, such as Gemini CLI's relatives, disconnect",
		Remedy: "Take every message without an id."},
	Rule{ID: "M045", Severity: Warning, Evidence: "S, C",
		Title:  "an unknown method is answered 200 with the error -32601",
		Breaks: "clients that try server/discover or resources/list take 400 and 500 for a broken connection",
		Remedy: "Answer {\"error\":{\"code\":-32601}} with the request's id."},
	Rule{ID: "M046", Severity: Warning, Evidence: "S", Title: "ping is answered with {}",
		Breaks: "clients that watch the connection drop it",
		Remedy: "Answer {\"result\":{}}, with and without params."},
	Rule{ID: "M047", Severity: Warning, Evidence: "C", Title: "batches are refused",
		Breaks: "no client; what looks at one call does not see the others: permissions, limits, records",
		Remedy: "Answer an array with 400 and the error -32600."},
	Rule{ID: "M048", Severity: Error, Unless: "warning if only very large ids are concerned", Evidence: "S",
		Title:  "an id comes back as it was sent",
		Breaks: "a client waits for its answer until it gives up",
		Remedy: "Keep the id as text; do not read it as a number."},
	Rule{ID: "M049", Severity: Note, Evidence: "S", Title: "an id is a string or a whole number",
		Breaks: "none is known", Remedy: "Answer null, fractions and objects with 400 and -32600."},
	Rule{ID: "M050", Severity: Warning, Evidence: "S, C",
		Title:  "what is not a message is answered with a JSON-RPC error, and not with 5xx",
		Breaks: "clients and gateways cannot tell what was wrong; after 5xx they try again",
		Remedy: "Answer 400 with -32700 or -32600, as application/json."},
	Rule{ID: "M051", Severity: Note, Evidence: "S",
		Title:  "a member that comes twice is refused",
		Breaks: "no client; a gateway in front may go by the first, and the server by the last",
		Remedy: "Refuse duplicate names with -32700."},
	Rule{ID: "M052", Severity: Note, Evidence: "C", Title: "the server keeps no sessions",
		Breaks: "clients whose session ends with a restart or on another replica: Claude Code and others do not " +
			"begin " +
			"anew",
		Remedy: "Run without sessions if the server never calls back."},
	Rule{ID: "M053", Severity: Error, Evidence: "S, C",
		Title:  "an unknown session is ignored, or answered 404",
		Breaks: "clients do not begin anew, and every call fails until they are restarted",
		Remedy: "Answer 404 to an unknown Mcp-Session-Id."},
	Rule{ID: "M054", Severity: Warning, Evidence: "C", Title: "Last-Event-ID on a message is ignored",
		Breaks: "clients that resume after a broken stream", Remedy: "Do not look at it on POST."},
	Rule{ID: "M055", Severity: Error, Evidence: "S, C",
		Title: "MCP-Protocol-Version may be missing, or an older one",
		Breaks: "Claude Code sends 2024-11-05; older clients, and hosts that kept the list, send none and do not " +
			"begin anew",
		Remedy: "Take a missing one for 2025-03-26, and all versions that you speak."},
	Rule{ID: "M056", Severity: Warning, Evidence: "S",
		Title:  "an unknown version is answered 400 with a JSON-RPC error",
		Breaks: "clients of later versions cannot find out that they should speak an earlier one",
		Remedy: "Answer -32022 with data.supported."},
	Rule{ID: "M057", Severity: Error, Evidence: "S, C",
		Title:  "initialize agrees on a version that both may know",
		Breaks: "clients of other versions cannot connect",
		Remedy: "Answer with the version asked for if you speak it, else with your newest one; never with an error."},
	Rule{ID: "M058", Severity: Error, Evidence: "S",
		Title:  "an answer is JSON-RPC to the letter, as application/json or text/event-stream",
		Breaks: "the TypeScript SDK and all clients built on it refuse the answer, and so the connection",
		Remedy: "Write jsonrpc, id and either result or error, in these letters and nothing beside; send the type."},
	Rule{ID: "M059", Severity: Error, Evidence: "S", Title: "initialize says serverInfo and the capability tools",
		Breaks: "clients show no tools",
		Remedy: "Answer serverInfo.name and version, and capabilities.tools as an object; leave out what is null."},
)

var modernRules = group("2026-07-28",
	Rule{ID: "M060", Severity: Note, Evidence: "M", Title: "the server speaks 2026-07-28 beside the versions before",
		Breaks: "none so far: ChatGPT asks with server/discover and falls back",
		Remedy: "Answer server/discover, and requests without initialize."},
	Rule{ID: "M061", Severity: Error, Evidence: "C",
		Title:  "a server that does not speak 2026-07-28 refuses server/discover in a way that clients read",
		Breaks: "ChatGPT and the SDKs that ask first take 5xx and silence for a broken server",
		Remedy: "Answer -32601, 400 or 404."},
	Rule{ID: "M062", Severity: Warning, Evidence: "S", Title: "headers that say otherwise than the body are refused",
		Breaks: "no client; a gateway that goes by the headers lets through another call than the server makes",
		Remedy: "Compare Mcp-Method, Mcp-Name and MCP-Protocol-Version: 400 with -32020."},
	Rule{ID: "M063", Severity: Warning, Evidence: "S", Title: "Mcp-Name may be written in base64",
		Breaks: "calls of tools and resources whose names are not ASCII",
		Remedy: "Decode =?base64?…?= before comparing."},
	Rule{ID: "M064", Severity: Note, Evidence: "S", Title: "a request without clientCapabilities is refused",
		Breaks: "none is known", Remedy: "Answer 400 with -32602."},
	Rule{ID: "M065", Severity: Warning, Evidence: "S",
		Title:  "results say resultType, and serverInfo in _meta; lists say ttlMs and cacheScope",
		Breaks: "clients of 2026-07-28 cannot tell whether the result is whole, and ask for lists at every turn",
		Remedy: "Add resultType: complete, _meta[\"io.modelcontextprotocol/serverInfo\"], ttlMs and cacheScope."},
	Rule{ID: "M066", Severity: Warning, Evidence: "S",
		Title:  "unknown methods are answered 404 with -32601, unknown versions 400 with -32022 and those supported",
		Breaks: "clients cannot fall back",
		Remedy: "Answer so; data.supported has the versions."},
	Rule{ID: "M067", Severity: Warning, Evidence: "S", Title: "a list that needs a token is private",
		Breaks: "a cache may show one person's list to another", Remedy: "Write cacheScope: private."},
)

var listRules = group("tools/list",
	Rule{ID: "M068", Severity: Error, Evidence: "S", Title: "the list can be read to its end",
		Breaks: "every client", Remedy: "Answer tools, each with a name, and no nextCursor on the last page."},
	Rule{ID: "M069", Severity: Error, Evidence: "S", Title: "the list has the specification's types, and no null",
		Breaks: "the TypeScript SDK and all clients built on it throw the whole list away",
		Remedy: "Leave out what has no value; spell the names as the specification does."},
	Rule{ID: "M070", Severity: Error, Evidence: "C", Title: "schemas are of type object",
		Breaks: "the TypeScript SDK throws the whole list away",
		Remedy: "Write \"type\": \"object\"; wrap other results in one."},
	Rule{ID: "M071", Severity: Error, Evidence: "C", Title: "schemas have properties, if only {}",
		Breaks: "OpenAI's API and clients built on it refuse the tool", Remedy: "Write \"properties\": {}."},
	Rule{ID: "M072", Severity: Warning, Evidence: "C", Title: "schemas have no oneOf, anyOf, allOf, not or if",
		Breaks: "Claude Code drops the tool, Cursor refuses it",
		Remedy: "Split the tool, or describe one object whose members are optional."},
	Rule{ID: "M073", Severity: Warning, Evidence: "C", Title: "every type is one, and nothing is nullable",
		Breaks: "Cursor refuses the tool", Remedy: "Leave the member out of required instead."},
	Rule{ID: "M074", Severity: Warning, Evidence: "C", Title: "schemas have no $ref and no $defs",
		Breaks: "Gemini CLI and others refuse the tool, or show a model nothing of it",
		Remedy: "Write the schema out where it is meant."},
	Rule{ID: "M075", Severity: Note, Evidence: "C", Title: "schemas have no $schema and no $id",
		Breaks: "Gemini CLI's older versions and other clients refuse the tool", Remedy: "Leave them out."},
	Rule{ID: "M076", Severity: Warning, Evidence: "C", Title: "schemas have no words of OpenAPI",
		Breaks: "Claude's API answers 400 to the whole conversation",
		Remedy: "Leave out example, discriminator, xml; write examples into the description."},
	Rule{ID: "M077", Severity: Error, Evidence: "C", Title: "required is an array of names that properties has",
		Breaks: "clients refuse the tool, or ask a model for what it cannot give",
		Remedy: "Leave required out instead of null or of names that there are not."},
	Rule{ID: "M078", Severity: Error, Evidence: "C", Title: "schemas are valid JSON Schema",
		Breaks: "Claude's API answers 400: must match draft 2020-12; clients with a validator drop the tool",
		Remedy: "Check them against the metaschema of draft 2020-12."},
	Rule{ID: "M079", Severity: Note, Evidence: "C", Title: "arguments have no format",
		Breaks: "Gemini refuses formats that it does not know", Remedy: "Say the form in the description."},
	Rule{ID: "M080", Severity: Warning, Unless: "error if the specification forbids the name", Evidence: "C, S",
		Title:  "names are a letter, then letters, digits, _ and -",
		Breaks: "VS Code, Claude Code and LiteLLM refuse others, or rename the tool",
		Remedy: "Rename the tool, and keep the old name for a while."},
	Rule{ID: "M081", Severity: Warning, Evidence: "C", Title: "names have at most 40 characters",
		Breaks: "clients put mcp__server__ before, and models take 64", Remedy: "Shorten the name."},
	Rule{ID: "M082", Severity: Warning, Evidence: "C", Title: "no two names differ by case, - and _ alone",
		Breaks: "OpenAI Agents and others take them for one", Remedy: "Rename one."},
	Rule{ID: "M083", Severity: Note, Evidence: "A", Title: "every tool has a description",
		Breaks: "a model goes by it", Remedy: "Say what the tool does and when to use it."},
	Rule{ID: "M084", Severity: Warning, Evidence: "C", Title: "descriptions have at most 1,024 characters",
		Breaks: "OpenAI's API refuses longer ones; Claude Code cuts them", Remedy: "Shorten it."},
	Rule{ID: "M085", Severity: Note, Evidence: "A, C", Title: "there are instructions, of at most 2,048 characters",
		Breaks: "ChatGPT shows a model the first 512; Claude Code cuts at 2,048",
		Remedy: "Say in the first sentences what the server is for, and be brief."},
	Rule{ID: "M086", Severity: Note, Evidence: "D", Title: "the list has at most 20,000 characters",
		Breaks: "ChatGPT refused a list of more than 5,000 tokens; in other clients it takes the room of a " +
			"conversation",
		Remedy: "Publish fewer tools, and shorten descriptions and output schemas."},
	Rule{ID: "M087", Severity: Warning, Evidence: "C", Title: "the list is one page",
		Breaks: "Copilot CLI, the AI SDK and Factory read the first page alone", Remedy: "Answer all tools at once."},
	Rule{ID: "M088", Severity: Note, Evidence: "S",
		Title:  "an empty cursor means the first page, and one that was made up is answered -32602",
		Breaks: "clients that send \"\" or null",
		Remedy: "Treat \"\" and null as no cursor; answer -32602 to one that you did not issue."},
	Rule{ID: "M089", Severity: Warning, Evidence: "A",
		Title: "every tool says readOnlyHint, destructiveHint and openWorldHint",
		Breaks: "ChatGPT takes what is missing for the worst, asks before every call, and its directory refuses the " +
			"tool",
		Remedy: "Write all three, false included."},
	Rule{ID: "M090", Severity: Warning, Evidence: "S", Title: "no tool is both read-only and destructive",
		Breaks: "clients believe one or the other", Remedy: "Write the hint that is true."},
	Rule{ID: "M091", Severity: Note, Evidence: "A", Title: "every tool has a title",
		Breaks: "clients show people the name; Claude's directory wants a title", Remedy: "Write title."},
	Rule{ID: "M092", Severity: Warning, Evidence: "S", Title: "the list is the same when it is asked for again",
		Breaks: "models lose what they keep of the list, and pay for it again", Remedy: "Sort the tools."},
	Rule{ID: "M093", Severity: Note, Evidence: "D", Title: "the server does not announce changes of the list",
		Breaks: "clients keep a stream open, and ask again and again if there is none",
		Remedy: "Leave listChanged out if tools change with a new release only."},
	Rule{ID: "M094", Severity: Note, Evidence: "A", Title: "every tool says its securitySchemes",
		Breaks: "ChatGPT offers no sign-in at the tool, and asks for all scopes at once",
		Remedy: "Write [{\"type\": \"oauth2\", \"scopes\": […]}] at the tool and in its _meta."},
	Rule{ID: "M095", Severity: Error, Unless: "note if nothing could be made", Evidence: "S",
		Title:  "schemas admit something, and tell in bounded time what",
		Breaks: "no client can call the tool, or each gives up while it checks",
		Remedy: "Let bounds and values leave something; do not repeat combinations inside each other."},
	Rule{ID: "M096", Severity: Note, Evidence: "D", Title: "output schemas are open",
		Breaks: "clients that kept the list refuse results with a new member",
		Remedy: "Leave additionalProperties: false out of outputSchema."},
	Rule{ID: "M097", Severity: Note, Evidence: "C", Title: "input schemas are closed",
		Breaks: "models make up arguments", Remedy: "Write additionalProperties: false in inputSchema."},
)

var callRules = group("tools/call",
	Rule{ID: "M098", Severity: Error, Evidence: "S", Title: "a call that the schema allows is answered with a result",
		Breaks: "every client; a model is told of a broken connection, and tries again",
		Remedy: "Answer what the tool cannot do with isError and a text; keep 5xx and errors of the protocol for " +
			"faults."},
	Rule{ID: "M099", Severity: Note, Evidence: "A", Title: "a tool that answers structuredContent has an outputSchema",
		Breaks: "ChatGPT's model does not know what to expect", Remedy: "Declare outputSchema."},
	Rule{ID: "M100", Severity: Warning, Evidence: "C", Title: "arguments that are left out or null are {}",
		Breaks: "Cline sends none to tools without parameters", Remedy: "Read both as {}."},
	Rule{ID: "M101", Severity: Warning, Evidence: "C",
		Title:  "null for an optional argument means that it is not there",
		Breaks: "models fill in null, in Claude Code and others, and the call fails",
		Remedy: "Drop null before checking."},
	Rule{ID: "M102", Severity: Warning, Evidence: "C",
		Title:  "a number as a text is read, or refused by name",
		Breaks: "models write \"5\", and repeat it if they are not told",
		Remedy: "Read texts that are numbers or true and false; else name the argument."},
	Rule{ID: "M103", Severity: Warning, Evidence: "C", Title: "arguments that are a text are refused without a crash",
		Breaks: "models that send JSON as a text see a broken server", Remedy: "Answer isError, or -32602."},
	Rule{ID: "M104", Severity: Warning, Evidence: "C", Title: "an unknown argument is refused by name",
		Breaks: "a model believes that its filter counted, in every client",
		Remedy: "Answer isError with the name, and the names that there are."},
	Rule{ID: "M105", Severity: Warning, Evidence: "S, C", Title: "wrong arguments are a result with isError",
		Breaks: "clients show an error of the protocol to nobody, so that a model cannot mend its call",
		Remedy: "Answer isError with a text."},
	Rule{ID: "M106", Severity: Warning, Evidence: "S", Title: "an unknown tool is answered with the error -32602",
		Breaks: "clients with an old list do not ask for it again", Remedy: "Answer -32602."},
	Rule{ID: "M107", Severity: Note, Evidence: "D", Title: "the text of an error names the argument",
		Breaks: "a model tries again at random", Remedy: "Say which argument, why, and what to write instead."},
	Rule{ID: "M108", Severity: Warning, Evidence: "C", Title: "a result with isError has no structuredContent",
		Breaks: "clients hold it against outputSchema, and hide the error behind their own", Remedy: "Leave it out."},
	Rule{ID: "M109", Severity: Error, Evidence: "S, C",
		Title: "structuredContent is an object, as outputSchema says",
		Breaks: "the TypeScript SDK and clients built on it refuse the result; other versions than 2026-07-28 know " +
			"objects",
		Remedy: "Answer what the schema says, formats included; wrap arrays."},
	Rule{ID: "M110", Severity: Warning, Evidence: "C", Title: "content[0] has the same data as JSON text",
		Breaks: "Claude and Open WebUI show a model the text alone",
		Remedy: "Write the JSON of structuredContent there."},
	Rule{ID: "M111", Severity: Warning, Evidence: "C", Title: "a result is not empty",
		Breaks: "a model takes nothing for a failure", Remedy: "Answer {\"ok\": true}, or the object."},
	Rule{ID: "M112", Severity: Warning, Evidence: "C", Title: "a result has at most 100,000 characters",
		Breaks: "Claude Code cuts at 25,000 tokens; ChatGPT drops it", Remedy: "Answer pages of at most 50 items."},
	Rule{ID: "M113", Severity: Warning, Evidence: "S", Title: "unknown members of _meta are ignored",
		Breaks: "ChatGPT sends openai/…, others progressToken", Remedy: "Read only the members that you know."},
	Rule{ID: "M114", Severity: Error, Evidence: "S", Title: "a result of a call has the specification's types",
		Breaks: "the TypeScript SDK and all clients built on it refuse the result",
		Remedy: "Answer content as an array of text, image, audio, resource or resource_link, each with what it " +
			"needs, and isError as true or false or not at all."},
)

var widgetRules = group("widgets",
	Rule{ID: "M120", Severity: Warning, Evidence: "S",
		Title:  "an unknown resource is answered with an error that says so",
		Breaks: "hosts of widgets wait for one that is gone",
		Remedy: "Answer -32602 (-32002 before 2026-07-28), or -32601 if there are no resources."},
	Rule{ID: "M121", Severity: Error, Evidence: "S",
		Title:  "a tool's widget can be read: one content, its uri as asked for, ui://",
		Breaks: "every host shows nothing", Remedy: "Answer resources/read with the page as text."},
	Rule{ID: "M122", Severity: Error, Evidence: "S", Title: "a widget's mimeType is text/html;profile=mcp-app",
		Breaks: "hosts do not take it for a widget", Remedy: "Write it to the letter."},
	Rule{ID: "M123", Severity: Note, Evidence: "A", Title: "a widget says its csp",
		Breaks: "ChatGPT's directory asks for one; without, hosts allow nothing",
		Remedy: "Write _meta.ui.csp with connectDomains and resourceDomains, empty if there are none."},
	Rule{ID: "M124", Severity: Warning, Evidence: "C", Title: "a widget has no fixed domain",
		Breaks: "Claude stops showing it unless the domain is its own",
		Remedy: "Leave _meta.ui.domain out, or send it to ChatGPT alone."},
	Rule{ID: "M125", Severity: Warning, Evidence: "C",
		Title:  "a tool names its widget in ui.resourceUri, ui/resourceUri and openai/outputTemplate",
		Breaks: "claude.ai was seen to read the second alone, ChatGPT's older versions the third",
		Remedy: "Write all three into the tool's _meta."},
	Rule{ID: "M126", Severity: Warning, Evidence: "C", Title: "a widget loads nothing but from its resourceDomains",
		Breaks: "every host blocks it, and the widget stays blank",
		Remedy: "Put scripts, styles and pictures into the page."},
)
