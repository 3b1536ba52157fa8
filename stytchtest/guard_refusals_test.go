package stytchtest_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"guestpass/stytchtest"
)

// TestRefusedPagesAreInTheLogOnceAMinute, with how many others there were.
func TestRefusedPagesAreInTheLogOnceAMinute(t *testing.T) {
	var log bytes.Buffer
	e := must[*stytchtest.Emulator](t)(
		stytchtest.New(stytchtest.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}))
	knocks := func(n int) {
		for range n {
			if w := knock(e, "GET", "/v1/b2b/rbac/policy", "localhost:8081",
				map[string]string{"Origin": "http://evil.test"}, ""); !turnedAway(w) {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
		}
	}
	knocks(200)
	e.Advance(time.Minute)
	knocks(3)
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "others=0") || !strings.Contains(lines[1], "others=199") {
		t.Errorf("%d lines:\n%s", len(lines), &log)
	}
}
