package stytchtest

import (
	"io"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
)

// control adds the emulator's own endpoints and its page. They are no part of Stytch.
func (e *Emulator) control(r chi.Router) {
	r.Get("/", e.page)
	r.Get("/_emulator/page.css", pageAsset("text/css", pageCSS))
	r.Get("/_emulator/page.js", pageAsset("text/javascript", pageScript))
	r.Get("/_emulator/state", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, e.current()) })
	r.Get("/_emulator/inbox", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK,
			orEmpty(e.Inbox()))
	})
	r.Get("/_emulator/requests", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK,
			e.Requests())
	})
	r.Get("/_emulator/tokens", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, e.Tokens()) })
	r.Post("/_emulator/tokens", e.controlled(e.mintToken))
	r.Get("/_emulator/export", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, e.Export()) })
	r.Post("/_emulator/import", e.importState)
	r.Get("/_emulator/provider/{login}", e.provider)
	r.Post("/_emulator/page/{action}", e.pageAction)
	r.Post("/_emulator/keys/rotate", func(w http.ResponseWriter, _ *http.Request) {
		e.RotateKeys()
		writeJSON(w, http.StatusOK, map[string]any{"rotated": true})
	})
	r.Post("/_emulator/clock", e.controlled(e.moveClock))
	r.Post("/_emulator/faults", e.controlled(e.addFault))
	r.Delete("/_emulator/faults", func(w http.ResponseWriter, _ *http.Request) {
		e.ClearFaults()
		writeJSON(w, http.StatusOK, map[string]any{})
	})
	r.Post("/_emulator/reset", func(w http.ResponseWriter, _ *http.Request) {
		e.Reset()
		writeJSON(w, http.StatusOK,
			map[string]any{})
	})
}

func orEmpty(mails []Mail) []Mail {
	if mails == nil {
		return []Mail{}
	}
	return mails
}

// current is the state as a seed, secrets included: these endpoints are for the
// machine's owner.
func (e *Emulator) current() Seed {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state.seed()
}

// controlled serves a control endpoint, which locks for itself.
func (e *Emulator) controlled(do endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &call{r: r}
		bad := c.read(w)
		var answer any
		if bad == nil {
			answer, bad = do(c)
		}
		if bad != nil {
			writeFailure(w, bad)
			return
		}
		writeJSON(w, http.StatusOK, asMap(answer))
	}
}

func (e *Emulator) mintToken(c *call) (any, *failure) {
	m := MintRequest{Kind: c.text("kind"), Subject: c.text("subject"), ClientID: c.text("client_id"),
		Issuer:    c.text("issuer"),
		ExpiresIn: c.number("expires_in", 0)}
	if _, given := c.body["scopes"]; given {
		m.Scopes = c.texts("scopes")
	}
	m.Claims, _ = c.body["claims"].(map[string]any)
	if m.Issuer == "" {
		m.Issuer = e.base(c)
	}
	token, err := e.mint(m)
	if err != nil {
		return nil, fail(http.StatusBadRequest, "invalid_mint_request", err.Error())
	}
	return map[string]any{"token": token}, nil
}

func (e *Emulator) moveClock(c *call) (any, *failure) {
	by, err := time.ParseDuration(c.text("advance"))
	if err != nil {
		return nil, fail(http.StatusBadRequest, "invalid_duration", `Say how far, such as {"advance":"2h"}.`)
	}
	e.Advance(by)
	e.mu.Lock()
	defer e.mu.Unlock()
	return map[string]any{"now": e.now().UTC().Format(time.RFC3339)}, nil
}

func (e *Emulator) addFault(c *call) (any, *failure) {
	f := Fault{Path: c.text("path"), Status: c.number("status", 0), Count: c.number("count", 0),
		Kind: c.text("body_kind"), Type: c.text("error_type")}
	if f.Kind == "" {
		f.Kind = c.text("kind")
	}
	if text := c.text("delay"); text != "" {
		delay, err := time.ParseDuration(text)
		if err != nil || delay < 0 || delay > 10*time.Minute {
			return nil, fail(http.StatusBadRequest, "invalid_duration",
				`delay must be a duration such as "2s", ten minutes at most.`)
		}
		f.Delay = delay
	}
	alone := f.Kind == kindDrop || f.Kind == kindReset || f.Kind == kindTrickle
	if f.Path == "" || f.Status != 0 && (f.Status < 400 || f.Status > 599) || f.Status == 0 && f.Delay == 0 && !alone {
		return nil, fail(http.StatusBadRequest, "invalid_fault",
			"A fault needs a path, and a status (400 to 599), a delay, or one of the kinds drop, reset and trickle.")
	}
	if f.Kind != "" && f.Kind != kindHTML && !alone {
		return nil, fail(http.StatusBadRequest, "invalid_fault",
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
		writeFailure(w, fail(http.StatusRequestEntityTooLarge, "bad_request", "A state has 16 MiB at most."))
		return
	}
	seed, err := parseSeed(data)
	if err == nil {
		err = e.Import(seed)
	}
	if err != nil {
		writeFailure(w, fail(http.StatusBadRequest, "invalid_seed", err.Error()))
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{})
}
