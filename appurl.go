package guestpass

import "guestpass/internal/pageurl"

// CheckAppURL returns what is wrong with an Options.AppURL: clients open it for people, so it is a page on https, or on
// this machine.
func CheckAppURL(text string) error {
	_, err := pageurl.Parse(text)
	return err
}
