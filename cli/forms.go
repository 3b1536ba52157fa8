package cli

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"guestpass/api"
	"guestpass/internal/credentials"
	"guestpass/internal/pattern"
	"guestpass/internal/upstream"
	"guestpass/openapi"
)

// A form reads the value of a setting and keeps it. Its error says what the value must be, and never repeats it: it may
// be a secret in the wrong place. The error follows the setting's name.
type form func(value string) error

// word returns a form for a value without blanks, in ASCII.
func word(to *string, check func(string) error) form {
	return func(value string) error {
		if err := credentials.CheckText(value); err != nil {
			return err
		}
		*to = value
		return check(value)
	}
}

// webOrigin returns a form for a URL of scheme and host. It keeps the URL without a slash at its end.
func webOrigin(to *string, check func(string) error) form {
	return func(value string) error {
		err := word(to, check)(value)
		*to = strings.TrimSuffix(*to, "/")
		return err
	}
}

// line returns a form for a value of any letters, which may have blanks inside.
func line(to *string, check func(string) error) form {
	return func(value string) error {
		if err := checkLine(value); err != nil {
			return err
		}
		*to = value
		return check(value)
	}
}

// prose returns a form for a text that people read.
func prose(to *string, longest int) form { return line(to, noLongerThan(longest)) }

// list returns a form for values separated by commas; blanks around them do not count.
func list(to *[]string, check func(string) error) form {
	return func(value string) error {
		entries := strings.Split(value, ",")
		for i, entry := range entries {
			entries[i] = strings.Trim(entry, " ")
			if err := checkEntry(entries, i, check); err != nil {
				return fmt.Errorf("%s%w", place(i, len(entries)), err)
			}
		}
		*to = entries
		return nil
	}
}

// scopes returns a form for names with what they allow, separated by commas: so the words have no comma.
func scopes(to *[]api.Scope) form {
	return func(value string) error {
		entries := strings.Split(value, ",")
		declared := make([]api.Scope, len(entries))
		for i, entry := range entries {
			name, description, _ := strings.Cut(strings.Trim(entry, " "), "=")
			declared[i] = api.Scope{Name: name, Description: description}
			err := checkLine(description)
			if err == nil && strings.Contains(description, "=") {
				err = errors.New("has = twice")
			}
			if err == nil {
				err = declared[i].CheckForm()
			}
			if err == nil && slices.ContainsFunc(declared[:i], func(s api.Scope) bool { return s.Name == name }) {
				err = errors.New("is there twice")
			}
			if err != nil {
				return fmt.Errorf("%s%w; write NAME=WHAT IT ALLOWS, with a comma between two", place(i, len(entries)),
					err)
			}
		}
		*to = declared
		return nil
	}
}

// place returns the number of the entry i of a list, as words; "" if it is the only one.
func place(i, entries int) string {
	if entries == 1 {
		return ""
	}
	return fmt.Sprintf("(entry %d of %d) ", i+1, entries)
}

func checkEntry(entries []string, i int, check func(string) error) error {
	if entries[i] == "" {
		return errors.New("is empty: put one comma between two, and none at the ends")
	}
	if err := credentials.CheckText(entries[i]); err != nil {
		return err
	}
	if slices.Contains(entries[:i], entries[i]) {
		return errors.New("is there twice")
	}
	return check(entries[i])
}

// digits matches a number as people write it; Go reads signs, underscores and more.
var digits = pattern.New(`^(0|[1-9][0-9]{0,9})$`)

func number(to *int, lowest, highest int) form {
	return func(value string) error {
		n, err := strconv.Atoi(value)
		switch {
		case !digits.MatchString(value) || err != nil:
			return errors.New("is no whole number: write digits alone, such as 60")
		case n < lowest || n > highest:
			return fmt.Errorf("must be between %d and %d", lowest, highest)
		}
		*to = n
		return nil
	}
}

var amounts = pattern.New(`^([0-9]{1,9}(\.[0-9]{1,9})?(ms|s|m|h))+$`)

