package lint

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Bounds of waiting for a server that says it is busy.
const (
	usualWait = time.Second // where it does not say how long
	maxWait   = 10 * time.Second
	mostWaits = 8 // in a whole check
)

// isBusy reports whether a status says nothing of the server but that it has no time now.
func isBusy(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// waits as long as a busy server asks for. It reports false if that is too long, or was too often: then no more is
// sent.
func (v *visit) waits(got answer) bool {
	wait := usualWait
	if seconds, err := strconv.Atoi(got.header.Get("Retry-After")); err == nil && seconds >= 0 {
		wait = time.Duration(min(seconds, 3600)) * time.Second
	}
	if v.waited++; wait > maxWait || v.waited > mostWaits {
		v.busy = fmt.Sprintf("the server limits requests (%d, wait for %s): lift the limit, or look again later",
			got.status, wait)
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-v.ctx.Done():
		v.busy = v.outOfTime()
		return false
	}
}
