// Package headers has the headers of every HTML answer of Guestpass.
//
// It knows nothing of what is on a page.
package headers

import "net/http"

// unused: no page needs any of these.
const unused = "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), " +
	"payment=(), usb=(), "

// A Page has the same ones on all its answers, redirects and errors included.
type Page struct {
	Policy string // Content-Security-Policy; it must forbid frames (frame-ancestors 'none')
	Cache  string // Cache-Control; "" for no-store
	Secure bool   // the public URL is https: browsers are told to stay with that

	// SignsIn admits what the sign-in page needs: passkeys, windows that were opened by
	// ChatGPT (Cross-Origin-Opener-Policy would cut them off from it), and that Stytch is told
	// our origin, never the path or the query: it may refuse calls of its component that say
	// nothing of where they come from.
	SignsIn bool
}

// Set replaces what stands there.
func (p Page) Set(h http.Header) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", p.Policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if p.SignsIn {
		h.Set("Referrer-Policy", "strict-origin")
		h.Set("Permissions-Policy", unused+"publickey-credentials-get=(self), browsing-topics=()")
	} else {
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Permissions-Policy", unused+"publickey-credentials-get=(), browsing-topics=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	}
	if p.Cache == "" {
		p.Cache = "no-store"
	}
	h.Set("Cache-Control", p.Cache)
	if p.Secure {
		h.Set("Strict-Transport-Security", "max-age=63072000")
	}
}
