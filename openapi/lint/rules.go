package lint

import (
	"slices"
	"strings"
)

// Severity is what a broken rule leads to.
type Severity string

const (
	// Error: the import is refused, an operation is dropped, or calls certainly fail.
	Error Severity = "error"
	// Warning: a red line in the editor, a weaker result, or another client breaks.
	Warning Severity = "warning"
	// Note: it would be better otherwise.
	Note Severity = "note"
)

// A Rule is one thing that the GPT editor, the Actions runtime or another importer asks
// of a document, or of the server behind it.
type Rule struct {
	ID       string
	Severity Severity // some findings are milder or harder, as their text says
	Title    string   // what holds where the rule is kept
	Evidence string   // the editor's message M1 to M27 where there is one, and the class of what is known
	Why      string
	Remedy   string
	Fixed    bool // Fix does it
	Live     bool // shows on a running server or in the GPT editor only, so no finding names it
}

// Rules returns all rules in the order of their ids: those of the GPT editor, which begin with G, and those of others.
func Rules() []Rule { return slices.Concat(rules, importerRules) }

// Explain returns the rule of that id, in any letter case.
func Explain(id string) (Rule, bool) {
	for _, some := range [][]Rule{rules, importerRules} {
		if i := slices.IndexFunc(some, func(r Rule) bool { return strings.EqualFold(r.ID, id) }); i >= 0 {
			return some[i], true
		}
	}
	return Rule{}, false
}

