package stytch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"guestpass/directory"
	"guestpass/internal/limits"
	"guestpass/internal/upstream"
)

// Every number that bounds a call to Stytch.
const (
	connectTimeout = 2 * time.Second // TCP, and again for TLS
	lookUpTimeout  = 2 * time.Second // a GET with its reply, each attempt
	// of everything else, from the request sent to the reply's header; Stytch says a search may take 9 s
	answerTimeout  = 10 * time.Second
	overallTimeout = 16 * time.Second // all attempts and the reply's body
	maxAttempts    = 3
	maxRetryAfter  = 2 * time.Second // a longer wish is passed on to the caller instead
	maxReply       = 8 << 20         // a page of 1,000 members is about 1 MB

	maxClockDifference = 5 * time.Second // as far as revoking reckons with

	defaultMaxCalls = limits.DefaultInFlight / 2 // see Options.MaxCalls
)

// transport is the http.RoundTripper under stytch-go, which by itself has neither
// time limits nor retries, drops the Retry-After header and trips over replies that
// are not JSON. It repeats reads only: an invitation sent twice is two e-mails.
// Each purpose has a [line] of its own: while Stytch fails or is slow for one, no other waits.
type transport struct {
	next    http.RoundTripper
	backoff func(attempt int) time.Duration
	lines   map[purpose]*line
	now     func() time.Time
	observe Observer                                       // nil: nobody
	tell    func(ctx context.Context, ahead time.Duration) // that Stytch's clock is, or with a minus that ours is
}

func newTransport(o Options) *transport {
	t := &transport{backoff: o.Backoff, lines: map[purpose]*line{}, now: o.Now, observe: o.Observe}
	if t.backoff == nil {
		t.backoff = func(attempt int) time.Duration { return 100 * time.Millisecond << (2 * (attempt - 1)) }
	}
	for _, e := range endpoints {
		for _, c := range causes {
			t.lines[purpose{e, c}] = newLine(purpose{e, c}, o)
		}
	}
	t.next = &http.Transport{
		DialContext:           upstream.Dial(connectTimeout),
		TLSHandshakeTimeout:   connectTimeout,
		ResponseHeaderTimeout: answerTimeout,
		MaxIdleConnsPerHost:   16, // and no limit of those in use, which all purposes would share: the places are one
		IdleConnTimeout:       time.Minute,
		ForceAttemptHTTP2:     true,
		// A connection that has died in silence would take the calls of all purposes with it.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 5 * time.Second, PingTimeout: 2 * time.Second},
	}
	return t
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	line := t.lines[purposeOf(r.Context())]
	if line == nil {
		return nil, fmt.Errorf("a call to Stytch for no purpose: %s %s", r.Method, r.URL.Path)
	}
	line.used.Store(true)
	leave, err := line.places.Enter(r.Context())
	if err != nil {
		return nil, &directory.UnavailableError{RetryAfter: time.Second, Cause: fmt.Errorf("calls to Stytch: %w", err)}
	}
	defer leave()
	owner := line.owner(ownerOf(r.Context()))
	attempts := 1
	if idempotent(r) && line.purpose.cause != health { // a health check is not patient
		attempts = maxAttempts
	}
	for attempt := 1; ; attempt++ {
		response, failure := line.guard(r, owner, t.observed)
		if failure == nil {
			return response, nil
		}
		limited := errors.Is(failure, statusError(http.StatusTooManyRequests)) && failure.RetryAfter == 0
		if attempt == attempts || failure.RetryAfter > maxRetryAfter || refused(failure) || limited ||
			!owner.repeats.Allow() {
			return nil, failure
		}
		timer := time.NewTimer(max(t.backoff(attempt), failure.RetryAfter))
		select {
		case <-r.Context().Done():
			timer.Stop()
			return nil, failure
		case <-timer.C:
		}
	}
}

// troubled returns the purposes for which calls of people who are known are refused at the moment.
func (t *transport) troubled() (list []string) {
	for p, line := range t.lines {
		if line.troubled() {
			list = append(list, p.String())
		}
	}
	slices.Sort(list)
	return list
}

// once makes one attempt. A reply that stytch-go can understand is returned as it
// is, whatever its status; everything else is an [directory.UnavailableError].
func (t *transport) once(r *http.Request) (*http.Response, *directory.UnavailableError) {
	ctx, cancel := r.Context(), func() {}
	if r.Method == http.MethodGet {
		ctx, cancel = context.WithTimeout(ctx, lookUpTimeout)
	}
	defer cancel()
	request := r.Clone(ctx)
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, &directory.UnavailableError{Cause: err}
		}
		request.Body = body
	}
	asked := t.now()
	response, err := t.next.RoundTrip(request)
	if err != nil {
		return nil, &directory.UnavailableError{Cause: err}
	}
	t.compareClocks(r.Context(), asked, response.Header)
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		drain(response)
		return nil, &directory.UnavailableError{RetryAfter: retryAfter(response.Header),
			Cause: statusError(response.StatusCode)}
	}
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); kind != "application/json" {
		drain(response)
		return nil, &directory.UnavailableError{Cause: fmt.Errorf("%w with a reply that is not JSON (%q)",
			statusError(response.StatusCode), kind)}
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxReply+1))
	_ = response.Body.Close()
	if err != nil {
		return nil, &directory.UnavailableError{Cause: err}
	}
	if len(body) > maxReply {
		return nil, &directory.UnavailableError{Cause: fmt.Errorf("a reply of more than %d bytes", maxReply)}
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// compareClocks tells when ours is not Stytch's.
func (t *transport) compareClocks(ctx context.Context, asked time.Time, header http.Header) {
	if ahead := clockDifference(header, asked, t.now()); ahead != 0 {
		t.tell(ctx, ahead)
	}
}

// clockDifference returns by how much the clock of who answered is ahead of ours, or behind with a minus, by the header
// Date (RFC 9110 section 6.6.1), which has whole seconds; 0 within what does no harm, or if nothing is told.
func clockDifference(header http.Header, asked, answered time.Time) time.Duration {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return 0
	}
	if ahead := date.Sub(answered); ahead > maxClockDifference {
		return ahead
	}
	if behind := asked.Sub(date.Add(time.Second)); behind > maxClockDifference {
		return -behind
	}
	return 0
}

// idempotent admits what may be sent twice: reads, and Stytch's searches and
// introspections, which are POSTs.
func idempotent(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodPost &&
		(strings.HasSuffix(r.URL.Path, "/search") || strings.HasSuffix(r.URL.Path, "/oauth2/introspect"))
}

// drain reads a little of a refused reply so that the connection can be used again.
func drain(response *http.Response) {
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10)
	_ = response.Body.Close()
}

// retryAfter reads RFC 9110 section 10.2.3 in its form of seconds; a date is treated as absent.
func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil || seconds < 0 || seconds > 3600 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
