package guestpass

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5"
)

// A Router is what [Server.Mount] adds to: a [chi.Router], or an [http.ServeMux].
type Router interface {
	Handle(pattern string, handler http.Handler)
}

// Mount adds the server's paths to the router of an application that it is part of, each with the server's own checks,
// limits and log: the paths of its operations, and those that clients look for, such as /idp, /mcp, /openapi.json and
// /.well-known/oauth-protected-resource. The application keeps / and everything else. Its router must neither use one
// of these paths itself nor strip a prefix from the request's path: a server has the root of its origin.
//
// Run [Server.Run] beside it, as for a server that stands alone. If the router is a [chi.Router] that has some of the
// paths already, the error names all of them, and nothing is added. An [http.ServeMux] panics, if at all.
func (s *Server) Mount(r Router) error {
	var faults []error
	taken := routesOf(r)
	for _, path := range s.Paths() {
		if taken[path] {
			faults = append(faults, fmt.Errorf("%s is a path of the application's router already: give that another "+
				"one", path))
		}
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	for _, path := range s.Paths() {
		r.Handle(path, http.HandlerFunc(s.serveMounted))
	}
	return nil
}

// routesOf are the paths that a router has, as far as it tells.
func routesOf(r Router) map[string]bool {
	taken := map[string]bool{}
	if routes, ok := r.(chi.Routes); ok { // an http.ServeMux panics at two patterns of one path by itself
		_ = chi.Walk(routes, func(_, path string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
			taken[path] = true
			return nil
		})
	}
	return taken
}

// Paths returns the paths that [Server.Mount] adds, with names in braces for what varies.
func (s *Server) Paths() (paths []string) {
	seen := map[string]bool{"/": true, operationsPath: true}
	add := func(path string) {
		if !seen[path] {
			seen[path] = true
			paths = append(paths, path)
		}
	}
	for _, route := range s.routes() {
		add(route.path)
	}
	for _, op := range s.service.Operations() {
		add(op.Path)
	}
	return paths
}

// serveMounted routes by the path alone: what a router before it has matched is not ours.
func (s *Server) serveMounted(w http.ResponseWriter, r *http.Request) {
	ctx := context.WithValue(r.Context(), chi.RouteCtxKey, chi.NewRouteContext())
	s.ServeHTTP(w, r.WithContext(ctx))
}
