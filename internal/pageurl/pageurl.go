// Package pageurl checks the addresses of web pages, and of pictures, that settings name. It does not know what a page
// is for, nor whether it is there. What it admits has nothing that ends an attribute or a line; who writes it into a
// page escapes it all the same.
package pageurl

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"guestpass/internal/pattern"
	"guestpass/internal/upstream"
)

// Most is how many bytes an address has at most.
const Most = 1000

var (
	origin  = pattern.New(`^(?i:https?)://([^/?#]*)(.*)$`)
	port    = pattern.New(`:([^:\]]*)$`)
	label   = pattern.New(`^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$`)
	illegal = pattern.New(`[^A-Za-z0-9._~!$&'()*+,;=:@/?#%-]`) // in a path and behind it (RFC 3986, section 3)
	second  = pattern.New(`^[^?#]*,https?://`)                 // legal, and never meant
	escape  = pattern.New(`%(?:[0-9A-Fa-f]{2})?`)
)

// Parse reads an address on https, or on http if it is on this machine. The error is about a setting: it follows the
// setting's name, says what to change, and repeats no more than one letter of the value.
func Parse(text string) (*url.URL, error) {
	parts := origin.FindStringSubmatch(strings.ToValidUTF8(text, "\ufffd"))
	switch {
	case len(text) > Most:
		return nil, errors.New("is longer than 1,000 characters")
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return nil, errors.New("has a control character, such as the end of a line: leave it out")
	case parts == nil && strings.Contains(text, "://"):
		return nil, errors.New("must begin with https:// (http is for this machine only)")
	case parts == nil || parts[1] == "":
		return nil, errors.New("must be a whole address, such as https://app.example.com/tasks")
	case strings.Contains(parts[1], "@"):
		return nil, errors.New("must not have a user name or a password")
	}
	if err := errors.Join(checkHost(parts[1]), checkPath(parts[2])); err != nil {
		return nil, err
	}
	u, err := url.Parse(text)
	switch {
	case err != nil: // whose text has the value
		return nil, errors.New("must be a whole address, such as https://app.example.com/tasks")
	case u.Scheme != "https" && !upstream.Loopback(strings.ToLower(u.Hostname())):
		return nil, errors.New("must begin with https:// (http is for this machine only)")
	}
	return u, nil
}

func checkHost(host string) error {
	if found := port.FindStringSubmatch(host); found != nil {
		if n, err := strconv.ParseUint(found[1], 10, 16); err != nil || n == 0 {
			return errors.New("must have a number from 1 to 65535 as its port, or no port and no colon before it")
		}
		host = strings.TrimSuffix(host, found[0])
	}
	if strings.HasPrefix(host, "[") {
		ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
		if err != nil || ip.Zone() != "" || host != "["+strings.Trim(host, "[]")+"]" || !ip.Is6() {
			return errors.New("has no address of IPv6 between [ and ], such as [::1]")
		}
		return nil
	}
	for _, r := range host {
		if r > '~' {
			return errors.New("must have its host in ASCII, as browsers send it: xn--… for a name with other letters")
		}
	}
	for _, part := range strings.Split(host, ".") {
		if !label.MatchString(part) || len(host) > 253 {
			return errors.New("must have a host of letters, digits, hyphens and dots, such as app.example.com, with " +
				"1 to 63 between two dots and no hyphen beside a dot")
		}
	}
	return nil
}

// checkPath looks at path, query and fragment.
func checkPath(text string) error {
	if found := illegal.FindString(text); found != "" {
		return fmt.Errorf("has %q behind the host: write it in encoded form, as %s", found, url.PathEscape(found))
	}
	if second.MatchString(text) {
		return errors.New("has a second address behind a comma: give it one")
	}
	if strings.Count(text, "#") > 1 {
		return errors.New("has a second #: write it in encoded form, as %23")
	}
	for _, found := range escape.Regexp().FindAllString(text, -1) {
		code, err := strconv.ParseUint(found[1:], 16, 8)
		switch {
		case err != nil:
			return errors.New("has a % that no two hexadecimal digits follow: write it in encoded form, as %25")
		case code < ' ' || code == 0x7f:
			return fmt.Errorf("has the control character %s: leave it out", found)
		}
	}
	return nil
}
