package auth

import (
	"errors"
	"net/http"
	"slices"
	"strings"
)

// Refused reports whether err is a judgement of this package, so that [Challenge] has an answer to it.
func Refused(err error) bool {
	return slices.ContainsFunc(judgements, func(sentinel error) bool { return errors.Is(err, sentinel) })
}

var judgements = []error{ErrNoToken, ErrInvalidToken, ErrInsufficientScope, ErrInsufficientRole, ErrInvalidRequest,
	ErrUnavailable}

// Challenged has what a refusal tells a client about the tokens that it should have. It comes from
// configuration and declarations, and from the scopes of a good token, never from a request.
type Challenged struct {
	ResourceMetadata string   // URL of the RFC 9728 document; "": none is named
	Needed           []string // scopes to ask for where those of the token are not enough
	Offered          []string // scopes to ask for where there is no good token; nil: none are named
}

// Challenge returns the status and the WWW-Authenticate value for an error of this
// package (RFC 6750 section 3, RFC 9728 section 5.1); the header is "" for
// [ErrUnavailable], and for [ErrInsufficientRole]: a client that is challenged asks for another
// token, and none would help. The description is one constant: why a token was refused is
// nobody's business but the log's.
func Challenge(err error, told Challenged) (status int, header string) {
	metadata, offered := "", ""
	if told.ResourceMetadata != "" {
		metadata = `, resource_metadata="` + told.ResourceMetadata + `"`
	}
	if told.Offered != nil {
		offered = `, scope="` + strings.Join(told.Offered, " ") + `"`
	}
	switch {
	case errors.Is(err, ErrUnavailable):
		return http.StatusServiceUnavailable, ""
	case errors.Is(err, ErrInvalidRequest):
		return http.StatusBadRequest, `Bearer realm="api", error="invalid_request"` + metadata
	case errors.Is(err, ErrInsufficientRole):
		return http.StatusForbidden, ""
	case errors.Is(err, ErrInsufficientScope):
		return http.StatusForbidden, `Bearer realm="api", error="insufficient_scope", scope="` +
			strings.Join(told.Needed, " ") + `"` + metadata
	case errors.Is(err, ErrNoToken):
		return http.StatusUnauthorized, `Bearer realm="api"` + offered + metadata
	}
	return http.StatusUnauthorized, `Bearer realm="api", error="invalid_token", ` +
		`error_description="The access token is invalid or has expired"` + offered + metadata
}
