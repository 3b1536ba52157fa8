package guestpass

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"guestpass/api"
	"guestpass/internal/credentials"
)

// checkSecrets refuses a secret that cannot be one, and secrets in options that pages, documents or the log show. It
// names the option, and never repeats its value.
func (o Options) checkSecrets() error {
	var faults []error
	if _, err := credentials.Secret.Check(o.Secret); err != nil {
		faults = append(faults, fmt.Errorf("the project's secret %w", err))
	}
	for _, shown := range []struct {
		option string
		text   string
	}{
		{"PublicURL", o.PublicURL}, {"ProjectID", o.ProjectID}, {"PublicToken", o.PublicToken}, {"Domain",
			o.Domain}, {"BaseURL", o.BaseURL},
		{"Scopes", fmt.Sprint(o.Scopes)},
		{"Operations", strings.Join(o.Operations, " ")}, {"Modules", strings.Join(o.Modules, " ")},
		{"ClientIDs", strings.Join(o.ClientIDs, " ")}, {"DocsClientID", o.DocsClientID}, {"Audience", o.Audience},
		{"LoginMethods", strings.Join(o.LoginMethods, " ")}, {"TokenHeaderMembers",
			strings.Join(o.TokenHeaderMembers, " ")},
		{"Login", strings.Join([]string{o.Login.URL, o.Login.ReturnParameter, o.Login.TokenProfile,
			o.Login.CookieDomain}, " ")},
		{"Title", o.Title}, {"Description", o.Description}, {"ContactEmail", o.ContactEmail}, {"PrivacyURL",
			o.PrivacyURL}, {"Version", o.Version}, {"Brand", o.Brand.Color + " " + o.Brand.Support},
		{"Words", fmt.Sprint(o.Words)},
		{"Emulator", o.Emulator}, {"SecretHint", o.SecretHint},
	} {
		if credentials.HasSecret(shown.text, o.hidden()...) {
			faults = append(faults, fmt.Errorf("%s holds a secret, and is shown to everybody", shown.option))
		}
	}
	return errors.Join(faults...)
}

// hidden returns the secrets that nothing may show: the project's, and those of connected apps except for one that the
// hint itself shows, in development.
func (o Options) hidden() []string {
	secrets := []string{o.Secret}
	for _, secret := range o.ClientSecrets {
		if !strings.Contains(o.SecretHint, secret) {
			secrets = append(secrets, secret)
		}
	}
	return secrets
}

// checkPublished is the last guard of pages and documents that are made once: it refuses one with a secret in it.
func (s *Server) checkPublished() error {
	pages := map[string][]byte{}
	if s.document != nil {
		pages["the document"] = s.document.JSON()
	}
	for path, page := range map[string]http.Handler{"/": s.site.Landing, "/docs": s.site.Docs,
		"/privacy": s.site.Privacy} {
		made := &heldReply{ResponseWriter: nobody{}}
		page.ServeHTTP(made, &http.Request{Method: http.MethodGet})
		pages[path] = made.body.Bytes()
	}
	for name, content := range pages {
		if s.hasSecret(content) {
			return fmt.Errorf("%s would show a secret", name)
		}
	}
	return nil
}

// nobody receives the header of a reply that is not sent.
type nobody struct{ http.ResponseWriter }

func (nobody) Header() http.Header { return http.Header{} }

// hasSecret reports whether a secret is in a page or document, however it is written.
func (s *Server) hasSecret(content []byte) bool {
	return bytes.Contains(content, []byte(s.options.Secret)) ||
		credentials.Holds(string(content), s.options.hidden()...)
}

// guarded is the last guard of pages that are made for each request: it does not send one that has a secret in it. So
// it makes the whole page before it sends any of it.
func (s *Server) guarded(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		made := &heldReply{ResponseWriter: w, status: http.StatusOK}
		next(made, r)
		if s.hasSecret(made.body.Bytes()) {
			s.log.ErrorContext(r.Context(), "a page is withheld: it had a secret in it", "path", r.URL.Path)
			api.WriteProblem(w, r, api.Problem{Status: http.StatusInternalServerError, Detail: "internal error"})
			return
		}
		w.WriteHeader(made.status)
		_, _ = made.body.WriteTo(w)
	})
}

// heldReply keeps status and body back; the header is the client's at once.
type heldReply struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (h *heldReply) WriteHeader(status int)            { h.status = status }
func (h *heldReply) Write(content []byte) (int, error) { return h.body.Write(content) }
