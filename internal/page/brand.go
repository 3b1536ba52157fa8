package page

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"

	"guestpass/internal/pageurl"
)

// A Brand is whose page it is. The zero value is Guestpass's own.
type Brand struct {
	Title string // of the app; "": Guestpass
	// Color is #rrggbb. Buttons have it in both schemes; links have the nearest one that is legible. "": green.
	Color   string
	Logo    *Logo  // beside the title, and as the icon; nil: a mark in the colour
	Support string // where people find help: https: or mailto:; "": nowhere
}

// A ground is what text stands on, in one of the schemes. guestpass.css has the same.
type ground struct{ page, card colour }

var (
	light = ground{page: white, card: colour{0xf6, 0xf8, 0xfa}}
	dark  = ground{page: colour{0x0f, 0x12, 0x16}, card: colour{0x17, 0x1c, 0x22}}
)

// Links returns the colours that links have in the light and in the dark scheme; "" for those of Guestpass.
func (b Brand) Links() (inLight, inDark string) {
	c, err := parseColour(b.Color)
	if err != nil {
		return "", ""
	}
	return c.on(light.page, light.card).String(), c.on(dark.page, dark.card).String()
}

// sheet returns what the style sheet has of the brand. A button keeps the colour as it is: its edge has the links'
// colour, so that it is seen on any ground.
func (b Brand) sheet() string {
	c, err := parseColour(b.Color)
	if err != nil {
		return ""
	}
	inLight, inDark := b.Links()
	return fmt.Sprintf(":root { --accent: %s; --button: %s; --on-button: %s; }\n"+
		"@media (prefers-color-scheme: dark) { :root { --accent: %s; --button: %[2]s; --on-button: %[3]s; } }\n",
		inLight, c, c.ink(), inDark)
}

// mark returns the icon of a brand without a logo.
func (b Brand) mark() string {
	c, err := parseColour(b.Color)
	if err != nil {
		c = colour{0x0b, 0x6b, 0x53}
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">`+
		`<path d="M16 2a14 14 0 1 1 0 28H4a2 2 0 0 1-2-2V16A14 14 0 0 1 16 2z" fill="%s"/>`+
		`<path d="m10 16.500 4.200 4.200L22.500 12" fill="none" stroke="%s" stroke-width="3.200" `+
		`stroke-linecap="round" stroke-linejoin="round"/></svg>`, c, c.ink())
}

const maxSupport = 500 // characters

// CheckSupport checks the form of Brand.Support.
func CheckSupport(text string) error {
	mailbox, mails := strings.CutPrefix(text, "mailto:")
	switch {
	case len(text) > maxSupport:
		return fmt.Errorf("is longer than %d characters", maxSupport)
	case mails:
		address, err := mail.ParseAddress(mailbox)
		if err != nil || address.Address != mailbox || strings.ContainsFunc(mailbox, notInMailbox) {
			return errors.New("must have one address behind mailto:, in plain letters, such as " +
				"mailto:people@acme.example")
		}
		return nil
	case !strings.Contains(text, "://"):
		return errors.New("must be the address of a page or a mailbox, such as https://acme.example/support or " +
			"mailto:people@acme.example")
	}
	u, err := pageurl.Parse(text)
	if err == nil && u.Scheme != "https" {
		err = errors.New("must begin with https://, or with mailto: for a mailbox")
	}
	return err
}

func notInMailbox(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"\\?#%<>", r) }

// check refuses what the pages cannot show.
func (b Brand) check() error {
	var faults []error
	if b.Color != "" {
		if err := CheckColor(b.Color); err != nil {
			faults = append(faults, fmt.Errorf("the brand's colour %w", err))
		}
	}
	if b.Support != "" {
		if err := CheckSupport(b.Support); err != nil {
			faults = append(faults, fmt.Errorf("the brand's support address %w", err))
		}
	}
	return errors.Join(faults...)
}
