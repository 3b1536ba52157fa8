package page

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestContrastIsThatOfWCAG(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want float64
	}{
		{"#000000", "#ffffff", 21}, {"#ffffff", "#ffffff", 1}, {"#777777", "#ffffff", 4.48},
		{"#767676", "#ffffff", 4.54}, {"#ff0000", "#ffffff", 4.00}, {"#0000ff", "#ffffff", 8.59},
		{"#ffff00", "#000000", 19.56},
	} {
		a, _ := parseColour(tt.a)
		b, _ := parseColour(tt.b)
		if got := contrast(a, b); math.Abs(got-tt.want) > 0.005 || got != contrast(b, a) {
			t.Errorf("%s on %s: %.3f, want %.2f", tt.a, tt.b, got, tt.want)
		}
	}
}

// TestEveryColourCanBeRead walks the cube of colours: whatever a brand's is, links are legible on each ground, the
// words of buttons on the button, and a button's edge is seen.
func TestEveryColourCanBeRead(t *testing.T) {
	tried := 0
	for r := 0; r < 256; r += 15 {
		for g := 0; g < 256; g += 15 {
			for b := 0; b < 256; b += 15 {
				tried++
				c := colour{uint8(r), uint8(g), uint8(b)}
				if contrast(c, c.ink()) < legible {
					t.Fatalf("%s on %s is not legible", c.ink(), c)
				}
				for _, scheme := range []ground{light, dark} {
					link := c.on(scheme.page, scheme.card)
					if contrast(link, scheme.page) < legible || contrast(link, scheme.card) < legible {
						t.Fatalf("%s becomes %s, which is not legible on %v", c, link, scheme)
					}
					if contrast(c, scheme.page) >= legible && contrast(c, scheme.card) >= legible && link != c {
						t.Fatalf("%s is legible, and became %s", c, link)
					}
				}
			}
		}
	}
	t.Logf("%d colours", tried)
}

func TestABrandsColourReachesTheSheet(t *testing.T) {
	sheet := Brand{Color: "#FFD400"}.sheet()
	for _, part := range []string{"--button: #ffd400; --on-button: #000000;", "--accent: #ffd400;"} { // legible in dark
		if !strings.Contains(sheet, part) {
			t.Errorf("lacks %s:\n%s", part, sheet)
		}
	}
	if inLight, inDark := (Brand{Color: "#FFD400"}).Links(); inLight == "#ffd400" || inDark != "#ffd400" {
		t.Errorf("links have %s and %s", inLight, inDark)
	}
	if got := (Brand{}).sheet(); got != "" {
		t.Errorf("without a colour: %s", got)
	}
}

// TestTheGroundsAreThoseOfTheSheet: the arithmetic goes by them.
func TestTheGroundsAreThoseOfTheSheet(t *testing.T) {
	sheet, err := os.ReadFile("assets/guestpass.css")
	if err != nil {
		t.Fatal(err)
	}
	var declared []string
	for _, match := range regexp.MustCompile(`--(bg|card): (#[0-9a-f]{6})`).FindAllStringSubmatch(string(sheet), -1) {
		declared = append(declared, match[2])
	}
	want := fmt.Sprint([]colour{light.page, light.card, dark.page, dark.card})
	if fmt.Sprint(declared) != want {
		t.Errorf("the sheet has %v, the arithmetic %s", declared, want)
	}
}