func duration(to *time.Duration, shortest, longest time.Duration) form {
	return func(value string) error {
		d, err := time.ParseDuration(value)
		switch {
		case !amounts.MatchString(value) || err != nil:
			return errors.New("is no duration: write a number and its unit, such as 30s, 5m or 8h")
		case d < shortest || d > longest:
			return fmt.Errorf("must be from %s to %s", shortest, longest)
		}
		*to = d
		return nil
	}
}

func moment(to *time.Time) form {
	return func(value string) (err error) {
		if *to, err = time.Parse(time.RFC3339, value); err != nil {
			return errors.New("is no time: write it as RFC 3339, such as 2026-12-01T08:00:00Z")
		}
		return nil
	}
}

func oneOf(allowed ...string) func(string) error {
	return func(value string) error {
		if !slices.Contains(allowed, value) {
			return fmt.Errorf("must be %s", strings.Join(allowed, " or "))
		}
		return nil
	}
}

func noLongerThan(longest int) func(string) error {
	return func(value string) error {
		if len([]rune(value)) > longest {
			return fmt.Errorf("must have no more than %d characters", longest)
		}
		return nil
	}
}

// checkLine admits what people write in one line, emoji and joiners of scripts included.
func checkLine(value string) error {
	const quotes = "\"'`“”„‘’«»"
	first, last := strings.IndexAny(value, quotes), strings.LastIndexAny(value, quotes)
	switch {
	case strings.TrimSpace(value) != value:
		return errors.New("has blanks or line ends around it: leave them out")
	case first == 0 && last > 0 && strings.Trim(value[last:], quotes) == "":
		return errors.New("has quotation marks around it: leave them out")
	case strings.ContainsFunc(value, unseen):
		return errors.New("has line ends, invisible characters or what turns the direction of writing in it: type it " +
			"anew")
	}
	return nil
}

// unseen reports whether nobody can see the character and no script needs it.
func unseen(r rune) bool {
	const nonJoiner, joiner, asText, asEmoji = '\u200c', '\u200d', '\ufe0e', '\ufe0f'
	switch r {
	case nonJoiner, joiner, asText, asEmoji:
		return false
	case unicode.ReplacementChar:
		return true
	}
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Variation_Selector,
		unicode.Other_Default_Ignorable_Code_Point)
}

// checkAddr admits a host and a port to listen on. An empty host stands for every address of the machine.
func checkAddr(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if n, wrong := strconv.Atoi(port); err != nil || wrong != nil || !digits.MatchString(port) || n > 65535 ||
		host != "" && !isHost(strings.ToLower(host)) {
		return errors.New("must be a host and a port from 0 to 65535, such as localhost:8080 or :8080")
	}
	return nil
}

// hostName matches a name of DNS, in lower case.
var hostName = pattern.New(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// parseOrigin admits scheme and host, no more.
func parseOrigin(text string) (*url.URL, error) {
	text = strings.TrimSuffix(text, "/")
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("is not a URL")
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "":
		return nil, errors.New("must begin with https:// and a host name")
	case u.Host != strings.ToLower(u.Host):
		return nil, errors.New("must be in lower case")
	case u.Scheme+"://"+u.Host != text:
		return nil, errors.New("must be an origin: scheme and host only, nothing before or after them")
	case strings.HasSuffix(u.Hostname(), "."):
		return nil, errors.New("must have no dot at its end")
	case strings.HasSuffix(u.Host, ":"),
		u.Scheme == "https" && u.Port() == "443", u.Scheme == "http" && u.Port() == "80":
		return nil, errors.New("must have no port where it is the usual one: leave it out")
	case !isHost(u.Hostname()), u.Port() != "" && checkAddr(u.Host) != nil:
		return nil, errors.New("must begin with https:// and a host name")
	}
	return u, nil
}

// isHost reports whether host is the name of a host or an address. A number at the end of a name makes it an address,
// which some programs read in ways of their own: 127.1, 2130706433, 0x7f.1.
func isHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	last := host[strings.LastIndex(host, ".")+1:]
	return hostName.MatchString(host) && len(host) <= 253 && strings.Trim(last, "0123456789") != "" &&
		!strings.HasPrefix(last, "0x")
}

