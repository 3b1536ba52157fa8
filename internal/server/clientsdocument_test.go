package server_test

import (
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/auth"

	"guestpass"
	"guestpass/stytchtest"
)

// describedClient serves a document in which a client describes itself, and returns its URL. Clients want https for
// it, so that Stytch, and MCPJam, have to trust a certificate of ours.
func describedClient(t *testing.T) (documentURL string) {
	t.Helper()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"client_id": documentURL, "client_name": "Acceptance",
			"redirect_uris": []string{back, "http://localhost/oauth/callback"}, "token_endpoint_auth_method": "none",
			"response_types": []string{"code"}, "grant_types": []string{"authorization_code", "refresh_token"}})
	}))
	t.Cleanup(s.Close)
	trusted := filepath.Join(t.TempDir(), "trusted.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(trusted, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", trusted) // read once, when the first certificate is verified: no other test does
	t.Setenv("NODE_EXTRA_CA_CERTS", trusted)
	documentURL = s.URL + "/client.json"
	return documentURL
}

// newDocumentWorld returns one where clients describe themselves.
func newDocumentWorld(t *testing.T) *world {
	t.Helper()
	seed := stytchtest.Development()
	seed.Project.MetadataDocuments = true
	return newWorldOf(t, stytchtest.Options{Seed: &seed, LoopbackDocuments: true},
		func(o *guestpass.Options) { o.ClientIDs = nil })
}

// checkDescribed finds the client at Stytch, once.
func (w *world) checkDescribed(t *testing.T, documentURL string) {
	t.Helper()
	isIt := func(app stytchtest.ConnectedApp) bool { return app.MetadataURL == documentURL }
	apps := w.stytch.Export().ConnectedApps
	if at := slices.IndexFunc(apps, isIt); at < 0 || slices.ContainsFunc(apps[at+1:], isIt) {
		t.Errorf("%s is not one of the apps, or twice: %+v", documentURL, apps)
	}
}

// TestRealClientsConnectByTheirDocument has clients connect whose id is the URL of a document.
func TestRealClientsConnectByTheirDocument(t *testing.T) {
	documentURL := describedClient(t)
	t.Run("Go", func(t *testing.T) {
		w := newDocumentWorld(t)
		handler := w.handlerSDK(t, func(c *auth.AuthorizationCodeHandlerConfig) {
			c.ClientIDMetadataDocumentConfig = &auth.ClientIDMetadataDocumentConfig{URL: documentURL}
		})
		w.checkStory(t, storySDK(t, w.connectSDK(t, handler)))
		w.checkDescribed(t, documentURL)
	})
	for _, tt := range []struct {
		name, program string
		settings      map[string]any
	}{
		{"TypeScript 1", "mcp-sdk.mjs", nil},
		{"TypeScript 2", "mcp-client.mjs", nil},
		{"mcp-remote", "mcp-remote.mjs", map[string]any{"flags": []string{"--client-metadata-url", documentURL}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newDocumentWorld(t)
			settings := w.connecting(t)
			settings["clientMetadataUrl"] = documentURL
			maps.Copy(settings, tt.settings)
			var told seen
			w.runClient(t, tt.program, settings, &told)
			w.checkStory(t, told)
			w.checkDescribed(t, documentURL)
		})
	}
	t.Run("MCPJam", func(t *testing.T) {
		w := newDocumentWorld(t)
		w.checkConnecting(t, "cimd", map[string]any{"clientIdMetadataUrl": documentURL})
		w.checkDescribed(t, documentURL)
	})
}
