package gpttest

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Result is the API's answer to one call, as the model gets it.
type Result struct {
	Status      int
	Body        []byte
	ContentType string
	// Header is the answer's. ChatGPT shows nothing of it to the model.
	Header http.Header
	// Request is what was sent, for display. It holds no credentials.
	Request Request
	// Debug are the records that the editor's preview shows.
	Debug []string
}

// Request is a request as the Actions runtime made it.
type Request struct {
	Method, URL string
	Body        []byte
}

// KwargsError says that the model made arguments up. No request was sent (class C).
type KwargsError struct{ Names []string }

func (e *KwargsError) Error() string {
	if len(e.Names) == 1 {
		return "UnrecognizedKwargsError: " + e.Names[0]
	}
	names := make([]any, len(e.Names))
	for i, name := range e.Names {
		names[i] = name
	}
	return "UnrecognizedKwargsError: " + tuple(names...)
}

// MissingError says that a required argument is missing. No request was sent. The
// text is ours.
type MissingError struct {
	Operation string
	Names     []string
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s: required arguments are missing: %s", e.Operation, strings.Join(e.Names, ", "))
}

// TooLargeError says that a request or a response reached 100,000 characters (class
// A; the name is class D).
type TooLargeError struct {
	// What is "request" or "response".
	What string
	// Characters are code points. A response is read no further than needed.
	Characters int
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("ResponseTooLargeError: the %s has %d characters; it must stay under %d", e.What, e.Characters,
		maxCharacters)
}

// ClientResponseError is a failure below the API: no connection, a deadline, an
// answer that is no text (class C).
type ClientResponseError struct{ Err error }

func (e *ClientResponseError) Error() string { return "ClientResponseError: " + e.Err.Error() }
func (e *ClientResponseError) Unwrap() error { return e.Err }

// SignInError says that the person has to sign in again: the token expired and could
// not be refreshed. No request was sent.
type SignInError struct {
	// Host is the one in "Sign in with {host}".
	Host string
	Err  error
}

func (e *SignInError) Error() string { return fmt.Sprintf("Sign in with %s: %v", e.Host, e.Err) }
func (e *SignInError) Unwrap() error { return e.Err }

// ErrDeclined says that the person declined the call. No request was sent.
var ErrDeclined = errors.New("the person declined the call")

// Call makes one call as the Actions runtime does and returns the API's answer,
// whatever its status. args are flat: the runtime splits them into path, query and
// JSON body. Errors are *[KwargsError], *[MissingError], [ErrDeclined],
// *[SignInError], *[TooLargeError] and *[ClientResponseError]; the first four come
// before any request.
//
// A token that has expired is refreshed first. A 401 of the API signs out and is
// returned like any other answer.
func (g *GPT) Call(ctx context.Context, operationID string, args map[string]any) (*Result, error) {
	op, ok := g.imp.Operation(operationID)
	if !ok {
		return nil, fmt.Errorf("the action has no operation %q", operationID)
	}
	if err := op.CheckArguments(args); err != nil {
		return nil, err
	}
	request, cookies, err := g.build(op, args)
	if err != nil {
		return nil, err
	}
	if !g.approved(op, args) {
		return nil, ErrDeclined
	}
	token, err := g.tokenFor(ctx, op)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, roundTrip)
	defer cancel()
	record := g.record(op, args)
	result, err := g.send(ctx, request, cookies, token)
	if err == nil && g.options.DuplicateCalls {
		result, err = g.send(ctx, request, cookies, token)
	}
	if err != nil {
		record.failed()
		return nil, err
	}
	g.learn(result)
	result.Debug = record.answered(result)
	return result, nil
}

// Reply returns the schema of the JSON answer with that status, nil if the document has
// none.
func (op Operation) Reply(status int) *Schema {
	for _, name := range []string{strconv.Itoa(status), fmt.Sprintf("%dXX", status/100), "default"} {
		if schema, ok := op.replies[name]; ok {
			return schema
		}
	}
	return nil
}

// Declares reports whether the document speaks of answers with that status.
func (op Operation) Declares(status int) bool {
	_, ok := op.replies[strconv.Itoa(status)]
	return ok
}

// Expects reports whether the document speaks of answers with that status by itself, by a
// range such as 2XX or by default.
func (op Operation) Expects(status int) bool {
	_, ranged := op.replies[fmt.Sprintf("%dXX", status/100)]
	_, others := op.replies["default"]
	return op.Declares(status) || ranged || others
}

// Successes returns the statuses by which the document says that a call went well: "201", "2XX".
func (op Operation) Successes() (statuses []string) {
	for _, status := range slices.Sorted(maps.Keys(op.replies)) {
		if strings.HasPrefix(status, "2") {
			statuses = append(statuses, status)
		}
	}
	return statuses
}

// AnswersJSON reports whether the document says that a call that goes well is answered in JSON.
func (op Operation) AnswersJSON() bool {
	return slices.ContainsFunc(op.Successes(), func(status string) bool { return op.replies[status] != nil })
}