var rules = []Rule{
	{ID: "G001", Severity: Error, Title: "openapi is 3.1.0", Evidence: "M1, C", Fixed: true,
		Why: "The editor takes 3.1.0 and 3.1.1 and refuses every other version; other importers compare with the " +
			"text 3.1.0.", Remedy: "Write \"openapi\": \"3.1.0\". A 3.0 document also needs nullable, " +
			"exclusiveMinimum and example rewritten."},
	{ID: "G002", Severity: Error, Title: "the document is JSON or YAML in UTF-8, each name once, public, answered " +
		"with 200, without redirect", Evidence: "B, I, T",
		Why: "OpenAI's servers fetch it without credentials. What cannot be read makes the editor do nothing, " +
			"without a message.",
		Remedy: "Serve the text itself at its address; look at the line that cannot be read."},
	{ID: "G003", Severity: Error, Title: "lists are lists, maps are maps, and nothing is null", Evidence: "M23, M24, D",
		Fixed:  true,
		Why:    "The validator calls .items() on whatever should be a map, and fails as a whole.",
		Remedy: "Leave out what is empty; give every member the type that OpenAPI 3.1 says."},
	{ID: "G004", Severity: Error, Title: "info has a title and a version, both texts", Evidence: "M2, D", Fixed: true,
		Why:    "The editor refuses the document. In YAML 1.0 is a number: quote it.",
		Remedy: "Write info.title and info.version as texts."},
	{ID: "G005", Severity: Note, Title: "info.description says when the API is relevant", Evidence: "A",
		Why:    "A model decides by it whether the action is of use at all.",
		Remedy: "Say in one or two sentences what can be done, and for whom."},
	{ID: "G006", Severity: Error, Title: "components.schemas is an object", Evidence: "M4, C", Fixed: true,
		Why:    "Without it the editor refuses the document, even if nothing refers to it.",
		Remedy: "Write \"components\": {\"schemas\": {}}."},
	{ID: "G007", Severity: Warning, Title: "the document has at most 100,000 bytes, indented and compact",
		Evidence: "D",
		Why:      "Nobody knows the limit; a document of 1.8 MB was refused. Beyond 800,000 bytes it is an error here.",
		Remedy:   "Publish fewer operations, shorten texts, drop examples."},
	{ID: "G008", Severity: Warning, Title: "no number is beyond 2^53", Evidence: "I", Fixed: true,
		Why:    "The editor reads and writes the document in JavaScript, which rounds it.",
		Remedy: "Leave the bound out, or describe the value as a string."},
	{ID: "G009", Severity: Warning, Title: "x-schema-hash names the document's content", Evidence: "A",
		Why:    "OpenAI stores a copy at import. Without a hash nobody sees that it is out of date.",
		Remedy: "Add x-schema-hash; Guestpass does."},
	{ID: "G010", Severity: Error, Title: "servers has an absolute URL", Evidence: "M5, C",
		Why:    "The editor does not know whom to call: Could not find a valid URL in `servers`.",
		Remedy: "Write servers: [{url: https://api.example.com}]."},
	{ID: "G011", Severity: Error, Title: "the server is https on a public lower-case host, without port, " +
		"credentials, query and variables", Evidence: "M6, C", Fixed: true,
		Why:    "The editor compares it with https:// and the lower-case host, and ignores every other.",
		Remedy: "Put the API behind https on port 443 of a public name."},
	{ID: "G012", Severity: Warning, Title: "there is one server", Evidence: "M7, C", Fixed: true,
		Why:    "The editor takes one and paints a red line for the others.",
		Remedy: "Keep the one that ChatGPT is to call."},
	{ID: "G013", Severity: Warning, Title: "paths begin with a slash, and neither they nor the server end in one or " +
		"have an empty segment", Evidence: "M12, D, I", Fixed: true,
		Why: "A path without its slash is skipped (an error); other slashes lead to redirects, which ChatGPT may not " +
			"follow.", Remedy: "Write /tasks, not tasks, /tasks/ or //tasks."},
	{ID: "G014", Severity: Warning, Title: "no path and no operation has servers", Evidence: "T", Fixed: true,
		Why:    "Importers ignore them and call the wrong host.",
		Remedy: "Remove them; use one server for all, or make a second action."},
	{ID: "G015", Severity: Warning, Title: "the server's host is the one that serves the document", Evidence: "I",
		Why:    "One host an action: the domain check and the people who trust the page look at one name.",
		Remedy: "Serve the document from the API's own host."},
	{ID: "G016", Severity: Warning, Title: "one document a host", Evidence: "B", Live: true,
		Why: "A GPT cannot have two actions on one domain.", Remedy: "Put all operations of a host into one document."},
	{ID: "G017", Severity: Error, Title: "nothing is merged by <<", Evidence: "B, T", Fixed: true,
		Why: "YAML 1.2 has no merging. The editor's parser (npm yaml) takes << for a name like others: what " +
			"should be merged is missing.",
		Remedy: "Write out what << merges, or let --fix do it."},
	{ID: "G020", Severity: Error, Title: "there are 1 to 30 operations", Evidence: "M9, C",
		Why: "The editor refuses more.", Remedy: "Publish those that a conversation needs; a GPT may have ten " +
			"actions on different hosts."},
	{ID: "G021", Severity: Warning, Title: "there are at most 15 operations", Evidence: "C",
		Why: "Models choose worse among many.", Remedy: "Leave out what a person would do in the app itself."},
	{ID: "G022", Severity: Error, Title: "methods are get, post, put, patch and delete", Evidence: "M11, D",
		Fixed: true,
		Why:   "The editor skips the others.", Remedy: "Remove head, options and trace."},
	{ID: "G023", Severity: Warning, Title: "get and post rather than put, patch and delete", Evidence: "D",
		Why: "PATCH is reported unreliable by one builder.", Remedy: "If calls of it fail, offer the same as POST."},
	{ID: "G024", Severity: Note, Title: "every operation has a parameters list, be it empty", Evidence: "C",
		Fixed: true,
		Why:   "One importer fails without.", Remedy: "Write \"parameters\": []."},
	{ID: "G025", Severity: Warning, Title: "a path has methods and nothing else", Evidence: "T", Fixed: true,
		Why: "LibreChat takes every member of a path for a method; the editor keeps parameters of a path, others do " +
			"not.", Remedy: "Write parameters and texts on each operation."},
	{ID: "G026", Severity: Warning, Title: "no callbacks, webhooks and links", Evidence: "I", Fixed: true,
		Why: "A GPT cannot be called, and its importers do not know them.", Remedy: "Remove them."},
	{ID: "G030", Severity: Error, Title: "every operation has an operationId of its own: a letter, then at most 63 " +
		"letters, digits and underscores", Evidence: "M10, C, I", Fixed: true,
		Why:    "It is the name by which the model calls the operation; without one it is dropped.",
		Remedy: "Name it verb first, as listTasks."},
	{ID: "G031", Severity: Warning, Title: "an operationId has at most 40 characters", Evidence: "C",
		Why: "Long names are cut in logs and confuse models.", Remedy: "Name it by verb and noun."},
	{ID: "G032", Severity: Error, Title: "summary and description of an operation have at most 300 characters each",
		Evidence: "M21, A", Fixed: true,
		Why:    "The editor refuses the document.",
		Remedy: "Say what it does and returns; the rest belongs into the parameters' texts or the GPT's instructions."},
	{ID: "G033", Severity: Warning, Title: "every operation has a summary and a description", Evidence: "T, A",
		Why: "A model chooses by them; LibreChat shows the summary.", Remedy: "Write both."},
	{ID: "G034", Severity: Warning, Title: "texts say what an operation does, not when to call it", Evidence: "A",
		Why:    "OpenAI asks for descriptions that do not press the model to call.",
		Remedy: "Leave out \"always call\", \"whenever\", \"must use\"."},
	{ID: "G035", Severity: Error, Title: "descriptions of parameters and properties have at most 700 characters",
		Evidence: "A", Fixed: true,
		Why: "The editor refuses the document.", Remedy: "Shorten it: meaning, unit, format, bounds."},
	{ID: "G036", Severity: Warning, Title: "every parameter and property of a request is described", Evidence: "A",
		Why: "A model guesses what is not said.", Remedy: "Say meaning, unit, format and default."},
	{ID: "G040", Severity: Error, Title: "no $ref stands for a parameter", Evidence: "M13, C", Fixed: true,
		Why: "The editor does not resolve it and drops the operation.", Remedy: "Write the parameter itself."},
	{ID: "G041", Severity: Warning, Title: "no parameter is a header or cookie", Evidence: "M14, C, A", Fixed: true,
		Why:    "A GPT sends none. A required one is an error: every call would fail.",
		Remedy: "Make it a query parameter or a property of the body, or leave it out."},
	{ID: "G042", Severity: Error, Title: "names are unique over path, query and body", Evidence: "M15, D, T",
		Why: "A call has one flat list of arguments; the operation is dropped.", Remedy: "Rename one of the two."},
	{ID: "G043", Severity: Error, Title: "a parameter has name, in and schema; a path parameter is required and in " +
		"the path, and the path has no other", Evidence: "M13, C", Fixed: true,
		Why:    "The editor drops the operation, or a literal {id} is called.",
		Remedy: "Declare exactly the names in braces, with required: true."},
	{ID: "G044", Severity: Warning, Title: "names are letters, digits and underscores", Evidence: "I, T",
		Why: "They become names of function arguments.", Remedy: "Write due_before, not due-before."},
	{ID: "G045", Severity: Warning, Title: "a parameter is a scalar or a list of scalars, described by schema",
		Evidence: "I",
		Why:      "How objects are written into a path or query is not known to Actions.",
		Remedy:   "Use several parameters, or a body."},
	{ID: "G046", Severity: Warning, Title: "no query parameter is a list", Evidence: "I",
		Why:    "Nobody knows whether ChatGPT writes a,b or repeats the name.",
		Remedy: "Accept commas, repetition and [], or take one text."},
	{ID: "G050", Severity: Error, Title: "a request body is application/json and nothing else", Evidence: "A, T",
		Fixed: true,
		Why:   "Actions send JSON only.", Remedy: "Take JSON; for files use openaiFileIdRefs."},
	{ID: "G051", Severity: Error, Title: "a request body is an object with properties, not a list, scalar or union",
		Evidence: "M16, C",
		Why:      "Its properties are the arguments; without them the operation is dropped.",
		Remedy: "Wrap it in an object with named properties; make of a union one object with an enum " +
			"that tells the cases apart."},
	{ID: "G052", Severity: Warning, Title: "no $ref stands for a request body", Evidence: "T", Fixed: true,
		Why: "LibreChat throws.", Remedy: "Write the body itself."},
	{ID: "G053", Severity: Warning, Title: "requests have no $ref", Evidence: "T", Fixed: true,
		Why:    "LibreChat leaves nested ones dangling in what the model sees.",
		Remedy: "Write the schemas where they are used."},
	{ID: "G054", Severity: Warning, Title: "no property is named $schema", Evidence: "T", Fixed: true,
		Why: "It becomes an argument that a model fills.", Remedy: "Remove it; in Huma set CreateHooks to nil."},
	{ID: "G055", Severity: Warning, Title: "get and delete have no body", Evidence: "I",
		Why: "Many servers and proxies drop it.", Remedy: "Use query parameters, or post."},
	{ID: "G056", Severity: Warning, Title: "requestBody says whether it is required", Evidence: "D", Fixed: true,
		Why: "Importers differ in the default.", Remedy: "Write required: true or false."},
	{ID: "G057", Severity: Warning, Title: "requests have no free-form maps and no untyped values", Evidence: "C",
		Why:    "An undeclared member fails with UnrecognizedKwargsError, even where additionalProperties is true.",
		Remedy: "Declare the members, take a list of objects with key and value, or JSON in a text."},
	{ID: "G058", Severity: Warning, Title: "objects are nested at most 3 deep in requests, 5 in responses",
		Evidence: "D",
		Why:      "Models fill and read deep structures badly.", Remedy: "Flatten it."},
	{ID: "G060", Severity: Warning, Title: "every operation says x-openai-isConsequential", Evidence: "A, T",
		Fixed:  true,
		Why:    "Left out, ChatGPT asks before all but GET, and LibreChat before none.",
		Remedy: "true for what writes, deletes, pays or sends; false for what reads."},
	{ID: "G061", Severity: Warning, Title: "what writes is consequential, and get is not", Evidence: "A",
		Why: "Consequential operations are confirmed every time, others can be allowed for good.",
		Remedy: "Set x-openai-isConsequential by what a call does. A POST that only searches may say " +
			"false."},
	{ID: "G070", Severity: Warning, Title: "every object has properties, be they none", Evidence: "M18, C", Fixed: true,
		Why:    "The editor paints a red line for each, in responses too.",
		Remedy: "Declare them, or write \"properties\": {}."},
	{ID: "G071", Severity: Error, Title: "every array says what its items are", Evidence: "M19, C",
		Why: "The document is refused.", Remedy: "Write items with a type."},
	{ID: "G072", Severity: Error, Title: "every schema has a type", Evidence: "D", Fixed: true,
		Why:    "The model cannot tell what to send, or what comes back.",
		Remedy: "Write one of string, integer, number, boolean, array, object."},
	{ID: "G073", Severity: Error, Title: "every $ref is found in #/components/schemas/", Evidence: "M17, C",
		Why:    "The editor puts an empty schema in its place, and drops a body made of one.",
		Remedy: "Correct the name; write external schemas into the document."},
	{ID: "G074", Severity: Error, Title: "no schema contains itself", Evidence: "M20, D", Fixed: true,
		Why:    "The editor refuses the document: Components section contains a circular dependency.",
		Remedy: "Give the inner one by its id, or cut it at a depth."},
	{ID: "G075", Severity: Warning, Title: "null is no type in requests", Evidence: "I, D", Fixed: true,
		Why: "Importers stumble over lists of types.", Remedy: "Write one type, and do not require the property."},
	{ID: "G076", Severity: Warning,
		Title:    "no oneOf, anyOf, allOf, not, discriminator, const, if and patternProperties",
		Evidence: "D", Fixed: true,
		Why:    "Importers read them differently or not at all.",
		Remedy: "Describe the one shape that is meant; write const as an enum of one."},
	{ID: "G077", Severity: Error, Title: "an enum has 1 to 50 values of one type", Evidence: "M3, D",
		Why:    "An empty one is refused; long ones fill the model's memory.",
		Remedy: "List the values, or take a string and describe it."},
	{ID: "G078", Severity: Warning, Title: "nothing stands beside $ref", Evidence: "D", Fixed: true,
		Why: "Importers ignore it.", Remedy: "Write the schema itself."},
	{ID: "G079", Severity: Warning, Title: "no encoded or binary values", Evidence: "A",
		Why: "Actions carry text only.", Remedy: "Use openaiFileIdRefs and openaiFileResponse for files."},
	{ID: "G080", Severity: Warning, Title: "what is required is declared, and defaults and examples fit their schema",
		Evidence: "I", Fixed: true,
		Why:    "A model follows the example; what is required but undeclared cannot be sent.",
		Remedy: "Correct the list or the value."},
	{ID: "G081", Severity: Note, Title: "no readOnly in requests, no writeOnly in responses", Evidence: "I",
		Why:    "Importers do not know the keywords, so a model sends what is ignored.",
		Remedy: "Use a schema for requests and one for responses."},
	{ID: "G082", Severity: Warning, Title: "property names differ by more than letter case and have no $, dot or space",
		Evidence: "I",
		Why:      "They become names of function arguments.", Remedy: "Rename them."},
	{ID: "G090", Severity: Warning, Title: "every operation has a 2xx response that is a JSON object", Evidence: "A, C",
		Why:    "A model cannot tell what happened from anything else.",
		Remedy: "Return an object, as {\"items\": […], \"next_cursor\": …} or {\"ok\": true}."},
	{ID: "G091", Severity: Warning, Title: "no default and no application/problem+json responses", Evidence: "T, I",
		Fixed:  true,
		Why:    "They add nothing that the model reads, and their schemas are validated all the same.",
		Remedy: "Leave them out of this document; answer errors as JSON with a hint all the same."},
	{ID: "G092", Severity: Warning, Title: "a list takes limit with a maximum, and cursor", Evidence: "A",
		Why: "A response has at most 100,000 characters, or ChatGPT shows ResponseTooLargeError.",
		Remedy: "Add limit (integer, maximum, default) and cursor, and return " +
			"next_cursor."},
	{ID: "G093", Severity: Warning, Title: "no 204", Evidence: "I",
		Why: "A model takes an empty answer for a failure.", Remedy: "Return {\"ok\": true} with 200."},
	{ID: "G094", Severity: Warning, Title: "responses are data, not prose, HTML or base64", Evidence: "A", Live: true,
		Why: "A model writes the prose itself; markup fills its memory.", Remedy: "Return fields."},
	{ID: "G095", Severity: Error, Title: "the server answers within 40 s", Evidence: "A", Live: true,
		Why: "ChatGPT gives up after 45 s.", Remedy: "Set a deadline; return a handle for long work."},
	{ID: "G096", Severity: Warning,
		Title:    "bodies up to 100,000 characters are taken, larger ones answered with 413 as JSON",
		Evidence: "A", Live: true,
		Why: "ChatGPT sends up to 100,000.", Remedy: "Set the limit above."},
	{ID: "G097", Severity: Warning, Title: "neither the API nor the document redirects", Evidence: "I", Live: true,
		Why: "Whether ChatGPT follows is not known.", Remedy: "Serve canonical paths."},
	{ID: "G098", Severity: Warning,
		Title:    "401 comes with WWW-Authenticate: Bearer, 429 with Retry-After, both as JSON",
		Evidence: "A, I", Live: true,
		Why: "ChatGPT offers to sign in again, and waits.", Remedy: "Set the headers."},
	{ID: "G100", Severity: Warning, Title: "there is at most one security scheme", Evidence: "M8, C",
		Why:    "The editor supports one an action; of several, connectors use the first.",
		Remedy: "Keep the one that is to be used."},
	{ID: "G101", Severity: Error, Title: "security is a list of objects that name schemes which exist",
		Evidence: "M24, D", Fixed: true,
		Why:    "The editor refuses anything else.",
		Remedy: "Write [{\"oauth2\": [\"tasks:read\"]}], or [] for a public operation."},
	{ID: "G102", Severity: Warning, Title: "the scheme is OAuth with an authorization code, http bearer or basic, or " +
		"an API key in a header", Evidence: "A",
		Why: "The editor offers nothing else.", Remedy: "Use the authorization code flow."},
	{ID: "G103", Severity: Warning, Title: "public operations say security: []", Evidence: "A",
		Why:    "Otherwise ChatGPT asks people to sign in first.",
		Remedy: "Write an empty list where no sign-in is needed."},
	{ID: "G110", Severity: Error, Title: "authorization URL, token URL and server share a registrable domain",
		Evidence: "M25, C, A",
		Why:      "The editor refuses to save; only OAuth hosts of Google, Microsoft and Adobe are exempt.",
		Remedy: "Forward the token endpoint on the API's own host, as Guestpass does, or use a custom " +
			"domain of the identity provider."},
	{ID: "G111", Severity: Error, Title: "both OAuth URLs are https and complete", Evidence: "M26, D",
		Why: "The editor shows Error saving draft.", Remedy: "Write both in full."},
	{ID: "G112", Severity: Warning, Title: "the scheme lists its scopes, and describes them", Evidence: "D",
		Why: "The builder copies them from there.", Remedy: "List every scope that an operation needs."},
	{ID: "G113", Severity: Error, Title: "both callback hosts are registered", Evidence: "A", Live: true,
		Why:    "ChatGPT comes back to chat.openai.com or to chatgpt.com.",
		Remedy: "Register both with the identity provider."},
	{ID: "G114", Severity: Error, Title: "the authorization page wants no PKCE, ignores unknown parameters and " +
		"echoes a state of 2,048 characters", Evidence: "C", Live: true,
		Why: "ChatGPT sends no code_challenge.", Remedy: "Register a confidential client."},
	{ID: "G115", Severity: Error, Title: "the token endpoint takes a form, with the secret in it or as Basic, and " +
		"answers a bearer token with expires_in and a refresh token", Evidence: "A, B", Live: true,
		Why: "That is what ChatGPT sends and reads.", Remedy: "Try it with guestpass try."},
	{ID: "G116", Severity: Warning, Title: "offline_access is among the scopes", Evidence: "A",
		Why:    "Without a refresh token people sign in again every hour.",
		Remedy: "Add it to the scheme and to the editor's field Scope."},
	{ID: "G117", Severity: Warning, Title: "no secret is a query parameter", Evidence: "D",
		Why: "The approval prompt shows it, and logs keep it.", Remedy: "Leave it to OAuth; if it is none, rename it."},
	{ID: "G120", Severity: Warning, Title: "the privacy policy is an https URL", Evidence: "M27, B",
		Why: "A GPT cannot be shared without one.", Remedy: "Write it in full."},
	{ID: "G121", Severity: Note, Title: "workspaces allow the domain", Evidence: "A", Live: true,
		Why:    "A workspace's allow-list may be empty, and then no action runs.",
		Remedy: "Ask its owner to add the host."},
	{ID: "G130", Severity: Warning, Title: "openaiFileIdRefs is an array of strings in the body of a post, and says " +
		"kind and number", Evidence: "A",
		Why:    "ChatGPT passes files by this name only.",
		Remedy: "Declare it so, and decode objects with name, id, mime_type and download_link."},
	{ID: "G131", Severity: Warning, Title: "openaiFileResponse is an array at the top of a response", Evidence: "A",
		Why: "ChatGPT takes files from there only.", Remedy: "Return at most 10 files of at most 10 MB."},
	{ID: "G140", Severity: Warning, Title: "the GPT's instructions have at most 8,000 characters and name every " +
		"operation", Evidence: "C", Live: true,
		Why: "The editor cuts them.", Remedy: "Use those that guestpass gpt prints."},
	{ID: "G150", Severity: Warning, Title: "LibreChat imports and calls it", Evidence: "T", Live: true,
		Why: "It is the one importer that can be run here.", Remedy: "Run Guestpass's acceptance test."},
	{ID: "G160", Severity: Warning, Title: "tools of the MCP server are the operations", Evidence: "A", Live: true,
		Why: "Custom GPTs are being retired; MCP servers replace them.", Remedy: "Derive both from one declaration."},
}