// checkSecureOrigin demands TLS if requests cross a network.
func checkSecureOrigin(text string) (*url.URL, error) {
	u, err := parseOrigin(text)
	if err == nil && u.Scheme == "http" && !loopback(u.Hostname()) {
		err = errors.New("must be https: tokens would cross the network in the clear (http is for this machine only)")
	}
	return u, err
}

func checkPublicURL(text string) error {
	_, err := checkSecureOrigin(text)
	return err
}

func checkEmulatorURL(text string) error {
	u, err := parseOrigin(text)
	if err == nil && !loopback(u.Hostname()) {
		err = errors.New("is not on loopback: it is for the emulator only")
	}
	return err
}

// checkStateFile refuses what can be no name of a file in a folder that is there.
func checkStateFile(name string) error {
	if credentials.LooksSecret(name) || strings.ContainsAny(name, "\x00") {
		return errors.New("is no name of a file, such as guestpass-emulator.json")
	}
	return nil
}

// checkFolder demands the absolute path of a folder: what is kept must not go wherever somebody starts the program.
func checkFolder(path string) error {
	if credentials.LooksSecret(path) || !filepath.IsAbs(path) || filepath.Clean(path) != path ||
		strings.ContainsAny(path, "\x00,\"'") {
		return errors.New("is no absolute path of a folder, such as /var/lib/guestpass/archive")
	}
	return nil
}

// checkPrivacyURL demands what openapi demands.
func checkPrivacyURL(text string) error { return openapi.CheckPrivacyURL(text) }

func loopback(host string) bool { return upstream.Loopback(host) }

var operationID = pattern.New(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)

// checkOperationID checks the form alone; [config.checkOperations] knows which operations exist.
func checkOperationID(id string) error {
	if !operationID.MatchString(id) {
		return errors.New("must be the id of an operation, such as listTasks")
	}
	return nil
}

var challengeForm = pattern.New(`^[A-Za-z0-9._~+/=-]{8,256}$`)

// checkChallenge admits the token that OpenAI's portal shows, without quotes or the name of a file around it.
func checkChallenge(token string) error {
	if !challengeForm.MatchString(token) {
		return errors.New("must be the token alone that the portal shows for the domain: 8 to 256 letters, " +
			"digits and ._~+/=-")
	}
	return nil
}

var headerMember = pattern.New(`^[a-z][a-z0-9#]{0,15}$`)

// checkHeaderMember refuses crit and b64, which change what a token means; auth refuses them as well.
func checkHeaderMember(name string) error {
	if !headerMember.MatchString(strings.ToLower(name)) || name == "crit" || name == "b64" {
		return errors.New("must be the name of a header member, such as x5t, other than crit and b64")
	}
	return nil
}

var loginMethod = pattern.New(`^[a-z_]{1,20}$`)

// checkLoginMethod checks the form alone; which methods exist depends on the vertical.
func checkLoginMethod(name string) error {
	if !loginMethod.MatchString(name) {
		return errors.New("must be a way to sign in, such as email_code or google")
	}
	return nil
}

// checkProxy admits a range of addresses that is neither everybody nor half of everybody.
func checkProxy(proxy string) error {
	if proxy == noProxies {
		return nil
	}
	prefix, err := netip.ParsePrefix(proxy)
	switch {
	case err != nil || prefix.Addr().Is4In6():
		return errors.New("is no range of addresses such as 10.1.2.0/24, or 10.1.2.3/32 for one")
	case prefix.Addr().Is4() && prefix.Bits() < 8, prefix.Bits() < 7,
		prefix.Addr().Is6() && prefix.Bits() < 16 && !prefix.Addr().IsPrivate():
		return errors.New("is everybody, or a great part of everybody: anybody could then choose the address that is " +
			"counted; name your proxies")
	}
	return nil
}

func checkContact(address string) error {
	if mailbox(address) == "" {
		return errors.New("is no e-mail address, such as support@example.com")
	}
	return nil
}
