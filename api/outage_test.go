package api

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"guestpass/store"
)

// Each kind of trouble has a line a minute, with how many calls had none, whatever else goes on.
func TestAnOutageIsToldOnceAMinute(t *testing.T) {
	start := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	var o outages
	for _, step := range []struct {
		after time.Duration
		err   error
		since int
		due   bool
	}{
		{0, store.ErrUnavailable, 0, true},
		{time.Second, fmt.Errorf("list: %w", store.ErrUnavailable), 0, false},
		{2 * time.Second, fmt.Errorf("%w: other words", store.ErrUnavailable), 0, false},
		{2 * time.Second, store.ErrLocked, 0, true},
		{3 * time.Second, store.ErrTables, 0, true},
		{4 * time.Second, errors.Join(store.ErrFull), 0, true},
		{outageEvery - 1, store.ErrUnavailable, 0, false},
		{outageEvery, store.ErrUnavailable, 3, true},
		{outageEvery + time.Second, store.ErrUnavailable, 0, false},
		{2 * outageEvery, store.ErrUnavailable, 1, true},
		{2 * outageEvery, store.ErrLocked, 0, true},
	} {
		if since, due := o.note(step.err, start.Add(step.after)); since != step.since || due != step.due {
			t.Errorf("after %v %v: %d, %t", step.after, step.err, since, due)
		}
	}
}
