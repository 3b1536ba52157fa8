//go:build !production

package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// inbox is the emulator's, where the one-time codes arrive.
type inbox struct {
	url    string
	before time.Time // the newest mail when we began
}

// inboxError says that the emulator's inbox is not as --as needs it, whatever the server does.
type inboxError struct{ error }

func (e inboxError) Unwrap() error { return e.error }

type mail struct {
	To     string    `json:"to"`
	Kind   string    `json:"kind"`
	Code   string    `json:"code"`
	SentAt time.Time `json:"sent_at"`
}

func (i *inbox) mark(ctx context.Context) error {
	mails, err := i.read(ctx)
	if err != nil {
		return err
	}
	if len(mails) > 0 {
		i.before = mails[0].SentAt
	}
	return nil
}

// code waits for a code that was sent after the mark.
func (i *inbox) code(ctx context.Context, email string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		mails, err := i.read(ctx)
		if err != nil {
			return "", err
		}
		for _, m := range mails {
			if m.Kind == "otp" && strings.EqualFold(m.To, email) && m.SentAt.After(i.before) {
				return m.Code, nil
			}
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("no code was sent to %s", email)
		case <-tick.C:
		}
	}
}

func (i *inbox) read(ctx context.Context) ([]mail, error) {
	mails, err := i.fetch(ctx)
	if err != nil && ctx.Err() == nil {
		return nil, inboxError{fmt.Errorf("the emulator's inbox at %s does not answer: %w; --as works with the "+
			"emulator of `guestpass dev`: name it with --emulator", i.url, err)}
	}
	return mails, err
}

func (i *inbox) fetch(ctx context.Context) ([]mail, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, i.url, nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Timeout: 5 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", response.StatusCode)
	}
	var mails []mail
	err = json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&mails)
	return mails, err
}
