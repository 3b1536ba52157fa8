package mcptest

import (
	"cmp"
	"time"
)

// A Profile is how one client behaves where clients differ. The zero value follows the specification. None of them
// sends Origin, as none calls from a page (assumed). To all of them a 403 is an answer, not a reason to sign in again
// (assumed: nothing is known of ChatGPT).
type Profile struct {
	// Name is a short one: chatgpt. Title is what the client registers as.
	Name, Title string
	// UserAgent is sent with each request.
	UserAgent string
	// Accept is sent with each message.
	Accept string

	// Metadata are the places where the protected-resource metadata is looked for, in this order. None means
	// the challenge's, the path form and the root form.
	Metadata []Place
	// IgnoresChallengeScope asks for scopes_supported whatever scope the challenge names.
	IgnoresChallengeScope bool
	// OpenIDScopes asks for openid, email and profile too, if the authorization server lists them.
	OpenIDScopes bool
	// OmitsOfflineAccess does not ask for offline_access where the authorization server lists it.
	OmitsOfflineAccess bool
	// OmitsResource sends no resource (RFC 8707).
	OmitsResource bool
	// OnlyRegisters never uses a metadata document as its client id.
	OnlyRegisters bool
	// AcceptsUnadvertisedIss takes an iss that is right although the metadata does not announce one. A wrong one
	// is always refused.
	AcceptsUnadvertisedIss bool
	// Tolerant goes on where some clients stop: for who has the defect from elsewhere, and wants to see more. An iss
	// is never tolerated.
	Tolerant bool
	// RedirectURI is the client's own; nobody else can be returned to there.
	RedirectURI string
	// LoopbackPath is the path of the loopback address that takes its place in tests: "/callback".
	LoopbackPath string

	// Modern begins with server/discover, of 2026-07-28, and falls back on initialize.
	Modern bool
	// InitializesEveryCall sends initialize before each tools/call of the earlier era.
	InitializesEveryCall bool
	// OpensStream sends GET after notifications/initialized.
	OpensStream bool

	// RenewsAfterAny401 renews the token after a 401 that does not say invalid_token.
	RenewsAfterAny401 bool
	// ReadsToolChallenge takes _meta["mcp/www_authenticate"] of a result for a challenge.
	ReadsToolChallenge bool
	// SignInTime bounds a request for metadata, a registration or a token; CallTime bounds a message.
	SignInTime, CallTime time.Duration
}

// Place is one where protected-resource metadata can be.
type Place string

// The places of RFC 9728.
const (
	InChallenge Place = "challenge" // where resource_metadata of WWW-Authenticate says
	PathForm    Place = "path"      // /.well-known/oauth-protected-resource/mcp
	RootForm    Place = "root"      // /.well-known/oauth-protected-resource
)

const (
	acceptBoth     = "application/json, text/event-stream"
	defaultTime    = 30 * time.Second
	claudeTime     = 10 * time.Second
	chatGPTCalling = 60 * time.Second
)

// ChatGPT returns the profile of ChatGPT with a custom MCP server.
func ChatGPT() Profile {
	return Profile{
		Name: "chatgpt", Title: "ChatGPT",
		// documented: without RFC 9207
		RedirectURI: "https://chatgpt.com/connector/oauth/{callback_id}",

		UserAgent:             "Python/3.12 aiohttp/3.13.5", // measured
		Metadata:              []Place{PathForm},            // measured: never the root form
		IgnoresChallengeScope: true,                         // documented: scopes_supported, and the tools'
		OpenIDScopes:          true,                         // documented; offline_access was measured
		Modern:                true,                         // measured
		InitializesEveryCall:  true,                         // reported
		ReadsToolChallenge:    true,                         // documented
		CallTime:              chatGPTCalling,               // reported
	}
}

// Claude returns the profile of Claude on the web, desktop and mobile, which all call from Anthropic's servers.
func Claude() Profile {
	return Profile{
		Name: "claude", Title: "Claude",
		// documented
		RedirectURI: "https://claude.ai/api/mcp/auth_callback",

		UserAgent:         "Claude-User", // assumed
		OmitsResource:     true,          // reported
		OpensStream:       true,          // measured of the official SDKs for TypeScript
		RenewsAfterAny401: true,          // documented
		SignInTime:        claudeTime,    // documented
	}
}

// VSCode returns the profile of Visual Studio Code on a desktop.
func VSCode() Profile {
	return Profile{
		Name: "vscode", Title: "Visual Studio Code",
		// documented; another port where that is taken
		RedirectURI: "http://127.0.0.1:33418/", LoopbackPath: "/",

		UserAgent:     "node", // assumed
		OnlyRegisters: true,   // documented: it registers, or asks for a client id
		OpensStream:   true,   // measured of the official SDKs for TypeScript
	}
}

// Profiles returns all that there are.
func Profiles() []Profile { return []Profile{ChatGPT(), Claude(), VSCode()} }

func (p Profile) withDefaults() Profile {
	p.Title = cmp.Or(p.Title, "MCP test client")
	p.UserAgent = cmp.Or(p.UserAgent, "mcptest")
	p.Accept = cmp.Or(p.Accept, acceptBoth)
	p.LoopbackPath = cmp.Or(p.LoopbackPath, "/callback")
	p.SignInTime = cmp.Or(p.SignInTime, defaultTime)
	p.CallTime = cmp.Or(p.CallTime, defaultTime)
	if len(p.Metadata) == 0 {
		p.Metadata = []Place{InChallenge, PathForm, RootForm}
	}
	return p
}
