package auth

import (
	"net/http"
	"testing"
	"time"
)

// paused answers 429 on its host, and counts how often that was asked.
type paused struct {
	to    http.RoundTripper
	host  string
	asked int
}

func (p *paused) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := p.to.RoundTrip(r)
	if r.URL.Host == p.host && err == nil {
		p.asked++
		response.StatusCode = http.StatusTooManyRequests
		response.Header.Set("Retry-After", "55")
	}
	return response, err
}

// A domain that asks for a pause gets it, however many unknown key ids are sent, and the next
// one is asked meanwhile.
func TestAPauseOfOneDomainIsNoneOfAnother(t *testing.T) {
	var limited *paused
	f := newFixture(t, func(o *Options) {
		limited = &paused{to: o.Transport, host: "first.example"}
		o.JWKSURLs, o.Transport = []string{"https://first.example/jwks", "https://second.example/jwks"}, limited
	})
	f.accepts(t, f.token(nil))
	for range 2 {
		f.clock.Add(coolDown)
		f.refuses(t, f.by("foreign", keyTwo(), nil), "unknown kid")
	}
	f.wantFetches(t, 4)
	if limited.asked != 1 {
		t.Errorf("the domain that asked for a pause was asked %d times", limited.asked)
	}
	f.clock.Add(coolDown)
	f.refuses(t, f.by("foreign", keyTwo(), nil), "unknown kid")
	if limited.asked != 2 {
		t.Errorf("after the pause it was asked %d times in all", limited.asked)
	}
	f.clock.Add(-time.Hour) // the clock is set back
	f.keys.await(t.Context(), f.keys.startFetch())
	if limited.asked != 3 {
		t.Errorf("after the clock was set back it was asked %d times in all", limited.asked)
	}
}
