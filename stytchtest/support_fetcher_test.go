package stytchtest

import "net/http"

// Fetcher returns the client that reads metadata documents, so that a test can trust its own
// certificate and need not wait for the time limit.
func (e *Emulator) Fetcher() *http.Client { return e.fetcher.Client }
