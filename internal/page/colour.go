package page

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"guestpass/internal/pattern"
)

// A colour is one of sRGB.
type colour struct{ r, g, b uint8 }

func (c colour) String() string { return fmt.Sprintf("#%02x%02x%02x", c.r, c.g, c.b) }

var (
	black, white = colour{}, colour{255, 255, 255}

	colourForm = pattern.New(`^#[0-9A-Fa-f]{6}$`)
)

// CheckColor checks the form of Brand.Color.
func CheckColor(text string) error {
	if !colourForm.MatchString(text) {
		return errors.New("must be a colour as # and six digits from 0 to f, such as #0b6b53")
	}
	return nil
}

func parseColour(text string) (colour, error) {
	if err := CheckColor(text); err != nil {
		return colour{}, err
	}
	n, err := strconv.ParseUint(text[1:], 16, 24)
	return colour{uint8(n >> 16), uint8(n >> 8), uint8(n)}, err // #nosec G115 -- 24 bits
}

// luminance is the relative one of WCAG 2.2.
func (c colour) luminance() float64 {
	linear := func(part uint8) float64 {
		v := float64(part) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.r) + 0.7152*linear(c.g) + 0.0722*linear(c.b)
}

// contrast is the ratio of WCAG 2.2, from 1 to 21.
func contrast(a, b colour) float64 {
	la, lb := a.luminance(), b.luminance()
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// legible is the contrast of text that WCAG AA wants, and more than it wants of the edges of controls, which is 3.
const legible = 4.5

// on returns the colour nearest to c that is legible on all of the grounds: c itself, or c with as little as possible
// of black or white in it.
func (c colour) on(grounds ...colour) colour {
	towards := white
	if grounds[0].luminance() > 0.5 {
		towards = black
	}
	for step := range 256 {
		mixed := c.mixed(towards, float64(step)/255)
		worst := math.Inf(1)
		for _, ground := range grounds {
			worst = min(worst, contrast(mixed, ground))
		}
		if worst >= legible {
			return mixed
		}
	}
	return towards
}

// mixed returns c with a share of another colour, from 0 to 1.
func (c colour) mixed(other colour, share float64) colour {
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a)*(1-share) + float64(b)*share)) }
	return colour{mix(c.r, other.r), mix(c.g, other.g), mix(c.b, other.b)}
}

// ink returns black or white, whichever is read better on c. It is always legible: between the two grounds on which
// one of them is not, the other is.
func (c colour) ink() colour {
	if contrast(c, black) >= contrast(c, white) {
		return black
	}
	return white
}
