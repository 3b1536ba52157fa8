package page

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // formats of logos
	_ "image/png"
	"io"
	"net/http"
)

// MaxLogo is how many bytes a logo has at most.
const MaxLogo = 256 << 10

const maxSide = 4096 // pixels of a logo

// A Logo is a picture that is surely one of the known kinds.
type Logo struct {
	name  string // below /assets/
	shown http.Handler
}

// names of logos by their media type.
var logoNames = map[string]string{"image/svg+xml": "logo.svg", "image/png": "logo.png", "image/jpeg": "logo.jpg",
	"image/webp": "logo.webp"}

// NewLogo takes an SVG, PNG, JPEG or WebP, which it knows by the content alone. Its error follows the name of what was
// given.
func NewLogo(content []byte) (*Logo, error) {
	switch {
	case len(content) == 0:
		return nil, errors.New("is empty")
	case len(content) > MaxLogo:
		return nil, fmt.Errorf("has more than %d KiB: make it smaller", MaxLogo>>10)
	}
	kind := http.DetectContentType(content)
	switch kind {
	case "image/png", "image/jpeg":
		size, _, err := image.DecodeConfig(bytes.NewReader(content))
		if err != nil {
			return nil, errors.New("is a damaged picture")
		}
		if max(size.Width, size.Height) > maxSide {
			return nil, fmt.Errorf("is wider or higher than %d pixels", maxSide)
		}
	case "image/webp":
	default:
		if err := checkSVG(content); err != nil {
			return nil, err
		}
		kind = "image/svg+xml"
	}
	return &Logo{name: logoNames[kind], shown: Asset(kind, content)}, nil
}

var errNoPicture = errors.New("is no picture of a kind that browsers show: SVG, PNG, JPEG or WebP")

// checkSVG demands one well-formed svg element. What is in it is not looked at: it is shown as a picture, where
// nothing of it runs or loads, see [Logo.ServeHTTP].
func checkSVG(content []byte) error {
	decoder, root := xml.NewDecoder(bytes.NewReader(content)), xml.Name{}
	for {
		token, err := decoder.Token()
		switch {
		case errors.Is(err, io.EOF) && root.Local != "":
			return nil
		case err != nil && root.Local != "":
			return errors.New("is an SVG that is not well-formed")
		case err != nil:
			return errNoPicture
		}
		if start, ok := token.(xml.StartElement); ok && root.Local == "" {
			if root = start.Name; root != (xml.Name{Space: "http://www.w3.org/2000/svg", Local: "svg"}) {
				return errNoPicture
			}
		}
	}
}

// logoPolicy is for who opens the address of the logo itself: an SVG is then a document of our origin, in which
// nothing runs, loads, or sees our cookies.
const logoPolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

// ServeHTTP answers with the picture. The pages show it in an img element, where browsers run no scripts of an SVG.
func (l *Logo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", logoPolicy)
	l.shown.ServeHTTP(w, r)
}
