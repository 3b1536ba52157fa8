package plugin

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // read by image.DecodeConfig
	_ "image/png"  // read by image.DecodeConfig
	"io"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

// Bounds of images, and of the text of a license.
const (
	maxImage      = 5 << 20
	leastPixels   = 48
	mostPixels    = 4096
	screenWidth   = 706
	screenLeast   = 400
	screenMost    = 860
	maxText       = 256 << 10
	leastContrast = 2
)

// errTooLarge: a file has more bytes than are read.
var errTooLarge = errors.New("it is too large")

// file reads one of the folder of the listing.
func (m *maker) file(name string, limit int) ([]byte, error) {
	if !fs.ValidPath(name) || m.Files == nil {
		return nil, fs.ErrInvalid
	}
	f, err := m.Files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err == nil && len(content) > limit {
		return nil, errTooLarge
	}
	return content, err
}

// readImages reads the images that the listing names, and refuses what the portal would.
func (m *maker) readImages() {
	l := m.listing
	for _, one := range []struct{ member, name string }{{"logo", l.Logo}, {"logoDark", l.LogoDark},
		{"composerIcon", l.ComposerIcon}, {"composerIconDark", l.ComposerIconDark}} {
		if content := m.image(one.member, one.name); content != nil {
			m.checkIcon(one.member, one.name, content)
		}
	}
	for i, name := range l.Screenshots {
		member := fmt.Sprintf("screenshots[%d]", i)
		if content := m.image(member, name); content != nil {
			m.checkScreenshot(member, content)
		}
	}
}

// image reads one image into the package; nil if there is none.
func (m *maker) image(member, name string) []byte {
	if name == "" {
		return nil
	}
	content, err := m.file(name, maxImage)
	inPackage := strings.TrimPrefix(asset(name), "./")
	switch _, taken := m.images[inPackage]; {
	case !fs.ValidPath(name) || strings.Contains(name, `\`):
		m.refuse("declared_asset_path_unsafe", member, "names no file in the folder of listing.json: write it as "+
			"logo.png or images/logo.png")
		return nil
	case errors.Is(err, errTooLarge):
		m.refuse("image_file_too_large", member, fmt.Sprintf("has more than %d bytes: save it smaller", maxImage))
		return nil
	case err != nil:
		m.refuse("declared_asset_file_missing", member, fmt.Sprintf("names %s, which cannot be read: put the file "+
			"beside listing.json", name))
		return nil
	case taken && !bytes.Equal(m.images[inPackage], content):
		m.refuse("archive_member_path_duplicate", member, fmt.Sprintf("is another image of the name %s: rename one of "+
			"them", path.Base(name)))
		return nil
	}
	m.images[inPackage] = content
	return content
}

func (m *maker) checkIcon(member, name string, content []byte) {
	if path.Ext(name) == ".svg" {
		if width, height, ok := sizeOfSVG(content); !ok || math.Abs(width-height) > 0.001*width {
			m.refuse("", member, "is an SVG without a numeric width and height or viewBox that is "+
				"square: give it one, such as viewBox=\"0 0 48 48\"")
		}
		return
	}
	size, format, err := image.DecodeConfig(bytes.NewReader(content))
	switch {
	case err != nil:
		m.refuse("", member, "is not a PNG, JPEG or SVG: save it as a PNG (OpenAI takes WebP too, which is not "+
			"checked here)")
	case size.Width != size.Height:
		m.refuse("raster_image_not_square", member, fmt.Sprintf("is a %s of %d × %d: make it square", format,
			size.Width, size.Height))
	case size.Width < leastPixels:
		m.refuse("raster_image_dimensions_too_small", member, fmt.Sprintf("has %d pixels a side: %d are the least, "+
			"and 512 look good", size.Width, leastPixels))
	case size.Width > mostPixels:
		m.refuse("", member, fmt.Sprintf("has %d pixels a side: %d are the most", size.Width, mostPixels))
	}
}

func (m *maker) checkScreenshot(member string, content []byte) {
	size, _, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil || size.Width != screenWidth || size.Height < screenLeast || size.Height > screenMost {
		m.refuse("", member, fmt.Sprintf("must be a PNG or JPEG exactly %d pixels wide and %d to %d high", screenWidth,
			screenLeast, screenMost))
	}
}

// sizeOfSVG returns what the root element says, by its width and height or by its viewBox.
func sizeOfSVG(content []byte) (width, height float64, ok bool) {
	var root struct {
		XMLName xml.Name `xml:"svg"`
		Width   string   `xml:"width,attr"`
		Height  string   `xml:"height,attr"`
		ViewBox string   `xml:"viewBox,attr"`
	}
	if xml.Unmarshal(content, &root) != nil {
		return 0, 0, false
	}
	number := func(text string) float64 {
		n, err := strconv.ParseFloat(strings.TrimSuffix(text, "px"), 64)
		if err != nil {
			return 0
		}
		return n
	}
	width, height = number(root.Width), number(root.Height)
	if box := strings.FieldsFunc(root.ViewBox, func(r rune) bool { return r == ' ' || r == ',' }); len(box) == 4 &&
		(width <= 0 || height <= 0) {
		width, height = number(box[2]), number(box[3])
	}
	return width, height, width > 0 && height > 0
}

// contrast returns the ratio of two colors, #RRGGBB, as WCAG 2 defines it.
func contrast(a, b string) float64 {
	lighter, darker := luminance(a), luminance(b)
	if lighter < darker {
		lighter, darker = darker, lighter
	}
	return (lighter + 0.05) / (darker + 0.05)
}

func luminance(color string) float64 {
	n, _ := strconv.ParseUint(strings.TrimPrefix(color, "#"), 16, 32)
	channel := func(shift uint) float64 {
		c := float64(n>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(16) + 0.7152*channel(8) + 0.0722*channel(0)
}
