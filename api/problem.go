package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"guestpass/auth"
	"guestpass/directory"
	"guestpass/internal/credentials"
	"guestpass/internal/limits"
	"guestpass/internal/text"
	"guestpass/store"
)

// Problem is what a caller learns of a failure (RFC 9457). A model reads it and
// acts on it, so Hint says the next step. RequestID finds the failure in the log.
type Problem struct {
	Type      string         `json:"type"`
	Title     string         `json:"title"`
	Status    int            `json:"status"`
	Detail    string         `json:"detail"`
	Hint      string         `json:"hint,omitempty"`
	RequestID string         `json:"request_id,omitempty"`
	TraceID   string         `json:"trace_id,omitempty"` // where traces are kept
	Errors    []FieldProblem `json:"errors,omitempty"`
	Current   any            `json:"current,omitempty"` // with 409 for a stale version: the thing as it is
	Quota     *QuotaProblem  `json:"quota,omitempty"`   // with 507 for a quota that is used up
}

// QuotaProblem says which quota a change would exceed.
type QuotaProblem struct {
	Name  string `json:"name"` // activity, bytes, or a kind of a resource
	Used  int64  `json:"used"`
	Limit int64  `json:"limit"`
}

// FieldProblem names one input that was refused. The value itself is never
// repeated: it may be a secret, or the whole body.
type FieldProblem struct {
	Location string `json:"location"` // query.limit, body.email, path.member_id
	Message  string `json:"message"`
}

func (p *Problem) Error() string { return p.Detail }

// GetStatus and ContentType are what Huma asks of an error.
func (p *Problem) GetStatus() int              { return p.Status }
func (p *Problem) ContentType(_ string) string { return "application/problem+json" }

// Invalid is an error for a handler to return when an input has the right form but
// cannot be used: 422 with its location, such as "body.email".
func Invalid(location, message string) error {
	return &Problem{Status: http.StatusUnprocessableEntity, Detail: "an input cannot be used",
		Hint: hints[http.StatusUnprocessableEntity], Errors: []FieldProblem{{Location: location, Message: message}}}
}

// CheckDate is Invalid for a day that the calendar does not have, such as 2026-02-30: a pattern can tell only its form,
// YYYY-MM-DD. An empty date is none, and right.
func CheckDate(location, date string) error {
	if date == "" {
		return nil
	}
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return Invalid(location, "is not a day of the calendar; write YYYY-MM-DD, such as 2026-12-31")
	}
	return nil
}

// Forbidden is an error for a handler to return when the caller has the scope, and may all the same not do this: 403.
func Forbidden(detail string) error { return &Problem{Status: http.StatusForbidden, Detail: detail} }

// NotFoundError is an error for a handler to return for something that does not
// exist, or not for this caller: 404, the same bytes for both.
func NotFoundError(what string) error {
	return &Problem{Status: http.StatusNotFound, Detail: "no such " + what, Hint: hints[http.StatusNotFound]}
}

// Conflict is an error for a handler to return when the request is right but the
// world has moved on: 409.
func Conflict(detail, hint string) error {
	return &Problem{Status: http.StatusConflict, Detail: detail, Hint: hint}
}

// Stale is an error for a handler to return when a caller wants to change a thing that has changed since: 409, with the
// thing as it is now, as the operations show it.
func Stale(detail string, current any, hint string) error {
	return &Problem{Status: http.StatusConflict, Detail: detail, Hint: hint, Current: current}
}

// hints tell a model what to do next, by status.
var hints = map[int]string{
	http.StatusBadRequest:   "Correct the request and send it again.",
	http.StatusUnauthorized: "Ask the person to sign in again.",
	http.StatusForbidden: "Tell the person that they may not do this. Do not try again with the same " +
		"account.",
	http.StatusNotFound:              "Check the identifier: take it from a list operation, do not make one up.",
	http.StatusMethodNotAllowed:      "Use one of the methods in the Allow header.",
	http.StatusRequestEntityTooLarge: fmt.Sprintf("Send at most %d bytes.", MaxBody),
	http.StatusUnsupportedMediaType:  "Send the body as application/json, in UTF-8 and not compressed.",
	http.StatusUnprocessableEntity:   "Correct what is named under errors and send it again.",
	http.StatusTooManyRequests: "Wait as many seconds as Retry-After says, then go on more slowly. Read " +
		"several records with one call where an operation allows it.",
	http.StatusInternalServerError: "Try once more; if it fails again, give the person the request_id.",
	http.StatusBadGateway:          "This server is set up wrongly. Do not try again; give the person the request_id.",
	http.StatusInsufficientStorage: "Nothing was changed. Reading still works; tell the person that the server has " +
		"no space left.",
	http.StatusServiceUnavailable: "Wait as long as Retry-After says, then try again.",
}

