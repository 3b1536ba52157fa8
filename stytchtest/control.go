package stytchtest

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"guestpass/stytchtest/internal/faults"
	"guestpass/stytchtest/internal/page"
	"guestpass/stytchtest/internal/wire"
)

// control adds the emulator's own endpoints and its page. They are no part of Stytch.
func (e *Emulator) control(r chi.Router) {
	r.Get("/", e.page)
	r.Get("/_emulator/page.css", page.Style)
	r.Get("/_emulator/page.js", page.Script)
	get := func(path string, answer func() any) {
		r.Get(path, func(w http.ResponseWriter, _ *http.Request) { wire.WriteJSON(w, http.StatusOK, answer()) })
	}
	get("/_emulator/state", func() any { return e.current() })
	get("/_emulator/inbox", func() any { return orEmpty(e.Inbox()) })
	get("/_emulator/requests", func() any { return e.Requests() })
	get("/_emulator/tokens", func() any { return e.Tokens() })
	get("/_emulator/clients", func() any { return e.clients() })
	get("/_emulator/export", func() any { return e.Export() })
	r.Post("/_emulator/tokens", e.controlled(e.mintToken))
	r.Post("/_emulator/tokens/revoke", e.controlled(e.revokeIssued))
	r.Post("/_emulator/project", e.controlled(e.changeProject))
	r.Post("/_emulator/import", e.importState)
	r.Get("/_emulator/provider/{login}", e.provider)
	r.Post("/_emulator/page/{action}", e.pageAction)
	r.Post("/_emulator/keys/rotate", func(w http.ResponseWriter, _ *http.Request) {
		e.RotateKeys()
		wire.WriteJSON(w, http.StatusOK, map[string]any{"rotated": true})
	})
	r.Post("/_emulator/clock", e.controlled(e.moveClock))
	r.Post("/_emulator/faults", e.controlled(e.addFault))
	r.Delete("/_emulator/faults", func(w http.ResponseWriter, _ *http.Request) {
		e.ClearFaults()
		wire.WriteJSON(w, http.StatusOK, map[string]any{})
	})
	r.Post("/_emulator/reset", func(w http.ResponseWriter, _ *http.Request) {
		e.Reset()
		wire.WriteJSON(w, http.StatusOK, map[string]any{})
	})
}

func orEmpty(mails []Mail) []Mail {
	if mails == nil {
		return []Mail{}
	}
	return mails
}

// current returns the state as a seed, secrets included: these endpoints are for the
// machine's owner.
func (e *Emulator) current() Seed {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state.seed()
}

// controlled serves a control endpoint, which locks for itself.
func (e *Emulator) controlled(do endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &call{Call: &wire.Call{Request: r}}
		bad := c.Read(w)
		var answer any
		if bad == nil {
			answer, bad = do(c)
		}
		if bad != nil {
			bad.Answer(w)
			return
		}
		wire.WriteJSON(w, http.StatusOK, wire.Members(answer))
	}
}

func (e *Emulator) mintToken(c *call) (any, *wire.Failure) {
	m := MintRequest{Kind: c.Text("kind"), Subject: c.Text("subject"), ClientID: c.Text("client_id"),
		Issuer:    c.Text("issuer"),
		ExpiresIn: c.Number("expires_in", 0)}
	if _, given := c.Body["scopes"]; given {
		m.Scopes = c.Texts("scopes")
	}
	m.Claims, _ = c.Body["claims"].(map[string]any)
	if m.Issuer == "" {
		m.Issuer = e.base(c.Request)
	}
	token, err := e.mint(m)
	if err != nil {
		return nil, wire.Fail(http.StatusBadRequest, "invalid_mint_request", err.Error())
	}
	return map[string]any{"token": token}, nil
}

// changeProject sets members of the project, as a seed has them: what somebody does in the dashboard.
func (e *Emulator) changeProject(c *call) (any, *wire.Failure) {
	e.mu.Lock()
	defer e.mu.Unlock()
	members := wire.Members(e.state.project)
	maps.Copy(members, c.Body)
	data, err := json.Marshal(map[string]any{"project": members})
	seed := Seed{}
	if err == nil {
		seed, err = parseSeed(data)
	}
	if err == nil {
		err = seed.check()
	}
	if p := seed.Project; err == nil && (p.ID != e.state.project.ID || p.Vertical != e.state.project.Vertical) {
		err = errors.New("a project keeps its id and its vertical")
	}
	if err != nil {
		return nil, wire.Fail(http.StatusBadRequest, "invalid_project", err.Error())
	}
	seed.fill()
	seed.Project.first()
	e.state.project = seed.Project
	return wire.Members(e.state.project), nil
}

func (e *Emulator) moveClock(c *call) (any, *wire.Failure) {
	by, err := time.ParseDuration(c.Text("advance"))
	if err != nil || !e.advance(by) {
		return nil, wire.Fail(http.StatusBadRequest, "invalid_duration", `Say how far, such as {"advance":"2h"}; at `+
			`most ten years in all.`)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return map[string]any{"now": e.now().UTC().Format(time.RFC3339)}, nil
}

func (e *Emulator) addFault(c *call) (any, *wire.Failure) {
	f := Fault{Path: c.Text("path"), Status: c.Number("status", 0), Count: c.Number("count", 0),
		Kind: c.Text("body_kind"), Type: c.Text("error_type")}
	if f.Kind == "" {
		f.Kind = c.Text("kind")
	}
	if text := c.Text("delay"); text != "" {
		delay, err := time.ParseDuration(text)
		if err != nil || delay < 0 || delay > 10*time.Minute {
			return nil, wire.Fail(http.StatusBadRequest, "invalid_duration",
				`delay must be a duration such as "2s", ten minutes at most.`)
		}
		f.Delay = delay
	}
	alone := f.Kind == faults.Drop || f.Kind == faults.Reset || f.Kind == faults.Trickle
	if f.Path == "" || f.Status != 0 && (f.Status < 400 || f.Status > 599) || f.Status == 0 && f.Delay == 0 && !alone {
		return nil, wire.Fail(http.StatusBadRequest, "invalid_fault",
			"A fault needs a path, and a status (400 to 599), a delay, or one of the kinds drop, reset and trickle.")
	}
	if f.Kind != "" && f.Kind != faults.HTML && !alone {
		return nil, wire.Fail(http.StatusBadRequest, "invalid_fault",
			"The kind of a fault is html, drop, reset, trickle, or none.")
	}
	e.Fail(f)
	return map[string]any{}, nil
}

// maxImport bounds a state to be imported.
const maxImport = 16 << 20

// importState takes a seed, as YAML or JSON.
func (e *Emulator) importState(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxImport))
	if err != nil {
		wire.Fail(http.StatusRequestEntityTooLarge, "bad_request", "A state has 16 MiB at most.").Answer(w)
		return
	}
	seed, err := parseSeed(data)
	if err == nil {
		err = e.Import(seed)
	}
	if err != nil {
		wire.Fail(http.StatusBadRequest, "invalid_seed", err.Error()).Answer(w)
		return
	}
	wire.WriteJSON(w, http.StatusOK, map[string]any{})
}
