package guestpass

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"guestpass/directory"
	"guestpass/internal/doctor"
	"guestpass/internal/stytch"
	"guestpass/store"
)

const (
	readyFor     = time.Second // how long one check counts for everybody who asks
	readyTimeout = time.Second // of a check: balancers wait for two, and take the instance out
)

// readiness is what the last check of the parts found. It is kept because anybody may ask, as often as they like, and a
// check costs calls of Stytch and connections of the database.
type readiness struct {
	checking singleflight.Group // by which everything below is guarded

	at    time.Time
	parts map[string]error

	once atomic.Bool // every part was well
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
			last.parts = s.checkParts(ctx)
			last.at = s.options.Now() // a pause is one from the end
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
	parts := map[string]error{"keys": s.verifier.Ready()}
	var database error
	var group sync.WaitGroup
	if s.options.Store != nil {
		group.Go(func() { database = s.options.Store.Ping(ctx) })
	}
	parts["directory"] = s.directory.Ping(ctx)
	if group.Wait(); s.options.Store != nil {
		parts["database"] = database
	}
	for name, err := range parts {
		if err != nil {
			s.log.WarnContext(ctx, "not ready", "part", name, "error", err)
		}
	}
	return parts
}

// readyz says whether to send calls here: 503 from the start until keys and database are there and Stytch takes our
// credentials, and when the process is about to stop. From then on what all instances share takes none of them out,
// since a balancer without instances would end sign-in, document and metadata, too, and the reads that need none of it:
// Stytch, its keys, and a Postgres. A SQLite file is this instance's own. The answer names what is not well, the log
// has the reason. To a program of this machine that asks for it by ?verbose it also has what the checks found. Who asks
// for a process, by ?pid, is told whether this is the one: an address may still be that of an older server.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	status, parts, ready := http.StatusOK, map[string]any{}, s.ready(r.Context())
	for name, err := range ready {
		refused := errors.Is(err, directory.ErrCredentials)
		switch {
		case errors.As(err, new(*stytch.PartlyUnavailableError)):
			parts[name] = "unavailable in part"
		case err == nil:
			parts[name] = "ok"
		case refused:
			parts[name] = "credentials refused"
		case errors.Is(err, store.ErrReadOnly):
			parts[name] = "read-only"
		default:
			parts[name] = "unavailable"
		}
		if err != nil && (name != "directory" || refused) && !(s.readiness.once.Load() && s.isShared(name)) {
			status = http.StatusServiceUnavailable
		}
	}
	if status == http.StatusOK {
		s.readiness.once.Store(true)
	}
	if asked := r.URL.Query(); asked.Has("pid") {
		parts["pid"] = "another"
		if asked.Get("pid") == strconv.Itoa(os.Getpid()) {
			parts["pid"] = "this"
		}
	}
	if r.URL.Query().Has("verbose") && s.fromThisMachine(r) {
		parts["checks"], parts["checked_at"] = nil, nil // not yet
		if last := s.diagnosis.Load(); last != nil {
			parts["checks"] = withDatabase(r.Context(), last.findings, ready)
			parts["checked_at"] = last.at.UTC().Format(time.RFC3339)
		}
	}
	writeJSON(w, status, "no-store", parts)
}

// withDatabase returns what the checks found with what readyz itself found of the database just now.
func withDatabase(ctx context.Context, findings []doctor.Finding, ready map[string]error) []doctor.Finding {
	found, looked := ready["database"]
	if !looked {
		return findings
	}
	now := doctor.Database(ctx, found)
	findings = slices.Clone(findings) // others read the same
	for i := range findings {
		if findings[i].Check == now.Check {
			findings[i] = now
		}
	}
	return findings
}

// isShared reports whether every instance has the same part, so that no other one is better off.
func (s *Server) isShared(part string) bool {
	return part == "directory" || part == "keys" || part == "database" && s.options.Store.Database() == store.Postgres
}
