package api

import (
	"mime"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
)

// checkMedia refuses with 415 a body that would be read as what it is not: compressed, in
// another character set than UTF-8, or no JSON. The header that goes with it says what is
// accepted (RFC 9110 section 15.5.16). Without a Content-Type a body counts as JSON.
func (s *Service) checkMedia(ctx huma.Context, next func(huma.Context)) {
	if ctx.Operation().RequestBody == nil {
		next(ctx)
		return
	}
	request, _ := humachi.Unwrap(ctx)
	name, accepted, message := "", "", ""
	switch {
	case !plain(request.Header.Values("Content-Encoding")):
		name, accepted = "Accept-Encoding", "identity"
		message = "the body is compressed (Content-Encoding); send it as it is"
	default:
		name, accepted = "Accept", "application/json"
		message = mediaFault(request.Header.Values("Content-Type"))
	}
	if message == "" {
		next(ctx)
		return
	}
	ctx.SetHeader(name, accepted)
	s.refuse(ctx, &Problem{Status: http.StatusUnsupportedMediaType, Detail: message})
}

// plain reports whether nothing was done to a body; identity is the word for that.
func plain(codings []string) bool {
	for coding := range strings.SplitSeq(strings.Join(codings, ","), ",") {
		if coding = strings.TrimSpace(coding); coding != "" && !strings.EqualFold(coding, "identity") {
			return false
		}
	}
	return true
}

// mediaFault returns what is wrong with a body's type, "" if nothing is.
func mediaFault(types []string) string {
	switch {
	case len(types) == 0 || len(types) == 1 && types[0] == "":
		return ""
	case len(types) > 1:
		return "Content-Type is given more than once; send it once"
	}
	kind, details, err := mime.ParseMediaType(types[0])
	switch {
	case err != nil:
		return "Content-Type cannot be read; say application/json"
	case kind != "application/json" && !(strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json")):
		return "the body is not JSON, as its Content-Type says"
	case details["charset"] != "" && !strings.EqualFold(details["charset"], "utf-8"):
		return "the body is in another character set than UTF-8, as its Content-Type says"
	}
	return ""
}
