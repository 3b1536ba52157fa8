package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"guestpass/internal/strictjson"
)

// A Surface is a way to the operations beside their own paths. It says how a refusal there explains where to get a
// token.
type Surface struct {
	ResourceMetadata string   // URL of its RFC 9728 document
	Scopes           []string // named where a token is missing or no good, for a client to ask for
}

type surfaceKey struct{}

// WithSurface makes refusals in the context use the terms of the surface.
func WithSurface(ctx context.Context, s Surface) context.Context {
	return context.WithValue(ctx, surfaceKey{}, s)
}

// surfaceOf returns the context's surface; without one, that of the operations' own paths.
func (s *Service) surfaceOf(ctx context.Context) Surface {
	if surface, ok := ctx.Value(surfaceKey{}).(Surface); ok {
		return surface
	}
	return Surface{ResourceMetadata: s.options.ResourceMetadata}
}

// A Reply is what an operation answers on any surface. The body is JSON: that of the operation, or a
// [Problem] where the status is 400 or above; empty for 204.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// Admit finds out who calls, once for all that the request asks for. The token must be good and not revoked, and its
// person, organization and app must have calls left in their rates. Pass the context to [Service.Invoke]. If refused is
// not nil, nobody is admitted, and it is the answer.
func (s *Service) Admit(r *http.Request) (ctx context.Context, refused *Reply) {
	ctx, err := s.who(r, Operation{})
	if err == nil {
		return ctx, nil
	}
	return ctx, s.refused(ctx, r, Operation{}, err)
}

// A Call is an operation with its arguments, in one object whatever their place in a request is.
type Call struct {
	Operation string
	Arguments map[string]json.RawMessage // null counts as left out
	Header    http.Header                // of these Authorization, Idempotency-Key and Openai-Conversation-Id count
}

// Invoke carries out an operation as a request to its path would, with the same checks, limits, record and words,
// within the context's deadline. It does not ask again who was admitted in the context. It refuses arguments that the
// operation does not take with 422, and an unknown operation with 404.
func (s *Service) Invoke(ctx context.Context, call Call) (reply Reply) {
	if caller := CallerOf(ctx); caller != nil {
		defer func() { caller.Status = reply.Status }()
	}
	w := newReplyWriter()
	request, err := s.request(ctx, call)
	if err != nil {
		r, _ := http.NewRequestWithContext(ctx, http.MethodPost, "/", nil) // never fails: for the request's id
		writeError(w, r, s.problem(ctx, err))
		return w.reply()
	}
	s.serve(w, request)
	if w.tooLong {
		p := Problem{Status: http.StatusInternalServerError, Detail: "the answer is longer than fits here",
			Hint: "Ask for less: a smaller limit, a narrower filter, or one thing instead of a list."}
		s.log.ErrorContext(ctx, "an answer was too long to be passed on", "operation", call.Operation,
			"limit", maxInvoked)
		w = newReplyWriter()
		writeError(w, request, finish(ctx, &p))
	}
	return w.reply()
}

// serve answers for an operation that panics, too, as the server does for REST.
func (s *Service) serve(w *replyWriter, r *http.Request) {
	defer func() {
		cause := recover()
		if cause == nil || w.tooLong { // Huma panics when it cannot write
			return
		}
		if cause == http.ErrAbortHandler {
			panic(cause)
		}
		LogPanic(r.Context(), s.log, cause)
		*w = *newReplyWriter()
		WriteProblem(w, r, Problem{Status: http.StatusInternalServerError, Detail: "internal error"})
	}()
	s.router.ServeHTTP(w, r)
}

// LogPanic logs what was recovered. The value may hold anything that a request carried, so it logs only the type, or
// the runtime's own words. Call it where the panic was recovered: it takes the stack from there.
func LogPanic(ctx context.Context, log *slog.Logger, cause any) {
	what := fmt.Sprintf("%T", cause)
	if fault, ok := cause.(runtime.Error); ok {
		what = fault.Error()
	}
	log.ErrorContext(ctx, "panic", "cause", what, "stack", string(debug.Stack()))
}

type invokedKey struct{}

// request distributes the arguments over path, query and body.
func (s *Service) request(ctx context.Context, call Call) (*http.Request, error) {
	op := s.described[call.Operation]
	if op == nil {
		return nil, NotFoundError("operation")
	}
	rest := maps.Clone(call.Arguments)
	maps.DeleteFunc(rest, func(_ string, value json.RawMessage) bool { return string(value) == "null" })
	path, query, err := takeParameters(op, rest)
	if err != nil {
		return nil, err
	}
	body, err := s.takeBody(op, rest)
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		return nil, s.unknownArguments(op, slices.Sorted(maps.Keys(rest)))
	}
	// The routes that led here are not the operation's.
	ctx = context.WithValue(ctx, chi.RouteCtxKey, chi.NewRouteContext())
	ctx = context.WithValue(ctx, invokedKey{}, call.Operation)
	r, err := http.NewRequestWithContext(ctx, op.Method, path, body)
	if err != nil {
		return nil, fmt.Errorf("make a request for %s: %w", call.Operation, err)
	}
	r.URL.RawQuery = query.Encode()
	for _, name := range []string{"Authorization", "Idempotency-Key", "Openai-Conversation-Id"} {
		if values := call.Header.Values(name); len(values) > 0 {
			r.Header[name] = values
		}
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, nil
}

