package guestpass

import (
	"context"
	"errors"
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
			err := watch(ctx, func(context.Context) (again bool, dangers error) {
				at = append(at, time.Since(start))
				if len(at) == len(answers) {
					stop()
				}
				if len(at) > 1 { // what comes after the start ends nothing
					dangers = errors.New("dangerous")
				}
				return !answers[len(at)-1], dangers
			})
			if err != nil {
				t.Error(err)
			}
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

func TestADangerAtTheStartEndsTheServer(t *testing.T) {
	dangerous := errors.New("dangerous")
	err := watch(t.Context(), func(context.Context) (bool, error) { return true, dangerous })
	if !errors.Is(err, dangerous) {
		t.Errorf("it goes on: %v", err)
	}
}
