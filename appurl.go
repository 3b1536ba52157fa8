package guestpass

import (
	"errors"
	"net/url"
	"regexp"

	"guestpass/internal/upstream"
)

// maxAppURL is how many bytes the address of the application has at most.
const maxAppURL = 1000

// plainURL matches addresses in which nothing is left to guess.
var plainURL = regexp.MustCompile(`^https?://[a-z0-9.:\[\]-]+(/[A-Za-z0-9/._~%-]*)?(\?[A-Za-z0-9/._~%=&+-]*)?` +
	`(#[A-Za-z0-9/._~%=&?!-]*)?$`)

// CheckAppURL returns what is wrong with an Options.AppURL: clients open it for people, so it is a page on https, or on
// this machine.
func CheckAppURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case len(text) > maxAppURL:
		return errors.New("is longer than 1,000 characters")
	case err != nil || u.Opaque != "" || u.Hostname() == "":
		return errors.New("must be the whole address of a page, such as https://app.example.com/tasks")
	case u.Scheme != "https" && (u.Scheme != "http" || !upstream.Loopback(u.Hostname())):
		return errors.New("must begin with https:// (http is for this machine only)")
	case u.User != nil:
		return errors.New("must not have a user name or a password")
	case !plainURL.MatchString(text):
		return errors.New("has letters that addresses have in encoded form alone, such as %2C for a comma")
	}
	return nil
}
