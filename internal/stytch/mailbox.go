package stytch

import (
	"strings"

	"golang.org/x/net/idna"

	"guestpass/directory"
	"guestpass/internal/pattern"
)

// Browsers send what is typed into an e-mail field with the domain in ASCII, and send nothing
// that the pattern of the HTML standard does not match (section 4.10.5.1.5, "valid e-mail
// address"). An address kept in another form is one that nobody can sign in with.
var (
	fieldAddress = pattern.New("^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@" + label + `(?:\.` + label + ")*$")
	// domains maps as browsers do: UTS 46 without transitional processing, hyphens anywhere.
	domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.CheckHyphens(false))
)

const (
	label      = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
	maxAddress = 254 // RFC 5321 section 4.5.3.1.3, without the angle brackets
	maxLocal   = 64
)

// Mailbox returns the one form in which an address is kept: the domain in ASCII and lower case.
// The part before the @ stays as it was written: whether letter case counts there is the mail
// server's business.
func Mailbox(address string) (string, error) {
	local, domain, _ := strings.Cut(address, "@")
	ascii, err := domains.ToASCII(domain)
	written := local + "@" + ascii
	switch {
	case err != nil || !fieldAddress.MatchString("x@"+ascii) || !isPublic(ascii):
		return "", &directory.InvalidError{Field: "email",
			Reason: "has no domain behind the @ that can be reached; send the address as name@example.com"}
	case len(written) > maxAddress || len(local) > maxLocal:
		return "", &directory.InvalidError{Field: "email", Reason: "is longer than an e-mail address can be"}
	case !fieldAddress.MatchString(written):
		return "", &directory.InvalidError{Field: "email",
			Reason: "has characters before the @ that the sign-in page does not accept, so the person could not " +
				"come in; ask for an address of unaccented letters, digits and . _ - +"}
	}
	return written, nil
}

// isPublic reports whether the domain has a top-level domain, which is never a number.
func isPublic(domain string) bool {
	at := strings.LastIndexByte(domain, '.')
	return at > 0 && strings.Trim(domain[at+1:], "0123456789") != ""
}

// spellings returns the forms under which Stytch may know the mailbox from elsewhere.
func spellings(mailbox string) []string {
	forms := []string{mailbox}
	for _, form := range []string{strings.ToLower(mailbox), readable(mailbox)} {
		if form != forms[0] {
			forms = append(forms, form)
		}
	}
	return forms
}

// readable returns a mailbox with its domain as people write it.
func readable(mailbox string) string {
	local, domain, _ := strings.Cut(mailbox, "@")
	written, err := idna.Display.ToUnicode(domain)
	if err != nil {
		return mailbox
	}
	return local + "@" + written
}
