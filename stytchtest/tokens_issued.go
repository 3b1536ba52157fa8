package stytchtest

import (
	"maps"
	"slices"
	"time"

	"guestpass/stytchtest/internal/keys"
)

// maxTokens bounds what is remembered of issued tokens.
const maxTokens = 200

// A Token is one that was issued: an access or ID token of the token endpoint, or
// anything that was minted. The session JWTs of the browser are left out: there is one
// every few minutes.
type Token struct {
	Kind   string         `json:"kind"` // access, id, session or m2m
	Time   time.Time      `json:"time"`
	KeyID  string         `json:"kid"`
	Claims map[string]any `json:"claims"`

	number int // counts from the start, over resets
}

// unsigned remembers the token and leaves its signature to whoever writes the reply. The
// caller holds mu.
func (e *Emulator) unsigned(kind string, claims map[string]any) keys.Unsigned {
	key := e.keys.Signer()
	e.recorded++
	e.issued = append(e.issued[max(0, len(e.issued)-maxTokens+1):], Token{kind, e.now(), key.ID, maps.Clone(claims),
		e.recorded})
	return keys.Unsigned{Key: key, Claims: claims}
}

// Tokens returns the last 200 issued tokens, decoded, newest first.
func (e *Emulator) Tokens() []Token {
	e.mu.Lock()
	defer e.mu.Unlock()
	newest := append([]Token{}, e.issued...)
	slices.Reverse(newest)
	for i := range newest {
		newest[i].Claims = maps.Clone(newest[i].Claims)
	}
	return newest
}
