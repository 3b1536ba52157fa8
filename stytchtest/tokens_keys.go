package stytchtest

import (
	"guestpass/stytchtest/internal/keys"
	"guestpass/stytchtest/internal/wire"
)

// RotateKeys adds a key, with which tokens are signed from now on; the old one stays
// published for a month of the emulator's clock.
func (e *Emulator) RotateKeys() {
	key := keys.New()
	key.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.keys.Rotate(key, e.now())
}

// DropOldKeys ends all rotations: only the newest key stays published.
func (e *Emulator) DropOldKeys() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.keys.DropOld()
}

// signed returns the claims of a token that carries a signature of ours, whatever its
// kind and age. The caller holds mu.
func (e *Emulator) signed(token string) (map[string]any, bool) {
	return e.keys.Published(e.now()).Verify(token)
}

// jwks answers all the paths under which Stytch publishes the keys.
func (e *Emulator) jwks(*call) (any, *wire.Failure) { return e.keys.Published(e.now()).Set(), nil }