// CheckArguments holds arguments against the document, as [GPT.Call] does before anything else. The
// error is a *[KwargsError] or a *[MissingError].
func (op Operation) CheckArguments(args map[string]any) error {
	var unknown, missing []string
	for _, name := range slices.Sorted(maps.Keys(args)) {
		i := slices.IndexFunc(op.Arguments, func(a Argument) bool { return a.Name == name })
		if i < 0 {
			unknown = append(unknown, name)
			continue
		}
		unknown = op.Arguments[i].known.unknown(args[name], unknown)
	}
	if len(unknown) > 0 {
		return &KwargsError{Names: unknown}
	}
	for _, a := range op.Arguments {
		if _, given := args[a.Name]; a.Required && !given {
			missing = append(missing, a.Name)
		}
	}
	if len(missing) > 0 {
		return &MissingError{Operation: op.ID, Names: missing}
	}
	return nil
}

// approved asks the person. Consequential operations are asked about every time,
// the others until "Always allow" was chosen for the domain.
func (g *GPT) approved(op Operation, args map[string]any) bool {
	g.mu.Lock()
	always := g.always
	g.mu.Unlock()
	if always && !op.Consequential {
		return true
	}
	decision := g.options.Approve(op, args)
	if decision == AlwaysAllow && !op.Consequential {
		g.mu.Lock()
		g.always = true
		g.mu.Unlock()
	}
	return decision != Decline
}

// tokenFor returns the access token for op, "" if it is public or nobody is signed in.
func (g *GPT) tokenFor(ctx context.Context, op Operation) (string, error) {
	token := g.Token()
	if op.Public || token == nil {
		return "", nil
	}
	if !token.ExpiresAt.IsZero() && !g.options.Now().Before(token.ExpiresAt) {
		var err error
		if token, err = g.Refresh(ctx); err != nil {
			return "", &SignInError{Host: g.imp.RootDomain, Err: err}
		}
	}
	return token.AccessToken, nil
}

// learn draws the consequences of an answer's status.
func (g *GPT) learn(r *Result) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case r.Status == http.StatusUnauthorized && !g.options.KeepTokenOn401:
		g.token = nil
	case r.Status == http.StatusTooManyRequests:
		g.throttled++
	case r.Status >= 500:
		g.broken++
	}
}

func (g *GPT) send(ctx context.Context, r Request, cookies, token string) (*Result, error) {
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	if r.Body == nil {
		req.Body, req.GetBody = http.NoBody, nil
	}
	g.headers(req.Header)
	if cookies != "" {
		req.Header.Set("Cookie", cookies)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := g.client.Do(req)
	if err != nil {
		return nil, &ClientResponseError{Err: err}
	}
	defer res.Body.Close()
	body, err := readText(res)
	if err != nil {
		return nil, err
	}
	return &Result{Status: res.StatusCode, Body: body, ContentType: res.Header.Get("Content-Type"), Header: res.Header,
		Request: r}, nil
}

// headers are those seen on real calls (class C), without the x-datadog ones.
func (g *GPT) headers(h http.Header) {
	h.Set("User-Agent", userAgent)
	h.Set("Accept", "*/*")
	h.Set("Accept-Encoding", "gzip, deflate")
	h.Set("Content-Type", "application/json") // even on GET
	h.Set("Openai-Conversation-Id", g.conversationID)
	h.Set("Openai-Ephemeral-User-Id", g.ephemeralID)
	h.Set("Openai-Gpt-Id", g.options.CallbackID)
	h.Set("Openai-Subdivision-1-Iso-Code", "US-CA")
	var id [24]byte
	rand.Read(id[:])
	h.Set("Traceparent", "00-"+hex.EncodeToString(id[:16])+"-"+hex.EncodeToString(id[16:])+"-01")
}

// readText reads an answer up to the limit, which counts code points after
// decompression. Only text reaches the model.
func readText(res *http.Response) ([]byte, error) {
	reader := io.Reader(res.Body)
	var err error
	switch strings.ToLower(res.Header.Get("Content-Encoding")) {
	case "gzip":
		reader, err = gzip.NewReader(res.Body)
	case "deflate":
		reader, err = zlib.NewReader(res.Body)
	}
	if err == io.EOF { // an empty body may still be labelled
		return nil, nil
	}
	if err != nil {
		return nil, &ClientResponseError{Err: err}
	}
	body, err := io.ReadAll(io.LimitReader(reader, maxCharacters*utf8.UTFMax))
	if err != nil {
		return nil, &ClientResponseError{Err: err}
	}
	if n := utf8.RuneCount(body); n >= maxCharacters {
		return nil, &TooLargeError{What: "response", Characters: n}
	}
	if !utf8.Valid(body) {
		return nil, &ClientResponseError{Err: errors.New("the answer is not text in UTF-8")}
	}
	return body, nil
}
