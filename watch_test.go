package guestpass

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheProjectIsCheckedAtOnceAndEveryHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		start := time.Now()
		var at []time.Duration
		answers := []bool{false, false, true, true, false, true, true} // Stytch is away at first, and once later
		done := make(chan struct{})
		go func() {
			defer close(done)
			watch(ctx, func(context.Context) bool {
				at = append(at, time.Since(start))
				if len(at) == len(answers) {
					stop()
				}
				return answers[len(at)-1]
			})
		}()
		<-done
		want := []time.Duration{0, time.Minute, 2 * time.Minute, time.Hour + 2*time.Minute, 2*time.Hour + 2*time.Minute,
			2*time.Hour + 3*time.Minute, 3*time.Hour + 3*time.Minute}
		for i, d := range want {
			if at[i] != d {
				t.Errorf("check %d is after %v, want %v", i+1, at[i], d)
			}
		}
	})
}
