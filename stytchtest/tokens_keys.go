package stytchtest

import (
	"sync"

	"guestpass/stytchtest/internal/keys"
	"guestpass/stytchtest/internal/wire"
)

// RotateKeys adds a key, with which tokens are signed from now on; the old one stays
// published for a month of the emulator's clock.
func (e *Emulator) RotateKeys() {
	key := e.newKey()
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

// spareKeys were of servers that tests have stopped. Others take them instead of new ones; no two emulators have
// the same key at a time.
var spareKeys struct {
	mu   sync.Mutex // guards keys
	keys []*keys.Key
}

// spareKey returns one of them, or else a new one.
func spareKey() *keys.Key {
	spareKeys.mu.Lock()
	defer spareKeys.mu.Unlock()
	last := len(spareKeys.keys) - 1
	if last < 0 {
		return keys.New()
	}
	key := spareKeys.keys[last]
	spareKeys.keys = spareKeys.keys[:last]
	return key
}

// spare leaves the keys of an emulator that has ended to others.
func (e *Emulator) spare() {
	e.mu.Lock()
	defer e.mu.Unlock()
	spareKeys.mu.Lock()
	defer spareKeys.mu.Unlock()
	for _, key := range e.keys {
		spareKeys.keys = append(spareKeys.keys, key.Unretired())
	}
}