// problem maps what a handler returned to what the caller may know. No other
// function picks a status for a handler's error; the text of an unknown one goes
// to the log only.
func (s *Service) problem(ctx context.Context, err error) error {
	var chosen huma.StatusError
	var invalid *directory.InvalidError
	var unavailable *directory.UnavailableError
	switch {
	case errors.As(err, new(*Problem)):
		return finish(ctx, err)
	case errors.As(err, &chosen):
		return finish(ctx, keepHeaders(err, s.adopted(ctx, chosen)))
	case errors.Is(err, directory.ErrNotFound):
		return finish(ctx, NotFoundError(s.personWord()))
	case errors.Is(err, directory.ErrExists):
		return finish(ctx, Conflict("this e-mail address belongs to a member of the organization, or to somebody "+
			"invited already", "There is no need to invite again."))
	case errors.Is(err, directory.ErrInactive):
		return finish(ctx, &Problem{Status: http.StatusForbidden, Detail: "this account is not active any more"})
	case errors.As(err, &invalid):
		return finish(ctx, Invalid(location(invalid.Field), invalid.Reason))
	case errors.Is(err, directory.ErrCredentials): // 401 would send the person to sign in, in vain
		return finish(ctx, &Problem{Status: http.StatusBadGateway, Detail: "the identity provider refused this server"})
	case errors.As(err, &unavailable):
		s.log.WarnContext(ctx, "Stytch unavailable", "error", err)
		return huma.ErrorWithHeaders(finish(ctx, &Problem{Status: http.StatusServiceUnavailable,
			Detail: "the identity provider does not answer at the " +
				"moment"}).(*Problem), retryAfter(unavailable.RetryAfter))
	}
	if p := loadProblem(err); p != nil {
		s.log.WarnContext(ctx, "not carried out in time", "error", err)
		return huma.ErrorWithHeaders(finish(ctx, p).(*Problem), retryAfter(time.Second))
	}
	if p := s.storeProblem(err); p != nil {
		switch {
		case p.Quota != nil: // waiting does not help, and it is nothing that is wrong here
			s.log.InfoContext(ctx, "quota used up", "error", err)
		case p.Status >= http.StatusInternalServerError:
			s.outages.tell(ctx, s.log, s.options.Now(), err)
			return huma.ErrorWithHeaders(finish(ctx, p).(*Problem), retryAfter(0))
		}
		return finish(ctx, p)
	}
	s.log.ErrorContext(ctx, "request failed", "error", err)
	return finish(ctx, &Problem{Status: http.StatusInternalServerError, Detail: "internal error"})
}

// loadProblem tells that there was too much to do; nil if that was not it.
func loadProblem(err error) *Problem {
	switch {
	case errors.Is(err, limits.ErrBusy):
		return &Problem{Status: http.StatusServiceUnavailable,
			Detail: "the server has too much to do at the moment; nothing was done"}
	case errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, store.ErrUnavailable):
		return &Problem{Status: http.StatusServiceUnavailable, Detail: "the server could not finish this in time",
			Hint: "Wait as long as Retry-After says. If this call was to change something, look first whether it " +
				"did, then try again."}
	}
	return nil
}

// WriteExceeded answers 429 outside of any operation, for an error of [Limits].
func WriteExceeded(w http.ResponseWriter, r *http.Request, err error) {
	var exceeded *limits.Exceeded
	if !errors.As(err, &exceeded) {
		WriteProblem(w, r, Problem{Status: http.StatusTooManyRequests, Detail: "too many requests"})
		return
	}
	exceeded.SetHeaders(w.Header())
	WriteProblem(w, r, exceededProblem(exceeded))
}

func exceededProblem(exceeded *limits.Exceeded) Problem {
	return Problem{Status: http.StatusTooManyRequests,
		Detail: fmt.Sprintf("more than %d requests a minute for each %s", exceeded.Quota, exceeded.Policy)}
}