// takeParameters takes the arguments of path and query out of rest.
func takeParameters(op *huma.Operation, rest map[string]json.RawMessage) (path string, query url.Values, err error) {
	path, query = op.Path, url.Values{}
	for _, p := range op.Parameters {
		value, given := rest[p.Name]
		delete(rest, p.Name)
		if p.In != "path" && !given {
			continue
		}
		texts, ok := parameterTexts(value)
		switch {
		case !ok:
			return "", nil, argumentFault(p.Name, "is not of the form that is wanted here")
		case p.In == "query" && p.Explode != nil && *p.Explode:
			query[p.Name] = texts
		case p.In == "query":
			query.Set(p.Name, strings.Join(texts, ","))
		case len(texts) != 1 || texts[0] == "": // the path would be another operation's
			return "", nil, argumentFault(p.Name, "is missing; it is required")
		default:
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(texts[0]))
		}
	}
	return path, query, nil
}

// parameterTexts returns a parameter's values as a URL has them.
func parameterTexts(value json.RawMessage) (texts []string, ok bool) {
	if len(value) == 0 {
		return nil, true
	}
	var list []json.RawMessage
	if value[0] != '[' {
		list = []json.RawMessage{value}
	} else if json.Unmarshal(value, &list) != nil {
		return nil, false
	}
	for _, one := range list {
		text := string(one)
		switch {
		case one[0] == '"':
			if json.Unmarshal(one, &text) != nil {
				return nil, false
			}
		case one[0] == '{', one[0] == '[':
			return nil, false
		}
		texts = append(texts, text)
	}
	return texts, true
}

// takeBody takes the members of the body out of rest. It returns nil if the operation has no body.
func (s *Service) takeBody(op *huma.Operation, rest map[string]json.RawMessage) (io.Reader, error) {
	schema := s.bodySchema(op)
	if schema == nil {
		return nil, nil
	}
	members := map[string]json.RawMessage{}
	for name := range schema.Properties {
		if value, given := rest[name]; given {
			members[name] = value
			delete(rest, name)
		}
	}
	text, err := json.Marshal(members)
	if err != nil {
		return nil, fmt.Errorf("write the body of %s: %w", op.OperationID, err)
	}
	return bytes.NewReader(text), nil
}

// bodySchema returns the schema of an operation's body; nil without one.
func (s *Service) bodySchema(op *huma.Operation) *huma.Schema {
	if op.RequestBody == nil {
		return nil
	}
	for _, media := range op.RequestBody.Content {
		return resolve(media.Schema, s.huma.OpenAPI().Components.Schemas)
	}
	return nil
}

func (s *Service) unknownArguments(op *huma.Operation, unknown []string) error {
	var known []string
	for _, p := range op.Parameters {
		known = append(known, p.Name)
	}
	if schema := s.bodySchema(op); schema != nil {
		known = append(known, slices.Collect(maps.Keys(schema.Properties))...)
	}
	slices.Sort(known)
	message := "there is no such argument; leave it out: there are none"
	if len(known) > 0 {
		message = "there is no such argument; leave it out, or use one of " + strings.Join(known, ", ")
	}
	p := &Problem{Status: http.StatusUnprocessableEntity, Detail: "validation failed"}
	for _, name := range unknown {
		p.Errors = append(p.Errors, FieldProblem{Location: strictjson.ShownName(name), Message: message})
	}
	return p
}

func argumentFault(name, message string) error {
	return &Problem{Status: http.StatusUnprocessableEntity, Detail: "validation failed",
		Errors: []FieldProblem{{Location: name, Message: message}}}
}

// maxInvoked is a last resort, in bytes: every operation keeps its replies shorter itself.
const maxInvoked = 1 << 20

var errReplyTooLong = errors.New("the reply is too long")

// replyWriter keeps a reply instead of sending it.
type replyWriter struct {
	status  int
	header  http.Header
	body    bytes.Buffer
	tooLong bool
}

func newReplyWriter() *replyWriter { return &replyWriter{header: http.Header{}} }

func (w *replyWriter) Header() http.Header { return w.header }

func (w *replyWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *replyWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.tooLong = w.tooLong || w.body.Len()+len(p) > maxInvoked; w.tooLong {
		return 0, errReplyTooLong
	}
	return w.body.Write(p)
}

// SetReadDeadline does nothing: Huma asks it of a connection, and the arguments are here already.
func (w *replyWriter) SetReadDeadline(time.Time) error { return nil }

func (w *replyWriter) reply() Reply {
	return Reply{Status: max(w.status, http.StatusOK), Header: w.header, Body: w.body.Bytes()}
}
