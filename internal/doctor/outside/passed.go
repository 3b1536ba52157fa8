package outside

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"guestpass/internal/doctor"
)

// What only the server itself answers: a proxy in front may keep it from some paths, or from some headers.

// missing reports whether the server itself says that there is nothing at a path. A proxy, or the page that it shows
// instead, says it in another form.
func (a *answer) missing() bool {
	return a.StatusCode == http.StatusNotFound && a.kind() == "application/problem+json"
}

// what says in a few words what an answer is.
func (a *answer) what() string {
	if kind := a.kind(); kind != "" {
		return fmt.Sprintf("%s, as %s", a.Status, kind)
	}
	return a.Status
}

const passEverything = "have the proxy in front pass every path through to Guestpass" // #nosec G101 -- no password

// signInPath is that of the page to which the authorization server sends people. Scripts of its own lie below it.
const (
	signInPath   = "/idp"
	signInScript = signInPath + "/assets/idp.js"
	signInStyle  = "/assets/guestpass.css" // which the page names
)

var signInCheck = doctor.Check[*visit]{Name: "sign-in", Asks: "do the sign-in page and the token endpoint answer?",
	Remedy: passEverything,
	Look: func(ctx context.Context, v *visit) doctor.Finding {
		if f := v.lookAtPage(ctx); f.Fails() {
			return f
		}
		token, err := v.tokenURL(ctx)
		switch {
		case err != nil:
			return doctor.Well("the sign-in page answers; no document says where the token endpoint is")
		case !strings.HasPrefix(token, v.Origin+"/"):
			return doctor.Well("the sign-in page answers; the token endpoint is not of this server: %s", token)
		}
		return v.lookAtTokenEndpoint(ctx, token)
	}}

func (v *visit) lookAtPage(ctx context.Context) doctor.Finding {
	for _, part := range []struct{ path, kind, has, what string }{
		{signInPath, "text/html", signInStyle, "the sign-in page"},
		{signInScript, "text/javascript", "", "a script of the sign-in page"},
		{signInStyle, "text/css", "", "the style of the sign-in page"},
	} {
		got, err := v.get(ctx, v.Origin+part.path)
		switch {
		case err != nil:
			return doctor.Wrong("%s%s cannot be read: %v", v.Origin, part.path, err)
		case got.kind() != part.kind || !strings.Contains(string(got.body), part.has):
			return doctor.Wrong("%s%s is answered with %s, and not by Guestpass", v.Origin, part.path, got.what()).
				Expecting("%s", part.what)
		}
	}
	return doctor.Well("the sign-in page answers")
}

// lookAtTokenEndpoint sends a request with nothing in it, which the endpoint refuses as OAuth has it.
func (v *visit) lookAtTokenEndpoint(ctx context.Context, address string) doctor.Finding {
	got, err := v.ask(ctx, http.MethodPost, address, "", "Content-Type", "application/x-www-form-urlencoded")
	if err != nil {
		return doctor.Wrong("the token endpoint %s cannot be asked: %v", address, err)
	}
	var refusal struct {
		Error string `json:"error"`
	}
	if !isJSON(got) || json.Unmarshal(got.body, &refusal) != nil || refusal.Error == "" {
		return doctor.Wrong("the token endpoint %s is answered with %s, and not by Guestpass", address, got.what()).
			Expecting("an error of OAuth (RFC 6749 section 5.2) to an empty request")
	}
	return doctor.Well("the sign-in page and the token endpoint answer")
}

// A declaration is what is of interest here of an OpenAPI document.
type declaration struct {
	Paths      map[string]map[string]json.RawMessage `json:"paths"`
	Components struct {
		SecuritySchemes map[string]struct {
			Flows struct {
				AuthorizationCode struct {
					TokenURL string `json:"tokenUrl"`
				} `json:"authorizationCode"`
			} `json:"flows"`
		} `json:"securitySchemes"`
	} `json:"components"`
}

func (v *visit) declared(ctx context.Context) (d declaration, err error) {
	err = v.read(ctx, v.Origin+documentPath, &d)
	return d, err
}

// tokenURL returns the token endpoint that the document declares.
func (v *visit) tokenURL(ctx context.Context) (string, error) {
	d, err := v.declared(ctx)
	if err != nil {
		return "", err
	}
	for _, scheme := range d.Components.SecuritySchemes {
		if address := scheme.Flows.AuthorizationCode.TokenURL; address != "" {
			return address, nil
		}
	}
	return "", errors.New("the document declares none")
}