// storeProblem tells what the store said; nil for what it did not.
func (s *Service) storeProblem(err error) *Problem {
	var later *store.LaterError
	var quota *store.QuotaError
	switch {
	case errors.As(err, &quota):
		return s.quotaProblem(quota)
	case errors.Is(err, store.ErrFinal):
		return &Problem{Status: http.StatusConflict, Detail: "it was deleted more than 30 days ago, which is final",
			Hint: "Create it anew if the person wants it; this one cannot be brought back."}
	case errors.Is(err, store.ErrNotFound):
		return &Problem{Status: http.StatusNotFound, Detail: "no such record", Hint: hints[http.StatusNotFound]}
	case errors.Is(err, store.ErrFull):
		return &Problem{Status: http.StatusInsufficientStorage, Detail: "there is no space left to keep this"}
	case errors.Is(err, store.ErrUnavailable):
		return &Problem{Status: http.StatusServiceUnavailable, Detail: "the database does not answer at the moment"}
	case errors.Is(err, store.ErrOtherBody):
		return &Problem{Status: http.StatusConflict, Detail: "this request_id was used for another call",
			Hint: "Use a new request_id for a new call, or leave it out."}
	case errors.As(err, &later):
		return &Problem{Status: http.StatusConflict,
			Detail: fmt.Sprintf("%s changed it later, at %s "+
				"(%s)", later.Later.Operation, later.Later.At.Format(time.RFC3339), later.Later.ID),
			Hint: "Undo the later change first, if the person wants that, or change the record with its own " +
				"operations."}
	}
	return nil
}

// quotaProblem says what is used up, and how there is room again.
func (s *Service) quotaProblem(e *store.QuotaError) *Problem {
	whose := "one owner"
	if e.Person {
		whose = "one person, which is half of what their organization may"
	}
	detail, room, setting := "there are %d "+e.Quota+", and %d is the most for %s", "", ""
	switch e.Quota {
	case "activity":
		detail, setting = "%d changes are on record, and %d is the most for %s", "GUESTPASS_QUOTA_ACTIVITY"
		room = "Reading and deleting still work. There is room again when changes are older than 30 days"
	case "bytes":
		detail, setting = "%d bytes are kept, and %d is the most for %s", "GUESTPASS_QUOTA_MEGABYTES"
		room = "Reading and deleting still work. What is deleted makes room 30 days later"
	default:
		q := s.quotaOf(e.Quota)
		room, setting = q.Room, q.Setting()
	}
	return &Problem{Status: http.StatusInsufficientStorage, Detail: fmt.Sprintf(detail, e.Used, e.Limit, whose),
		Hint:  "Nothing was changed. " + room + "; or have whoever runs this server raise " + setting + ".",
		Quota: &QuotaProblem{e.Quota, e.Used, e.Limit}}
}

// quotaOf is what a resource says of things of a kind.
func (s *Service) quotaOf(kind string) Quota {
	for _, r := range s.options.Resources {
		for _, q := range r.Quotas {
			if q.Kind == kind {
				return q
			}
		}
	}
	return Quota{Kind: kind,
		Room: "Delete " + kind + " that are not needed any more, if the person wants that, then try again"}
}

// personWord is what a person of the project is called.
func (s *Service) personWord() string {
	if s.options.Vertical == auth.Consumer {
		return "user"
	}
	return "member"
}

// location places a directory's field name in the request that carried it.
func location(field string) string {
	if field == "cursor" {
		return "query.cursor"
	}
	return "body." + field
}

// finish fills what every problem has, and keeps the headers that go with it.
func finish(ctx context.Context, err error) error {
	var p *Problem
	if !errors.As(err, &p) {
		return err
	}
	full := *p
	full.complete(ctx)
	return keepHeaders(err, &full)
}

// keepHeaders is the problem with the headers that go with an error.
func keepHeaders(err error, p *Problem) error {
	var headers huma.HeadersError
	if errors.As(err, &headers) {
		return huma.ErrorWithHeaders(p, headers.GetHeaders())
	}
	return p
}

// Bounds of what a problem says, whatever the request was.
const (
	maxDetail   = 500 // characters of a text
	maxLocation = 200
	maxErrors   = 25
)

// told is a text of a problem as it is sent. A message may repeat what was refused, and anybody
// may put anything there: what cannot be seen goes, and so does what has the form of a token or
// is a password in a URL, as answers are kept by whoever calls.
func told(message string, most int) string {
	return text.Short(credentials.Mask(text.Line(message)), most)
}

