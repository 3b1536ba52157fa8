package guestpass

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"time"

	"golang.org/x/sync/singleflight"

	"guestpass/directory"
	"guestpass/internal/stytch"
)

const (
	readyFor     = time.Second     // how long one check counts for everybody who asks
	readyTimeout = 5 * time.Second // of a check
)

// readiness is what the last check of the parts found. It is kept because anybody may ask, as often as they like, and a
// check costs calls of Stytch and connections of the database.
type readiness struct {
	checking singleflight.Group // by which everything below is guarded

	at    time.Time
	parts map[string]error
}

// ready returns the parts that calls need, each with what is wrong with it. The answer is a second old at most. The
// keys are checked each time: that costs nothing, and a start waits for them.
func (s *Server) ready(ctx context.Context) map[string]error {
	if s.stopping.Load() { // at once: the balancer has little time to learn it
		return map[string]error{"process": errors.New("about to stop")}
	}
	last := &s.readiness
	found, _, _ := last.checking.Do("", func() (any, error) {
		now := s.options.Now()
		if since := now.Sub(last.at); last.parts == nil || since < 0 || since >= readyFor {
			last.at, last.parts = now, s.checkParts(ctx)
		}
		return last.parts, nil
	})
	parts := maps.Clone(found.(map[string]error)) // others hold the same
	parts["keys"] = s.verifier.Ready()
	return parts
}

// checkParts asks the parts. The first caller asks for others as well, and may leave before the answer.
func (s *Server) checkParts(ctx context.Context) map[string]error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyTimeout)
	defer cancel()
	parts := map[string]error{"keys": s.verifier.Ready(), "directory": s.directory.Ping(ctx)}
	if s.options.Store != nil {
		parts["database"] = s.options.Store.Ping(ctx)
	}
	for name, err := range parts {
		if err != nil {
			s.log.WarnContext(ctx, "not ready", "part", name, "error", err)
		}
	}
	return parts
}

// readyz says whether to send calls here: 503 while keys or database are missing, Stytch refuses our credentials, or
// the process is about to stop. If Stytch does not answer, or not as expected, or not for all purposes, it answers 200:
// reads go on without Stytch, and a balancer that removed every instance would end those too. The log has the reason.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	status, parts := http.StatusOK, map[string]string{}
	for name, err := range s.ready(r.Context()) {
		refused := errors.Is(err, directory.ErrCredentials)
		switch {
		case errors.As(err, new(*stytch.PartlyUnavailableError)):
			parts[name] = "unavailable in part"
		case err == nil:
			parts[name] = "ok"
		case refused:
			parts[name] = "credentials refused"
		default:
			parts[name] = "unavailable"
		}
		if err != nil && (name != "directory" || refused) {
			status = http.StatusServiceUnavailable
		}
	}
	writeJSON(w, status, "no-store", parts)
}