// guardedPath returns the path of the first operation that reads, needs a token, and has nothing to be filled in; ""
// if there is none.
func (d declaration) guardedPath() string {
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		var operation struct {
			Security []map[string][]string `json:"security"`
		}
		open := func(scheme map[string][]string) bool { return len(scheme) == 0 }
		if strings.Contains(path, "{") || json.Unmarshal(d.Paths[path]["get"], &operation) != nil ||
			len(operation.Security) == 0 || slices.ContainsFunc(operation.Security, open) {
			continue
		}
		return path
	}
	return ""
}

// noToken is in the form of a token, and none.
const noToken = "guestpass-doctor" // #nosec G101 -- no token

var authorizationCheck = doctor.Check[*visit]{Name: "authorization-header", Asks: "do tokens reach the server?",
	Remedy: "have the proxy in front pass the header Authorization, and WWW-Authenticate of answers, as they are",
	Look: func(ctx context.Context, v *visit) doctor.Finding {
		var looked []string
		for _, path := range v.guardedPaths(ctx) {
			f := v.lookAtChallenges(ctx, path)
			if f.Fails() {
				return f
			}
			if f.Severity == doctor.OK {
				looked = append(looked, path)
			}
		}
		if len(looked) == 0 {
			return doctor.NotLooked("nothing is known here that needs a token; see document and mcp")
		}
		return doctor.Well("what is sent as a token reaches %s", strings.Join(looked, " and "))
	}}

func (v *visit) guardedPaths(ctx context.Context) (paths []string) {
	if d, err := v.declared(ctx); err == nil {
		if path := d.guardedPath(); path != "" {
			paths = append(paths, path)
		}
	}
	return append(paths, mcpPath)
}

// ping is a message of MCP that asks for nothing.
const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`

// lookAtChallenges compares what the server says to nobody's token with what it says to none.
func (v *visit) lookAtChallenges(ctx context.Context, path string) doctor.Finding {
	ask := func(headers ...string) (*answer, error) {
		if path == mcpPath {
			return v.ask(ctx, http.MethodPost, v.Origin+path, ping, append(headers, "Content-Type", "application/json",
				"Accept", "application/json, text/event-stream")...)
		}
		return v.get(ctx, v.Origin+path, headers...)
	}
	without, err := ask()
	if err != nil {
		return doctor.Wrong("%s%s cannot be read: %v", v.Origin, path, err)
	}
	const expected = "401 with a Bearer challenge"
	challenged := func(a *answer) bool {
		return a.StatusCode == http.StatusUnauthorized && strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer ")
	}
	switch {
	case !challenged(without) && path == mcpPath: // it need not be there
		return doctor.NotLooked("see mcp")
	case !challenged(without):
		return doctor.Wrong("%s%s is answered with %s where no token is sent", v.Origin, path, without.what()).
			Expecting(expected).MendedBy(passEverything)
	}
	with, err := ask("Authorization", "Bearer "+noToken)
	switch {
	case err != nil:
		return doctor.Wrong("%s%s cannot be read: %v", v.Origin, path, err)
	case !challenged(with):
		return doctor.Wrong("%s%s is answered with %s where a token is sent that is none", v.Origin, path, with.what()).
			Expecting(expected + ` and error="invalid_token"`)
	case !strings.Contains(with.Header.Get("WWW-Authenticate"), `error="invalid_token"`):
		return doctor.Wrong("%s%s answers to a token as if there were none: the header Authorization is lost on the "+
			"way", v.Origin, path).Expecting(expected + ` and error="invalid_token"`)
	}
	return doctor.Well("")
}

// withoutServer is the finding where nobody speaks MCP.
func (v *visit) withoutServer(ctx context.Context) doctor.Finding {
	got, err := v.get(ctx, v.Origin+mcpPath)
	switch {
	case err != nil:
		return doctor.Wrong("%s%s cannot be read: %v", v.Origin, mcpPath, err)
	case got.missing():
		return doctor.NotLooked("the server speaks no MCP at %s (GUESTPASS_MCP=off)", mcpPath)
	}
	return doctor.Wrong("%s%s is answered with %s, and not by Guestpass", v.Origin, mcpPath, got.what()).
		MendedBy(passEverything)
}