// complete fills what every problem has.
func (p *Problem) complete(ctx context.Context) {
	p.Detail, p.Hint = told(p.Detail, maxDetail), told(p.Hint, maxDetail)
	more := len(p.Errors) - maxErrors
	p.Errors = slices.Clone(p.Errors[:min(len(p.Errors), maxErrors)])
	for i, e := range p.Errors {
		// A name with something hidden in it must not look like another one.
		location := text.Short(credentials.Mask(text.Escape(e.Location)), maxLocation)
		p.Errors[i] = FieldProblem{Location: location, Message: told(e.Message, maxDetail)}
	}
	if more > 0 {
		p.Errors = append(p.Errors, FieldProblem{Location: "body", Message: fmt.Sprintf("and %d faults more", more)})
	}
	p.Type = "about:blank"
	p.Title = http.StatusText(p.Status)
	if p.Hint == "" {
		p.Hint = hints[p.Status]
	}
	if ctx != nil {
		p.RequestID = middleware.GetReqID(ctx)
		if caller := CallerOf(ctx); caller != nil {
			p.TraceID = caller.TraceID
		}
	}
}

// FormatTime is a time as operations show it: RFC 3339, UTC, and "" for none.
func FormatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// retryAfter is the header for a wait; five seconds when nobody said how long.
func retryAfter(wait time.Duration) http.Header {
	if wait <= 0 {
		wait = 5 * time.Second
	}
	return http.Header{"Retry-After": {strconv.Itoa(int(math.Ceil(wait.Seconds())))}}
}

// adopted is the problem for an error with a status that is none of ours. The functions of package huma make such
// errors of the type that the program around has chosen, so that only of Huma's own type more is known.
func (s *Service) adopted(ctx context.Context, made huma.StatusError) *Problem {
	p := &Problem{Status: made.GetStatus(), Detail: made.Error()}
	if p.Status < 300 || p.Status > 599 || p.Status >= 500 && p.Status != http.StatusServiceUnavailable {
		s.log.ErrorContext(ctx, "request failed", "error", made)
		return &Problem{Status: http.StatusInternalServerError, Detail: "internal error"}
	}
	model, ok := made.(*huma.ErrorModel)
	if !ok {
		return p
	}
	for _, detail := range model.Errors {
		if detail != nil && detail.Location != "" { // without, it is any error's text, which nobody has meant to show
			p.Errors = append(p.Errors, FieldProblem{Location: detail.Location, Message: detail.Message})
		}
	}
	return p
}

// ownErrors makes problems of the errors that Huma writes by itself. What it could refuse was refused before, but for
// what a Resolve method of an input refuses: that is a refusal, whatever status the program around gives it.
func (s *Service) ownErrors(ctx huma.Context, _ string, answer any) (any, error) {
	made, isError := answer.(huma.StatusError)
	r, isReading := ctx.(*reading)
	if _, ours := answer.(*Problem); ours || !isError || !isReading {
		return answer, nil
	}
	if status := made.GetStatus(); status < 400 || status > 599 {
		r.refused = &Problem{Status: http.StatusUnprocessableEntity, Detail: made.Error()}
	} else {
		r.refused = s.adopted(ctx.Context(), made)
	}
	r.refused.complete(ctx.Context())
	ctx.SetHeader("Content-Type", r.refused.ContentType(""))
	return r.refused, nil
}

// refuse writes a problem in place of the answer of an operation.
func (s *Service) refuse(ctx huma.Context, p *Problem) {
	p.complete(ctx.Context())
	ctx.SetHeader("Content-Type", p.ContentType(""))
	ctx.SetStatus(p.Status)
	_ = marshalClean(ctx.BodyWriter(), p)
}

// WriteProblem answers with a problem outside of any operation. Header values that
// the caller has set stay.
func WriteProblem(w http.ResponseWriter, r *http.Request, p Problem) {
	p.complete(r.Context())
	header := w.Header()
	header.Set("Content-Type", "application/problem+json")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// NotFound answers for paths that no route has.
func NotFound(w http.ResponseWriter, r *http.Request) {
	WriteProblem(w, r, Problem{Status: http.StatusNotFound, Detail: "there is nothing at this path",
		Hint: "The operations and their paths are in /openapi.json."})
}

// MethodNotAllowed answers for paths that exist for other methods only, which the
// Allow header names (RFC 9110 section 15.5.6).
func MethodNotAllowed(routes chi.Routes, w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete} {
		if routes.Match(chi.NewRouteContext(), method, r.URL.Path) {
			allowed = append(allowed, method)
		}
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	WriteProblem(w, r, Problem{Status: http.StatusMethodNotAllowed, Detail: r.Method + " is not possible at this path"})
}
