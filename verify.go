package guestpass

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"guestpass/api"
	"guestpass/auth"
)

// Bounds of what /verify is asked; docs/security.md lists them.
const (
	maxQuestion  = 2000 // bytes of the query, without the path of Envoy's
	maxAskedFor  = 10   // scopes
	keysFreshFor = 5 * time.Minute
)

// A question is what a proxy asks of /verify about a request.
type question struct {
	scopes []string // all of them are needed
	effect api.Effect
}

// buildVerify prepares what /verify and [Server.Require] need.
func (s *Server) buildVerify() (err error) {
	if err := s.checkScopes(); err != nil {
		return err
	}
	s.accesses = s.knownAccesses()
	s.signer, err = auth.NewSigner(s.options.key("identity statements"), s.options.PublicURL,
		s.options.PublicURL+verifyPath)
	return err
}

// knownAccesses returns what each scope stands for, by its name: several accesses if operations declare it with
// different permissions. It leaves out offline_access, which permits nothing.
func (s *Server) knownAccesses() map[string][]auth.Access {
	known := map[string][]auth.Access{}
	for _, name := range []string{"openid", "profile", "email"} {
		known[name] = []auth.Access{auth.Scope(name)}
	}
	for _, op := range s.service.Operations() {
		name := op.Access.ScopeName()
		if name != "" && !slices.Contains(known[name], op.Access) {
			known[name] = append(known[name], op.Access)
		}
	}
	for _, scope := range s.options.Scopes {
		known[scope.Name] = []auth.Access{auth.Scope(scope.Name)}
	}
	return known
}

// verify tells a proxy whether it may pass a request on, and who sent it. It checks the token as an operation does, for
// the scopes in the query. It treats all methods alike: some proxies ask with the method of the request.
func (s *Server) verify(w http.ResponseWriter, r *http.Request) {
	asked, err := s.readQuestion(r.URL.RawQuery)
	if err != nil {
		s.log.InfoContext(r.Context(), "the question of a proxy was refused", "problem", err)
		api.WriteProblem(w, r, api.Problem{Status: http.StatusBadRequest, Detail: err.Error(),
			Hint: "Whoever set up the proxy has to correct the address by which it asks."})
		return
	}
	var needed []auth.Access
	for _, name := range asked.scopes {
		needed = append(needed, s.accesses[name]...)
	}
	ctx, refused := s.service.Authorize(r, asked.effect, needed...)
	if refused != nil {
		refused.Send(w)
		return
	}
	identity := auth.From(ctx)
	statement, err := s.signer.Sign(auth.Statement{Identity: identity, Scopes: asked.scopes,
		Effect: asked.effect.String()}, s.options.Now())
	if err != nil {
		s.log.ErrorContext(ctx, "no statement on the caller", "error", err)
		api.WriteProblem(w, r, api.Problem{Status: http.StatusInternalServerError, Detail: "internal error"})
		return
	}
	// Each header is set, if need be to nothing: some proxies replace only the headers that they get.
	for name, value := range map[string]string{"Subject": identity.Subject, "Organization": identity.OrganizationID,
		"Client": identity.ClientID, "Scopes": strings.Join(asked.scopes, " "), "Identity": statement} {
		w.Header().Set("X-Guestpass-"+name, value)
	}
	w.Header().Set("Cache-Control", "no-store, private")
	w.WriteHeader(http.StatusNoContent)
}

// readQuestion takes a query apart. Anything that it does not understand is an error, so that it never checks less than
// was meant. Envoy appends path and query of the request to the address that it asks: everything after &path= is the
// client's, and is not read.
func (s *Server) readQuestion(query string) (asked question, err error) {
	query, _, _ = strings.Cut(query, "&path=")
	if len(query) > maxQuestion {
		return asked, fmt.Errorf("the query has more than %d bytes", maxQuestion)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return asked, errors.New("the query is malformed")
	}
	for name := range values {
		if name != "scope" && name != "effect" {
			return asked, errors.New("the query has a parameter that does not exist: there are scope and effect, and " +
				"path behind them")
		}
	}
	if asked.effect, err = readEffect(values["effect"]); err != nil {
		return asked, err
	}
	asked.scopes, err = s.readScopes(values["scope"])
	return asked, err
}

// readEffect returns Write unless the query says otherwise, since more is checked before a write.
func readEffect(values []string) (api.Effect, error) {
	switch {
	case len(values) == 0:
		return api.Write, nil
	case len(values) > 1:
		return 0, errors.New("the query has more than one effect")
	}
	for _, effect := range []api.Effect{api.Read, api.Write, api.Destroy} {
		if values[0] == effect.String() {
			return effect, nil
		}
	}
	return 0, errors.New("effect must be read, write or destroy")
}

func (s *Server) readScopes(values []string) (scopes []string, err error) {
	if len(values) == 0 {
		return nil, errors.New("the query does not say which scope the request needs: add scope=NAME")
	}
	for _, name := range strings.Split(strings.Join(values, " "), " ") {
		switch {
		case !api.IsScopeName(name):
			return nil, errors.New("scope is malformed: write names with one blank (%20) between two")
		case s.accesses[name] == nil:
			return nil, fmt.Errorf("there is no scope %s here: GUESTPASS_SCOPES declares those of an application", name)
		case !slices.Contains(scopes, name):
			scopes = append(scopes, name)
		}
	}
	if len(scopes) > maxAskedFor {
		return nil, fmt.Errorf("scope names more than %d scopes", maxAskedFor)
	}
	return scopes, nil
}

// verifyKeys serves the keys by which an application verifies what /verify signs.
func (s *Server) verifyKeys(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(keysFreshFor.Seconds())))
	_, _ = w.Write(s.signer.Keys())
}
