package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"guestpass/auth"
)

// Effect is what calling an operation does to the world.
type Effect int

const (
	// Read changes nothing. ChatGPT offers "Always allow". The default of GET, and of GET only.
	Read Effect = iota + 1
	// Write creates or changes something. ChatGPT asks the person before every call.
	Write
	// Destroy removes something. ChatGPT asks the person before every call.
	Destroy
)

func (e Effect) String() string {
	return map[Effect]string{Read: "read", Write: "write", Destroy: "destroy"}[e]
}

// An Operation is the one declaration of something ChatGPT can do.
type Operation struct {
	ID          string // camelCase, verb first; the name by which the model calls it
	Method      string
	Path        string
	Summary     string      // at most 300 characters, read by a model
	Description string      // at most 300 characters, read by a model: what it does and returns
	Access      auth.Access // the zero value admits nobody and is a fault
	Effect      Effect      // may be left out for GET
	Status      int         // of success; 0: 200
	External    bool        // a write whose effect is outside of the store, so not in one transaction with its record
}

// Bounds of every operation. A body of MaxBody bytes is admitted, one more is 413.
const (
	MaxBody = 128 << 10
)

// Register adds an operation to the service. Its input and output are Huma structs:
// fields tagged path or query, and one field named Body. A handler returns plain
// errors; which of them a caller may see is decided in one place (see problem.go).
// A handler that writes does so in [InTransaction]; one that creates embeds [Once] and
// [Repeatable] in its bodies.
// A fault in the declaration is kept and reported by [Service.Err].
func Register[In, Out any](s *Service, op Operation, handler func(context.Context, *In) (*Out, error)) {
	if op.Effect == 0 && op.Method == http.MethodGet {
		op.Effect = Read
	}
	faults := s.check(op)
	if err := checkCreation[In, Out](op); err != nil {
		faults = append(faults, fmt.Errorf("%s %s (%s): %w", op.Method, op.Path, op.ID, err))
	}
	if len(faults) > 0 {
		s.faults = append(s.faults, faults...)
		return
	}
	defer func() {
		if cause := recover(); cause != nil { // Huma panics on types it cannot describe
			s.faults = append(s.faults, fmt.Errorf("%s %s (%s): %v", op.Method, op.Path, op.ID, cause))
		}
	}()
	huma.Register(s.huma, s.describe(op), func(ctx context.Context, in *In) (*Out, error) {
		if err := s.options.Limits.Enter(ctx); err != nil {
			return nil, s.problem(ctx, err)
		}
		defer s.options.Limits.Leave()
		if err := s.checkRevokedSince(ctx, op); err != nil {
			return nil, err
		}
		out, err := carryOut(ctx, s, op, in, handler)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return out, nil
	})
	s.operations = append(s.operations, op)
}

// checkRevokedSince looks again once the body is there: a slow one must not outlive a
// revocation. Nobody else is asked.
func (s *Service) checkRevokedSince(ctx context.Context, op Operation) error {
	if s.options.Connections == nil || op.Access.IsPublic() {
		return nil
	}
	identity := auth.From(ctx)
	err := s.options.Connections.Check(ctx, identity, op.Effect != Read)
	if !errors.Is(err, auth.ErrInvalidToken) {
		if err != nil {
			return s.problem(ctx, err)
		}
		return nil
	}
	s.logRefusal(ctx, op, identity, err)
	status, challenge := auth.Challenge(err, s.options.ResourceMetadata, strings.Join(s.Scopes(op), " "))
	return huma.ErrorWithHeaders(finish(ctx, &Problem{Status: status, Detail: refusals[status]}).(*Problem), http.Header{"WWW-Authenticate": {challenge}})
}

// check finds what is wrong with the declaration itself; what the GPT editor would
// refuse is found by package openapi.
func (s *Service) check(op Operation) (faults []error) {
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("%s %s (%s): %s", op.Method, op.Path, op.ID, fmt.Sprintf(format, args...)))
	}
	if op.ID == "" {
		fault("has no ID: give it a camelCase name that begins with a verb")
	}
	if op.Access.IsZero() {
		fault("has no Access and would admit nobody: say auth.Scope(…), or auth.Public to admit everybody")
	}
	if op.Effect == 0 {
		fault("has no Effect: say api.Read, api.Write or api.Destroy")
	}
	if !strings.HasPrefix(op.Path, "/") {
		fault("its path must begin with a slash")
	}
	for _, other := range s.operations {
		if strings.EqualFold(other.ID, op.ID) {
			fault("its ID is taken by %s %s", other.Method, other.Path)
		}
		if other.Method == op.Method && other.Path == op.Path {
			fault("its method and path are taken by %s", other.ID)
		}
	}
	return faults
}

// Keys of huma.Operation.Metadata.
const (
	metadataOperation = "operation" // our own declaration
	metadataPublish   = "gpt"       // read by package openapi
)

func (s *Service) describe(op Operation) huma.Operation {
	security := []map[string][]string{}
	if scopes := s.Scopes(op); len(scopes) > 0 {
		security = append(security, map[string][]string{"oauth2": scopes})
	}
	return huma.Operation{
		OperationID: op.ID, Method: op.Method, Path: op.Path,
		Summary: op.Summary, Description: op.Description,
		Security: security, DefaultStatus: op.Status,
		Errors:       []int{},
		MaxBodyBytes: MaxBody + 1, // Huma refuses a body of exactly its limit
		Metadata:     map[string]any{metadataOperation: op, metadataPublish: true},
		Extensions:   map[string]any{"x-openai-isConsequential": op.Effect != Read},
	}
}

// Scopes are what a token needs for the operation; none for a public one. By role,
// every operation needs a signed-in person and no more than openid of the token.
func (s *Service) Scopes(op Operation) []string {
	switch {
	case op.Access.IsPublic():
		return nil
	case s.options.Access == ByRole:
		return []string{"openid"}
	}
	return []string{op.Access.ScopeName()}
}

// schemaName keeps apart types of the same name in different packages, on which
// Huma's own naming panics.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if pkg := t.PkgPath(); pkg != "" && pkg != "guestpass/api" {
		parts := strings.Split(pkg, "/")
		last := parts[len(parts)-1]
		return strings.ToUpper(last[:1]) + last[1:] + name
	}
	return name
}
