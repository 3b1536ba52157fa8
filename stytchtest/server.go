package stytchtest

import (
	"net/http/httptest"
	"testing"
)

// A Server is an Emulator on a loopback port.
type Server struct {
	*Emulator
	URL string // without a trailing slash
}

// NewServer starts an emulator for a test and stops it at the test's end. Tokens made
// by [Emulator.Mint] have its URL as issuer unless the options name another. Its key may be
// one that another server had which has been stopped, since RSA keys take a while to make.
func NewServer(t testing.TB, o Options) *Server {
	t.Helper()
	e, err := newEmulator(o, spareKey)
	if err != nil {
		t.Fatal(err)
	}
	running := httptest.NewServer(e)
	t.Cleanup(func() {
		running.Close()
		e.spare()
	})
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.issuer == "" {
		e.issuer = running.URL
	}
	return &Server{e, running.URL}
}
