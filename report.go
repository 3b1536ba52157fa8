package guestpass

import (
	"errors"
	"io"
	"net/http"

	"guestpass/api"
	"guestpass/internal/idp"
)

// maxReport is more than the length of any word that counts, in bytes.
const maxReport = 64

// report serves POST /idp/report, where the sign-in page's script tells what it alone can see of Stytch. The body is
// one word; the answer is the reference under which it is in the log, or nothing.
func (s *Server) report(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, detail string) { api.WriteProblem(w, r, api.Problem{Status: status, Detail: detail}) }
	site := r.Header.Get("Sec-Fetch-Site")
	if site != "same-origin" && (site != "" || r.Header.Get("Origin") != s.options.PublicURL) {
		refuse(http.StatusForbidden, "reports come from the sign-in page only")
		return
	}
	word, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxReport))
	reference := ""
	if err == nil {
		reference, err = s.provider.Report(r, string(word))
	}
	switch {
	case err == nil:
		w.Header().Set("Cache-Control", "no-store")
		if reference == "" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, reference)
	case errors.Is(err, idp.ErrTooManyReports):
		w.Header().Set("Retry-After", "60")
		refuse(http.StatusTooManyRequests, "too many reports")
	default:
		refuse(http.StatusBadRequest, "no such reason")
	}
}
