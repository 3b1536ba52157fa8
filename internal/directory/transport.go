package directory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"guestpass/internal/limits"
)

// Every number that bounds a call to Stytch.
const (
	connectTimeout = 2 * time.Second  // TCP, and again for TLS
	lookUpTimeout  = 2 * time.Second  // a GET with its reply, each attempt
	answerTimeout  = 10 * time.Second // of everything else, from the request sent to the reply's header; Stytch says a search may take 9 s
	overallTimeout = 16 * time.Second // all attempts and the reply's body
	maxAttempts    = 3
	maxRetryAfter  = 2 * time.Second // a longer wish is passed on to the caller instead
	maxReply       = 8 << 20         // a page of 1,000 members is about 1 MB

	defaultMaxCalls = limits.DefaultInFlight / 2 // see Options.MaxCalls
)

// transport is the http.RoundTripper under stytch-go, which by itself has neither
// time limits nor retries, drops the Retry-After header and trips over replies that
// are not JSON. It repeats reads only: an invitation sent twice is two e-mails.
// While Stytch fails, its breaker refuses calls at once. While Stytch is slow, few wait for
// it, in places of two kinds: those for admission, which hold nobody else up, and those for
// everything else, which happens while an operation or a page is made and takes its place.
type transport struct {
	next               http.RoundTripper
	backoff            func(attempt int) time.Duration
	breaker            *breaker
	admissions, others *limits.Slots
}

// forAdmission marks calls on which it depends whether somebody is let in.
func forAdmission(ctx context.Context) context.Context {
	return context.WithValue(ctx, admission{}, true)
}

type admission struct{}

func newTransport(o Options) http.RoundTripper {
	backoff := o.Backoff
	if backoff == nil {
		backoff = func(attempt int) time.Duration { return 100 * time.Millisecond << (2 * (attempt - 1)) }
	}
	dialer := &net.Dialer{Timeout: connectTimeout}
	return &transport{backoff: backoff, breaker: newBreaker(o.Log),
		admissions: limits.NewSlots(o.MaxCalls, 2*o.MaxCalls), others: limits.NewSlots(o.MaxCalls, o.MaxCalls/2), next: &http.Transport{
			DialContext:           dialer.DialContext,
			TLSHandshakeTimeout:   connectTimeout,
			ResponseHeaderTimeout: answerTimeout,
			MaxIdleConnsPerHost:   16,
			MaxConnsPerHost:       2 * o.MaxCalls,
			IdleConnTimeout:       time.Minute,
			ForceAttemptHTTP2:     true,
		}}
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	places := t.others
	if r.Context().Value(admission{}) != nil {
		places = t.admissions
	}
	if err := places.Enter(r.Context()); err != nil {
		return nil, &UnavailableError{RetryAfter: time.Second, cause: fmt.Errorf("calls to Stytch: %w", err)}
	}
	defer places.Leave()
	attempts := 1
	if idempotent(r) {
		attempts = maxAttempts
	}
	for attempt := 1; ; attempt++ {
		response, failure := t.breaker.guard(r, t.once)
		if failure == nil {
			return response, nil
		}
		limited := errors.Is(failure, statusError(http.StatusTooManyRequests)) && failure.RetryAfter == 0
		if attempt == attempts || failure.RetryAfter > maxRetryAfter || refused(failure) || limited {
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

// once makes one attempt. A reply that stytch-go can understand is returned as it
// is, whatever its status; everything else is an [UnavailableError].
func (t *transport) once(r *http.Request) (*http.Response, *UnavailableError) {
	ctx, cancel := r.Context(), func() {}
	if r.Method == http.MethodGet {
		ctx, cancel = context.WithTimeout(ctx, lookUpTimeout)
	}
	defer cancel()
	request := r.Clone(ctx)
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, &UnavailableError{cause: err}
		}
		request.Body = body
	}
	response, err := t.next.RoundTrip(request)
	if err != nil {
		return nil, &UnavailableError{cause: err}
	}
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		drain(response)
		return nil, &UnavailableError{RetryAfter: retryAfter(response.Header), cause: statusError(response.StatusCode)}
	}
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); kind != "application/json" {
		drain(response)
		return nil, &UnavailableError{cause: fmt.Errorf("status %d with a reply that is not JSON (%q)", response.StatusCode, kind)}
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxReply+1))
	_ = response.Body.Close()
	if err != nil {
		return nil, &UnavailableError{cause: err}
	}
	if len(body) > maxReply {
		return nil, &UnavailableError{cause: fmt.Errorf("a reply of more than %d bytes", maxReply)}
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
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
