package page

import (
	"bytes"
	"image"
	"image/jpeg"
	"image/png"
	"net/http/httptest"
	"strings"
	"testing"
)

func picture(t *testing.T, width int, encode func(*bytes.Buffer, image.Image) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b, image.NewRGBA(image.Rect(0, 0, width, 8))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asPNG(b *bytes.Buffer, i image.Image) error  { return png.Encode(b, i) }
func asJPEG(b *bytes.Buffer, i image.Image) error { return jpeg.Encode(b, i, nil) }

const svg = `<?xml version="1.0"?><!-- a logo --><svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h8v8z"/></svg>`

func TestALogoIsKnownByItsContent(t *testing.T) {
	for kind, content := range map[string]string{
		"image/svg+xml": svg,
		"image/png":     string(picture(t, 8, asPNG)),
		"image/jpeg":    string(picture(t, 8, asJPEG)),
		"image/webp": "RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11" +
			"\x88\x88\xfe\x07\x00",
	} {
		logo, err := NewLogo([]byte(content))
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		answer := httptest.NewRecorder()
		logo.ServeHTTP(answer, httptest.NewRequest("GET", "/assets/"+logo.name, nil))
		h := answer.Header()
		if h.Get("Content-Type") != kind || answer.Body.String() != content ||
			h.Get("X-Content-Type-Options") != "nosniff" || h.Get("ETag") == "" ||
			h.Get("Content-Security-Policy") != "default-src 'none'; style-src 'unsafe-inline'; sandbox" {
			t.Errorf("%s: %v", kind, h)
		}
		again := httptest.NewRequest("GET", "/", nil)
		again.Header.Set("If-None-Match", h.Get("ETag"))
		kept := httptest.NewRecorder()
		if logo.ServeHTTP(kept, again); kept.Code != 304 {
			t.Errorf("%s: asked again: %d", kind, kept.Code)
		}
	}
}

func TestWhatIsNoLogoIsRefused(t *testing.T) {
	for name, tt := range map[string]struct{ content, want string }{
		"nothing": {"", "is empty"},
		"a page":  {"<!doctype html><html><body>Not found</body></html>", "no picture"},
		"a page as XML": {`<html xmlns="http://www.w3.org/1999/xhtml"><svg xmlns="http://www.w3.org/2000/svg"/></html>`,
			"no picture"},
		"svg of no namespace": {"<svg/>", "no picture"},
		"half an SVG":         {svg[:len(svg)-8], "not well-formed"},
		"two SVGs and more":   {svg + "<script>", "not well-formed"},
		"an entity": {`<!DOCTYPE svg [<!ENTITY a "b">]>` + strings.Replace(svg[21:], "<path", "&a;<path", 1),
			"not well-formed"},
		"JSON":           {`{"logo":1}`, "no picture"},
		"GIF":            {"GIF89a\x01\x00\x01\x00", "no picture"},
		"half a PNG":     {string(picture(t, 8, asPNG)[:20]), "damaged"},
		"a wide PNG":     {string(picture(t, maxSide+1, asPNG)), "wider"},
		"too many bytes": {svg + strings.Repeat(" ", MaxLogo), "more than 256 KiB"},
		"text":           {"logo", "no picture"},
	} {
		if _, err := NewLogo([]byte(tt.content)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}
