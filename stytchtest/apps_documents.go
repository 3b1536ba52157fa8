package stytchtest

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"guestpass/stytchtest/internal/wire"
)

// Clients whose id is the URL of a document that describes them
// (draft-ietf-oauth-client-id-metadata-document). An authorization reads the document; every
// other endpoint knows the client by then.

const (
	documentFresh = 5 * time.Minute // by the emulator's clock, after which it is read again
	maxApps       = 1000            // of the project, those that described or registered themselves included
)

// knownApp returns the client of the id, which may be the URL of its document.
func (e *Emulator) knownApp(id string) *ConnectedApp {
	if id != "" && e.state.project.MetadataDocuments {
		for _, a := range e.state.apps {
			if a.MetadataURL == id {
				return a
			}
		}
	}
	return e.state.app(id)
}

// authorizedApp returns the client of an authorization. Without a fresh document it asks for one by
// c.wanted, and is asked again when that is there.
func (e *Emulator) authorizedApp(c *call) (*ConnectedApp, *wire.Failure) {
	id := c.Text("client_id")
	app := e.knownApp(id)
	if app != nil && (app.MetadataURL != id || e.now().Sub(app.fetched).Abs() < documentFresh) {
		return app, nil
	}
	if !e.state.project.MetadataDocuments || !strings.Contains(id, ":") {
		return nil, connectedAppNotFound
	}
	if err := e.fetcher.Check(id); err != nil {
		return nil, badDocument(err)
	}
	if c.fetched == nil {
		c.wanted = id
		return nil, connectedAppNotFound
	}
	described, err := describedApp(c.fetched)
	if err != nil {
		return nil, badDocument(err)
	}
	return e.describe(described)
}

// describe keeps a client as its document has it. One that was there has its id still.
func (e *Emulator) describe(described *ConnectedApp) (*ConnectedApp, *wire.Failure) {
	described.fetched = e.now()
	if known := e.knownApp(described.MetadataURL); known != nil {
		known.Name, known.URI, known.LogoURL = described.Name, described.URI, described.LogoURL
		known.RedirectURLs, known.fetched = described.RedirectURLs, described.fetched
		return known, nil
	}
	if len(e.state.apps) >= maxApps {
		return nil, tooManyApps
	}
	described.ClientID, described.Registered = wire.NewID("connected-app"), e.now()
	e.state.apps = append(e.state.apps, described)
	return described, nil
}

var tooManyApps = wire.Fail(http.StatusBadRequest, "too_many_connected_apps",
	fmt.Sprintf("The project has %d connected apps, which is the most.", maxApps))

// badDocument has a name of the emulator's own: Stytch publishes none.
func badDocument(err error) *wire.Failure {
	return wire.Fail(http.StatusBadRequest, "invalid_client_id_metadata_document",
		"The client's metadata document: "+err.Error()+".")
}
