package auth

import (
	"errors"
	"net/http"
)

// Challenge returns the status and the WWW-Authenticate value for an error of this
// package (RFC 6750 section 3, RFC 9728 section 5.1); the header is "" for
// [ErrUnavailable]. The description is one constant: why a token was refused is
// nobody's business but the log's. metadataURL and scope come from configuration
// and declarations, never from a request.
func Challenge(err error, metadataURL, scope string) (status int, header string) {
	metadata := ""
	if metadataURL != "" {
		metadata = `, resource_metadata="` + metadataURL + `"`
	}
	switch {
	case errors.Is(err, ErrUnavailable):
		return http.StatusServiceUnavailable, ""
	case errors.Is(err, ErrInvalidRequest):
		return http.StatusBadRequest, `Bearer realm="api", error="invalid_request"` + metadata
	case errors.Is(err, ErrInsufficientScope):
		return http.StatusForbidden, `Bearer realm="api", error="insufficient_scope", scope="` + scope + `"` + metadata
	case errors.Is(err, ErrNoToken):
		return http.StatusUnauthorized, `Bearer realm="api"` + metadata
	}
	return http.StatusUnauthorized, `Bearer realm="api", error="invalid_token", error_description="The access token is invalid or has expired"` + metadata
}
